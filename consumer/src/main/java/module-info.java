/** Requires the model only: the engine comes in as a service. */
module org.example.echo {
  requires dev.weir.core;
}

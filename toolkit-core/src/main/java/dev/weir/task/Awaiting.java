package dev.weir.task;

import java.util.Collection;

/** What a future of Weir's own waits for in its turn: the purpose of such a future. */
interface Awaiting {
  /** {@return the futures on which it depends} */
  Collection<? extends Future<?>> awaited();
}

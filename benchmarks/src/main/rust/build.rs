//! Tells the program which version of Tokio it is built with: cargo passes that on to nobody.

use std::{env, fs, path::Path};

fn main() {
    let lock = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("Cargo.lock");
    println!("cargo:rerun-if-changed={}", lock.display());
    let text = fs::read_to_string(lock).unwrap_or_default();
    let mut lines = text.lines().skip_while(|line| *line != "name = \"tokio\"").skip(1);
    let version = lines.next().and_then(|line| line.split('"').nth(1)).unwrap_or("of unknown version");
    println!("cargo:rustc-env=TOKIO_VERSION={version}");
}

//! The `shiji` binary: allocator, TLS provider, and the command line in [`shiji::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two providers in one binary would panic at the first connection: this is the one, before anything connects.
    let first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(first.is_ok(), "nobody else installs a provider");
    shiji::cli::main()
}

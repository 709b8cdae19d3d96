//! The program `suda-desk`. Everything it does is in the library.

use std::process::ExitCode;

/// Much of the work is small strings made by one thread and freed by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    suda_desk::cli::main().await
}

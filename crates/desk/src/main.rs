//! The program `suda-desk`. Everything it does is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    suda_desk::cli::main().await
}

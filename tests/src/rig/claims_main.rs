//! `suda-rig-claims [--claimers N] [--orders N]`: the rig of the claims, one
//! JSON line; fails when a bar is missed or the control was not caught.

mod claims;

use std::process::ExitCode;

use claims::{Size, claims};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(size) = asked() else {
        eprintln!("suda-rig-claims [--claimers N] [--orders N]");
        return ExitCode::FAILURE;
    };
    match claims(size).await {
        Ok(line) => {
            println!("{line}");
            match line["passed"].as_bool() {
                Some(true) => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("suda-rig-claims: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn asked() -> Option<Size> {
    let mut size = Size::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--claimers" => size.claimers = number,
            "--orders" => size.orders = number,
            _ => return None,
        }
    }
    (size.claimers >= 20 && size.orders >= 20).then_some(size)
}

//! The two small pieces in C: the request that cuts a file system off, and the
//! library that makes a program's writes fail. Compiled when a rig begins,
//! with the C compiler that building Suda needs anyway.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, output};

/// Compiles the cutting program into `dir`.
pub fn cut(dir: &Path) -> Result<PathBuf, Failure> {
    compile(dir, "cut", include_str!("cut.c"), &[])
}

/// Compiles the library of faults into `dir`.
pub fn fault(dir: &Path) -> Result<PathBuf, Failure> {
    let options = ["-shared", "-fPIC", "-ldl"];
    compile(dir, "fault.so", include_str!("fault.c"), &options)
}

fn compile(dir: &Path, name: &str, text: &str, options: &[&str]) -> Result<PathBuf, Failure> {
    let source = dir.join(format!("{name}.c"));
    std::fs::write(&source, text).map_err(Failure::io("the C source"))?;
    let made = dir.join(name);
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.args(["-O1", "-o"]).arg(&made).arg(&source);
    output(command.args(options))?;
    Ok(made)
}

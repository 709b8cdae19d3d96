//! A file somebody chose to import.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = suda_desk::read_through(bytes);
});

//! A bundle that comes on a stick. The first byte chooses what is changed: the
//! file itself, or the packed contents of a sound one, which only who holds
//! the key could have made.

#![no_main]

use libfuzzer_sys::fuzz_target;
use suda_sync::message::Request;
use suda_sync::{SecretKey, Signed, bundle};

fuzz_target!(|bytes: &[u8]| {
    let key = SecretKey::from_seed([7; 32]);
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    match choice % 3 {
        0 => {
            let _ = bundle::open_events(rest, &key);
            let _ = bundle::open_words(rest, &key.public());
        }
        1 => changed(rest, &key),
        _ => packed(rest, &key),
    }
});

/// A sound parcel of receipts with one byte another: never the same contents.
fn changed(bytes: &[u8], key: &SecretKey) {
    let [low, high, flip, rest @ ..] = bytes else {
        return;
    };
    let words = words(rest, key);
    let Ok(mut parcel) = bundle::pack_words(&words, &key.public()) else {
        return;
    };
    let at = usize::from(u16::from_le_bytes([*low, *high])) % parcel.len();
    parcel[at] ^= flip;
    let opened = bundle::open_words(&parcel, &key.public());
    assert_eq!(opened.is_ok(), *flip == 0, "byte {at}");
}

/// Whatever is packed comes out as it was.
fn packed(bytes: &[u8], key: &SecretKey) {
    let words = words(bytes, key);
    let Ok(parcel) = bundle::pack_words(&words, &key.public()) else {
        return;
    };
    let opened = bundle::open_words(&parcel, &key.public()).expect("a sound parcel opens");
    assert_eq!(opened.len(), words.len());
    for (one, two) in opened.iter().zip(&words) {
        assert_eq!(one.body.get(), two.body.get());
        let _ = one.peek::<Request>();
    }
}

fn words(bytes: &[u8], key: &SecretKey) -> Vec<Signed> {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split('|').take(8);
    parts
        .filter_map(|part| Signed::seal(&part, key).ok())
        .collect()
}

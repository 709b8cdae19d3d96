//! Records as they stand in a file of the journal: mark, length, checksum,
//! sealed contents. Read back, a damaged record costs itself alone: the next
//! one is found by its mark. No file here.

use super::seal::SealKey;

/// Begins each record. Zeros, which fill the rest of a file, never do.
const MARK: [u8; 4] = [0xd1, 0x5a, 0x7e, 0x01];
const HEAD: usize = 12;

/// What was found in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Records {
    pub(super) texts: Vec<Vec<u8>>,
    /// Stretches that are no record, each one or more damaged ones. One at the
    /// end may also be a record that was being written when the power went.
    pub(super) damaged: usize,
}

/// The record of a text at a place in its file. The place is the nonce, so
/// that records cannot be moved, and a place must not be written twice.
pub(super) fn write(
    key: &SealKey,
    place: u64,
    text: &[u8],
) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let sealed = key.seal(place, text)?;
    // A text is a few events; it never reaches four gigabytes.
    let length = u32::try_from(sealed.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    let mut record = Vec::with_capacity(HEAD + sealed.len());
    record.extend_from_slice(&MARK);
    record.extend_from_slice(&length);
    record.extend_from_slice(&checksum(&length, &sealed));
    record.extend_from_slice(&sealed);
    Ok(record)
}

fn checksum(length: &[u8], sealed: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(sealed);
    hasher.finalize().to_le_bytes()
}

/// Everything that can be read in a file.
pub(super) fn read(key: &SealKey, file: &[u8]) -> Records {
    let mut records = Records::default();
    let mut at = 0;
    let mut in_damage = false;
    while let Some(rest) = file.get(at..)
        && rest.iter().any(|byte| *byte != 0)
    {
        if let Some((text, length)) = record(key, at as u64, rest) {
            records.texts.push(text);
            in_damage = false;
            at += length;
            continue;
        }
        if !in_damage {
            records.damaged += 1;
            in_damage = true;
        }
        let next = rest
            .windows(MARK.len())
            .skip(1)
            .position(|window| window == MARK);
        match next {
            Some(steps) => at += steps + 1,
            None => break,
        }
    }
    records
}

/// The record at the beginning of `rest`, and how long it is.
fn record(key: &SealKey, place: u64, rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (head, rest) = rest.split_at_checked(HEAD)?;
    let (mark, head) = head.split_at_checked(MARK.len())?;
    let (length, sum) = head.split_at_checked(4)?;
    let size = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let sealed = rest.get(..size)?;
    if mark != MARK || sum != checksum(length, sealed) {
        return None;
    }
    Some((key.open(place, sealed)?, HEAD + size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> SealKey {
        SealKey([7; 32])
    }

    /// A file of these texts, and where each record begins.
    fn file(texts: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let (mut file, mut begins) = (Vec::new(), Vec::new());
        for text in texts {
            begins.push(file.len());
            file.extend(write(&key(), file.len() as u64, text).unwrap());
        }
        (file, begins)
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..12)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back_before_zeros(texts in texts(), zeros in 0..300_usize) {
            let (mut bytes, _) = file(&texts);
            bytes.resize(bytes.len() + zeros, 0);
            prop_assert_eq!(read(&key(), &bytes), Records { texts, damaged: 0 });
        }

        #[test]
        fn a_flipped_byte_is_found_and_costs_its_record_alone(
            texts in texts(), at in any::<prop::sample::Index>(), flip in 1..=255_u8,
        ) {
            let (mut bytes, begins) = file(&texts);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let hit = begins.iter().rposition(|begin| *begin <= at).unwrap();
            let mut left = texts.clone();
            left.remove(hit);
            prop_assert_eq!(read(&key(), &bytes), Records { texts: left, damaged: 1 });
        }

        #[test]
        fn a_torn_end_costs_what_was_torn_alone(
            texts in texts(), cut in any::<prop::sample::Index>(), zeros in any::<bool>(),
        ) {
            let (mut bytes, begins) = file(&texts);
            let whole = bytes.len();
            let cut = cut.index(whole);
            bytes.truncate(cut);
            if zeros {
                bytes.resize(whole + 100, 0);
            }
            let found = read(&key(), &bytes);
            let ends = begins.iter().skip(1).copied().chain([whole]);
            let left = ends.take_while(|end| *end <= cut).count();
            prop_assert!(found.texts.starts_with(&texts[..left]));
            // A record whose last bytes were zeros is whole again among zeros.
            prop_assert!(found.texts.len() <= left + usize::from(zeros));
        }

        #[test]
        fn no_bytes_at_all_make_the_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(read(&key(), &bytes).texts, Vec::<Vec<u8>>::new());
        }
    }

    #[test]
    fn records_cannot_be_moved_repeated_or_read_with_another_key() {
        let (bytes, begins) = file(&[b"one".to_vec(), b"two".to_vec()]);
        let swapped = [&bytes[begins[1]..], &bytes[..begins[1]]].concat();
        assert_eq!(read(&key(), &swapped).texts, Vec::<Vec<u8>>::new());
        assert_eq!(read(&SealKey([8; 32]), &bytes).texts.len(), 0);
    }
}

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

fn hub() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

fn desk() -> SecretKey {
    SecretKey::from_seed([2; 32])
}

fn messages() -> Vec<Signed> {
    ["宽带投诉 13800138000", "second"]
        .iter()
        .map(|text| Signed::seal(text, &desk()).unwrap())
        .collect()
}

fn sealed() -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(7);
    seal_events(&messages(), &hub().public(), &mut random).unwrap()
}

/// As somebody would who knows the form: the checksums made to fit again.
fn reframed(parcel: &[u8], change: impl FnOnce(&mut [u8; NAMED], &mut Vec<u8>)) -> Vec<u8> {
    let mut beginning: [u8; NAMED] = parcel[..NAMED].try_into().unwrap();
    let mut body = parcel[HEADER..].to_vec();
    change(&mut beginning, &mut body);
    frame(beginning, &body).unwrap()
}

#[test]
fn only_the_hub_it_is_sealed_to_reads_it() {
    let parcel = sealed();
    let read = open_events(&parcel, &hub()).unwrap();
    assert_eq!(read.len(), 2);
    let text: String = read[0].open(&desk().public()).unwrap();
    assert_eq!(text, "宽带投诉 13800138000");

    let other = SecretKey::from_seed([3; 32]);
    assert_eq!(
        open_events(&parcel, &other).err(),
        Some(OpenError::ForAnother)
    );
    // Addressed to the other by hand, it still does not open for it.
    let readdressed = reframed(&parcel, |named, _| {
        *named = beginning(Kind::Events, &other.public());
    });
    assert_eq!(
        open_events(&readdressed, &other).err(),
        Some(OpenError::Altered)
    );
}

#[test]
fn nothing_of_what_is_in_it_stands_in_it() {
    let mut random = StdRng::seed_from_u64(7);
    let long = vec![Signed::seal(&"13800138000".repeat(50), &desk()).unwrap()];
    let parcel = seal_events(&long, &hub().public(), &mut random).unwrap();
    let device = desk().public().bytes();
    let plain = fold(&long).unwrap();
    for secret in [b"1380013".as_slice(), b"signature", &device, &plain[..16]] {
        assert!(!parcel.windows(secret.len()).any(|part| part == secret));
    }
    let mut random = StdRng::seed_from_u64(8);
    let again = seal_events(&long, &hub().public(), &mut random).unwrap();
    assert_ne!(parcel[HEADER..], again[HEADER..], "no two are sealed alike");
}

#[test]
fn a_later_version_and_the_other_direction_are_named() {
    let later = reframed(&sealed(), |named, _| named[8] = VERSION + 1);
    assert_eq!(open_events(&later, &hub()).err(), Some(OpenError::Newer));
    let words = pack_words(&messages(), &desk().public()).unwrap();
    assert_eq!(open_words(&words, &desk().public()).unwrap().len(), 2);
    assert_eq!(
        open_words(&words, &hub().public()).err(),
        Some(OpenError::ForAnother)
    );
    assert_eq!(
        open_events(&words, &hub()).err(),
        Some(OpenError::OtherKind)
    );
    assert_eq!(
        open_words(&sealed(), &desk().public()).err(),
        Some(OpenError::OtherKind)
    );
}

#[test]
fn a_small_parcel_cannot_unfold_without_end() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Right in every other way, so that only its size speaks against it.
    let blanks = vec![b' '; 1 << 20];
    encoder.write_all(br#"{"messages":["#).unwrap();
    for _ in 0..(MOST_UNFOLDED >> 20) + 1 {
        encoder.write_all(&blanks).unwrap();
    }
    encoder.write_all(b"]}").unwrap();
    let bomb = encoder.finish().unwrap();
    let parcel = frame(beginning(Kind::Receipts, &desk().public()), &bomb).unwrap();
    assert_eq!(
        open_words(&parcel, &desk().public()).err(),
        Some(OpenError::Unreadable)
    );
}

#[test]
fn every_refusal_has_an_exit_code_of_its_own() {
    let all = [
        OpenError::NotABundle,
        OpenError::Truncated,
        OpenError::Altered,
        OpenError::ForAnother,
        OpenError::Newer,
        OpenError::OtherKind,
        OpenError::Unreadable,
    ];
    let codes: std::collections::BTreeSet<_> = all.map(OpenError::exit_code).into();
    assert_eq!(codes.len(), all.len());
    assert!(
        codes.iter().all(|code| *code > 2),
        "1 and 2 mean other things"
    );
}

proptest! {
    #[test]
    fn any_altered_byte_is_noticed_and_named(
        at in any::<prop::sample::Index>(),
        by in 1u8..=255,
    ) {
        for (parcel, opened) in both() {
            let mut altered = parcel;
            let at = at.index(altered.len());
            altered[at] ^= by;
            let expected = if at < MAGIC.len() { OpenError::NotABundle } else { OpenError::Altered };
            prop_assert_eq!(opened(&altered), Some(expected));
        }
    }

    #[test]
    fn any_truncation_is_noticed_and_named(upto in any::<prop::sample::Index>()) {
        for (parcel, opened) in both() {
            let cut = &parcel[..upto.index(parcel.len())];
            prop_assert_eq!(opened(cut), Some(OpenError::Truncated));
        }
    }

    #[test]
    fn anything_added_is_noticed(more in prop::collection::vec(any::<u8>(), 1..40)) {
        for (mut parcel, opened) in both() {
            parcel.extend_from_slice(&more);
            prop_assert_eq!(opened(&parcel), Some(OpenError::Altered));
        }
    }

    /// Also when the checksums were made to fit again.
    #[test]
    fn the_seal_holds_where_checksums_do_not(
        at in any::<prop::sample::Index>(),
        by in 1u8..=255,
    ) {
        let forged = reframed(&sealed(), |_, body| {
            let at = at.index(body.len());
            body[at] ^= by;
        });
        let opened = open_events(&forged, &hub()).err();
        prop_assert_eq!(opened, Some(OpenError::Altered));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open_events(&bytes, &hub()).is_err());
        let framed = frame(beginning(Kind::Receipts, &desk().public()), &bytes).unwrap();
        prop_assert!(open_words(&framed, &desk().public()).is_err());
    }
}

type Opened = fn(&[u8]) -> Option<OpenError>;

/// A parcel of each kind, and how it is opened.
fn both() -> [(Vec<u8>, Opened); 2] {
    [
        (sealed(), |parcel| open_events(parcel, &hub()).err()),
        (
            pack_words(&messages(), &desk().public()).unwrap(),
            |parcel| open_words(parcel, &desk().public()).err(),
        ),
    ]
}

//! The key on the customer's receipt: who holds the paper may look the
//! complaint up on the status page, without a telephone number and also when
//! it is anonymous.
//!
//! The desk prints it without a network and the hub knows it without being
//! told: both derive it from the complaint's id, whose 74 random bits stand on
//! no paper and in no address a customer sees.

use sha2::{Digest as _, Sha256};
use suda_domain::{ComplaintId, ReferenceNumber};

/// 32 letters and digits that cannot be taken for one another on paper.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Five bits each: 80 bits, more than the id has to give.
const CHARACTERS: usize = 16;
const DOMAIN: &[u8] = b"suda receipt key 1";

/// The key of a complaint: 16 capital letters and digits.
pub fn receipt_key(complaint: ComplaintId) -> String {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(complaint.0.as_bytes())
        .finalize()
        .into();
    digest
        .iter()
        .take(CHARACTERS)
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect()
}

/// What the receipt's QR code opens. Number and key stand behind the `#`,
/// which a browser keeps to itself: they reach no log of a server or proxy.
pub fn status_link(page: &str, reference: &ReferenceNumber, complaint: ComplaintId) -> String {
    let page = page.trim_end_matches('/');
    format!("{page}#{reference}.{}", receipt_key(complaint))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Printed receipts hold it for years: it must never come out otherwise.
    #[test]
    fn the_key_of_a_complaint_stays_the_same() {
        let id = ComplaintId(Uuid::from_u128(0x0192_0c5f_7a10_7000_8000_0000_0000_0001));
        assert_eq!(receipt_key(id), "2Z287BUXU7GBJCRB");
        assert_ne!(receipt_key(id), receipt_key(ComplaintId(Uuid::nil())));
    }

    #[test]
    fn the_link_keeps_number_and_key_behind_the_hash() {
        let id = ComplaintId(Uuid::nil());
        let date = chrono::NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
        let branch = "CQ0123".parse().unwrap();
        let number = ReferenceNumber::compose(&branch, date, "A", 42).unwrap();
        let link = status_link("https://s.example/s/", &number, id);
        let key = receipt_key(id);
        assert_eq!(link, format!("https://s.example/s#{number}.{key}"));
    }
}

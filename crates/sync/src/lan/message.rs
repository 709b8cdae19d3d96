//! What a desk and the mailbox of its branch say to each other, over a
//! connection that has proven both their keys. Additive changes keep the
//! version, as with the hub.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, DeviceId, Lane};

use crate::chain::{Hash, SealedEvent};
use crate::sign::{PublicKey, Signed};

/// The version this program writes.
pub const VERSION: u16 = 1;
/// Entries of the mailbox's log in one answer.
pub const LOG_ENTRIES: usize = 200;
/// Bytes of event bodies in one answer; a single longer event goes alone.
pub const LOG_BYTES: usize = 256 * 1024;

/// Who a desk says it is when it pairs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    pub v: u16,
    pub device: DeviceId,
    /// The desk's letter in reference numbers, for people to know it by.
    pub letter: String,
    pub branch: BranchCode,
    /// The hub it is enrolled at.
    pub hub: PublicKey,
}

/// A desk's question to the mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The first message of the pairing's key exchange, in base64.
    Pair { message: String },
    /// The second: this proves that the code was known, over both keys and
    /// everything said (base64).
    Prove { about: Box<About>, proof: String },
    /// How far is what you keep of my events?
    Held,
    /// A batch as it would go to the hub.
    Put { batch: Signed },
    /// Your log behind `after`, and the hub's words for me behind number
    /// `words`; those up to it are stored here. When there are none, wait a
    /// while for some.
    Take {
        #[serde(default)]
        after: Option<Mark>,
        words: u64,
    },
    /// A new pairing code. Answered only to the mailbox's own programs.
    Code,
}

/// A place in the mailbox's log. The hash tells whether it is still the same
/// log: after a backup was put back, it is read from the beginning. What has
/// got its place in the hub's log since it was told is told again, in an order
/// of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    pub seq: u64,
    pub hash: Hash,
    #[serde(default)]
    pub again: u64,
}

/// The mailbox's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The mailbox's half of the key exchange and its proof, in base64.
    Pair {
        message: String,
        about: Box<About>,
        proof: String,
    },
    Paired,
    Held(Vec<Held>),
    /// On the mailbox's disk: preliminary, not a receipt.
    Kept,
    Log(Box<Log>),
    Code {
        code: String,
        until: DateTime<Utc>,
    },
    Refused(Refused),
}

/// Which of a desk's events of one stream the mailbox has in keeping, or has
/// brought to the hub as it knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Held {
    pub incarnation: u32,
    pub lane: Lane,
    /// The first and the last.
    #[serde(default)]
    pub first_n: u64,
    pub n: u64,
    /// Of the last.
    pub hash: Hash,
}

/// A page of the mailbox's log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Log {
    /// The log is another than that of the mark: this begins at its beginning.
    pub anew: bool,
    pub entries: Vec<Entry>,
    /// Where the asker's own events stand, which are not sent back.
    #[serde(default)]
    pub own: Vec<Placed>,
    /// The mark after this page; absent while the log is empty.
    pub mark: Option<Mark>,
    pub more: bool,
    #[serde(default)]
    pub words: Vec<Words>,
    /// The epoch of the hub as the mailbox knows it, which its places in the
    /// hub's log are of.
    #[serde(default)]
    pub epoch: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub seq: u64,
    pub event: SealedEvent,
    /// Its place in the hub's log, where the hub has told the mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Placed {
    pub incarnation: u32,
    pub lane: Lane,
    pub n: u64,
    pub seq: u64,
    /// Which event the mailbox has under this number: a copy of the asker's
    /// database may have written another.
    #[serde(default)]
    pub hash: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<u64>,
}

/// What a mailbox tells of an event's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// The hub has not placed it, as far as the mailbox knows.
    InBranch,
    /// At this number of the hub's log.
    AtHub(u64),
    /// In the log of a hub that this desk does not know, or not any more: what
    /// the hub has of it, the hub itself will tell.
    Elsewhere,
}

impl Log {
    /// What an entry's place means to a desk that knows the hub under `epoch`. A
    /// hub put back from a backup may have forgotten what it had placed.
    pub fn told(&self, hub: Option<u64>, epoch: Option<&str>) -> Told {
        match hub {
            None => Told::InBranch,
            Some(seq) if epoch.is_some() && self.epoch.as_deref() == epoch => Told::AtHub(seq),
            Some(_) => Told::Elsewhere,
        }
    }
}

/// A parcel of the hub's receipts (see [`crate::bundle`]), in base64, with its
/// number at the mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Words {
    pub n: u64,
    pub parcel: String,
}

/// Why the mailbox does not do what is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// Not paired, or not any more.
    Unknown,
    /// No code is being shown, or it has run out.
    NoCode,
    /// The code is another.
    WrongCode,
    OtherBranch,
    OtherHub,
    Version,
    /// The batch is not signed by the desk, or not understood.
    Malformed,
    /// The mailbox's disk did not take it; come back later.
    Busy,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_only_in_the_log_of_the_same_hub() {
        let log = Log {
            epoch: Some("2".into()),
            ..Log::default()
        };
        assert_eq!(log.told(Some(5), Some("2")), Told::AtHub(5));
        assert_eq!(log.told(Some(5), Some("1")), Told::Elsewhere);
        assert_eq!(log.told(None, Some("1")), Told::InBranch);
        let nobody_knows = Log::default();
        assert_eq!(nobody_knows.told(Some(5), None), Told::Elsewhere);
    }

    #[test]
    fn a_log_and_a_mark_of_an_earlier_version_are_read() {
        let mark: Mark =
            serde_json::from_str(&format!(r#"{{"seq":3,"hash":"{}"}}"#, "0".repeat(64))).unwrap();
        assert_eq!((mark.seq, mark.again), (3, 0));
        let log = r#"{"anew":false,"entries":[],"own":[{"incarnation":1,"lane":1,"n":2,"seq":3}],
            "mark":null,"more":false}"#;
        let log: Log = serde_json::from_str(log).unwrap();
        assert_eq!(
            (log.epoch, log.own[0].hash, log.own[0].hub),
            (None, None, None)
        );
    }
}

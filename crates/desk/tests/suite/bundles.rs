//! Receipts that come by file: what counts, and what never may.

use suda_desk::{BundleError, BundleFault};
use suda_domain::Lane;
use suda_sync::bundle::{LaneStanding, Standing, Word, open_events, pack_words};
use suda_sync::{Ask, Hash, Receipt, Request, SealedEvent, SecretKey, Signed, Verdict};

use crate::support::{Bench, behind_its_back, form};

/// A desk with some ordinary events that wait, and what its bundle holds.
struct Waiting {
    bench: Bench,
    hub: SecretKey,
    request: Request,
    events: Vec<SealedEvent>,
}

impl Waiting {
    async fn new() -> Self {
        let bench = Bench::new().await;
        for text in ["多扣话费十元", "多扣话费二十元"] {
            bench.record(form(text)).await;
        }
        let file = bench.dir.path().join("out.suda");
        let written = bench.desk.export_bundle(&file).await.unwrap();
        let total = bench.desk.report().await.unwrap().unsent.total();
        assert_eq!(u64::from(written.events), total);
        let hub = bench.hub.state.lock().unwrap().key.clone();
        let messages = open_events(&std::fs::read(&file).unwrap(), &hub).unwrap();
        let device = bench.hub.state.lock().unwrap().device_key.unwrap();
        let request: Request = messages.last().unwrap().open(&device).unwrap();
        let Ask::Batch { lane, events, .. } = request.ask.clone() else {
            panic!("not a batch");
        };
        assert!(lane == Lane::Ordinary && events.len() >= 4);
        Self {
            bench,
            hub,
            request,
            events,
        }
    }

    async fn left(&self) -> u64 {
        self.bench.desk.report().await.unwrap().unsent.lane1
    }

    async fn receipts_kept(&self) -> i64 {
        let mut conn = behind_its_back(self.bench.dir.path()).await;
        let count = sqlx::query_scalar("select count(*) from receipt");
        count.fetch_one(&mut conn).await.unwrap()
    }

    async fn take(&self, word: &Word, key: &SecretKey) -> Result<u32, BundleError> {
        self.take_all(std::slice::from_ref(word), key).await
    }

    async fn take_all(&self, words: &[Word], key: &SecretKey) -> Result<u32, BundleError> {
        let sealed = words.iter().map(|word| Signed::seal(word, key).unwrap());
        let words: Vec<Signed> = sealed.collect();
        let device = self.bench.hub.state.lock().unwrap().device_key.unwrap();
        let parcel = pack_words(&words, &device).unwrap();
        let taken = self.bench.desk.take_receipts(&parcel).await;
        taken.map(|report| report.confirmed)
    }

    fn receipt(&self, first_n: u64, count: usize, watermark: u64) -> Word {
        Word::Receipt(Receipt {
            device: self.request.device,
            incarnation: 1,
            epoch: "e1".into(),
            watermarks: [0, watermark, 0, 0],
            lane: Lane::Ordinary,
            first_n,
            verdicts: vec![Verdict::Applied; count],
            allowance: None,
            level: None,
            at: chrono::Utc::now(),
        })
    }

    fn standing(&self, n: u64, hash: Hash) -> Word {
        let lane = Lane::Ordinary;
        Word::Standing(Standing {
            device: self.request.device,
            incarnation: 1,
            epoch: "e1".into(),
            lanes: vec![LaneStanding { lane, n, hash }],
            at: chrono::Utc::now(),
        })
    }
}

#[tokio::test]
async fn a_receipt_alone_confirms_nothing_and_is_kept_once_its_events_are_known_as_received() {
    let desk = Waiting::new().await;
    let all = desk.left().await;
    // It does not tell whose events it speaks of: a copy of this desk may have
    // written others under the same numbers.
    assert_eq!(
        desk.take(&desk.receipt(1, 2, 9), &desk.hub).await.unwrap(),
        0
    );
    assert_eq!((desk.left().await, desk.receipts_kept().await), (all, 0));
    let second = desk.standing(2, desk.events[1].hash);
    let both = [desk.receipt(1, 2, 2), second];
    assert_eq!(desk.take_all(&both, &desk.hub).await.unwrap(), 2);
    assert_eq!(
        (desk.left().await, desk.receipts_kept().await),
        (all - 2, 1)
    );
    // A second time, and behind what is known: nothing more.
    assert_eq!(desk.take_all(&both, &desk.hub).await.unwrap(), 0);
    assert_eq!(
        desk.take(&desk.receipt(3, 2, 4), &desk.hub).await.unwrap(),
        0
    );
    assert_eq!(
        (desk.left().await, desk.receipts_kept().await),
        (all - 2, 1)
    );
}

#[tokio::test]
async fn how_far_the_hub_is_counts_only_for_the_same_events() {
    let desk = Waiting::new().await;
    let all = desk.left().await;
    let (third, fourth) = (desk.events[2].hash, desk.events[3].hash);
    for other in [desk.standing(3, fourth), desk.standing(99, third)] {
        assert_eq!(desk.take(&other, &desk.hub).await.unwrap(), 0);
    }
    assert_eq!(
        desk.take(&desk.standing(3, third), &desk.hub)
            .await
            .unwrap(),
        3
    );
    assert_eq!(desk.left().await, all - 3);
}

#[tokio::test]
async fn only_this_desks_own_hub_gives_receipts() {
    let desk = Waiting::new().await;
    let all = desk.left().await;
    let stranger = SecretKey::from_seed([8; 32]);
    let refused = desk.take(&desk.receipt(1, 2, 2), &stranger).await;
    assert!(matches!(refused, Err(BundleError::ForeignHub)));
    let Word::Receipt(mut receipt) = desk.receipt(1, 2, 2) else {
        panic!("a receipt");
    };
    receipt.device.0 = uuid::Uuid::nil();
    let refused = desk.take(&Word::Receipt(receipt.clone()), &desk.hub).await;
    let for_another = BundleError::Open(BundleFault::ForAnother);
    assert_eq!(refused.unwrap_err().to_string(), for_another.to_string());
    receipt.device = desk.request.device;
    receipt.epoch = "e0".into();
    let refused = desk.take(&Word::Receipt(receipt), &desk.hub).await;
    assert!(matches!(refused, Err(BundleError::OtherEpoch)));
    assert_eq!(desk.left().await, all);
}

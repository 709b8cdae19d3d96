//! Whether an event costs the same however many the hub holds: what the hub
//! takes in a second at ten thousand, a hundred thousand, a million and five
//! million events. Runs a quarter of an hour and needs 15 GB of room, so only
//! when it is asked for by name.

use std::sync::Arc;

use suda_hub::store::Store;
use suda_hub::store::sqlite::SqliteStore;
use suda_tests::Failure;

use crate::ingest::{BATCH, Desk, city, said, send};
use crate::line::Goal::AtMost;
use crate::line::{print, print_against};

/// Events stored when the cost is looked at.
const MARKS: [usize; 4] = [10_000, 100_000, 1_000_000, 5_000_000];
/// Events each look is made of.
const LOOK: usize = 20_000;
/// How much dearer an event may be at the last mark than at the first.
const FLAT: f64 = 1.5;

pub async fn curve() -> Result<(), Failure> {
    let dir = tempfile::tempdir().map_err(Failure::io("a folder"))?;
    let store = SqliteStore::open(dir.path(), true).await.map_err(said)?;
    let store: Arc<dyn Store> = Arc::new(store);
    let mut desks = city(store.as_ref()).await?;
    let mut stored = 0;
    let (mut first, mut dearer) = (None, 1.0);
    for mark in MARKS {
        while stored < mark {
            let step = (mark - stored).min(LOOK);
            stored += take(&store, &mut desks, step).await?.0;
        }
        let (taken, micros) = take(&store, &mut desks, LOOK).await?;
        stored += taken;
        let metric = format!("event_at_{mark}");
        print("curve", &metric, micros, "us", taken);
        let first = *first.get_or_insert(micros);
        dearer = micros / first;
    }
    print_against(
        ("curve", "last_over_first"),
        dearer,
        "ratio",
        LOOK,
        AtMost(FLAT),
    );
    store.close().await;
    Ok(())
}

/// Has about so many more taken in, and gives how many they were and what each
/// took, in microseconds. Making them is not counted.
async fn take(
    store: &Arc<dyn Store>,
    desks: &mut [Desk],
    events: usize,
) -> Result<(usize, f64), Failure> {
    let batches = events.div_ceil(desks.len() * BATCH);
    let mut prepared = Vec::new();
    for desk in desks.iter_mut() {
        prepared.push((desk.device.clone(), desk.requests(batches)?));
    }
    let (taken, took) = send(store, prepared).await?;
    let expected = batches * desks.len() * BATCH;
    if taken != expected {
        return Err(said(format!("{taken} of {expected} events taken")));
    }
    Ok((taken, took.as_secs_f64() * 1e6 / taken as f64))
}

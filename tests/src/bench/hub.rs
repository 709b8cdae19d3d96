//! From the desk to the hub: how fast a backlog drains.

use std::time::Instant;

use suda_tests::{City, Failure};

use crate::desk::import_rows;
use crate::line::Goal::AtLeast;
use crate::line::print_against;
use crate::raw;

const ROWS: usize = 20_000;

pub async fn sync() -> Result<(), Failure> {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    import_rows(&city, &desk, ROWS, "suggested")?;
    raw::posts(&city.url(), 2_000)
        .await?
        .print("raw", "loopback_post");
    let before = city.hub_status()?["events"].as_u64().unwrap_or(0);
    let begin = Instant::now();
    desk.sync()?;
    let seconds = begin.elapsed().as_secs_f64();
    let status = desk.status()?;
    let left = ["lane0", "lane1"].map(|lane| status["unsent"][lane].as_u64().unwrap_or(u64::MAX));
    if left != [0, 0] {
        return Err(Failure::Said(format!("not everything was sent: {status}")));
    }
    let events = city.hub_status()?["events"].as_u64().unwrap_or(0) - before;
    print_against(
        ("sync", "events_stored"),
        events as f64 / seconds,
        "1/s",
        events as usize,
        AtLeast(10_000.0),
    );
    Ok(())
}

//! What people wait for: the form after a start, a case in an expert's browser.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fantoccini::Locator;
use suda_tests::{City, Display, Failure, Screen, age_of, descendants, eventually, named_below};

use crate::desk;
use crate::line::Goal::AtMost;
use crate::line::{Times, print, print_against};

const SAVES: usize = 40;
const STARTS: usize = 20;

/// From the save at the desk to the row in an expert's open browser.
pub async fn visible() -> Result<(), Failure> {
    let city = City::start()?;
    let dir = city.desk(&city.branch()?, "desk")?;
    let browser = Screen::browser(&format!("{}/console", city.url())).await?;
    browser
        .console_sign_in(city.account("expert", None)?)
        .await?;
    browser.part("console-queue").await?;
    let (desk, session) = desk::open(&city, &dir).await?;
    let syncing = desk.clone();
    let sync = tokio::spawn(async move { syncing.sync_forever(std::future::pending()).await });
    let mut times = Times::default();
    for n in 0..SAVES {
        let begin = Instant::now();
        let reference = desk::record(&desk, &session, n, true).await?;
        let row = format!("[data-reference=\"{reference}\"]");
        eventually("the row", Duration::from_secs(10), || async {
            Ok(browser.client.find(Locator::Css(&row)).await.ok())
        })
        .await?;
        times.add(begin.elapsed());
    }
    sync.abort();
    times.print("visible", "save_to_experts_browser");
    print_against(
        ("visible", "save_to_experts_browser_p95"),
        times.percentile_ms(95),
        "ms",
        SAVES,
        AtMost(500.0),
    );
    browser.close().await
}

/// From starting the program to a form that takes input, and what it costs.
pub async fn start() -> Result<(), Failure> {
    let city = City::start()?;
    let dir = city.desk(&city.branch()?, "desk")?;
    let display = Display::start()?;
    let (mut times, mut driven) = (Times::default(), Times::default());
    for n in 0..STARTS {
        let begin = Instant::now();
        let window = Screen::window(&display, &dir).await?;
        window.part("sign-in").await?;
        driven.add(begin.elapsed());
        times.add(from_start_to_usable(&window).await?);
        if n + 1 == STARTS {
            let kib = resident_kib(window.driver_id)?;
            print("window", "rss_with_webview", kib as f64 / 1024.0, "MiB", 1);
        }
        window.close().await?;
    }
    times.print("window", "cold_start_to_form");
    print_against(
        ("window", "cold_start_to_form_p95"),
        times.percentile_ms(95),
        "ms",
        STARTS,
        AtMost(1_500.0),
    );
    // The same starts with the driver's own start and its looking.
    driven.print("window", "cold_start_with_driver");
    Ok(())
}

/// From the start of the program's process to its page being able to take input.
async fn from_start_to_usable(window: &Screen) -> Result<Duration, Failure> {
    let missing = |what: &str| Failure::Said(format!("no {what}"));
    let process = named_below(window.driver_id, "suda")
        .into_iter()
        .next()
        .ok_or_else(|| missing("window"))?;
    let started = SystemTime::now() - age_of(process)?;
    let ask = "const mark = performance.getEntriesByName('suda-usable')[0]; \
               return mark ? performance.timeOrigin + mark.startTime : null";
    eventually("the form takes input", Duration::from_secs(10), || async {
        let at = window.client.execute(ask, Vec::new()).await?.as_f64();
        Ok(at.and_then(|ms| {
            let at = UNIX_EPOCH + Duration::from_secs_f64(ms / 1000.0);
            at.duration_since(started).ok()
        }))
    })
    .await
}

/// Resident memory of the window's processes: `suda` and the web processes,
/// without the two drivers.
fn resident_kib(driver: u32) -> Result<u64, Failure> {
    let mut total = 0;
    for id in descendants(driver) {
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))
            .map_err(Failure::io("the memory of a process"))?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        if field("Name:").is_some_and(|name| name.contains("Driv")) {
            continue;
        }
        let rss = field("VmRSS:").unwrap_or_default();
        total += rss.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    }
    Ok(total)
}

//! The counter: a grade-1 complaint is recorded in the window, is at the
//! experts' and before management at once; and what the branch sees in the end.

use std::time::{Duration, Instant};

use suda_tests::{City, Display, Failure, Screen, SmsCentre, output};

use super::{Cast, STORY, console};
use crate::pages::{Done, fill_form, open_case};

/// Grade 1 is on a manager's desk in this time when the line is up.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) async fn recorded_and_alerted() -> Result<Cast, Failure> {
    let centre = SmsCentre::start().await?;
    let mut city = City::start()?;
    city.make_public()?;
    city.text_through(&centre)?;
    let branch = city.branch()?;
    let desk = city.desk(&branch, "desk")?;
    let display = Display::start()?;
    let window = Screen::window(&display, &desk).await?;
    let clerk = city.account("clerk", Some(&branch))?;
    window.desk_sign_in(clerk).await?;
    let chief = console(&city, "孙建国").await?;
    chief.part("console-board").await?;
    let expert = console(&city, "周雪").await?;
    expert.part("console-queue").await?;
    let phone = Screen::telephone(&format!("{}/s", city.url()), 390).await?;

    fill_form(&window, &STORY).await?;
    window
        .attribute_is("intake-grade", "data-value", "one")
        .await?;
    window
        .attribute_is("intake-complexity", "data-value", "complex")
        .await?;
    window.picture("whole-01-intake").await?;
    window.ctrl('\u{e007}').await?; // Ctrl+Enter
    let recorded = Instant::now();
    let alert = chief.part("console-alert").await?;
    let took = recorded.elapsed();
    assert!(took < AT_ONCE, "the alert took {took:?}");
    let reference = window.reads("receipt-reference", "-").await?;
    let reference = reference.trim().to_owned();
    let shown = alert.text().await?;
    assert!(shown.contains(&reference), "{shown}");
    window
        .attribute_is("delivery", "data-delivery", "at_hub")
        .await?;
    window.picture("whole-02-receipt").await?;
    chief.picture("whole-03-alert").await?;
    chief.click("console-acknowledge").await?;
    chief.gone("[data-testid=\"console-alert\"]").await?;
    chief.gone("[data-testid=\"console-notice\"]").await?;

    let mut cast = Cast {
        city,
        centre,
        desk,
        window,
        _display: display,
        expert,
        chief,
        phone,
        reference,
        texts: 0,
    };
    let accepted = cast.text_says("您的投诉已受理").await?;
    let page = format!("{}/s", cast.city.url());
    assert!(accepted.words.contains(&page), "{}", accepted.words);
    Ok(cast)
}

/// The branch sees how it ended, and both ledgers hold.
pub(super) async fn seen_to_its_end(cast: Cast) -> Done {
    open_case(&cast.window, &cast.reference).await?;
    cast.window
        .attribute_is("case-state", "data-state", "closed")
        .await?;
    cast.window.picture("whole-26-branch").await?;
    cast.window.close().await?;
    for screen in [cast.expert, cast.chief, cast.phone] {
        screen.close().await?;
    }
    output(&mut cast.desk.command("verify"))?;
    cast.city.verify()?;
    let counts = cast.city.hub_status()?;
    assert_eq!(counts["by_state"]["closed"], 1, "{counts}");
    Ok(())
}

//! The looks menu of the window and of the console: each language, light and dark.

use std::path::Path;

use suda_tests::{City, Display, Failure, Screen, output};

type Done = Result<(), Failure>;

/// Turns to each language and then to dark, and keeps pictures.
async fn turn_through(screen: &Screen, name: &str, shown: [&str; 3]) -> Done {
    screen.click("look-menu").await?;
    for (language, shown) in (1..).zip(shown) {
        screen
            .click_css(&format!(
                "[data-testid=\"look-language\"] label:nth-of-type({language})"
            ))
            .await?;
        screen.shows(shown).await?;
        screen
            .picture(&format!("{name}-language-{language}"))
            .await?;
    }
    screen
        .click_css("[data-testid=\"look-theme\"] label:nth-of-type(3)")
        .await?;
    screen.css("html.dark").await?;
    screen.picture(&format!("{name}-dark")).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_changes_its_language_and_theme_at_once() -> Done {
    let city = City::start()?;
    let branch = city.branch()?;
    let desk = city.desk(&branch, "desk")?;
    let display = Display::start()?;
    let window = Screen::window(&display, &desk).await?;
    window
        .desk_sign_in(city.account("clerk", Some(&branch))?)
        .await?;
    window.part("intake").await?;
    turn_through(&window, "desk", ["待办", "待辦", "Backlog"]).await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_changes_its_language_and_theme_at_once() -> Done {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv");
    output(desk.command("import").arg(sample))?;
    desk.sync()?;
    let expert = Screen::browser(&format!("{}/console", city.url())).await?;
    expert
        .console_sign_in(city.account("expert", None)?)
        .await?;
    expert.part("console-work-order").await?;
    turn_through(&expert, "console", ["工单", "工單", "Work orders"]).await?;
    // And a case in what was chosen last.
    expert.click("console-work-order").await?;
    expert.part("console-case").await?;
    expert.picture("console-dark-case").await?;
    expert.close().await
}

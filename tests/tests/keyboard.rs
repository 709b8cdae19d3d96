//! A counter's day without a mouse: enrolment, signing in, recording, settling,
//! locking, and the next person.

use std::time::Duration;

use fantoccini::key::Key;
use suda_tests::{City, DeskDir, Display, Failure, Screen, eventually};

type Done = Result<(), Failure>;

const SOON: Duration = Duration::from_secs(20);
const SIMPLE: &str = "昨天来补卡，营业员态度不好，问两句就不耐烦。";

/// The tile of a person, walked to with the arrow keys, and the password.
async fn sign_in(window: &Screen, login: &str, password: &str) -> Done {
    window.focus_is("sign-in-staff").await?;
    let here = "return document.activeElement.dataset.login ?? ''";
    for _ in 0..10 {
        let found = window.client.execute(here, Vec::new()).await?;
        if found.as_str() == Some(login) {
            break;
        }
        window.press(Key::Right).await?;
    }
    window.press(Key::Enter).await?;
    window.focus_is("sign-in-password").await?;
    window.keys(password).await?;
    window.press(Key::Enter).await?;
    window.part("frame").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_by_keyboard_alone() -> Done {
    let city = City::start()?;
    let branch = city.branch()?;
    let clerk = city.account("clerk", Some(&branch))?;
    let manager = city.account("branch_manager", Some(&branch))?;
    let desk = DeskDir {
        data: city.dir.path().join("desk"),
        key: city.dir.path().join("desk.key"),
    };
    let display = Display::start()?;
    let window = Screen::window(&display, &desk).await?;

    // Enrolment, first with a code that is wrong.
    window.focus_is("enrol-hub").await?;
    window.keys(&city.url()).await?;
    window.press(Key::Tab).await?;
    window.focus_is("enrol-code").await?;
    window.keys("WRONGCOD").await?;
    window.press(Key::Enter).await?;
    window
        .attribute_is("error", "data-code", "code_unknown")
        .await?;
    window.picture("desk-enrol-refused").await?;
    // The wrong code is selected, so that typing replaces it.
    window.focus_is("enrol-code").await?;
    window.keys(&city.code(&branch)?).await?;
    window.press(Key::Enter).await?;

    sign_in(&window, &clerk.login, &clerk.password).await?;
    window.focus_is("intake-description").await?;
    window.keys(SIMPLE).await?;
    for (part, text) in [
        ("intake-remedy", "当事人道歉"),
        ("intake-phone", "13800138021"),
        ("intake-name", "周小舟"),
    ] {
        window.press(Key::Tab).await?;
        window.tab_to(part).await?;
        window.keys(text).await?;
    }
    window.part("intake-accept-category").await?;
    window.alt('0').await?;
    window.ctrl(char::from(Key::Enter)).await?;
    window.part("receipt").await?;
    let reference = window.reads("receipt-reference", "-").await?;

    // To the case, and settled.
    window.alt('o').await?;
    window.reads("case-reference", reference.trim()).await?;
    window.part("case-settle").await?;
    window.alt('1').await?;
    window.focus_is("case-dialog-text").await?;
    window.keys("已当面道歉，客户接受。").await?;
    window.press(Key::Tab).await?;
    window.tab_to("case-dialog-remedy").await?;
    window.keys("当事人当面道歉").await?;
    window.ctrl(char::from(Key::Enter)).await?;
    window
        .attribute_is("case-state", "data-state", "answered")
        .await?;

    // The next customer's words, half written; then the clerk steps away.
    window.press(Key::F2).await?;
    window.focus_is("intake-description").await?;
    window.keys("装宽带预约了三次都没人来").await?;
    window
        .css("[data-testid=\"intake-saved\"][data-saved]")
        .await?;
    window.ctrl('l').await?;
    window.focus_is("lock-password").await?;
    window.picture("desk-locked").await?;
    // Under the lock no shortcut acts.
    window.ctrl(char::from(Key::Enter)).await?;
    window.press(Key::F3).await?;
    window.focus_is("lock-password").await?;

    // A colleague takes the seat and does not see the half-written form.
    window.tab_to("lock-switch").await?;
    window.press(Key::Enter).await?;
    sign_in(&window, &manager.login, &manager.password).await?;
    window.focus_is("intake-description").await?;
    assert!(!window.has("intake-restored").await?);
    window.press(Key::F3).await?;
    window.part("backlog").await?;

    // The clerk comes back to it.
    window.ctrl('l').await?;
    window.focus_is("lock-password").await?;
    window.tab_to("lock-switch").await?;
    window.press(Key::Enter).await?;
    sign_in(&window, &clerk.login, &clerk.password).await?;
    window.part("intake-restored").await?;
    let text = window
        .css("textarea[data-testid=\"intake-description\"], [data-testid=\"intake-description\"] textarea")
        .await?
        .prop("value")
        .await?;
    assert_eq!(text.as_deref(), Some("装宽带预约了三次都没人来"));
    eventually("everything is at the hub", SOON, || async {
        Ok((city.hub_status()?["by_state"]["answered"] == 1).then_some(()))
    })
    .await?;
    window.close().await
}

//! What the chapters do on the screens: the form, a case, a step, the status page.

use std::time::Duration;

use fantoccini::Locator;
use suda_tests::{City, Failure, Screen, eventually};

pub type Done = Result<(), Failure>;

pub const SOON: Duration = Duration::from_secs(20);

pub struct Story<'a> {
    pub description: &'a str,
    pub remedy: &'a str,
    pub phone: &'a str,
}

pub const COMPLEX: Story<'_> = Story {
    description: "家里宽带断网三天，打电话说派单了，装维师傅一直没来，老人看病挂号都用不了。",
    remedy: "尽快修好并减免三天费用",
    phone: "13800138001",
};

pub const SIMPLE: Story<'_> = Story {
    description: "昨天来补卡，营业员态度不好，问两句就不耐烦。",
    remedy: "当事人道歉",
    phone: "13800138002",
};

/// Fills the form by keyboard alone and gives the receipt's number.
pub async fn record(window: &Screen, story: &Story<'_>) -> Result<String, Failure> {
    fill_form(window, story).await?;
    window.ctrl('\u{e007}').await?; // Ctrl+Enter
    window.part("receipt").await?;
    Ok(window
        .reads("receipt-reference", "-")
        .await?
        .trim()
        .to_owned())
}

pub async fn fill_form(window: &Screen, story: &Story<'_>) -> Done {
    window.part("intake").await?;
    window.fill("intake-description", story.description).await?;
    window.fill("intake-remedy", story.remedy).await?;
    window.fill("intake-phone", story.phone).await?;
    window.click("intake-accept-category").await
}

/// The customer looks how far it is, with the number and four digits.
pub async fn ask_on_the_status_page(city: &City, reference: &str, phone: &str) -> Done {
    let customer = Screen::browser(&format!("{}/s", city.url())).await?;
    let number = customer.css("input[name=\"reference\"]").await?;
    number.send_keys(&reference.to_lowercase()).await?;
    let digits = phone.get(phone.len() - 4..).unwrap_or_default();
    let field = customer.css("input[name=\"digits\"]").await?;
    field.send_keys(digits).await?;
    customer.click_css("button.main").await?;
    // The fourth of four states.
    let last = customer.css("ol.steps li:last-child.done").await?;
    assert_eq!(last.attr("aria-current").await?.as_deref(), Some("step"));
    let page = customer.css("main").await?.text().await?;
    assert!(page.contains("分光器故障已修复"), "{page}");
    customer.picture("status").await?;
    customer.close().await
}

/// The row of a complaint in the backlog, by state.
pub async fn backlog_row(window: &Screen, reference: &str, state: &str) -> Done {
    let row = format!(
        "[data-testid=\"backlog-row\"][data-reference=\"{reference}\"][data-state=\"{state}\"]"
    );
    window.css(&row).await.map(drop)
}

pub async fn open_case(window: &Screen, reference: &str) -> Done {
    window.ctrl('k').await?;
    window.fill("search", reference).await?;
    window
        .click_css(&format!(
            "[data-testid=\"search-hit\"][data-reference=\"{reference}\"]"
        ))
        .await?;
    window.part("case").await.map(drop)
}

pub async fn step(browser: &Screen, name: &str) -> Done {
    browser
        .click_css(&format!(
            "[data-testid=\"console-step\"][data-step=\"{name}\"]"
        ))
        .await
}

pub async fn report(browser: &Screen, parts: [(&str, &str); 3]) -> Done {
    for (part, text) in parts {
        let field = browser
            .css(&format!(
                "textarea[data-testid=\"console-report-part\"][data-part=\"{part}\"]"
            ))
            .await?;
        field.send_keys(text).await?;
    }
    Ok(())
}

/// A place of the console's menu.
pub async fn go_to(browser: &Screen, place: &str) -> Done {
    let entry = format!("[data-testid=\"console-place\"][data-place=\"{place}\"]");
    browser.click_css(&entry).await
}

/// The case of a row that names it, in a list of the console.
pub async fn open_row(browser: &Screen, row: &str, narrower: &str) -> Done {
    let row = format!("[data-testid=\"{row}\"]{narrower}");
    browser.click_css(&row).await?;
    browser.part("console-case").await.map(drop)
}

/// Sends the form of the step, which closes once the hub has taken it.
pub async fn submit(browser: &Screen) -> Done {
    browser.click("console-step-submit").await?;
    browser.gone("[data-testid=\"console-step-form\"]").await
}

/// A step whose form asks for one text.
pub async fn step_with(browser: &Screen, name: &str, text: &str) -> Done {
    step(browser, name).await?;
    browser.fill("console-step-text", text).await?;
    submit(browser).await
}

/// Chooses from a list by its words, as somebody with a mouse does.
pub async fn choose(browser: &Screen, testid: &str, words: &str) -> Done {
    browser
        .click_css(&format!("[data-testid=\"{testid}\"]"))
        .await?;
    choose_of_open_list(browser, words).await
}

/// From the list that has opened.
pub async fn choose_of_open_list(browser: &Screen, words: &str) -> Done {
    let fitting = format!("//li[@role=\"option\"][contains(normalize-space(.), \"{words}\")]");
    eventually(&format!("{words} in an open list"), SOON, || async {
        // Lists of forms that were left are there and cannot be seen.
        for choice in browser.client.find_all(Locator::XPath(&fitting)).await? {
            if choice.is_displayed().await? {
                choice.click().await?;
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
    .await
}

pub async fn state_is(browser: &Screen, state: &str) -> Done {
    browser
        .attribute_is("console-case-state", "data-state", state)
        .await
}

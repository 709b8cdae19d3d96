//! The screens as axe-core judges them (WCAG 2.2 A and AA and its own good
//! practice), in a real browser. What it cannot see, such as whether a text
//! makes sense, it does not judge.

use std::path::Path;

use serde_json::{Value, json};
use suda_tests::{City, Failure, Screen, output};

type Done = Result<(), Failure>;

const LANGUAGES: [&str; 3] = ["zh-CN", "zh-TW", "en"];
const THEMES: [&str; 2] = ["light", "dark"];
/// The width of the screen in CSS pixels, and how large the text is.
const TELEPHONES: [(u32, &str); 3] = [(320, "100%"), (390, "100%"), (390, "200%")];

/// What axe-core finds on the page as it stands: the rule and where.
async fn faults(screen: &Screen) -> Result<Vec<String>, Failure> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(file).map_err(Failure::io("axe-core"))?;
    screen.client.execute(&axe, Vec::new()).await?;
    let look = "const done = arguments[arguments.length - 1]; \
        axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations\
        .flatMap((rule) => rule.nodes.map((node) => `${rule.id} ${node.target.join(' ')}`))))";
    let found = screen.client.execute_async(look, Vec::new()).await?;
    let found = found.as_array().cloned().unwrap_or_default();
    Ok(found
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect())
}

async fn is_clean(screen: &Screen, what: &str) -> Done {
    let found = faults(screen).await?;
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::Said(format!("{what}: {}", found.join("; "))))
}

/// Nobody has to move the page sideways to read a line.
async fn is_within(screen: &Screen, what: &str) -> Done {
    // Not the window's: a telephone's grows with a page that is too wide.
    let look = "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
    let beyond = screen.client.execute(look, Vec::new()).await?;
    match beyond.as_i64() {
        Some(pixels) if pixels <= 0 => Ok(()),
        pixels => Err(Failure::Said(format!("{what}: {pixels:?} pixels too wide"))),
    }
}

async fn set(screen: &Screen, language: &str, theme: &str, size: &str) -> Done {
    let chosen = json!({ "locale": language, "theme": theme, "textSize": "normal" });
    let keep = "localStorage.setItem('suda.settings', arguments[0]); sessionStorage.clear()";
    let chosen = json!(chosen.to_string());
    screen.client.execute(keep, vec![chosen]).await?;
    screen.client.refresh().await?;
    let enlarge = "document.documentElement.style.fontSize = arguments[0]";
    screen.client.execute(enlarge, vec![json!(size)]).await?;
    Ok(())
}

/// Records one complaint at a branch and brings it to the hub; its number and
/// the last digits of its telephone.
fn recorded(city: &City) -> Result<(String, String), Failure> {
    let desk = city.desk(&city.branch()?, "desk")?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv");
    output(desk.command("import").arg(sample))?;
    desk.sync()?;
    let listed = output(desk.command("list").arg("--json"))?;
    let first = listed.lines().next().unwrap_or_default();
    let row: Value = serde_json::from_str(first).unwrap_or_default();
    let reference = row["reference"].as_str().unwrap_or_default().to_owned();
    let shown = output(desk.command("show").arg(&reference).arg("--json"))?;
    let shown: Value = serde_json::from_str(&shown).unwrap_or_default();
    let phone = shown["intake"]["phone"].as_str().unwrap_or_default();
    let from = phone.len().saturating_sub(4);
    Ok((reference, phone.get(from..).unwrap_or_default().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_can_be_used_by_everybody_on_any_telephone() -> Done {
    let city = City::start()?;
    let (reference, digits) = recorded(&city)?;
    for (width, size) in TELEPHONES {
        let page = Screen::telephone(&format!("{}/s", city.url()), width).await?;
        for language in LANGUAGES {
            for theme in THEMES {
                let what = format!("{width} px, {size}, {theme}, {language}");
                set(&page, language, theme, size).await?;
                let number = page.css("input[name=\"reference\"]").await?;
                is_clean(&page, &format!("look-up, {what}")).await?;
                is_within(&page, &format!("look-up, {what}")).await?;
                number.send_keys(&reference).await?;
                let field = page.css("input[name=\"digits\"]").await?;
                field.send_keys(&digits).await?;
                page.click_css("button.main").await?;
                page.css("ol.steps").await?;
                is_clean(&page, &format!("case, {what}")).await?;
                is_within(&page, &format!("case, {what}")).await?;
            }
        }
        page.close().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_queue_and_a_case_can_be_used_by_everybody() -> Done {
    let city = City::start()?;
    recorded(&city)?;
    let expert = Screen::browser(&format!("{}/console", city.url())).await?;
    expert.part("console-login").await?;
    is_clean(&expert, "signing in").await?;
    expert
        .console_sign_in(city.account("expert", None)?)
        .await?;
    for theme in THEMES {
        set(&expert, "zh-CN", theme, "100%").await?;
        expert.part("console-work-order").await?;
        is_clean(&expert, &format!("queue, {theme}")).await?;
        expert.click("console-work-order").await?;
        expert.part("console-case").await?;
        is_clean(&expert, &format!("case, {theme}")).await?;
        expert
            .client
            .goto(&format!("{}/console", city.url()))
            .await?;
    }
    expert.close().await
}

/// The control: what is planted has to be found.
#[tokio::test(flavor = "multi_thread")]
async fn a_planted_fault_is_found() -> Done {
    let city = City::start()?;
    let page = Screen::telephone(&format!("{}/s", city.url()), 320).await?;
    page.css("input[name=\"reference\"]").await?;
    let plant = "document.documentElement.removeAttribute('lang'); \
        document.querySelector('main p').style.color = '#bbb'; \
        document.querySelector('main').style.width = '400px'";
    page.client.execute(plant, Vec::new()).await?;
    let found = faults(&page).await?;
    for rule in ["html-has-lang", "color-contrast"] {
        assert!(
            found.iter().any(|fault| fault.starts_with(rule)),
            "{found:?}"
        );
    }
    assert!(is_within(&page, "planted").await.is_err());
    page.close().await
}

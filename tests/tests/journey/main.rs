//! The main job as people do it: the real window (tauri-driver under Xvfb) and
//! a real browser (chromedriver), with the hub up, and with the hub down when
//! the customer comes. `whole` goes the complex path to its end.

mod pages;
mod whole;

use std::path::{Path, PathBuf};

use pages::{COMPLEX, Done, SIMPLE, SOON, ask_on_the_status_page, backlog_row, fill_form};
use pages::{open_case, record, report, step};
use suda_tests::{City, DeskDir, Display, Failure, Screen, eventually, output};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/complaints.csv")
}

struct Stage {
    city: City,
    desk: DeskDir,
    _display: Display,
    window: Screen,
}

impl Stage {
    async fn set() -> Result<Self, Failure> {
        let city = City::start()?;
        let branch = city.branch()?;
        let desk = city.desk(&branch, "desk")?;
        output(desk.command("import").arg(sample()))?;
        desk.sync()?;
        let display = Display::start()?;
        let window = Screen::window(&display, &desk).await?;
        window
            .desk_sign_in(city.account("clerk", Some(&branch))?)
            .await?;
        Ok(Self {
            city,
            desk,
            _display: display,
            window,
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_counter_to_the_answer() -> Done {
    let Stage {
        city,
        desk,
        _display,
        window,
    } = Stage::set().await?;
    let expert = Screen::browser(&format!("{}/console", city.url())).await?;
    expert.part("console-login").await?;
    expert.picture("console-sign-in").await?;
    expert
        .console_sign_in(city.account("expert", None)?)
        .await?;
    expert.part("console-queue").await?;

    // A simple one is settled at the counter.
    fill_form(&window, &SIMPLE).await?;
    window.picture("desk-intake").await?;
    window.ctrl('\u{e007}').await?;
    window.part("receipt").await?;
    window.picture("desk-receipt").await?;
    let simple = window
        .reads("receipt-reference", "-")
        .await?
        .trim()
        .to_owned();
    open_case(&window, &simple).await?;
    window.click("case-settle").await?;
    window
        .fill("case-dialog-text", "店长当面道歉，营业员已谈话，客户接受。")
        .await?;
    window.fill("case-dialog-remedy", "当面道歉").await?;
    window.click("case-dialog-submit").await?;
    window
        .attribute_is("case-state", "data-state", "answered")
        .await?;

    // A complex one is in the expert's open browser without a reload.
    window.click("nav-record").await?;
    let complex = record(&window, &COMPLEX).await?;
    let row = format!("[data-testid=\"console-work-order\"][data-reference=\"{complex}\"]");
    expert.css(&row).await?;
    expert.picture("console-queue").await?;
    window
        .attribute_is("status-unsent", "data-unsent", "0")
        .await?;
    window.click("nav-backlog").await?;
    window.part("backlog").await?;
    window.picture("desk-backlog").await?;

    // Claim, dispatch.
    expert
        .click_css(&format!("{row} [data-testid=\"console-claim\"]"))
        .await?;
    expert.part("console-case").await?;
    step(&expert, "dispatch").await?;
    let network = city.account("department", None)?;
    expert
        .fill("console-step-department", &network.name)
        .await?;
    expert.keys("\u{e015}\u{e007}").await?; // down, enter
    expert
        .fill("console-step-question", "请查明断网原因，今日内修复。")
        .await?;
    expert.picture("console-work-order").await?;
    expert.click("console-step-submit").await?;
    expert
        .attribute_is("console-case-state", "data-state", "dispatched")
        .await?;

    // The department reports, all three parts.
    let department = Screen::browser(&format!("{}/console", city.url())).await?;
    department.console_sign_in(network).await?;
    department
        .click_css("[data-testid=\"console-task\"]")
        .await?;
    department.click("console-task-accept").await?;
    department.click("console-task-report").await?;
    report(
        &department,
        [
            ("root_cause", "小区分光器故障"),
            ("impact", "本单元四户断网"),
            ("proposal", "更换分光器，减免三天费用"),
        ],
    )
    .await?;
    department.picture("console-department").await?;
    department.click("console-step-submit").await?;
    department.close().await?;

    // Solve, implement, answer.
    expert
        .attribute_is("console-case-state", "data-state", "analysed")
        .await?;
    step(&expert, "start-solving").await?;
    expert
        .fill("console-step-measure-who", "网络部 装维组")
        .await?;
    expert.click("console-step-submit").await?;
    expert
        .attribute_is("console-case-state", "data-state", "solving")
        .await?;
    // A measure that is not done keeps the case from being carried out.
    step(&expert, "progress").await?;
    expert.click_css(".el-checkbox.is-bordered").await?;
    expert.click("console-step-submit").await?;
    step(&expert, "implement").await?;
    expert
        .fill("console-step-text", "已更换分光器，网络恢复。")
        .await?;
    expert.click("console-step-submit").await?;
    expert
        .attribute_is("console-case-state", "data-state", "implemented")
        .await?;
    step(&expert, "answer").await?;
    expert.click_css("[data-decision=\"upheld\"]").await?;
    expert
        .fill(
            "console-step-text",
            "经查，分光器故障已修复，减免三天费用，向您致歉。",
        )
        .await?;
    expert.fill("console-step-remedy", "减免三天费用").await?;
    expert.click("console-step-submit").await?;
    expert
        .attribute_is("console-case-state", "data-state", "answered")
        .await?;

    // The branch sees every step, without asking.
    open_case(&window, &complex).await?;
    window
        .attribute_is("case-state", "data-state", "answered")
        .await?;
    window.reads("case-answer", "分光器故障已修复").await?;
    let timeline = window.part("timeline").await?.text().await?;
    assert!(timeline.contains(&network.name), "{timeline}");
    window.picture("desk-case").await?;
    window.close().await?;
    expert.close().await?;
    ask_on_the_status_page(&city, &complex, COMPLEX.phone).await?;
    output(&mut desk.command("verify"))?;
    let counts = city.hub_status()?;
    assert_eq!(counts["by_state"]["answered"], 2, "{counts}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_hub_it_is_recorded_and_arrives_when_the_hub_is_back() -> Done {
    let Stage {
        mut city,
        desk: _desk,
        _display,
        window,
    } = Stage::set().await?;
    city.kill_hub();
    let reference = record(&window, &COMPLEX).await?;
    window.click("nav-backlog").await?;
    window.click_css("[data-testid=\"backlog-scope\"] [data-scope=\"with_experts\"], [data-testid=\"backlog-scope\"][data-scope=\"with_experts\"]").await?;
    backlog_row(&window, &reference, "handoff_pending").await?;
    window
        .css("[data-testid=\"status-unsent\"]:not([data-unsent=\"0\"])")
        .await?;
    window.picture("desk-offline").await?;

    city.start_hub()?;
    let expert = Screen::browser(&format!("{}/console", city.url())).await?;
    expert
        .console_sign_in(city.account("expert", None)?)
        .await?;
    expert
        .css(&format!(
            "[data-testid=\"console-work-order\"][data-reference=\"{reference}\"]"
        ))
        .await?;
    window
        .attribute_is("status-unsent", "data-unsent", "0")
        .await?;
    backlog_row(&window, &reference, "queued").await?;
    window.close().await?;
    expert.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_there_again_after_a_kill() -> Done {
    let Stage {
        city,
        desk,
        _display,
        window,
    } = Stage::set().await?;
    window.part("intake").await?;
    window
        .fill("intake-description", COMPLEX.description)
        .await?;
    window
        .css("[data-testid=\"intake-saved\"][data-saved]")
        .await?;
    // The last keystroke, saved, and the power is gone.
    for keystroke in ["尽", "快"] {
        let before = saved_at(&window).await?;
        window.fill("intake-remedy", keystroke).await?;
        eventually("the keystroke is saved", SOON, || async {
            Ok((saved_at(&window).await? > before).then_some(()))
        })
        .await?;
    }
    kill_window(&window)?;
    drop(window);

    let display = Display::start()?;
    let window = Screen::window(&display, &desk).await?;
    window
        .desk_sign_in(city.account("clerk", Some(&city.branch()?))?)
        .await?;
    window.part("intake-restored").await?;
    for (part, typed) in [("description", COMPLEX.description), ("remedy", "尽快")] {
        let field = format!(
            "textarea[data-testid=\"intake-{part}\"], [data-testid=\"intake-{part}\"] textarea"
        );
        let text = window.css(&field).await?.prop("value").await?;
        assert_eq!(text.as_deref(), Some(typed), "{part}");
    }
    window.close().await
}

/// When the form was last safe on the disk, as the window shows it.
async fn saved_at(window: &Screen) -> Result<Option<String>, Failure> {
    let mark = window
        .css("[data-testid=\"intake-saved\"][data-saved]")
        .await?;
    Ok(mark.attr("data-saved").await?)
}

/// `kill -9` to the program itself, found below the driver.
fn kill_window(window: &Screen) -> Done {
    let killed = suda_tests::kill_below(window.driver_id, "suda")?;
    assert!(killed > 0, "no window below the driver");
    Ok(())
}

/// A picture file as one would come from a telephone.
fn photo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../icons/icon.png")
}

fn file_of(state: &str) -> String {
    format!("[data-testid=\"evidence-file\"][data-state=\"{state}\"]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_put_on_the_form_is_seen_by_the_expert_whole() -> Done {
    let Stage {
        city,
        desk: _desk,
        _display,
        window,
    } = Stage::set().await?;
    fill_form(&window, &COMPLEX).await?;
    let chooser = window
        .css("[data-testid=\"evidence-add\"] input[type=\"file\"]")
        .await?;
    chooser.send_keys(&photo().to_string_lossy()).await?;
    let thumbnail = format!("{} img", file_of("waiting"));
    window.css(&thumbnail).await?;
    window.picture("desk-intake-evidence").await?;
    window.ctrl('\u{e007}').await?;
    window.part("receipt").await?;
    let reference = window.reads("receipt-reference", "-").await?;
    let reference = reference.trim();
    open_case(&window, reference).await?;
    // By a receipt of the hub for the file itself.
    window.css(&file_of("at_hub")).await?;
    window.picture("desk-case-evidence").await?;

    let expert = Screen::browser(&format!("{}/console", city.url())).await?;
    expert
        .console_sign_in(city.account("expert", None)?)
        .await?;
    expert
        .click_css(&format!(
            "[data-testid=\"console-work-order\"][data-reference=\"{reference}\"]"
        ))
        .await?;
    expert.css(&thumbnail.replace("waiting", "at_hub")).await?;
    // Drawn, and of the size it was taken with.
    let wide = "const img = document.querySelector('[data-testid=\"evidence-file\"] img'); \
                return img && img.complete ? img.naturalWidth : 0";
    eventually("the picture is drawn", SOON, || async {
        let width = expert.client.execute(wide, Vec::new()).await?;
        Ok((width.as_u64() == Some(512)).then_some(()))
    })
    .await?;
    expert.picture("console-case-evidence").await?;
    window.close().await?;
    expert.close().await
}

//! The branch's own network in the real window: paired by the manager, one
//! backlog while the hub is away, a complaint given to a colleague.

use std::time::{Duration, Instant};

use suda_tests::{City, DeskDir, Display, Failure, Running, Screen, bin, eventually};

type Done = Result<(), Failure>;

const SOON: Duration = Duration::from_secs(20);
/// product.md: a change is on the others' screens in less than 2 s.
const SCREEN: Duration = Duration::from_secs(2);

/// Has the desk be a mailbox on loopback alone; gives its address.
fn mailbox_on_loopback(desk: &DeskDir) -> Result<String, Failure> {
    let mut command = std::process::Command::new(bin("suda-desk"));
    command.args(["lan", "serve", "--data"]).arg(&desk.data);
    command.arg("--key-file").arg(&desk.key);
    command.args(["--listen", "127.0.0.1:0"]);
    let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
    let (_serving, address) = Running::start_until(&mut command, SOON, ready)?;
    Ok(address)
}

/// The window of a desk, signed in, as the branch's manager or clerk.
async fn window_of(
    city: &City,
    display: &Display,
    desk: &DeskDir,
    role: &str,
) -> Result<Screen, Failure> {
    let window = Screen::window(display, desk).await?;
    let branch = city.branch()?;
    let account = city.account(role, Some(&branch))?;
    window.desk_sign_in(account).await?;
    Ok(window)
}

async fn record(window: &Screen) -> Result<String, Failure> {
    window.part("intake").await?;
    let said = "昨天来补卡，营业员态度不好，问两句就不耐烦。";
    window.fill("intake-description", said).await?;
    window.fill("intake-remedy", "当事人道歉").await?;
    window.fill("intake-phone", "13800138002").await?;
    window.click("intake-accept-category").await?;
    window.ctrl('\u{e007}').await?; // Ctrl+Enter
    window.part("receipt").await?;
    let reference = window.reads("receipt-reference", "-").await?;
    Ok(reference.trim().to_owned())
}

fn row_of(reference: &str) -> String {
    format!("[data-testid=\"backlog-row\"][data-reference=\"{reference}\"]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_cut_off_from_the_hub_works_on_one_backlog_in_its_windows() -> Done {
    let mut city = City::start()?;
    let branch = city.branch()?;
    let (one, other) = (city.desk(&branch, "one")?, city.desk(&branch, "other")?);
    let address = mailbox_on_loopback(&one)?;
    let (left, right) = (Display::start()?, Display::start()?);
    let mailbox = window_of(&city, &left, &one, "branch_manager").await?;
    let member = window_of(&city, &right, &other, "branch_manager").await?;

    mailbox.click("status-lan").await?;
    mailbox
        .attribute_is("branch", "data-role", "mailbox")
        .await?;
    mailbox.click("branch-show-code").await?;
    let code = mailbox.reads("branch-code", "-").await?;
    mailbox.picture("desk-branch-mailbox").await?;
    mailbox.reads("branch-address-own", &address).await?;
    member.click("status-lan").await?;
    member.picture("desk-branch-alone").await?;
    member.fill("branch-address", &address).await?;
    member.fill("branch-pairing-code", code.trim()).await?;
    member.click("branch-join").await?;
    member.attribute_is("branch", "data-role", "member").await?;
    member
        .attribute_is("status-lan", "data-lan", "member")
        .await?;
    member.picture("desk-branch-member").await?;

    city.kill_hub();
    member.click("nav-record").await?;
    let reference = record(&member).await?;
    let recorded = Instant::now();
    mailbox.click("nav-backlog").await?;
    mailbox.css(&row_of(&reference)).await?;
    let seen = recorded.elapsed();
    assert!(seen < SCREEN, "{seen:?}");

    // The mailbox's manager gives it to a clerk; the other screen says so.
    mailbox.click_css(&row_of(&reference)).await?;
    mailbox.click("case-assign").await?;
    mailbox.picture("desk-assign").await?;
    let clerk = city.account("clerk", Some(&branch))?;
    let chosen = format!(
        "[data-testid=\"case-assignee\"][data-login=\"{}\"]",
        clerk.login
    );
    mailbox.click_css(&chosen).await?;
    mailbox.click("case-dialog-submit").await?;
    let given = Instant::now();
    member.click("nav-backlog").await?;
    let assigned = format!("{}[data-assigned=\"{}\"]", row_of(&reference), clerk.name);
    member.css(&assigned).await?;
    let seen = given.elapsed();
    assert!(seen < SCREEN, "{seen:?}");
    member.picture("desk-backlog-assigned").await?;

    // The hub is back: the receipt comes, by whichever way.
    city.start_hub()?;
    eventually("the hub has it", SOON * 3, || async {
        Ok((city.hub_status()?["complaints"] == 1).then_some(()))
    })
    .await?;

    // The parts of the status line grow and shrink until it says so, and a click
    // between would miss its aim.
    mailbox
        .attribute_is("status-unsent", "data-unsent", "0")
        .await?;
    mailbox
        .attribute_is("status-link", "data-link", "up")
        .await?;
    mailbox.click("status-lan").await?;
    mailbox.click("branch-end").await?;
    mailbox.picture("desk-branch-end").await?;
    mailbox
        .click_css(".el-message-box .el-button--primary")
        .await?;
    eventually("the pairing has ended", SOON, || async {
        Ok((!mailbox.has("branch-desk").await?).then_some(()))
    })
    .await?;
    member.click("status-lan").await?;
    member.shows("已解除").await?;
    member.picture("desk-branch-ended").await?;
    mailbox.close().await?;
    member.close().await
}

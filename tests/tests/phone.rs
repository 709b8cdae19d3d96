//! The way by telephone: the clerk reads the code, the expert works from what
//! was told, and the record joins it by itself when the network is back.

use chrono::{Local, TimeDelta};
use serde_json::Value;
use suda_tests::{City, Failure, Screen, output};

type Done = Result<(), Failure>;

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_told_by_telephone_is_in_the_queue_and_joins_its_record() -> Done {
    let city = City::start()?;
    let branch = city.branch()?;
    let desk = city.desk(&branch, "desk")?;
    let arrived = Local::now() - TimeDelta::minutes(50);
    let rows = city.dir.path().join("row.csv");
    let row = format!(
        "received_at,text,name,phone\n{},家里宽带断网三天，没人来修，要求赔偿,钱小满,13800138077\n",
        arrived.to_rfc3339()
    );
    std::fs::write(&rows, row).map_err(Failure::io("a row"))?;
    let mut import = desk.command("import");
    import.arg(&rows).args(["--handoff", "all", "--json"]);
    let recorded: Value = serde_json::from_str(&output(&mut import)?)?;
    let reference = recorded["reference"].as_str().unwrap();
    let shown = output(desk.command("show").args([reference, "--json"]))?;
    let shown: Value = serde_json::from_str(&shown)?;
    let code = shown["phone_code"].as_str().unwrap();

    let expert = Screen::browser(&format!("{}/console", city.url())).await?;
    let account = city.account("expert", None)?;
    expert.console_sign_in(account).await?;
    expert.click("console-phone-open").await?;
    let first = if code.starts_with('A') { 'C' } else { 'A' };
    let misheard = format!("{first}{}", &code[1..]);
    expert.fill("console-phone-code", &misheard).await?;
    expert
        .fill("console-phone-branch", &branch.to_lowercase())
        .await?;
    let at = arrived.format("%Y-%m-%d %H:%M").to_string();
    expert.fill("console-phone-arrived", &at).await?;
    expert.keys("\u{e007}").await?; // Enter
    expert
        .fill("console-phone-note", "客户很急，要求今天回电")
        .await?;
    expert.click("console-admin-submit").await?;
    expert
        .attribute_is("error", "data-code", "bad_phone_code")
        .await?;
    expert.picture("console-phone-dialog").await?;
    expert.fill("console-phone-code", "").await?;
    expert.ctrl('a').await?;
    expert.keys(&code.to_lowercase()).await?;
    expert.click("console-admin-submit").await?;
    expert
        .css(&format!(
            "[data-testid=\"console-phone-stub\"][data-code=\"{code}\"]"
        ))
        .await?;
    expert.shows("客户很急，要求今天回电").await?;
    expert.picture("console-phone").await?;

    desk.sync()?;
    // Joined and claimed, without a reload: nothing waits and it is mine.
    let mine = format!("{}/console/queue?view=mine", city.url());
    expert.client.goto(&mine).await?;
    expert
        .click_css(&format!(
            "[data-testid=\"console-work-order\"][data-reference=\"{reference}\"]"
        ))
        .await?;
    expert
        .shows(&format!("[{code}] 客户很急，要求今天回电"))
        .await?;
    expert
        .click_css("[data-testid=\"console-place\"][data-place=\"queue\"]")
        .await?;
    expert.part("console-phone-open").await?;
    assert!(!expert.has("console-phone-stub").await?);
    expert.close().await
}

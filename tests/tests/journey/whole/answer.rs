//! The plan and who carries it out, the answer, its letter, and the text.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use suda_tests::{Failure, Screen};

use super::Cast;
use crate::pages::{Done, choose_of_open_list, go_to, open_row, state_is, step, step_with, submit};

pub(super) async fn carried_out_and_answered(cast: &mut Cast) -> Done {
    let expert = &cast.expert;
    step(expert, "start-solving").await?;
    expert.fill("console-step-measure-who", "网络").await?;
    choose_of_open_list(expert, "网络部").await?;
    expert.picture("whole-16-plan").await?;
    submit(expert).await?;
    expert.part("console-case-plan").await?;

    let network = cast.console_of("网络部").await?;
    go_to(&network, "duties").await?;
    open_row(&network, "console-duty", "[data-duty=\"measure\"]").await?;
    step(&network, "progress").await?;
    network.click("console-step-done").await?;
    network
        .fill("console-step-text", "配电箱已更换，已上门致歉。")
        .await?;
    network.picture("whole-17-progress").await?;
    submit(&network).await?;
    network.close().await?;

    expert
        .css("[data-testid=\"planned\"][data-percent=\"100\"]")
        .await?;
    step_with(
        expert,
        "implement",
        "配电箱已更换，宽带恢复，赔偿款已转账。",
    )
    .await?;
    state_is(expert, "implemented").await?;
    answer(
        expert,
        "经查，起火系配电箱进水短路所致，责任在我公司。现已更换，医疗费一万二千元已转账，向您和家人致歉。",
        "赔偿医疗费 12,000 元，更换配电箱",
        "whole-18-answer",
    )
    .await?;
    cast.text_says("已完成处理").await?;
    letter(&cast.expert).await
}

/// Upheld, in these words.
pub(super) async fn answer(expert: &Screen, words: &str, remedy: &str, picture: &str) -> Done {
    step(expert, "answer").await?;
    expert.click_css("[data-decision=\"upheld\"]").await?;
    expert.fill("console-step-text", words).await?;
    expert.fill("console-step-remedy", remedy).await?;
    expert.picture(picture).await?;
    submit(expert).await?;
    state_is(expert, "answered").await
}

/// What the expert downloads is a PDF, and the ledger names its hash.
async fn letter(expert: &Screen) -> Done {
    expert.click("console-case-letter-make").await?;
    expert
        .css("[data-testid=\"console-case-letter\"][data-kind=\"letter\"]")
        .await?;
    expert.picture("whole-19-letter").await?;
    let link = expert.part("console-case-letter-open").await?;
    let address = link.attr("href").await?.unwrap_or_default();
    let pdf = fetch(expert, &address).await?;
    assert!(pdf.starts_with(b"%PDF-"), "{} bytes", pdf.len());
    let hash: String = Sha256::digest(&pdf)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ledger = expert.part("timeline").await?.text().await?;
    assert!(ledger.contains(&hash), "{hash} in {ledger}");
    Ok(())
}

/// The bytes behind an address, as the browser gets them when somebody clicks.
async fn fetch(browser: &Screen, address: &str) -> Result<Vec<u8>, Failure> {
    let script = "const [address, done] = arguments; \
                  fetch(address).then((told) => told.arrayBuffer()) \
                  .then((bytes) => done([...new Uint8Array(bytes)]), () => done([]))";
    let address = vec![Value::from(address)];
    let bytes = browser.client.execute_async(script, address).await?;
    Ok(serde_json::from_value(bytes)?)
}

//! The management group: a round of comments, a dissent that stays, and two
//! votes of two people, as the sum is above the limit.

use suda_tests::Screen;

use super::Cast;
use crate::pages::{Done, go_to, open_row, state_is, step, step_with, submit};

pub(super) async fn commented_and_voted(cast: &mut Cast) -> Done {
    let expert = &cast.expert;
    step(expert, "request-approval").await?;
    expert
        .fill("console-step-text", "一级投诉，赔偿超过限额，请审批。")
        .await?;
    expert.picture("whole-13-request-approval").await?;
    submit(expert).await?;
    state_is(expert, "awaiting_approval").await?;

    let chief = &cast.chief;
    go_to(chief, "approvals").await?;
    let row = format!("[data-reference=\"{}\"]", cast.reference);
    open_row(chief, "console-work-order", &row).await?;
    step_with(chief, "ask-comments", "请网络部说明金额的依据。").await?;

    // Whoever reported does not agree with the sum.
    let network = cast.console_of("网络部").await?;
    go_to(&network, "search").await?;
    find(&network, &cast.reference).await?;
    step(&network, "comment").await?;
    network.click_css("[data-stance=\"against\"]").await?;
    network
        .fill("console-step-text", "票据只有八千，其余应按责任认定再付。")
        .await?;
    submit(&network).await?;
    network.close().await?;

    chief.part("console-case-dissent").await?;
    step_with(chief, "approve", "安全责任在我方，同意。").await?;
    state_is(chief, "awaiting_approval").await?;
    chief
        .gone("[data-testid=\"console-step\"][data-step=\"approve\"]")
        .await?;
    chief.gone("[data-testid=\"console-duties-badge\"]").await?;
    chief.picture("whole-14-one-vote").await?;

    let second = cast.console_of("钱慧").await?;
    go_to(&second, "approvals").await?;
    open_row(&second, "console-work-order", &row).await?;
    step_with(&second, "approve", "同意，票据后补。").await?;
    state_is(&second, "solving").await?;
    let panel = second.part("console-case-approval").await?;
    assert_eq!(panel.attr("data-state").await?.as_deref(), Some("approved"));
    let kept = second.part("console-case-dissent").await?.text().await?;
    assert!(kept.contains("票据只有八千"), "{kept}");
    second.picture("whole-15-approved").await?;
    second.close().await?;
    state_is(expert, "solving").await
}

/// A case by its number.
async fn find(browser: &Screen, reference: &str) -> Done {
    browser.fill("console-search-field", reference).await?;
    browser.keys("\u{e007}").await?;
    let row = format!("[data-reference=\"{reference}\"]");
    open_row(browser, "console-work-order", &row).await
}

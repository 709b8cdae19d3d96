//! The second cycle: management hears of it again, the customer is asked and
//! answers, a better answer, and a call-back by somebody else.

use std::time::Duration;

use suda_tests::{Failure, eventually};

use super::Cast;
use super::answer::answer;
use super::customer::{fits, renew};
use crate::pages::{Done, go_to, open_row, report, state_is, step, step_with, submit};

const SOON: Duration = Duration::from_secs(20);

pub(super) async fn until_content(cast: &mut Cast) -> Done {
    cast.chief.picture("whole-23-alert-again").await?;
    go_to(&cast.chief, "board").await?;
    cast.chief.click("console-acknowledge").await?;
    cast.chief.gone("[data-testid=\"console-alert\"]").await?;
    state_is(&cast.expert, "reopened").await?;
    step(&cast.expert, "claim").await?;
    state_is(&cast.expert, "claimed").await?;
    cast.expert.picture("whole-23-second-cycle").await?;
    ask_the_customer(cast).await?;
    decided_again(cast).await?;
    let words = "经查，夜间断网系新配电箱接线松动，已加固；医疗费已于今日到账，请查收。";
    answer(
        &cast.expert,
        words,
        "加固接线，医疗费到账",
        "whole-25-second-answer",
    )
    .await?;
    cast.text_says("已完成处理").await?;
    call_back(cast).await?;
    all_delivered(cast).await?;
    renew(&cast.phone).await?;
    cast.phone.shows("接线松动").await?;
    cast.phone.shows("责任在我公司").await?;
    fits(&cast.phone).await?;
    cast.phone.picture("whole-25-phone-end").await.map(drop)
}

async fn ask_the_customer(cast: &mut Cast) -> Done {
    let expert = &cast.expert;
    step(expert, "ask").await?;
    expert.click_css("[data-of=\"customer\"]").await?;
    expert
        .fill(
            "console-step-text",
            "昨晚几点断的？收款账户的后四位是多少？",
        )
        .await?;
    submit(expert).await?;
    cast.text_says("需要您补充情况").await?;
    let phone = &cast.phone;
    renew(phone).await?;
    phone.shows("昨晚几点断的").await?;
    let reply = phone.css("textarea[name^=\"reply-\"]").await?;
    reply.send_keys("晚上九点左右，尾号 6222。").await?;
    phone.picture("whole-24-phone-question").await?;
    phone.click_css(".card.calls button.main").await?;
    phone.gone("textarea[name^=\"reply-\"]").await?;
    cast.expert.shows("尾号 6222").await
}

/// Grade 1 is decided anew in every cycle; by one, as no money is asked for.
async fn decided_again(cast: &mut Cast) -> Done {
    step(&cast.expert, "report").await?;
    let parts = [
        ("root_cause", "新配电箱接线松动；转账被银行退回"),
        ("impact", "一户夜间断网"),
        ("proposal", "加固接线，按新账户转账"),
    ];
    report(&cast.expert, parts).await?;
    submit(&cast.expert).await?;
    state_is(&cast.expert, "analysed").await?;
    cast.text_says("已完成初步查证").await?;
    step_with(
        &cast.expert,
        "request-approval",
        "一级投诉，重新处理方案请审批。",
    )
    .await?;
    go_to(&cast.chief, "approvals").await?;
    let row = format!("[data-reference=\"{}\"]", cast.reference);
    open_row(&cast.chief, "console-work-order", &row).await?;
    step_with(&cast.chief, "approve", "同意。").await?;
    state_is(&cast.expert, "solving").await?;
    step_with(&cast.expert, "implement", "接线已加固，转账到账。").await?;
    state_is(&cast.expert, "implemented").await
}

/// By the expert it was given to, who is not the one who answered.
async fn call_back(cast: &Cast) -> Done {
    let panel = cast
        .expert
        .part("console-case-call-back")
        .await?
        .text()
        .await?;
    let others = ["吴昊", "郑莉"];
    let to = others.into_iter().find(|name| panel.contains(name));
    let to = to.ok_or_else(|| Failure::Said(format!("given to nobody: {panel}")))?;
    cast.expert
        .gone("[data-testid=\"console-step\"][data-step=\"call-back\"]")
        .await?;
    let other = cast.console_of(to).await?;
    go_to(&other, "duties").await?;
    open_row(&other, "console-duty", "[data-duty=\"call_back\"]").await?;
    step(&other, "call-back").await?;
    other
        .click_css("[data-testid=\"console-step-score\"] .el-rate__item:nth-child(5)")
        .await?;
    other.click_css("[data-satisfied=\"yes\"]").await?;
    other.fill("console-step-text", "客户表示满意。").await?;
    other.picture("whole-25-call-back").await?;
    submit(&other).await?;
    step(&other, "close").await?;
    state_is(&other, "closed").await?;
    other.picture("whole-25-closed").await?;
    other.close().await
}

/// The centre's receipts come back, and the outbox says so of every text.
async fn all_delivered(cast: &mut Cast) -> Done {
    assert_eq!(cast.texts, 8);
    assert_eq!(cast.centre.texts().len(), 8, "no text twice");
    cast.centre.report_delivered()?;
    eventually("every text is delivered", SOON, || async {
        let rows = cast.city.outbox()?;
        let delivered = rows.iter().all(|row| row["state"] == "delivered");
        Ok((delivered && rows.len() == 8).then_some(()))
    })
    .await
    .map_err(|error| {
        let rows = cast.city.outbox().unwrap_or_default();
        Failure::Said(format!("{error}: {rows:#?}"))
    })?;
    go_to(&cast.expert, "sms").await?;
    let row = "[data-testid=\"console-sms-row\"][data-state=\"delivered\"]";
    cast.expert.css(row).await?;
    let shown = cast.expert.client.find_all(fantoccini::Locator::Css(row));
    assert_eq!(shown.await?.len(), 8);
    cast.expert
        .gone("[data-testid=\"console-sms-row\"]:not([data-state=\"delivered\"])")
        .await?;
    cast.expert.picture("whole-26-outbox").await.map(drop)
}

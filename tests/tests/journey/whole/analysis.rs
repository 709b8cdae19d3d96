//! The expert asks the branch and two departments; one says it is not theirs,
//! the other needs more time and reports.

use suda_tests::{Failure, Screen};

use super::{Cast, STORY};
use crate::pages::{Done, choose, go_to, open_row, report, state_is, step, step_with, submit};

pub(super) async fn asked_dispatched_and_reported(cast: &mut Cast) -> Done {
    let row = format!("[data-reference=\"{}\"]", cast.reference);
    let claim =
        format!("[data-testid=\"console-work-order\"]{row} [data-testid=\"console-claim\"]");
    cast.expert.picture("whole-04-queue").await?;
    cast.expert.click_css(&claim).await?;
    cast.expert.part("console-case").await?;
    state_is(&cast.expert, "claimed").await?;
    ask_the_branch(cast).await?;
    looks_up(cast).await?;
    dispatch(&cast.expert, "服务质量部", "三次来电为什么没有人跟进？").await?;
    dispatch(
        &cast.expert,
        "网络部",
        "请查明起火原因、影响范围，提出赔偿意见。",
    )
    .await?;
    state_is(&cast.expert, "dispatched").await?;
    cast.text_says("已派专业部门查证处理").await?;
    cast.expert.picture("whole-07-dispatched").await?;
    one_rejects(cast).await?;
    the_other_reports(cast).await?;
    state_is(&cast.expert, "analysed").await?;
    cast.text_says("已完成初步查证").await?;
    cast.expert.picture("whole-12-analysed").await.map(drop)
}

/// The branch answers in its window, to which the notice leads.
async fn ask_the_branch(cast: &Cast) -> Done {
    let (expert, window) = (&cast.expert, &cast.window);
    step_with(expert, "ask", "配电箱在哪个门口？现场有没有照片？").await?;
    window.click("prompt-open").await?;
    window.part("case").await?;
    window.gone("[data-testid=\"prompt\"]").await?;
    window.click("case-reply").await?;
    window
        .fill(
            "case-dialog-text",
            "在北门岗亭旁，照片由客户家属保存，明天带来。",
        )
        .await?;
    window.picture("whole-05-branch-replies").await?;
    window.click("case-dialog-submit").await?;
    let answered = "[data-testid=\"question\"][data-open=\"false\"]";
    expert.css(answered).await?;
    expert.shows("北门岗亭旁").await
}

/// The customer follows the address of the text.
async fn looks_up(cast: &Cast) -> Done {
    let phone = &cast.phone;
    let number = phone.css("input[name=\"reference\"]").await?;
    number.send_keys(&cast.reference.to_lowercase()).await?;
    let digits = STORY.phone.get(STORY.phone.len() - 4..).unwrap_or_default();
    let field = phone.css("input[name=\"digits\"]").await?;
    field.send_keys(digits).await?;
    phone.picture("whole-06-phone-look-up").await?;
    phone.click_css("button.main").await?;
    phone.css("ol.steps li:nth-child(1).now").await?;
    phone.picture("whole-06-phone-accepted").await.map(drop)
}

async fn dispatch(expert: &Screen, department: &str, question: &str) -> Done {
    step(expert, "dispatch").await?;
    choose(expert, "console-step-department", department).await?;
    expert.fill("console-step-question", question).await?;
    submit(expert).await
}

async fn one_rejects(cast: &Cast) -> Done {
    let service = cast.console_of("服务质量部").await?;
    service.click("console-task-reject").await?;
    service
        .fill(
            "console-task-reason",
            "来电由热线中心处理，不属本部门，请改派。",
        )
        .await?;
    service.picture("whole-08-rejects").await?;
    service.click("console-step-submit").await?;
    service
        .gone("[data-testid=\"console-task\"][data-task-state=\"sent\"]")
        .await?;
    service.close().await?;
    let rejected = "[data-testid=\"console-case-task\"][data-task-state=\"rejected\"]";
    let shown = cast.expert.css(rejected).await?.text().await?;
    assert!(shown.contains("请改派"), "{shown}");
    Ok(())
}

async fn the_other_reports(cast: &Cast) -> Done {
    let network = cast.console_of("网络部").await?;
    network.click("console-task-accept").await?;
    network
        .css("[data-testid=\"console-task\"][data-task-state=\"accepted\"]")
        .await?;
    more_time(cast, &network).await?;
    go_to(&network, "tasks").await?;
    network.click("console-task-report").await?;
    let parts = [
        ("root_cause", "配电箱进水短路，巡检漏项"),
        ("impact", "起火，一人送医，三户断网"),
        ("proposal", "更换配电箱并上门致歉，赔偿医疗费一万二千元"),
    ];
    report(&network, parts).await?;
    network.fill("console-step-amount", "12000").await?;
    network.picture("whole-11-report").await?;
    network.click("console-step-submit").await?;
    network
        .gone("[data-testid=\"console-task\"][data-task-state=\"accepted\"]")
        .await?;
    network.close().await
}

/// Asked for by the department, granted by the expert.
async fn more_time(cast: &Cast, network: &Screen) -> Result<(), Failure> {
    network
        .click_css("[data-testid=\"console-task\"] a.reference")
        .await?;
    network.part("console-case").await?;
    step(network, "request-extension").await?;
    network
        .click_css("[data-testid=\"console-step-until-by\"]")
        .await?;
    network
        .fill("console-step-text", "等消防的起火原因认定书。")
        .await?;
    network.picture("whole-09-more-time").await?;
    submit(network).await?;

    let expert = &cast.expert;
    go_to(expert, "duties").await?;
    expert.css("[data-testid=\"console-duty\"]").await?;
    expert.picture("whole-10-duties").await?;
    open_row(expert, "console-duty", "[data-duty=\"extension\"]").await?;
    step_with(expert, "extend", "理由成立，同意延长。").await?;
    let told = expert.part("console-case-extensions").await?.text().await?;
    assert!(told.contains("同意延长"), "{told}");
    Ok(())
}

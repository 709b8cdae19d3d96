//! Answers suggested at the counter, and the guidance an answer is recorded
//! with. The desk has no network in any of these.

use suda_desk::view::Settlement;
use suda_desk::{Desk, StepError};
use suda_domain::guidance::Guidance;
use suda_domain::{ComplaintId, Complexity, Fact, Grade, Intake, Refusal};
use suda_judge::answers::AnswerSource;

use crate::support::{Bench, form};

fn settlement(summary: &str, amount_minor: Option<i64>, deviation: &str) -> Settlement {
    Settlement {
        summary: summary.into(),
        remedy: "减免三天月费".into(),
        amount_minor,
        deviation: deviation.into(),
    }
}

/// A desk that knows the guidance of the form's category, version 4, which lets
/// a branch give 60 yuan.
async fn guided() -> Bench {
    let bench = Bench::new().await;
    {
        let mut hub = bench.hub.state.lock().unwrap();
        hub.directory.version += 1;
        hub.directory.guidance = vec![Guidance {
            category: form("").category,
            version: 4,
            title: "宽带断网".into(),
            text: "远程检测，上门修复；逾期减免月费".into(),
            limit_minor: Some(6_000),
        }];
    }
    bench.desk.sync_once().await.unwrap();
    bench
}

async fn simple(bench: &Bench, intake: Intake) -> ComplaintId {
    bench
        .record_as(intake, Grade::Three, Complexity::Simple)
        .await
}

async fn last_fact(desk: &Desk, bench: &Bench, id: ComplaintId) -> Fact {
    let case = desk.case(&bench.session, id).await.unwrap();
    let settled = case.timeline.into_iter().map(|entry| entry.fact);
    let mut settled = settled.filter(|fact| matches!(fact, Fact::Settled { .. }));
    settled.next().unwrap()
}

#[tokio::test]
async fn the_guidance_and_answers_of_similar_cases_are_suggested_without_their_customers() {
    let bench = guided().await;
    let text = "家里宽带断了三天没人来修，打了好几次电话";
    let done = "尊敬的赵六先生（13600000004），师傅王芳已上门更换光猫，网络恢复";
    let before = Intake {
        name: "赵六".into(),
        phone: "13600000004".into(),
        ..form(text)
    };
    let before = simple(&bench, before).await;
    let given = settlement(done, Some(900), "");
    bench
        .desk
        .settle(&bench.session, before, given)
        .await
        .unwrap();
    let open = simple(&bench, form("家里宽带断了三天没人来修，希望快点")).await;
    let this = simple(&bench, form("家里宽带断了三天没人来修，报了三次")).await;

    let found = bench
        .desk
        .answer_suggestions(&bench.session, this)
        .await
        .unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        matches!(&found[0].source, AnswerSource::Guidance { version: 4, .. }),
        "{:?}",
        found[0].source
    );
    let AnswerSource::Case { reference, .. } = &found[1].source else {
        panic!("{:?}", found[1].source);
    };
    let case = bench.desk.case(&bench.session, before).await.unwrap();
    assert_eq!(*reference, case.row.reference);
    assert!(found[1].text.contains("更换光猫") && found[1].veiled);
    for secret in ["赵六", "13600000004", "王芳"] {
        assert!(
            !found[1].text.contains(secret),
            "{secret}: {}",
            found[1].text
        );
    }
    // Asking changed nothing, and one that is open is no model.
    let open = bench.desk.case(&bench.session, open).await.unwrap();
    let this = bench.desk.case(&bench.session, this).await.unwrap();
    assert!(open.can_settle && this.can_settle && this.answer_text.is_none());
}

#[tokio::test]
async fn what_the_guidance_does_not_allow_is_given_with_a_reason_that_stands_in_the_ledger() {
    let bench = guided().await;
    let id = simple(&bench, form("家里宽带断了三天没人来修")).await;
    let settle = |given| bench.desk.settle(&bench.session, id, given);
    let refused = settle(settlement("已修复并减免", Some(6_001), "  ")).await;
    assert!(
        matches!(refused, Err(StepError::Refused(Refusal::Incomplete))),
        "{refused:?}"
    );
    settle(settlement(
        "已修复并减免",
        Some(6_001),
        "第二次断网，店长同意",
    ))
    .await
    .unwrap();
    let Fact::Settled {
        guidance,
        deviation,
        ..
    } = last_fact(&bench.desk, &bench, id).await
    else {
        panic!("not settled");
    };
    let guidance = guidance.unwrap();
    assert_eq!(
        (guidance.category, guidance.version),
        (form("").category, 4)
    );
    assert_eq!(deviation, "第二次断网，店长同意");

    // Within the guidance no reason is asked for.
    let id = simple(&bench, form("家里宽带又断了没人来修")).await;
    let within = settlement("已修复并减免", Some(6_000), "");
    bench.desk.settle(&bench.session, id, within).await.unwrap();
}

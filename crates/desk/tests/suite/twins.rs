//! Complaints that may belong with a form, as a clerk is shown them while
//! typing, and what the centre has explained.

use suda_desk::view::TwinReason;
use suda_domain::alarm::KnownMatter;
use suda_domain::{Complexity, Grade, Intake};
use uuid::Uuid;

use crate::support::{Bench, form};

fn told(text: &str, name: &str, phone: &str) -> Intake {
    Intake {
        name: name.into(),
        phone: phone.into(),
        ..form(text)
    }
}

#[tokio::test]
async fn a_form_is_shown_the_same_text_the_same_customer_and_the_same_matter_each_with_why() {
    let bench = Bench::new().await;
    let first = "锦绣花园旁边的基站辐射太大，要求拆除";
    let matter = bench.record(told(first, "李四", "13900000002")).await;
    let other = bench
        .record(told("话费多扣了八十元", "张三", "13800000001"))
        .await;
    bench
        .record(told("营业厅排队两个小时没人叫号", "王五", "13700000003"))
        .await;
    let ask = async |intake: Intake| bench.desk.twins(&bench.session, intake).await.unwrap();

    // What is recorded behind the first question is found at the next.
    let typed = told("锦绣花园的基站离楼太近，担心辐射", "", "13800000001");
    assert_eq!(ask(typed.clone()).await.len(), 2);
    let twice = bench
        .record(told(&typed.description, "赵六", "13600000004"))
        .await;
    let found = ask(typed).await;
    let order: Vec<_> = found.iter().map(|twin| twin.row.id).collect();
    assert_eq!(order, [twice, other, matter]);
    assert_eq!(found[0].reasons, [TwinReason::SameText]);
    assert_eq!(found[1].reasons, [TwinReason::SamePhone]);
    let [TwinReason::Alike { percent, shared }] = found[2].reasons.as_slice() else {
        panic!("{:?}", found[2].reasons);
    };
    assert!(
        *percent >= 25 && shared.contains(&"锦绣花园".to_owned()),
        "{shared:?}"
    );
    assert!(ask(told("", "", "")).await.is_empty());

    // After a restart they are found again.
    let bench = bench.reopen().await;
    let again = bench
        .desk
        .twins(&bench.session, told(first, "", ""))
        .await
        .unwrap();
    assert_eq!(again[0].row.id, matter);
}

#[tokio::test]
async fn a_matter_the_centre_has_explained_is_told_at_the_counter_and_proposes_grade_one() {
    let bench = Bench::new().await;
    let member = bench
        .record_as(
            form("楼顶那个东西什么时候拆"),
            Grade::Three,
            Complexity::Simple,
        )
        .await;
    let say = "基站由街道批准，检测合格";
    {
        let mut hub = bench.hub.state.lock().unwrap();
        hub.directory.version += 1;
        hub.directory.known_matters = vec![KnownMatter {
            id: Uuid::from_u128(1),
            title: "翠屏苑楼顶 · 基站".into(),
            pieces: vec!["翠屏苑楼顶".into(), "基站".into()],
            say: say.into(),
            reports: 5,
            since: bench.clock.truly(),
            members: vec![member],
            category: None,
        }];
    }
    bench.desk.sync_once().await.unwrap();
    let advice = bench
        .desk
        .advise(&bench.session, form("翠屏苑楼顶的基站夜里嗡嗡响"))
        .await
        .unwrap();
    assert_eq!(advice.matters.len(), 1);
    assert_eq!(advice.matters[0].say, say);
    assert_eq!(advice.matters[0].matched, ["翠屏苑楼顶", "基站"]);
    assert_eq!(advice.suggestion.grade, Grade::One);
    let reason = advice.suggestion.grade_reason.unwrap();
    assert_eq!(
        (reason.rule.as_str(), reason.en.as_str()),
        ("group-matter", "group matter, 5 reports")
    );

    let other = bench.desk.advise(&bench.session, form("家里宽带断了三天"));
    let other = other.await.unwrap();
    assert!(other.matters.is_empty() && other.suggestion.grade != Grade::One);

    // Of what is recorded already the centre says that it belongs.
    let case = bench.desk.case(&bench.session, member).await.unwrap();
    assert_eq!(case.matter.unwrap().say, say);
}

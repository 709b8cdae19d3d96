//! The learned model on a desk: fetched from the hub when nothing else waits,
//! checked, kept, and part of what the form proposes.

use suda_desk::ModelStatus;
use suda_domain::{Fact, Intake};
use suda_judge::COLUMNS;
use suda_judge::learn::{Example, train};
use suda_sync::SecretKey;
use suda_sync::model::{notice, seal};

use crate::support::{Bench, data_dir, directory, form};

/// Words no rule knows, of two leaves of the tree.
const TEXTS: [(&str, usize); 10] = [
    ("鹦鹉飞进营业厅把柜台弄脏了", 0),
    ("营业厅里有鹦鹉飞来飞去很吵", 0),
    ("鹦鹉在大厅乱叫没有人管", 0),
    ("柜台上的鹦鹉啄人没人处理", 0),
    ("大厅鹦鹉掉毛弄脏衣服", 0),
    ("门口雕像倒下来挡住了路", 1),
    ("雕像歪了快要倒没有人修", 1),
    ("路边雕像断了一块很危险", 1),
    ("广场雕像颜色掉了难看", 1),
    ("雕像底座裂开挡住门口", 1),
];

fn leaves() -> Vec<String> {
    let tree = directory().categories;
    let nodes = tree.nodes.iter().map(|node| node.code.clone());
    nodes.filter(|code| tree.is_leaf(code)).take(2).collect()
}

fn package(version: u32, key: &SecretKey) -> Vec<u8> {
    let leaves = leaves();
    let rows: Vec<[&str; 2]> = TEXTS.iter().map(|(text, _)| ["处理", *text]).collect();
    let examples = rows.iter().zip(&TEXTS);
    let examples: Vec<Example<'_>> = examples
        .map(|(fields, (_, leaf))| Example {
            fields,
            label: &leaves[*leaf],
        })
        .collect();
    let model = train(&COLUMNS, &examples).unwrap().to_bytes().unwrap();
    seal(version, &model, key).unwrap()
}

/// From now on the hub gives this package under this version.
fn give(bench: &Bench, version: u32, package: Vec<u8>) {
    let mut hub = bench.hub.state.lock().unwrap();
    hub.directory.version += 1;
    hub.directory.model = Some(notice(version, &package));
    hub.model = package;
    hub.pieces.clear();
}

fn key(bench: &Bench) -> SecretKey {
    bench.hub.state.lock().unwrap().key.clone()
}

fn parrots() -> Intake {
    Intake {
        description: "大厅里的鹦鹉弄脏了柜台，一直很吵".into(),
        remedy_sought: "处理".into(),
        category: String::new(),
        ..form("x")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_fetches_the_model_in_pieces_and_proposes_by_it_also_after_a_restart() {
    let bench = Bench::new().await;
    let before = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(before.model, ModelStatus::None);
    assert_eq!(
        (before.suggestion.category, before.suggestion.learned),
        (None, None)
    );

    give(&bench, 3, package(3, &key(&bench)));
    bench.desk.sync_once().await.unwrap();
    let pieces = bench.hub.state.lock().unwrap().pieces.clone();
    assert!(pieces.len() > 1, "{pieces:?}");
    let after = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(after.model, ModelStatus::InUse);
    assert_eq!(after.suggestion.category.as_ref(), leaves().first());
    let learned = after.suggestion.learned.unwrap();
    assert!(!learned.unsure && learned.version == 3);
    let text = parrots().description;
    assert!(!learned.words.is_empty());
    assert!(
        learned
            .words
            .iter()
            .all(|word| text.contains(word.as_str()))
    );

    // What is recorded says which model proposed it.
    let id = bench
        .record(Intake {
            category: leaves()[0].clone(),
            ..parrots()
        })
        .await;
    bench.desk.sync_once().await.unwrap();
    let log = bench.hub.state.lock().unwrap().log.clone();
    let traces = log.iter().filter_map(|event| {
        let event = event.open().unwrap();
        match event.fact {
            Fact::Assessed { suggestion, .. } if event.complaint == id => suggestion,
            _ => None,
        }
    });
    assert_eq!(
        traces.map(|trace| trace.model).collect::<Vec<_>>(),
        [Some(3)]
    );

    let bench = bench.reopen().await;
    let again = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(again.suggestion.category.as_ref(), leaves().first());
    bench.desk.sync_once().await.unwrap();
    let pieces = bench.hub.state.lock().unwrap().pieces.clone();
    assert_eq!(pieces.iter().filter(|offset| **offset == 0).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_the_hubs_or_of_a_later_program_is_not_used_and_the_one_before_is() {
    let bench = Bench::new().await;
    let key = key(&bench);
    give(&bench, 3, package(3, &key));
    bench.desk.sync_once().await.unwrap();
    let foreign = package(4, &SecretKey::from_seed([1; 32]));
    let later = seal(5, b"SUDAJUDG\xff\xff and what comes then", &key).unwrap();
    for (version, package) in [(4, foreign), (5, later)] {
        give(&bench, version, package);
        bench.desk.sync_once().await.unwrap();
        let said = bench.desk.advise(&bench.session, parrots()).await.unwrap();
        assert_eq!(said.model, ModelStatus::Unusable, "{version}");
        assert_eq!(said.suggestion.learned.unwrap().version, 3);
        // It is not asked for again and again.
        bench.hub.state.lock().unwrap().pieces.clear();
        bench.desk.sync_once().await.unwrap();
    }
    // Pieces that do not make what was announced: as if nothing had come.
    let whole = package(6, &key);
    give(&bench, 6, whole.clone());
    *bench.hub.state.lock().unwrap().model.last_mut().unwrap() ^= 1;
    bench.desk.sync_once().await.unwrap();
    let said = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(said.model, ModelStatus::Waiting);
    assert_eq!(said.suggestion.learned.unwrap().version, 3);
    // A model taken back at the hub is used no more.
    {
        let mut hub = bench.hub.state.lock().unwrap();
        hub.directory.version += 1;
        hub.directory.model = None;
    }
    bench.desk.sync_once().await.unwrap();
    let said = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(
        (said.model, said.suggestion.learned),
        (ModelStatus::None, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_the_model_is_fetched_anew() {
    let bench = Bench::new().await;
    give(&bench, 3, package(3, &key(&bench)));
    bench.desk.sync_once().await.unwrap();
    let file = data_dir(bench.dir.path()).join("model.suda");
    let bench = bench
        .restart(|_| {
            let mut bytes = std::fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&file, bytes).unwrap();
        })
        .await;
    let said = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(
        (said.model, said.suggestion.learned),
        (ModelStatus::Waiting, None)
    );
    bench.desk.sync_once().await.unwrap();
    let said = bench.desk.advise(&bench.session, parrots()).await.unwrap();
    assert_eq!(said.model, ModelStatus::InUse);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_told_how_often_this_customer_has_complained_before() {
    let bench = Bench::new().await;
    let intake = Intake {
        phone: "13812345678".into(),
        ..form("多扣话费")
    };
    let said = bench
        .desk
        .advise(&bench.session, intake.clone())
        .await
        .unwrap();
    assert_eq!(said.earlier, 0);
    bench.record(intake.clone()).await;
    let spaced = Intake {
        phone: "138 1234 5678".into(),
        ..intake.clone()
    };
    let said = bench.desk.advise(&bench.session, spaced).await.unwrap();
    assert_eq!(said.earlier, 1);
    let other = Intake {
        phone: "13812345679".into(),
        ..intake
    };
    let said = bench.desk.advise(&bench.session, other).await.unwrap();
    assert_eq!(said.earlier, 0);
}

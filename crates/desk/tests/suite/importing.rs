//! Importing: what is recorded, what is refused, and going on after an end.

use suda_desk::view::Scope;
use suda_desk::{
    Columns, HandoffChoice, ImportError, ImportEvent, ImportOptions, ImportReport, TableError,
};
use suda_domain::State;

use crate::support::Bench;

struct Told {
    references: Vec<String>,
    bad: Vec<(u64, String)>,
    report: ImportReport,
}

async fn import(
    bench: &Bench,
    csv: impl AsRef<[u8]>,
    options: ImportOptions,
) -> Result<Told, ImportError> {
    let file = bench.dir.path().join("rows.csv");
    std::fs::write(&file, csv).unwrap();
    let mut references = Vec::new();
    let mut bad = Vec::new();
    let report = bench
        .desk
        .import(&file, &options, |event| match event {
            ImportEvent::Recorded(row) => references.push(row.reference.to_string()),
            ImportEvent::Bad(row) => bad.push((row.line, row.reason.to_string())),
            ImportEvent::Committed { bytes, of } => assert!(bytes <= of),
        })
        .await?;
    Ok(Told {
        references,
        bad,
        report,
    })
}

#[tokio::test]
async fn a_quote_not_closed_and_a_row_cut_off_are_named_and_not_recorded() {
    let bench = Bench::new().await;
    let csv = "text,phone,time\n断网,,2018-05-17\n\"有的没关,,2018-05-17\n另一件,,2018-05-17\n";
    let told = import(&bench, csv, ImportOptions::default()).await.unwrap();
    assert_eq!((told.report.recorded, told.report.bad), (1, 1));
    assert!(told.bad[0].1.contains("quote"), "{:?}", told.bad);
    // Also in the last column, where the number of cells does not show it.
    let csv = "time,text\n2018-05-17,断网\n2018-05-17,\"没关\n2018-05-17,另一件\n";
    let told = import(&bench, csv, ImportOptions::default()).await.unwrap();
    assert_eq!((told.report.recorded, told.report.bad), (1, 1));
    assert!(told.bad[0].1.contains("not closed"), "{:?}", told.bad);
    let csv = "text,phone,time\n断网,,2018-05-17\n切断了,138\n";
    let told = import(&bench, csv, ImportOptions::default()).await.unwrap();
    assert_eq!((told.report.recorded, told.report.bad), (1, 1));
    assert!(told.bad[0].1.contains("cut off"), "{:?}", told.bad);
    // The control: an inch sign that swallows nothing is part of the text.
    let csv = "time,text\n2018-05-17,屏幕 5\" 碎了\n";
    let told = import(&bench, csv, ImportOptions::default()).await.unwrap();
    assert_eq!((told.report.recorded, told.report.bad), (1, 0));
}

#[tokio::test]
async fn rows_become_complaints_of_the_past_and_bad_rows_are_named() {
    let bench = Bench::new().await;
    let csv = "id,time,title,text,phone\n\
               1,2018-05-17 08:32:04,宽带断了,\"第一行\n宽带断了\",\n\
               2,2018-05-18,标题,内容二,13812345678\n\
               3,昨天,标题,内容三,\n\
               4,2018-05-19,,,\n\
               5,2018-05-19,标题,内容五,12\n\
               6,2018-05-19,标题,内容,逗号,没有引号\n\
               7,2099-01-01,标题,内容七,\n\
               \n\
               8,,标题,没有时间,\n";
    let told = import(&bench, csv, ImportOptions::default()).await.unwrap();
    assert_eq!(
        told.report,
        ImportReport {
            recorded: 3,
            known: 0,
            bad: 5
        }
    );
    assert_eq!(told.references.len(), 3);
    let lines: Vec<u64> = told.bad.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [5, 6, 7, 8, 9]);
    assert!(told.bad[0].1.contains("time"), "{:?}", told.bad);
    assert!(told.bad[1].1.contains("text is missing"), "{:?}", told.bad);
    assert!(told.bad[2].1.contains("phone"), "{:?}", told.bad);
    assert!(told.bad[3].1.contains("6 cells"), "{:?}", told.bad);
    assert!(told.bad[4].1.contains("future"), "{:?}", told.bad);

    let rows = bench
        .desk
        .cases(&bench.session, Scope::All, None, 10)
        .await
        .unwrap()
        .rows;
    let first = bench.desk.case(&bench.session, rows[2].id).await.unwrap();
    assert!(first.late && first.intake.anonymous);
    assert_eq!(first.intake.description, "第一行\n宽带断了");
    assert_eq!(first.intake.remedy_sought, "（未说明）");
    assert_eq!(
        first.row.arrived_at.to_rfc3339(),
        "2018-05-17T00:32:04+00:00"
    );
    let second = bench.desk.case(&bench.session, rows[1].id).await.unwrap();
    assert_eq!(second.intake.description, "标题\n内容二");
    assert!(!second.intake.anonymous);
    let third = bench.desk.case(&bench.session, rows[0].id).await.unwrap();
    assert!(!third.late);
    assert!(bench.desk.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn the_handoff_choice_decides_who_gets_the_rows() {
    let bench = Bench::new().await;
    let csv = "text\n请问营业时间\n";
    for (handoff, state) in [
        (HandoffChoice::All, State::HandoffPending),
        (HandoffChoice::None, State::InBranch),
    ] {
        let told = import(
            &bench,
            csv,
            ImportOptions {
                handoff,
                ..Default::default()
            },
        )
        .await
        .unwrap();
        let found = bench
            .desk
            .search(&bench.session, &told.references[0], 1)
            .await
            .unwrap();
        assert_eq!(found[0].state, state);
    }
}

#[tokio::test]
async fn each_run_records_anew_and_resume_never_twice() {
    let bench = Bench::new().await;
    let csv = "text\n一\n二\n三\n";
    let resume = || ImportOptions {
        resume: true,
        ..Default::default()
    };
    assert_eq!(
        import(&bench, csv, resume()).await.unwrap().report.recorded,
        3
    );
    let again = import(&bench, csv, resume()).await.unwrap();
    assert_eq!(
        again.report,
        ImportReport {
            recorded: 0,
            known: 3,
            bad: 0
        }
    );
    assert!(again.references.is_empty());
    assert_eq!(
        import(&bench, csv, ImportOptions::default())
            .await
            .unwrap()
            .report
            .recorded,
        3
    );
    assert_eq!(bench.desk.report().await.unwrap().complaints, 6);
}

#[tokio::test]
async fn files_that_are_no_tables_are_refused_and_record_nothing() {
    let bench = Bench::new().await;
    let columns: Columns = "text=没有".parse().unwrap();
    let named = ImportOptions {
        columns,
        ..Default::default()
    };
    for (csv, options) in [
        ("", ImportOptions::default()),
        ("text,time\n", ImportOptions::default()),
        ("a,b\n1,2\n", ImportOptions::default()),
        ("a,b\n1,2\n", named),
    ] {
        let refused = import(&bench, csv, options).await.err();
        assert!(matches!(refused, Some(ImportError::Table(_))), "{csv:?}");
    }
    let missing = bench
        .desk
        .import(
            &bench.dir.path().join("none.csv"),
            &ImportOptions::default(),
            |_| {},
        )
        .await;
    assert!(matches!(missing, Err(ImportError::File { .. })));
    let nobody = ImportOptions {
        login: Some("nobody".into()),
        ..Default::default()
    };
    assert!(matches!(
        import(&bench, "text\n一\n", nobody).await,
        Err(ImportError::NobodyToActFor)
    ));
    assert_eq!(bench.desk.report().await.unwrap().complaints, 0);
    assert!(matches!("x".parse::<Columns>(), Err(TableError::NotAPair)));
}

#[tokio::test]
async fn odd_characters_are_cleaned_or_kept_and_long_texts_refused() {
    let bench = Bench::new().await;
    let huge = "诉".repeat(350_000);
    let csv = format!("\u{feff}text\n\"响\u{7}铃\u{202e}！😀\"\nمرحبا\n{huge}\n");
    let told = import(&bench, csv, ImportOptions::default()).await.unwrap();
    assert_eq!((told.report.recorded, told.report.bad), (2, 1));
    assert!(
        told.bad[0].1.contains("longer than 20000"),
        "{:?}",
        told.bad
    );
    let rows = bench
        .desk
        .cases(&bench.session, Scope::All, None, 10)
        .await
        .unwrap()
        .rows;
    assert_eq!(rows[1].excerpt, "响铃！😀");
    assert_eq!(rows[0].excerpt, "مرحبا");
}

#[tokio::test]
async fn many_rows_keep_their_order_their_numbers_and_a_clean_ledger() {
    let bench = Bench::new().await;
    let rows: String = (1..=500).map(|n| format!("第{n}条 宽带 断网\n")).collect();
    let told = import(&bench, format!("text\n{rows}"), ImportOptions::default())
        .await
        .unwrap();
    assert_eq!(told.references.len(), 500);
    let mut sorted = told.references.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(told.references, sorted);
    let verified = bench.desk.verify().await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!((verified.complaints, verified.events), (500, 1500));
}

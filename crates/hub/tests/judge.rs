//! `suda-hub judge` on small files of the tests' own.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn judge(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_suda-hub"))
        .arg("judge")
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The one line on standard error of a run that had to fail.
fn refusal(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn folder(name: &str, content: impl AsRef<[u8]>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(name), content).unwrap();
    dir
}

const SAMPLES: &str = "id,time,title,text,kind
k1,2026-03-02 09:00:00,宽带断网,家里宽带断网三天没人来修,网络
k2,2026-03-02 10:00:00,网速慢,\"宽带网速慢，看视频老是卡\",网络
k3,2026-03-03 09:00:00,多扣话费,上个月话费多扣了八十元,费用
k4,2026-03-03 11:00:00,不退费,退费申请一个月还没有退款,费用
k5,2026-03-04 09:30:00,电梯里的宽带箱,安装师傅把电梯弄故障了，有人被困,网络
k6,2026-03-05 09:30:00,断网,家里宽带断网三天没人来修理,
";

#[test]
fn train_and_predict_speak_in_the_agreed_shape() {
    let dir = folder("in.csv", SAMPLES);
    let learn = [
        "train",
        "--input",
        "in.csv",
        "--text",
        "title,text",
        "--label",
        "kind",
        "--model",
        "m.bin",
        "--json",
    ];
    let learned = lines(&judge(dir.path(), &learn));
    // The last row has no category.
    assert_eq!(learned[0]["examples"], 5);
    assert_eq!(learned[0]["labels"], 2);
    let found = lines(&judge(
        dir.path(),
        &[
            "predict",
            "--model",
            "m.bin",
            "--input",
            "in.csv",
            "--text",
            "title,text",
            "--json",
        ],
    ));
    assert_eq!(found.len(), 6);
    let last = &found[5];
    assert_eq!(
        (&last["id"], &last["label"]),
        (&"k6".into(), &"网络".into())
    );
    let top = last["top3"].as_array().unwrap();
    assert_eq!(top[0][0], last["label"]);
    assert!(top[0][1].as_f64().unwrap() >= top[1][1].as_f64().unwrap());
}

#[test]
fn grade_gives_a_number_and_reasons() {
    let dir = folder("in.csv", SAMPLES);
    let found = lines(&judge(
        dir.path(),
        &[
            "grade",
            "--input",
            "in.csv",
            "--text",
            "title,text",
            "--json",
        ],
    ));
    assert_eq!(
        (&found[4]["id"], &found[4]["grade"]),
        (&"k5".into(), &1.into())
    );
    assert!(!found[4]["reasons"].as_array().unwrap().is_empty());
    assert!(
        found
            .iter()
            .all(|line| (1..=3).contains(&line["grade"].as_u64().unwrap()))
    );
}

#[test]
fn similar_names_the_same_matter_first_and_never_the_row_itself() {
    let dir = folder("in.csv", SAMPLES);
    let arguments = [
        "similar",
        "--input",
        "in.csv",
        "--text",
        "title,text",
        "--top",
        "2",
        "--json",
    ];
    let found = lines(&judge(dir.path(), &arguments));
    assert_eq!(found[0]["similar"][0][0], "k6");
    for line in &found {
        let similar = line["similar"].as_array().unwrap();
        assert!(similar.len() <= 2 && similar.iter().all(|hit| hit[0] != line["id"]));
    }
}

#[test]
fn bursts_name_members_that_came_before_the_alert() {
    let mut file = String::from("id,time,title,text\n");
    for (n, title) in ["话费", "排队", "信号", "彩铃", "合约", "充值"]
        .iter()
        .enumerate()
    {
        file.push_str(&format!(
            "o{n},2026-03-0{} 08:00:00,{title}问题,关于{title}的事情请处理\n",
            n + 1
        ));
    }
    for (n, text) in [
        "楼顶新装的基站离住户太近",
        "没征求意见就装基站，要求拆除",
        "基站辐射孩子睡不好，请拆掉",
        "基站夜里嗡嗡响，还有辐射",
    ]
    .iter()
    .enumerate()
    {
        file.push_str(&format!(
            "b{n},2026-03-{} 08:00:00,翠屏苑基站,翠屏苑{text}\n",
            10 + n
        ));
    }
    let dir = folder("in.csv", file);
    let arguments = [
        "bursts",
        "--input",
        "in.csv",
        "--time",
        "time",
        "--text",
        "title,text",
        "--json",
    ];
    let found = lines(&judge(dir.path(), &arguments));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["title"], "翠屏苑基站");
    assert!(found[0]["at"].as_str().unwrap() <= "2026-03-13 08:00:00");
    let members = found[0]["members"].as_array().unwrap();
    assert!(
        members
            .iter()
            .all(|member| member.as_str().unwrap().starts_with('b'))
    );
}

#[test]
fn surge_tells_the_day_the_key_and_what_was_expected() {
    let mut file = String::from("day,branch\n");
    for day in 1..=30 {
        let count = if day == 30 { 40 } else { 3 + day % 3 };
        (0..count).for_each(|_| file.push_str(&format!("2026-04-{day:02},east\n")));
        file.push_str(&format!("2026-04-{day:02},west\n"));
    }
    let dir = folder("in.csv", file);
    let arguments = [
        "surge", "--input", "in.csv", "--time", "day", "--by", "branch", "--json",
    ];
    let found = lines(&judge(dir.path(), &arguments));
    assert_eq!(found.len(), 1, "{found:?}");
    let told = &found[0];
    assert_eq!(
        (&told["day"], &told["key"], &told["count"]),
        (&"2026-04-30".into(), &"east".into(), &40.into())
    );
    assert!(told["expected"].as_f64().unwrap() < 10.0 && told["p"].as_f64().unwrap() < 1e-4);
}

#[test]
fn a_fault_in_the_file_is_named_with_line_and_column() {
    let long = folder("in.csv", "id,title,text\n1,a,b\n2,a,b,c\n");
    let said = refusal(&judge(long.path(), &["grade", "--input", "in.csv"]));
    assert!(
        said.contains("line 3") && said.contains("4 columns"),
        "{said}"
    );

    let latin = folder("in.csv", b"id,title,text\n1,a,b\n2,a,caf\xe9\n");
    let said = refusal(&judge(latin.path(), &["grade", "--input", "in.csv"]));
    assert!(
        said.contains("line 3, column text") && said.contains("UTF-8"),
        "{said}"
    );

    let time = folder("in.csv", "id,time,title,text\n1,yesterday,a,b\n");
    let said = refusal(&judge(
        time.path(),
        &["bursts", "--input", "in.csv", "--time", "time"],
    ));
    assert!(said.contains("line 2, column time"), "{said}");

    let missing = refusal(&judge(
        time.path(),
        &["grade", "--input", "in.csv", "--text", "body"],
    ));
    assert!(missing.contains("no column body"), "{missing}");

    let empty = folder("in.csv", "");
    let said = refusal(&judge(empty.path(), &["grade", "--input", "in.csv"]));
    assert!(said.contains("header"), "{said}");
}

#[test]
fn a_model_that_is_none_is_refused_by_name() {
    let dir = folder("in.csv", SAMPLES);
    std::fs::write(dir.path().join("m.bin"), "no model").unwrap();
    let said = refusal(&judge(
        dir.path(),
        &["predict", "--model", "m.bin", "--input", "in.csv"],
    ));
    assert!(
        said.contains("m.bin") && said.contains("not a model"),
        "{said}"
    );
}

//! Grade 1 by rules, on the graded rows, and how often it is said in the
//! whole stream.

use std::path::Path;

use suda_domain::Grade;
use suda_judge::{Case, GRADES, RuleSet, judge};

use crate::Failure;
use crate::data::Table;
use crate::line::figure;

pub fn measure(dir: &Path) -> Result<(), Failure> {
    let rules = RuleSet::parse(GRADES)?;
    let table = Table::read(dir, "zh_gov_severity_dev.csv")?;
    let said = grades(&rules, &table)?;
    let given = table.column("grade")?;
    let count = |said_one: bool, is_one: bool| {
        let both = said.iter().zip(&given);
        both.filter(|(s, g)| (**s == Grade::One) == said_one && (**g == "1") == is_one)
            .count() as f64
    };
    let (hit, missed, vain) = (count(true, true), count(false, true), count(true, false));
    let share = (hit + missed) / said.len() as f64;
    let task = "zh_gov_severity grade 1";
    let how =
        "rules of data/grades.json on all rows (read while writing them); control: always grade 1";
    figure(task, "recall", hit / (hit + missed), "≥ 0.85", 1.0, how);
    figure(task, "precision", hit / (hit + vain), "≥ 0.70", share, how);
    let stream = grades(&rules, &Table::read(dir, "zh_gov_stream_dev.csv")?)?;
    let ones = stream.iter().filter(|grade| **grade == Grade::One).count() as f64;
    let how = "share of the stream said to be grade 1; control: the share among the graded rows";
    figure(
        task,
        "said in the stream",
        ones / stream.len() as f64,
        "",
        share,
        how,
    );
    Ok(())
}

fn grades(rules: &RuleSet, table: &Table) -> Result<Vec<Grade>, Failure> {
    let (title, text) = (table.column("title")?, table.column("text")?);
    let both = title.iter().zip(&text);
    Ok(both
        .map(|(title, text)| {
            let description = format!("{title}\n{text}");
            let case = Case {
                description: &description,
                ..Case::default()
            };
            judge(rules, &case).grade()
        })
        .collect())
}

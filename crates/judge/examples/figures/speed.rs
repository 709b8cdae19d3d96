//! Speed and size on 100,000 texts: the stream's rows, each with a tail cut
//! from another row, so that no two are the same.

use std::path::Path;
use std::time::Instant;

use suda_judge::learn::{Example, Model, train};
use suda_judge::similar::Similar;
use suda_judge::{Case, GRADES, RuleSet, judge};

use crate::Failure;
use crate::data::Table;
use crate::line::figure;

const TEXTS: usize = 100_000;
const ASKED: usize = 300;

pub fn measure(dir: &Path) -> Result<(), Failure> {
    let labelled = Table::read(dir, "zh_gov_labelled_dev.csv")?;
    let stream = Table::read(dir, "zh_gov_stream_dev.csv")?;
    let (title, text) = (stream.column("title")?, stream.column("text")?);
    let (other, label) = (labelled.column("text")?, labelled.column("label")?);
    let made: Vec<(String, String, &str)> = (0..TEXTS)
        .map(|n| {
            let tail: String = other[n * 31 % other.len()]
                .chars()
                .skip(n / 977 % 50)
                .take(60)
                .collect();
            let at = n * 7 % title.len();
            (
                title[at].to_owned(),
                format!("{}{tail}{n}", text[at]),
                label[n * 31 % other.len()],
            )
        })
        .collect();
    let fields: Vec<[&str; 2]> = made
        .iter()
        .map(|(title, text, _)| [title.as_str(), text.as_str()])
        .collect();
    let examples: Vec<Example<'_>> = made
        .iter()
        .zip(&fields)
        .map(|((.., label), fields)| Example { fields, label })
        .collect();
    let task = "speed, 100,000 texts";
    let how = "one thread, rows of the stream with tails of other rows; control: the target";
    let began = Instant::now();
    let bytes = train(&["title", "text"], &examples)?.to_bytes()?;
    figure(
        task,
        "training s",
        began.elapsed().as_secs_f64(),
        "≤ 60",
        60.0,
        how,
    );
    figure(
        task,
        "model MB",
        bytes.len() as f64 / 1e6,
        "≤ 2.5",
        2.5,
        how,
    );
    let model = Model::parse(&bytes)?;
    let began = Instant::now();
    let mut sure = 0;
    for fields in fields.iter().step_by(TEXTS / 10_000) {
        sure += usize::from(!model.classify(fields).unsure);
    }
    figure(
        task,
        "category ms a text",
        began.elapsed().as_secs_f64() / 10.0,
        "≤ 0.1",
        0.1,
        how,
    );
    let mut index = Similar::default();
    for fields in &fields {
        index.add(fields);
    }
    let rules = RuleSet::parse(GRADES)?;
    let began = Instant::now();
    for fields in fields.iter().step_by(TEXTS / ASKED) {
        sure += usize::from(!model.classify(fields).unsure);
        let description = fields.concat();
        let case = Case {
            description: &description,
            ..Case::default()
        };
        sure += judge(&rules, &case).required.len() + index.find(fields, 5).len();
    }
    let each = began.elapsed().as_secs_f64() * 1000.0 / ASKED as f64;
    figure(
        task,
        "category, grade, similar ms a text",
        each,
        "≤ 5",
        5.0,
        how,
    );
    eprintln!("{sure} answers");
    Ok(())
}

//! `judge grade` and `judge similar`.

use std::fs;
use std::path::Path;

use serde::Serialize;
use suda_domain::Grade;
use suda_judge::dry_run::dry_run;
use suda_judge::similar::Similar;
use suda_judge::{Case, GRADES, Held, Place, RuleSet, judge};

use super::table::Table;
use super::{Input, JudgeError, Language, Lines};

#[derive(Serialize)]
struct Graded<'r> {
    id: String,
    grade: u8,
    reasons: Vec<&'r str>,
    /// The rule that decided first.
    rules: Vec<&'r str>,
    words: Vec<Word<'r>>,
}

/// A word that decided, in bytes of the columns joined by line breaks.
#[derive(Serialize)]
struct Word<'r> {
    rule: &'r str,
    word: &'r str,
    start: usize,
    end: usize,
}

pub(super) fn grade(
    input: &Input,
    rules: Option<&Path>,
    language: Language,
) -> Result<(), JudgeError> {
    let rules = match rules {
        Some(file) => read_rules(file)?,
        None => RuleSet::parse(GRADES)?,
    };
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let mut lines = Lines::new(input.json);
    for (number, row) in table.rows.iter().enumerate() {
        let description = Table::cells(row, &columns).join("\n");
        let verdict = judge(&rules, &case_of(&description));
        let held: Vec<&Held<'_>> = verdict
            .grade
            .iter()
            .flat_map(|decided| std::iter::once(&decided.by).chain(&decided.also))
            .collect();
        let graded = Graded {
            id: table.id(number, &input.id),
            grade: match verdict.grade() {
                Grade::One => 1,
                Grade::Two => 2,
                Grade::Three => 3,
            },
            reasons: held.iter().map(|held| reason_of(held, language)).collect(),
            rules: held.iter().map(|held| held.rule.id.as_str()).collect(),
            words: held.iter().flat_map(|held| words_of(held)).collect(),
        };
        lines.print(&graded, || {
            format!(
                "{}  {}  {}",
                graded.id,
                graded.grade,
                graded.reasons.join(", ")
            )
        })?;
    }
    lines.end()
}

/// What `new` rules would say otherwise than `old` ones, a line a change, and
/// the sums on standard error.
pub(super) fn compare(input: &Input, old: &Path, new: &Path) -> Result<(), JudgeError> {
    let (old, new) = (read_rules(old)?, read_rules(new)?);
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let texts: Vec<String> = table
        .rows
        .iter()
        .map(|row| Table::cells(row, &columns).join("\n"))
        .collect();
    let run = dry_run(&old, &new, texts.iter().map(|text| case_of(text)));
    let mut lines = Lines::new(input.json);
    for change in &run.changes {
        let id = table.id(change.number, &input.id);
        let line = Changed { id, change };
        lines.print(&line, || {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "{}  {:?}  {} -> {}  ({} -> {})",
                line.id,
                change.outcome,
                side(&change.before.value),
                side(&change.after.value),
                side(&change.before.rule),
                side(&change.after.rule),
            )
        })?;
    }
    lines.end()?;
    eprintln!("{} of {} complaints would change", run.changed, run.judged);
    Ok(())
}

#[derive(Serialize)]
struct Changed<'c> {
    id: String,
    #[serde(flatten)]
    change: &'c suda_judge::dry_run::Change,
}

fn case_of(description: &str) -> Case<'_> {
    Case {
        description,
        ..Case::default()
    }
}

fn read_rules(file: &Path) -> Result<RuleSet, JudgeError> {
    let json =
        fs::read_to_string(file).map_err(|error| JudgeError::File(file.to_owned(), error))?;
    RuleSet::parse(&json).map_err(|error| JudgeError::RuleFile(file.to_owned(), error))
}

fn words_of<'r>(held: &Held<'r>) -> impl Iterator<Item = Word<'r>> {
    let rule = held.rule.id.as_str();
    held.found.iter().map(move |found| {
        let Place { start, end, .. } = found.place;
        Word {
            rule,
            word: found.word,
            start,
            end,
        }
    })
}

fn reason_of<'r>(held: &Held<'r>, language: Language) -> &'r str {
    match language {
        Language::ZhTw if !held.rule.zh_tw.is_empty() => &held.rule.zh_tw,
        Language::ZhCn | Language::ZhTw => &held.rule.zh,
        Language::En => &held.rule.en,
    }
}

#[derive(Serialize)]
struct Alike {
    id: String,
    similar: Vec<(String, f32)>,
}

pub(super) fn similar(input: &Input, top: usize) -> Result<(), JudgeError> {
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let mut index = Similar::default();
    for row in &table.rows {
        index.add(&Table::cells(row, &columns));
    }
    let mut lines = Lines::new(input.json);
    for number in 0..table.rows.len() {
        let hits = index.find_for(number, top).into_iter();
        let alike = Alike {
            id: table.id(number, &input.id),
            similar: hits
                .map(|hit| (table.id(hit.number, &input.id), hit.score))
                .collect(),
        };
        lines.print(&alike, || {
            let hits = alike
                .similar
                .iter()
                .map(|(id, score)| format!("{id} {score:.2}"));
            format!("{}  {}", alike.id, hits.collect::<Vec<_>>().join("  "))
        })?;
    }
    lines.end()
}

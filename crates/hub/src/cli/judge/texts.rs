//! `judge grade` and `judge similar`.

use serde::Serialize;
use suda_domain::Grade;
use suda_judge::grade::{GRADES, GradeReason, GradeRules};
use suda_judge::similar::Similar;

use super::table::Table;
use super::{Input, JudgeError, Language, Lines};

#[derive(Serialize)]
struct Graded<'r> {
    id: String,
    grade: u8,
    reasons: Vec<&'r str>,
    rules: Vec<&'r str>,
}

pub(super) fn grade(input: &Input, language: Language) -> Result<(), JudgeError> {
    let rules = GradeRules::parse(GRADES)?;
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let mut lines = Lines::new(input.json);
    for (number, row) in table.rows.iter().enumerate() {
        let (grade, held) = rules.grade(&Table::cells(row, &columns).join("\n"));
        let graded = Graded {
            id: table.id(number, &input.id),
            grade: match grade {
                Grade::One => 1,
                Grade::Two => 2,
                Grade::Three => 3,
            },
            reasons: held.iter().map(|held| reason_of(held, language)).collect(),
            rules: held.iter().map(|held| held.rule).collect(),
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

fn reason_of<'r>(held: &GradeReason<'r>, language: Language) -> &'r str {
    match language {
        Language::ZhCn => held.zh_cn,
        Language::ZhTw => held.zh_tw,
        Language::En => held.en,
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

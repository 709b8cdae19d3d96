//! Similar complaints, on the stream: the first hit of every row that has
//! siblings, and the average precision of all pairs of all rows ranked by
//! score, a pair being right when both rows are in one `dup_group` (an
//! `issue` is always one of those).

use std::path::Path;
use std::time::Instant;

use suda_judge::similar::Similar;

use crate::Failure;
use crate::data::Table;
use crate::line::figure;

pub fn measure(dir: &Path) -> Result<(), Failure> {
    let stream = Table::read(dir, "zh_gov_stream_dev.csv")?;
    let (title, text) = (stream.column("title")?, stream.column("text")?);
    let group = stream.column("dup_group")?;
    let began = Instant::now();
    let mut index = Similar::default();
    for (title, text) in title.iter().zip(&text) {
        index.add(&[title, text]);
    }
    let rows = title.len();
    let siblings: Vec<usize> = (0..rows).filter(|&n| !group[n].is_empty()).collect();
    let right = |n: usize| {
        index
            .find_for(n, 1)
            .first()
            .is_some_and(|hit| group[hit.number] == group[n])
    };
    let first = siblings.iter().filter(|&&n| right(n)).count() as f64 / siblings.len() as f64;
    let mut pairs = Vec::with_capacity(rows * rows / 2);
    for a in 0..rows {
        for b in 0..a {
            let same = !group[a].is_empty() && group[a] == group[b];
            pairs.push((index.score(a, b), same));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = pairs.iter().filter(|(_, same)| *same).count() as f64;
    let control = all / pairs.len() as f64;
    let by_chance = siblings
        .iter()
        .map(|&n| siblings.iter().filter(|&&m| group[m] == group[n]).count() - 1);
    let by_chance = by_chance.sum::<usize>() as f64 / (siblings.len() * (rows - 1)) as f64;
    let task = "zh_gov_stream similar";
    let how = "rows with siblings whose nearest other row is one; control: any other row";
    figure(task, "first hit right", first, "≥ 0.985", by_chance, how);
    let how = "average precision of all pairs of all rows, right when in one dup_group; control: random order";
    figure(
        task,
        "pair AP",
        precision(&pairs, all),
        "≥ 0.65",
        control,
        how,
    );
    eprintln!("similar: {:?}", began.elapsed());
    Ok(())
}

/// Mean of the precision at every right pair.
fn precision(pairs: &[(f32, bool)], all: f64) -> f64 {
    let (mut right, mut sum) = (0.0, 0.0);
    for (place, (_, same)) in pairs.iter().enumerate() {
        if *same {
            right += 1.0;
            sum += right / (place + 1) as f64;
        }
    }
    sum / all
}

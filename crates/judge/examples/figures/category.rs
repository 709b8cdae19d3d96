//! The learned category by repeated, stratified, grouped cross-validation.

use std::path::Path;
use std::time::Instant;

use suda_judge::learn::{Example, train};

use crate::Failure;
use crate::data::Table;
use crate::line::figure;

const PARTS: usize = 10;

pub fn measure(dir: &Path) -> Result<(), Failure> {
    let repeats = 3;
    let zh = Table::read(dir, "zh_gov_labelled_dev.csv")?;
    let (title, text, label) = (zh.column("title")?, zh.column("text")?, zh.column("label")?);
    let both: Vec<Vec<&str>> = title.iter().zip(&text).map(|(a, b)| vec![*a, *b]).collect();
    let targets = ["≥ 0.88", "≥ 0.875", "≥ 0.988", "≤ 0.035"];
    report(
        "zh_gov_labelled title+text",
        &["title", "text"],
        &both,
        &label,
        targets,
        repeats,
    )?;
    let only: Vec<Vec<&str>> = title.iter().map(|a| vec![*a]).collect();
    report(
        "zh_gov_labelled title",
        &["title"],
        &only,
        &label,
        ["≥ 0.82", "", "", ""],
        repeats,
    )?;
    let en = Table::read(dir, "en_cfpb_narratives_dev.csv")?;
    let text: Vec<Vec<&str>> = en.column("text")?.iter().map(|text| vec![*text]).collect();
    let targets = ["≥ 0.78", "≥ 0.66", "≥ 0.965", ""];
    report(
        "en_cfpb_narratives",
        &["text"],
        &text,
        &en.column("label")?,
        targets,
        repeats,
    )
}

/// What was said of one row set aside.
struct Said {
    right: usize,
    /// Classes by probability.
    ranked: Vec<usize>,
    highest: f64,
}

fn report(
    task: &str,
    fields: &[&str],
    texts: &[Vec<&str>],
    labels: &[&str],
    targets: [&str; 4],
    repeats: usize,
) -> Result<(), Failure> {
    let mut names = labels.to_vec();
    names.sort_unstable();
    names.dedup();
    let groups = near_identical(texts);
    let mut sums = [0.0; 4];
    let began = Instant::now();
    for repeat in 0..repeats {
        let part = parts(labels, &groups, repeat as u64);
        let mut said = Vec::new();
        for held in 0..PARTS {
            let learned: Vec<Example<'_>> = (0..labels.len())
                .filter(|&n| part[n] != held)
                .map(|n| Example {
                    fields: &texts[n],
                    label: labels[n],
                })
                .collect();
            // As it is delivered: through the file's bytes.
            let bytes = train(fields, &learned)?.to_bytes()?;
            let model = suda_judge::learn::Model::parse(&bytes)?;
            for n in (0..labels.len()).filter(|&n| part[n] == held) {
                let found = model.classify(&texts[n]);
                let number = |name: &str| {
                    names
                        .iter()
                        .position(|known| *known == name)
                        .unwrap_or_default()
                };
                said.push(Said {
                    right: number(labels[n]),
                    ranked: found.ranked.iter().map(|(name, _)| number(name)).collect(),
                    highest: found.ranked.first().map_or(0.0, |(_, p)| f64::from(*p)),
                });
            }
        }
        for (sum, value) in sums.iter_mut().zip(scores(&said, names.len())) {
            *sum += value / repeats as f64;
        }
        eprintln!(
            "{task}: repeat {repeat} after {:?}: {:?}",
            began.elapsed(),
            scores(&said, names.len())
        );
    }
    let control = majority(labels, &names);
    let how = format!(
        "{PARTS} grouped stratified parts, mean of {repeats}; control: the commonest class"
    );
    let figures = ["accuracy", "macro-F1", "top-3", "calibration error"];
    for (n, name) in figures
        .iter()
        .enumerate()
        .filter(|(n, _)| !targets[*n].is_empty())
    {
        figure(task, name, sums[n], targets[n], control[n], &how);
    }
    Ok(())
}

fn scores(said: &[Said], classes: usize) -> [f64; 4] {
    let rows = said.len() as f64;
    let is_right = |s: &Said| s.ranked.first() == Some(&s.right);
    let right = said.iter().filter(|s| is_right(s)).count() as f64;
    let third = said
        .iter()
        .filter(|s| s.ranked.iter().take(3).any(|r| *r == s.right))
        .count() as f64;
    let f1: f64 = (0..classes)
        .map(|class| {
            let of = |test: &dyn Fn(&&Said) -> bool| said.iter().filter(test).count() as f64;
            let both = of(&|s| s.right == class && is_right(s));
            let either = of(&|s| s.right == class) + of(&|s| s.ranked.first() == Some(&class));
            if either == 0.0 {
                0.0
            } else {
                2.0 * both / either
            }
        })
        .sum();
    let mut error = 0.0;
    for bin in 0..10 {
        let inside = |s: &&Said| ((s.highest * 10.0).ceil() as usize).clamp(1, 10) == bin + 1;
        let of: Vec<&Said> = said.iter().filter(inside).collect();
        if of.is_empty() {
            continue;
        }
        let sure: f64 = of.iter().map(|s| s.highest).sum();
        let right = of.iter().filter(|s| is_right(s)).count() as f64;
        error += (sure - right).abs() / rows;
    }
    [right / rows, f1 / classes as f64, third / rows, error]
}

/// Always the commonest class, its share as the probability.
fn majority(labels: &[&str], names: &[&str]) -> [f64; 4] {
    let count = |name: &str| labels.iter().filter(|label| **label == name).count() as f64;
    let mut counts: Vec<f64> = names.iter().map(|name| count(name)).collect();
    counts.sort_by(|a, b| b.total_cmp(a));
    let (rows, first) = (labels.len() as f64, counts[0]);
    let f1 = 2.0 * first / (rows + first) / names.len() as f64;
    [
        first / rows,
        f1,
        counts.iter().take(3).sum::<f64>() / rows,
        0.0,
    ]
}

/// Groups of texts that share more than half of their 8-character pieces.
fn near_identical(texts: &[Vec<&str>]) -> Vec<usize> {
    let pieces: Vec<std::collections::BTreeSet<String>> = texts
        .iter()
        .map(|fields| {
            let chars: Vec<char> = fields
                .concat()
                .chars()
                .filter(|c| c.is_alphanumeric())
                .collect();
            chars
                .windows(8)
                .map(|piece| piece.iter().collect())
                .collect()
        })
        .collect();
    let mut group: Vec<usize> = (0..texts.len()).collect();
    for a in 0..texts.len() {
        for b in 0..a {
            let least = pieces[a].len().min(pieces[b].len());
            if least > 0 && pieces[a].intersection(&pieces[b]).count() * 2 > least {
                let (old, new) = (group[a], group[b]);
                group
                    .iter_mut()
                    .filter(|g| **g == old)
                    .for_each(|g| *g = new);
            }
        }
    }
    group
}

/// Whole groups dealt to parts, every class evenly, in an order of `seed`.
fn parts(labels: &[&str], groups: &[usize], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    let shuffled = |n: usize| {
        let mut x = (groups[n] as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (seed + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
        x ^= x >> 31;
        x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^ (x >> 29)
    };
    order.sort_by_key(|&n| (labels[groups[n]], shuffled(n), groups[n]));
    let mut part = vec![0; labels.len()];
    let mut next = 0;
    for same in order.chunk_by(|&a, &b| groups[a] == groups[b]) {
        same.iter().for_each(|&n| part[n] = next);
        next = (next + 1) % PARTS;
    }
    part
}

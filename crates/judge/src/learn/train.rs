//! Training: rows, cross-fitting, the mixture, the model.

use std::collections::HashMap;

use super::linear::{self, Lesson, Weights};
use super::mix::{self, Aside};
use super::model::Model;
use super::rows::{Counting, Rows};
use super::weighing::Weighing;

/// A text with its category.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// The columns in the order of the field names given to training.
    pub fields: &'a [&'a str],
    pub label: &'a str,
}

/// Why nothing can be learned.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TrainError {
    #[error("no examples")]
    Nothing,
    #[error("all examples are of one category, {0}")]
    OneCategory(String),
    #[error("{0} categories are more than a model holds, which is {MOST_CLASSES}")]
    TooManyCategories(usize),
    #[error("a model reads 1 to {most} columns, not {0}", most = crate::features::FIELDS)]
    Fields(usize),
}

const MOST_CLASSES: usize = 2000;

/// Above so many examples one part set aside calibrates as well as all, and a
/// word of one example says nothing.
const MANY: usize = 20_000;

/// The largest file.
pub const MODEL_BYTES: usize = 2_500_000;

const SOFTMAX_STRENGTH: f32 = 5.0;
const SOFTNESS: f32 = 3.0;
const SMOOTHING: f32 = 0.03;

/// Learns a model from examples whose columns are named `fields`. The same
/// examples in the same order give the same model, byte by byte.
pub fn train(fields: &[&str], examples: &[Example<'_>]) -> Result<Model, TrainError> {
    if fields.is_empty() || fields.len() > crate::features::FIELDS {
        return Err(TrainError::Fields(fields.len()));
    }
    let (names, labels) = number_labels(examples);
    match names.as_slice() {
        [] => return Err(TrainError::Nothing),
        [only] => return Err(TrainError::OneCategory(only.clone())),
        names if names.len() > MOST_CLASSES => {
            return Err(TrainError::TooManyCategories(names.len()));
        }
        _ => {}
    }
    let weighing = Weighing::default();
    let mut counting = Counting::default();
    for example in examples {
        counting.add(example.fields);
    }
    let classes = names.len();
    let rarest = counting.rarest_of(most_features(&names));
    let rows = counting.weigh(&weighing, rarest);
    let shares = cross_fitted_shares(&rows, &labels, classes, examples);
    let all: Vec<usize> = (0..rows.len()).collect();
    let lesson = Lesson {
        rows: &rows,
        classes,
        labels: &labels,
        of: &all,
    };
    let mut sum = vec![0.0; rows.width() * classes];
    for (share, classifier) in shares.iter().zip(CLASSIFIERS) {
        for (sum, weight) in sum.iter_mut().zip(&classifier(&lesson).values) {
            *sum += share * weight;
        }
    }
    let fields = fields.iter().map(|&field| field.to_owned()).collect();
    let mut counts = vec![0; classes];
    for &label in &labels {
        if let Some(count) = counts.get_mut(label) {
            *count += 1;
        }
    }
    Ok(Model::quantised(
        fields, names, counts, weighing, &rows, &sum,
    ))
}

/// How many features fit the file: a key takes up to four bytes, its idf one,
/// each category one; names and the like are left room for.
fn most_features(names: &[String]) -> usize {
    let header = 4096 + names.iter().map(|name| name.len() * 6 + 64).sum::<usize>();
    MODEL_BYTES.saturating_sub(header) / (names.len() + 5)
}

type Classifier = fn(&Lesson<'_>) -> Weights;

const CLASSIFIERS: [Classifier; 3] = [
    |lesson| linear::softmax(lesson, SOFTMAX_STRENGTH),
    |lesson| linear::squares(lesson, SOFTNESS),
    |lesson| linear::complement(lesson, SMOOTHING),
];

/// The labels in the order of their names, and each example's number among them.
fn number_labels(examples: &[Example<'_>]) -> (Vec<String>, Vec<usize>) {
    let mut names: Vec<&str> = examples.iter().map(|example| example.label).collect();
    names.sort_unstable();
    names.dedup();
    let number: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(n, &name)| (name, n))
        .collect();
    let labels = examples
        .iter()
        .filter_map(|example| number.get(example.label).copied());
    let labels = labels.collect();
    (names.into_iter().map(str::to_owned).collect(), labels)
}

/// Trains without a part of the rows, scores that part, and so on; the shares
/// come from those scores.
fn cross_fitted_shares(
    rows: &Rows,
    labels: &[usize],
    classes: usize,
    examples: &[Example<'_>],
) -> Vec<f32> {
    let (parts, tried) = if rows.len() > MANY { (10, 1) } else { (5, 5) };
    let part = parts_of(labels, examples, parts);
    let mut aside = Aside {
        classes,
        labels: Vec::new(),
        scores: vec![Vec::new(); CLASSIFIERS.len()],
    };
    for held in 0..tried {
        let learned = (0..rows.len()).filter(|&n| part.get(n) != Some(&held));
        // Of very many rows some calibrate as well as all.
        let of: Vec<usize> = learned.step_by(rows.len() / MANY + 1).collect();
        let lesson = Lesson {
            rows,
            classes,
            labels,
            of: &of,
        };
        let weights: Vec<Weights> = CLASSIFIERS
            .iter()
            .map(|classifier| classifier(&lesson))
            .collect();
        let mut row = vec![0.0; classes];
        for (number, &label) in labels
            .iter()
            .enumerate()
            .filter(|(n, _)| part.get(*n) == Some(&held))
        {
            aside.labels.push(label);
            for (weights, scores) in weights.iter().zip(&mut aside.scores) {
                weights.score(rows.row(number), &mut row);
                scores.extend_from_slice(&row);
            }
        }
    }
    mix::shares(&aside)
}

/// A part for each row: every category spread evenly, equal texts together.
fn parts_of(labels: &[usize], examples: &[Example<'_>], parts: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    let place = |&n: &usize| {
        let text = examples.get(n).and_then(|example| example.fields.last());
        (
            labels.get(n),
            crc32fast::hash(text.map_or(&[], |text| text.as_bytes())),
        )
    };
    order.sort_by_key(place);
    let mut of = vec![0; labels.len()];
    let mut part = 0;
    for same in order.chunk_by(|a, b| place(a) == place(b)) {
        for &number in same {
            if let Some(of) = of.get_mut(number) {
                *of = part;
            }
        }
        part = (part + 1) % parts;
    }
    of
}

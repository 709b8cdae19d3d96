//! Three linear classifiers over the same rows. Each has something the others
//! lack: the softmax ranks well, the squares separate well, the complement
//! counts hold up where examples are few. `mix` finds their shares.
//!
//! Weights lie feature by feature, all classes side by side, so that a row
//! reads memory once for all classes.

use super::rows::Rows;

/// Weights of one classifier: `width × classes`.
pub(super) struct Weights {
    pub classes: usize,
    pub values: Vec<f32>,
}

/// The rows to learn from, with class numbers.
pub(super) struct Lesson<'a> {
    pub rows: &'a Rows,
    pub classes: usize,
    pub labels: &'a [usize],
    /// Numbers of the rows to learn from.
    pub of: &'a [usize],
}

impl Weights {
    fn zero(lesson: &Lesson<'_>) -> Self {
        Self {
            classes: lesson.classes,
            values: vec![0.0; lesson.rows.width() * lesson.classes],
        }
    }

    pub fn of_feature(&self, id: u32) -> &[f32] {
        let start = id as usize * self.classes;
        self.values
            .get(start..start + self.classes)
            .unwrap_or_default()
    }

    fn of_feature_mut(&mut self, id: u32) -> &mut [f32] {
        let start = id as usize * self.classes;
        self.values
            .get_mut(start..start + self.classes)
            .unwrap_or_default()
    }

    /// The scores of all classes for a row.
    pub fn score(&self, row: &[(u32, f32)], scores: &mut [f32]) {
        scores.fill(0.0);
        for &(id, value) in row {
            for (score, weight) in scores.iter_mut().zip(self.of_feature(id)) {
                *score += weight * value;
            }
        }
    }

    fn add(&mut self, row: &[(u32, f32)], by: &[f32]) {
        for &(id, value) in row {
            for (weight, step) in self.of_feature_mut(id).iter_mut().zip(by) {
                *weight += step * value;
            }
        }
    }
}

/// How many times to go over the rows: as often as pays, less where there is
/// so much to read that it would take minutes.
fn rounds(lesson: &Lesson<'_>, most: usize) -> usize {
    const READS: usize = 1_500_000_000;
    let reads = lesson.rows.total() / lesson.rows.len().max(1) * lesson.of.len() * lesson.classes;
    (READS / reads.max(1)).clamp(3, most)
}

/// The rows' order of one round: a fixed shuffle, the same in every run.
fn shuffle(order: &mut [usize], round: usize) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (round as u64 + 1);
    for last in (1..order.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(last, (state % (last as u64 + 1)) as usize);
    }
}

fn square(row: &[(u32, f32)]) -> f32 {
    row.iter().map(|(_, value)| value * value).sum()
}

/// Multinomial logistic regression, by ascent in the dual one row at a time
/// (after Shalev-Shwartz and Zhang, "Stochastic Dual Coordinate Ascent", 2013)
/// with an exact step towards the present probabilities. `strength` is the
/// usual C; rare classes count by their rarity.
pub(super) fn softmax(lesson: &Lesson<'_>, strength: f32) -> Weights {
    let classes = lesson.classes;
    let mut weights = Weights::zero(lesson);
    let importance = importance(lesson);
    // Dual probabilities of each row; at the beginning equal.
    let mut dual = vec![1.0 / classes as f32; lesson.of.len() * classes];
    let mut order: Vec<usize> = (0..lesson.of.len()).collect();
    for (place, &number) in lesson.of.iter().enumerate() {
        // The weights that belong to the beginning.
        let (Some(&label), Some(q)) = (
            lesson.labels.get(number),
            dual.get(place * classes..(place + 1) * classes),
        ) else {
            continue;
        };
        let c = strength * importance.get(label).copied().unwrap_or(1.0);
        let by: Vec<f32> = q
            .iter()
            .enumerate()
            .map(|(k, q)| c * (f32::from(k == label) - q))
            .collect();
        weights.add(lesson.rows.row(number), &by);
    }
    let mut margins = vec![0.0; classes];
    for round in 0..rounds(lesson, 15) {
        shuffle(&mut order, round);
        for &place in &order {
            let Some(&number) = lesson.of.get(place) else {
                continue;
            };
            let Some(&label) = lesson.labels.get(number) else {
                continue;
            };
            let row = lesson.rows.row(number);
            weights.score(row, &mut margins);
            let c = strength * importance.get(label).copied().unwrap_or(1.0);
            let Some(q) = dual.get_mut(place * classes..(place + 1) * classes) else {
                continue;
            };
            let by = step(q, &margins, c, square(row));
            weights.add(row, &by);
        }
    }
    weights
}

/// Moves the dual probabilities `q` towards those of `margins` as far as the
/// dual rises; gives what to add to the weights.
fn step(q: &mut [f32], margins: &[f32], c: f32, square: f32) -> Vec<f32> {
    let highest = margins.iter().copied().fold(f32::MIN, f32::max);
    let total: f32 = margins.iter().map(|m| (m - highest).exp()).sum();
    // d = q − p; the new q is q − s·d.
    let p: Vec<f32> = margins
        .iter()
        .map(|m| ((m - highest).exp() / total).max(1e-12))
        .collect();
    let d: Vec<f32> = q.iter().zip(&p).map(|(q, p)| q - p).collect();
    let along: f32 = d.iter().zip(margins).map(|(d, m)| d * m).sum();
    let length: f32 = d.iter().map(|d| d * d).sum();
    let slope = |s: f32| -> f32 {
        let entropy: f32 = q
            .iter()
            .zip(&d)
            .map(|(q, d)| d * (q - s * d).max(1e-12).ln())
            .sum();
        entropy - along - c * s * square * length
    };
    let (mut low, mut high) = (0.0, 1.0);
    if slope(high) >= 0.0 {
        low = 1.0;
    }
    for _ in 0..8 {
        let middle = (low + high) / 2.0;
        if slope(middle) > 0.0 {
            low = middle
        } else {
            high = middle
        }
    }
    for (q, d) in q.iter_mut().zip(&d) {
        *q = (*q - low * d).max(1e-12);
    }
    d.iter().map(|d| c * low * d).collect()
}

/// For each class how much a row of it counts.
fn importance(lesson: &Lesson<'_>) -> Vec<f32> {
    let counts = counts(lesson);
    let most = counts.iter().copied().fold(1.0, f32::max);
    counts.iter().map(|&n| most / n.max(1.0)).collect()
}

fn counts(lesson: &Lesson<'_>) -> Vec<f32> {
    let mut counts = vec![0.0; lesson.classes];
    for label in lesson
        .of
        .iter()
        .filter_map(|&number| lesson.labels.get(number))
    {
        if let Some(count) = counts.get_mut(*label) {
            *count += 1.0;
        }
    }
    counts
}

/// One class against the rest by squared error (ridge), dual coordinate descent
/// after Hsieh and others, "A Dual Coordinate Descent Method for Large-scale
/// Linear SVM", 2008, without the bounds of the hinge: with few examples a row
/// that is right by more than the margin still says where its class lies. All
/// classes in one pass over a row; rare classes count by their rarity.
pub(super) fn squares(lesson: &Lesson<'_>, softness: f32) -> Weights {
    let classes = lesson.classes;
    let mut weights = Weights::zero(lesson);
    let importance = importance(lesson);
    let mut dual = vec![0.0_f32; lesson.of.len() * classes];
    let mut order: Vec<usize> = (0..lesson.of.len()).collect();
    let mut scores = vec![0.0; classes];
    let mut by = vec![0.0; classes];
    for round in 0..rounds(lesson, 10) {
        shuffle(&mut order, round);
        for &place in &order {
            let Some(&number) = lesson.of.get(place) else {
                continue;
            };
            let Some(&label) = lesson.labels.get(number) else {
                continue;
            };
            let row = lesson.rows.row(number);
            weights.score(row, &mut scores);
            let soft = softness / importance.get(label).copied().unwrap_or(1.0);
            let curve = square(row) + soft;
            let Some(dual) = dual.get_mut(place * classes..(place + 1) * classes) else {
                continue;
            };
            for (k, ((alpha, score), by)) in dual.iter_mut().zip(&scores).zip(&mut by).enumerate() {
                let side = if k == label { 1.0 } else { -1.0 };
                *by = (side - score - soft * *alpha) / curve;
                *alpha += *by;
            }
            weights.add(row, &by);
        }
    }
    weights
}

/// Complement counts (Rennie and others, "Tackling the Poor Assumptions of
/// Naive Bayes Text Classifiers", 2003): a feature speaks for a class by how
/// seldom it stands in all the others.
pub(super) fn complement(lesson: &Lesson<'_>, smoothing: f32) -> Weights {
    let mut weights = Weights::zero(lesson);
    let constant = lesson.rows.width() as u32 - 1;
    for &number in lesson.of {
        let Some(&label) = lesson.labels.get(number) else {
            continue;
        };
        for &(id, value) in lesson
            .rows
            .row(number)
            .iter()
            .filter(|(id, _)| *id != constant)
        {
            if let Some(sum) = weights.of_feature_mut(id).get_mut(label) {
                *sum += value;
            }
        }
    }
    let mut totals = vec![0.0_f64; lesson.classes];
    for sums in weights.values.chunks_exact(lesson.classes) {
        let all: f32 = sums.iter().sum();
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += f64::from(all - sum + smoothing);
        }
    }
    let logs: Vec<f32> = totals
        .iter()
        .map(|total| total.max(1e-9).ln() as f32)
        .collect();
    for sums in weights.values.chunks_exact_mut(lesson.classes) {
        let all: f32 = sums.iter().sum();
        if all == 0.0 {
            continue;
        }
        for (sum, log) in sums.iter_mut().zip(&logs) {
            *sum = log - (all - *sum + smoothing).max(1e-9).ln();
        }
        let mean = sums.iter().sum::<f32>() / lesson.classes as f32;
        sums.iter_mut().for_each(|weight| *weight -= mean);
    }
    weights
}

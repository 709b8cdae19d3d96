//! From scores to probabilities: shares of the classifiers and with them the
//! temperature, so that of the texts said to be of a category with 80 %, 80 of
//! 100 are. Fitted on scores for rows that were not learned from.

/// Scores of each classifier for the rows set aside.
pub(super) struct Aside {
    pub classes: usize,
    pub labels: Vec<usize>,
    /// For each classifier `rows × classes`.
    pub scores: Vec<Vec<f32>>,
}

/// What to multiply each classifier's scores with: the shares under which the
/// rows set aside are least surprising, found by going along one share after
/// the other.
pub(super) fn shares(aside: &Aside) -> Vec<f32> {
    let mut shares: Vec<f32> = aside
        .scores
        .iter()
        .map(|scores| start(scores, aside.classes))
        .collect();
    let mut step = 2.0_f32;
    let mut least = surprise(aside, &shares);
    while step > 1.01 {
        let before = least;
        for number in 0..shares.len() {
            for factor in [step, 1.0 / step] {
                let mut tried = shares.clone();
                if let Some(share) = tried.get_mut(number) {
                    *share *= factor;
                }
                let found = surprise(aside, &tried);
                if found < least {
                    (least, shares) = (found, tried);
                }
            }
        }
        if before - least < 1e-6 {
            step = step.sqrt();
        }
    }
    shares
}

/// A share that makes the scores about as large as log odds are.
fn start(scores: &[f32], classes: usize) -> f32 {
    let spread: f32 = scores
        .chunks_exact(classes)
        .map(|row| {
            let highest = row.iter().copied().fold(f32::MIN, f32::max);
            highest - row.iter().sum::<f32>() / classes as f32
        })
        .sum::<f32>()
        / (scores.len() / classes).max(1) as f32;
    1.0 / spread.max(1e-3)
}

/// Mean negative log likelihood.
fn surprise(aside: &Aside, shares: &[f32]) -> f64 {
    let mut sum = 0.0;
    let mut row = vec![0.0; aside.classes];
    for (number, &label) in aside.labels.iter().enumerate() {
        aside.mixed(number, shares, &mut row);
        let highest = row.iter().copied().fold(f32::MIN, f32::max);
        let total: f32 = row.iter().map(|score| (score - highest).exp()).sum();
        let own = row.get(label).copied().unwrap_or(highest);
        sum += f64::from(total.ln() + highest - own);
    }
    sum / aside.labels.len().max(1) as f64
}

impl Aside {
    fn mixed(&self, number: usize, shares: &[f32], row: &mut [f32]) {
        row.fill(0.0);
        let range = number * self.classes..(number + 1) * self.classes;
        for (scores, share) in self.scores.iter().zip(shares) {
            let scores = scores.get(range.clone()).unwrap_or_default();
            for (sum, score) in row.iter_mut().zip(scores) {
                *sum += share * score;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes; the first classifier is right in `right` of 10 rows by a
    /// margin of 1, the second says nothing.
    fn aside(right: usize) -> Aside {
        let rows = 10;
        let scores = (0..rows).flat_map(|row| if row < right { [1.0, 0.0] } else { [0.0, 1.0] });
        Aside {
            classes: 2,
            labels: vec![0; rows],
            scores: vec![scores.collect(), vec![0.0; 2 * rows]],
        }
    }

    #[test]
    fn a_classifier_is_trusted_as_far_as_it_was_right() {
        // With margin m and 8 of 10 right the likeliest share is ln(8/2).
        let found = shares(&aside(8));
        assert!((found[0] - 4.0_f32.ln()).abs() < 0.05, "{found:?}");
        assert!(shares(&aside(5))[0] < 0.1);
    }
}

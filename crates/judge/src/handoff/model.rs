//! The model: a weight for each sign, and how each branch differs.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Ground, Sign, Traits, nodes, sigmoid};

/// Rises when a program of before could not read it rightly.
const FORMAT: u16 = 1;
/// Cases of a leaf, or of the node above it, from which on the model speaks.
const KNOWN: u32 = 20;
const KNOWN_ABOVE: u32 = 60;
/// No weight of a sound model is larger, in the logarithm of the odds.
const LARGEST: f64 = 30.0;

/// Why a model is not used.
#[derive(Debug, thiserror::Error)]
pub enum HandoffModelError {
    #[error("the model is of format {found}, this program reads format {FORMAT}")]
    Format { found: u64 },
    #[error("this is no model of handoffs")]
    Json(#[from] serde_json::Error),
    #[error("the model is damaged: {0}")]
    Damaged(&'static str),
}

/// How likely complaints need the centre.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HandoffModel {
    format: u16,
    /// The training it comes from.
    pub version: u32,
    /// All in the logarithm of the odds.
    pub(super) base: f64,
    /// Calibration of the sum: learned from cases it was not fitted to.
    pub(super) slope: f64,
    pub(super) shift: f64,
    pub(super) weights: Vec<Weight>,
    /// What each ground adds to the mean complaint.
    pub(super) means: Vec<(Ground, f64)>,
    pub(super) branches: BTreeMap<String, OfBranch>,
    #[serde(skip)]
    places: HashMap<Sign, usize>,
}

/// What one sign weighs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Weight {
    pub sign: Sign,
    pub weight: f64,
    /// Past complaints with it, and of them those that needed the centre.
    pub cases: u32,
    pub needed: u32,
}

/// How one branch differs from all.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct OfBranch {
    pub cases: u32,
    pub needed: u32,
    pub effect: f64,
    /// Beside that, in one category.
    pub categories: BTreeMap<String, f64>,
}

impl HandoffModel {
    pub(super) fn new(base: f64, weights: Vec<Weight>) -> Self {
        let mut model = Self {
            format: FORMAT,
            version: 0,
            base,
            slope: 1.0,
            shift: 0.0,
            weights,
            means: Vec::new(),
            branches: BTreeMap::new(),
            places: HashMap::new(),
        };
        model.find_places();
        model
    }

    fn find_places(&mut self) {
        let places = self.weights.iter().enumerate();
        self.places = places.map(|(at, one)| (one.sign.clone(), at)).collect();
    }

    /// Reads what [`to_value`](Self::to_value) gave.
    ///
    /// # Errors
    /// Names what is wrong: a later format, no model, numbers no sound model has.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, HandoffModelError> {
        let format = value.get("format").and_then(serde_json::Value::as_u64);
        if let Some(found) = format.filter(|format| *format != u64::from(FORMAT)) {
            return Err(HandoffModelError::Format { found });
        }
        let mut model = Self::deserialize(value)?;
        model.check()?;
        model.find_places();
        Ok(model)
    }

    /// As JSON, the same for the same model.
    ///
    /// # Errors
    /// When a number is none JSON has.
    pub fn to_value(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn check(&self) -> Result<(), HandoffModelError> {
        let of_branch = |one: &OfBranch| -> Vec<f64> {
            let categories = one.categories.values().copied();
            categories.chain([one.effect]).collect()
        };
        let effects = self.branches.values().flat_map(of_branch);
        let weights = self.weights.iter().map(|one| one.weight);
        let means = self.means.iter().map(|(_, mean)| *mean);
        let mut numbers = effects
            .chain(weights)
            .chain(means)
            .chain([self.base, self.shift]);
        if !numbers.all(|number| number.abs() <= LARGEST) {
            return Err(HandoffModelError::Damaged("a weight is out of bounds"));
        }
        if !(self.slope > 0.0 && self.slope <= LARGEST) {
            return Err(HandoffModelError::Damaged("its calibration falls"));
        }
        let falls = |one: &Weight| one.sign.only_raises() && one.weight < 0.0;
        if self.weights.iter().any(falls) {
            return Err(HandoffModelError::Damaged("more would be simpler"));
        }
        Ok(())
    }

    /// What a desk of `branch` needs of it.
    #[must_use]
    pub fn for_branch(&self, branch: &str) -> Self {
        let own = self.branches.get_key_value(branch);
        Self {
            branches: own
                .map(|(code, one)| (code.clone(), one.clone()))
                .into_iter()
                .collect(),
            ..self.clone()
        }
    }

    fn get(&self, sign: &Sign) -> Option<&Weight> {
        self.weights.get(*self.places.get(sign)?)
    }

    /// The sum before it is calibrated.
    pub(super) fn margin(&self, traits: &Traits<'_>) -> f64 {
        let signs = Sign::of(traits);
        let weights = signs.iter().filter_map(|sign| self.get(sign));
        let sum: f64 = weights.map(|one| one.weight).sum();
        self.base + sum + self.branch_effect(traits)
    }

    fn branch_effect(&self, traits: &Traits<'_>) -> f64 {
        let Some(branch) = self.branches.get(traits.branch) else {
            return 0.0;
        };
        let own = branch.categories.get(traits.category);
        branch.effect + own.copied().unwrap_or(0.0)
    }

    /// How likely the complaint needs the centre, from 0 to 1.
    pub fn likelihood(&self, traits: &Traits<'_>) -> f64 {
        sigmoid(self.slope * self.margin(traits) + self.shift)
    }

    /// Whether enough is known of the category to say anything.
    pub fn knows(&self, category: &str) -> bool {
        let cases = |node: &str| {
            let known = self.get(&Sign::Category(node.to_owned()));
            known.map_or(0, |one| one.cases)
        };
        let path: Vec<&str> = nodes(category).collect();
        let above = match path.as_slice() {
            // The node above, unless it is one of the few tops: those say little.
            [_, .., above, _] => cases(above),
            _ => 0,
        };
        cases(category) >= KNOWN || above >= KNOWN_ABOVE
    }

    /// Past complaints of the nearest known node of a category, and of them
    /// those that needed the centre.
    pub fn of_category(&self, category: &str) -> Option<(u32, u32)> {
        let path: Vec<&str> = nodes(category).collect();
        let known = path.iter().rev().find_map(|node| {
            let one = self.get(&Sign::Category((*node).to_owned()))?;
            (one.cases >= KNOWN).then_some(one)
        })?;
        Some((known.cases, known.needed))
    }

    /// The same of a branch.
    pub fn of_branch(&self, branch: &str) -> Option<(u32, u32)> {
        let one = self.branches.get(branch)?;
        Some((one.cases, one.needed))
    }

    /// What each ground adds, against the mean complaint, in the logarithm of
    /// the odds.
    pub fn grounds(&self, traits: &Traits<'_>) -> Vec<(Ground, f64)> {
        let signs = Sign::of(traits);
        let mut grounds: Vec<(Ground, f64)> = Ground::OF_SIGNS
            .into_iter()
            .map(|ground| {
                let of = signs.iter().filter(|sign| sign.ground() == ground);
                let sum: f64 = of
                    .filter_map(|sign| self.get(sign))
                    .map(|one| one.weight)
                    .sum();
                let mean = self.means.iter().find(|(one, _)| *one == ground);
                (ground, sum - mean.map_or(0.0, |(_, mean)| *mean))
            })
            .collect();
        grounds.push((Ground::Branch, self.branch_effect(traits)));
        grounds
    }
}

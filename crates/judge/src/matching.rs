//! Which rules hold for a complaint, and by which of its words.

use crate::read::{Hit, Place, Reading};
use crate::rules::{Count, Ready, Rule, RuleSet};
use crate::suggest::{Case, Reason};

/// A rule that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Held<'r> {
    pub rule: &'r Rule,
    /// What of the complaint made it hold; nothing where no word was asked for.
    pub found: Vec<Found<'r>>,
}

/// A word, pattern or unit of a rule in the complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'r> {
    pub word: &'r str,
    /// Where it stands first.
    pub place: Place,
}

impl Held<'_> {
    pub fn reason(&self) -> Reason {
        Reason {
            rule: self.rule.id.clone(),
            zh: self.rule.zh.clone(),
            en: self.rule.en.clone(),
            matched: self.found.iter().map(|f| f.word.to_owned()).collect(),
        }
    }
}

/// The rules that hold, in the order of the file.
pub(crate) fn held<'r>(
    rules: &'r RuleSet,
    case: &Case<'_>,
    category: Option<&str>,
    reading: &Reading,
) -> Vec<Held<'r>> {
    let rules = rules.rules.iter().zip(&rules.ready);
    rules
        .filter_map(|(rule, ready)| {
            let found = rule
                .holds_apart_from_text(case, category)
                .then(|| rule.found_in(ready, reading))??;
            Some(Held { rule, found })
        })
        .collect()
}

impl Rule {
    fn holds_apart_from_text(&self, case: &Case<'_>, category: Option<&str>) -> bool {
        let amount = |test: &dyn Fn(i64) -> bool| case.amount_minor.is_some_and(test);
        self.amount_at_least
            .is_none_or(|least| amount(&|a| a >= least))
            && self.amount_below.is_none_or(|bound| amount(&|a| a < bound))
            && self
                .group_at_least
                .is_none_or(|least| case.group_size >= least)
            && self
                .earlier_at_least
                .is_none_or(|least| case.earlier >= least)
            && self
                .under
                .as_deref()
                .is_none_or(|node| category.is_some_and(|c| is_under(c, node)))
            && (self.channels.is_empty()
                || case.channel.is_some_and(|way| self.channels.contains(&way)))
            && (self.branches.is_empty()
                || self
                    .branches
                    .iter()
                    .any(|branch| case.branch.starts_with(branch)))
    }

    /// What of the text made its conditions hold; nothing when one does not.
    fn found_in<'r>(&'r self, ready: &Ready, reading: &Reading) -> Option<Vec<Found<'r>>> {
        if ready.none.iter().any(|&word| !reading.of(word).is_empty()) {
            return None;
        }
        let mut found = self.words_of(&self.any, &ready.any, reading);
        if found.is_empty() && !self.any.is_empty() {
            return None;
        }
        for (group, numbers) in self.all.iter().zip(&ready.all) {
            let of_group = self.words_of(group, numbers, reading);
            if of_group.is_empty() {
                return None;
            }
            found.extend(of_group);
        }
        if !self.near.is_empty() {
            found.extend(self.in_one_sentence(ready, reading)?);
        }
        if !self.patterns.is_empty() {
            found.push(self.first_pattern(ready, reading)?);
        }
        if !self.counts.is_empty() {
            let counts = self.counts.iter().zip(&ready.units);
            let mut large = counts.filter_map(|(count, units)| count.found_in(units, reading));
            found.push(large.next()?);
        }
        Some(found)
    }

    fn words_of<'r>(
        &self,
        words: &'r [String],
        numbers: &[usize],
        reading: &Reading,
    ) -> Vec<Found<'r>> {
        let counted = |number: usize| reading.of(number).iter().find(|hit| self.counts_here(hit));
        let both = words.iter().zip(numbers);
        both.filter_map(|(word, &number)| Some(found(word, counted(number)?, reading)))
            .collect()
    }

    fn counts_here(&self, hit: &Hit) -> bool {
        !(self.affirmed && hit.negated)
    }

    /// A word of each group in the first sentence that has one of each.
    fn in_one_sentence<'r>(&'r self, ready: &Ready, reading: &Reading) -> Option<Vec<Found<'r>>> {
        let in_sentence = |numbers: &[usize], words: &'r [String], sentence: usize| {
            words.iter().zip(numbers).find_map(|(word, &number)| {
                let hit = reading
                    .of(number)
                    .iter()
                    .find(|hit| hit.sentence == sentence && self.counts_here(hit))?;
                Some(found(word, hit, reading))
            })
        };
        let first = ready.near.first()?.iter();
        let mut sentences: Vec<usize> = first
            .flat_map(|&number| reading.of(number))
            .map(|hit| hit.sentence)
            .collect();
        sentences.sort_unstable();
        sentences.dedup();
        sentences.into_iter().find_map(|sentence| {
            let groups = self.near.iter().zip(&ready.near);
            groups
                .map(|(words, numbers)| in_sentence(numbers, words, sentence))
                .collect()
        })
    }

    fn first_pattern<'r>(&'r self, ready: &Ready, reading: &Reading) -> Option<Found<'r>> {
        let patterns = self.patterns.iter().zip(&ready.patterns);
        patterns
            .flat_map(|both| reading.fields().map(move |field| (both, field)))
            .find_map(|((word, pattern), (field, text))| {
                let hit = pattern.find(text)?;
                Some(Found {
                    word,
                    place: reading.place(field, hit.start(), hit.end()),
                })
            })
    }
}

impl Count {
    /// The first unit before which a number large enough stands.
    fn found_in<'r>(&'r self, units: &[usize], reading: &Reading) -> Option<Found<'r>> {
        self.units.iter().zip(units).find_map(|(unit, &number)| {
            let hits = reading.of(number).iter();
            let mut large = hits.filter(|hit| {
                number_before(reading.before(hit)).is_some_and(|number| number >= self.least)
            });
            Some(found(unit, large.next()?, reading))
        })
    }
}

fn found<'r>(word: &'r str, hit: &Hit, reading: &Reading) -> Found<'r> {
    Found {
        word,
        place: reading.place(hit.field, hit.start, hit.end),
    }
}

fn is_under(category: &str, node: &str) -> bool {
    category
        .strip_prefix(node)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The number a text ends with, past 多, 余, 几, 来, 个 and with 百, 千, 万.
fn number_before(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['多', '余', '几', '来', '个', ' ']);
    let (text, times) = match text.chars().next_back()? {
        '百' => (text.trim_end_matches('百'), 100.0),
        '千' => (text.trim_end_matches('千'), 1_000.0),
        '万' => (text.trim_end_matches('万'), 10_000.0),
        _ => (text, 1.0),
    };
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let digits = text.get(head.len()..)?;
    // A number longer than this is a telephone's, not a count.
    if digits.len() > 7 {
        return None;
    }
    Some(digits.parse::<f64>().ok()? * times)
}

//! What this desk's complaints tell, kept in memory: texts, telephone and
//! account numbers, names. It only ever grows behind the store, so that what
//! has just been recorded or has just come in is found at the next question.

use std::collections::HashMap;

use suda_domain::text::phone_digits;
use suda_domain::{ComplaintId, Intake};
use suda_judge::similar::Similar;

/// Complaints kept in mind, the newest.
pub(super) const MOST: i64 = 20_000;
/// Characters of a text below which nothing is said yet.
const LEAST_TEXT: usize = 6;
/// How near a text has to be, in hundredths, and how many are looked at.
const NEAR: u8 = 25;
const NEAREST: usize = 8;
/// Looked at for an answer that could serve again: most are not answered yet.
const BESIDE: usize = 40;
/// Of one customer's many complaints the newest are enough.
const OF_ONE: usize = 8;

/// What is compared: what happened, and where.
pub(super) fn told(intake: &Intake) -> String {
    format!("{}\n{}", intake.description, intake.place)
}

/// How a complaint is like a form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Likeness {
    pub same_text: bool,
    pub same_phone: bool,
    pub same_account: bool,
    /// In hundredths; 0 below what is worth telling.
    pub percent: u8,
    pub same_name: bool,
}

#[derive(Default)]
pub(super) struct Index {
    texts: Similar,
    /// By number of their text.
    ids: Vec<ComplaintId>,
    by_phone: HashMap<String, Vec<ComplaintId>>,
    by_account: HashMap<String, Vec<ComplaintId>>,
    by_name: HashMap<String, Vec<ComplaintId>>,
    /// Up to which row of the store, and from which.
    pub upto: i64,
}

impl Index {
    pub(super) fn is_too_large(&self) -> bool {
        self.ids.len() as i64 > MOST + MOST / 4
    }

    pub(super) fn add(&mut self, row: i64, id: ComplaintId, intake: &Intake) {
        self.texts.add(&[&told(intake)]);
        self.ids.push(id);
        let numbers = std::iter::once(&intake.phone)
            .chain(intake.group.iter().map(|one| &one.phone))
            .chain(intake.representative.iter().map(|one| &one.phone));
        for phone in numbers.filter_map(|phone| phone_digits(phone)) {
            push(&mut self.by_phone, phone, id);
        }
        if let Some(account) = account(&intake.account) {
            push(&mut self.by_account, account, id);
        }
        if let Some(name) = name(&intake.name) {
            push(&mut self.by_name, name, id);
        }
        self.upto = self.upto.max(row);
    }

    /// The texts nearest to what a form tells, with how near they are from 0 to 1.
    pub(super) fn beside(&self, intake: &Intake) -> Vec<(ComplaintId, f32)> {
        let hits = self.texts.find(&[&told(intake)], BESIDE).into_iter();
        let named = hits.filter_map(|hit| Some((*self.ids.get(hit.number)?, hit.score)));
        named.collect()
    }

    /// The likeliest first.
    pub(super) fn find(&self, intake: &Intake) -> Vec<(ComplaintId, Likeness)> {
        let mut found: HashMap<ComplaintId, Likeness> = HashMap::new();
        let text = told(intake);
        if text.trim().chars().count() >= LEAST_TEXT {
            for hit in self.texts.find(&[&text], NEAREST) {
                let percent = (hit.score * 100.0).round() as u8;
                if let Some(&id) = self.ids.get(hit.number).filter(|_| percent >= NEAR) {
                    let one = found.entry(id).or_default();
                    one.percent = percent;
                    one.same_text = percent == 100;
                }
            }
        }
        let newest = |index: &HashMap<String, Vec<ComplaintId>>, key: Option<String>| {
            let all = key.and_then(|key| index.get(&key));
            let all = all.map(Vec::as_slice).unwrap_or_default();
            all.iter().rev().take(OF_ONE).copied().collect::<Vec<_>>()
        };
        for id in newest(&self.by_phone, phone_digits(&intake.phone)) {
            found.entry(id).or_default().same_phone = true;
        }
        for id in newest(&self.by_account, account(&intake.account)) {
            found.entry(id).or_default().same_account = true;
        }
        for id in newest(&self.by_name, name(&intake.name)) {
            found.entry(id).or_default().same_name = true;
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.cmp(&a.0)));
        found
    }
}

fn push(index: &mut HashMap<String, Vec<ComplaintId>>, key: String, id: ComplaintId) {
    let all = index.entry(key).or_default();
    if all.last() != Some(&id) {
        all.push(id);
    }
}

fn account(account: &str) -> Option<String> {
    let folded = suda_domain::text::to_half_width(account).to_lowercase();
    let plain: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    (plain.chars().count() >= 4).then_some(plain)
}

fn name(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    (name.chars().count() >= 2).then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn form(name: &str, phone: &str, text: &str) -> Intake {
        Intake {
            name: name.into(),
            phone: phone.into(),
            description: text.into(),
            ..Intake::default()
        }
    }

    fn index(forms: &[Intake]) -> (Index, Vec<ComplaintId>) {
        let mut index = Index::default();
        let ids: Vec<_> = forms
            .iter()
            .zip(1..)
            .map(|(form, row)| {
                let id = ComplaintId(uuid::Uuid::from_u128(row));
                index.add(i64::try_from(row).unwrap(), id, form);
                id
            })
            .collect();
        (index, ids)
    }

    #[test]
    fn the_same_text_comes_first_then_the_same_customer_then_the_same_matter() {
        let (index, ids) = index(&[
            form(
                "李四",
                "13900000002",
                "锦绣花园的基站离居民楼太近，辐射太大，要求拆除",
            ),
            form("王五", "13700000003", "营业厅排队两个小时没人叫号"),
            form("张三", "+86 138 0000 0001", "话费多扣了八十元"),
            form(
                "赵六",
                "13600000004",
                "锦绣花园基站离居民楼太近，业主担心辐射",
            ),
        ]);
        let asked = form("张三", "１３８００００００００１", "");
        assert!(index.find(&asked).iter().all(|(_, like)| like.same_name));
        let asked = form(
            "",
            "13800000001",
            "锦绣花园基站离居民楼太近，業主擔心輻射！",
        );
        let found = index.find(&asked);
        let order: Vec<_> = found.iter().map(|(id, _)| *id).collect();
        assert_eq!(order, [ids[3], ids[2], ids[0]], "{found:?}");
        assert!(found[0].1.same_text && found[1].1.same_phone && found[2].1.percent >= NEAR);
    }

    #[test]
    fn a_number_that_is_still_being_typed_finds_nobody() {
        let (index, _) = index(&[form("", "138000", "话费多扣了八十元")]);
        assert!(index.find(&form("", "138000", "")).is_empty());
    }
}

//! Several people complain of one matter: groups made while reports come in,
//! each decided from what was there by then.
//!
//! A report joins the group it is nearest to. A group is told of when enough
//! reports of different wording came within the time, and what they share
//! stands hardly anywhere else: a place's name rather than "when will it be
//! repaired". Fewer reports, or as many over a longer time, must share more.

use std::collections::HashMap;

use crate::similar::Similar;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// When a group is told of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurstPolicy {
    /// Nearness to a group's two nearest members with which a report joins it.
    pub joins: f32,
    /// Above this nearness two reports are one person's.
    pub same_hand: f32,
    /// Members older than this no longer count, in days.
    pub window: i64,
    /// Any of these makes a group worth telling of.
    pub rules: [BurstRule; 4],
}

/// So many reports, in such a time, that share so much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurstRule {
    /// Reports of different wording at least.
    pub reports: usize,
    /// From the first to the last of them, in days: at least, so that the
    /// letters of one evening do not count as several people's, and at most.
    pub after: i64,
    pub within: i64,
    /// What they must share at least, in bits.
    pub share: f32,
}

impl Default for BurstPolicy {
    fn default() -> Self {
        let rule = |reports, after, within, share| BurstRule {
            reports,
            after,
            within,
            share,
        };
        Self {
            joins: 0.17,
            same_hand: 0.85,
            window: 170,
            rules: [
                rule(4, 0, 30, 3.0),
                rule(4, 0, 100, 4.5),
                rule(3, 3, 10, 10.0),
                rule(3, 3, 30, 20.0),
            ],
        }
    }
}

/// A group told of, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// Numbers of the reports, in the order they came.
    pub members: Vec<usize>,
    /// The member that is nearest to all others.
    pub middle: usize,
    /// What the members share and others lack, in bits, summed over pairs of
    /// characters.
    pub share: f32,
}

/// The reports so far and their groups.
#[derive(Debug, Default)]
pub struct Bursts {
    policy: BurstPolicy,
    reports: Similar,
    /// When each report was made, in seconds, and its group.
    made: Vec<(i64, usize)>,
    groups: Vec<Group>,
}

#[derive(Debug, Default)]
struct Group {
    members: Vec<usize>,
    told: bool,
}

/// Nearest reports looked at, and members of a group compared.
const NEAREST: usize = 40;
const COMPARED: usize = 60;

impl Bursts {
    pub fn new(policy: BurstPolicy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// Takes a report made at `at` (seconds) in, its title first; gives the
    /// group it makes worth telling of.
    pub fn report(&mut self, at: i64, fields: &[&str]) -> Option<Burst> {
        let number = self.reports.add(fields);
        let group = self.nearest_group(number, at).unwrap_or(self.groups.len());
        self.made.push((at, group));
        if group == self.groups.len() {
            self.groups.push(Group::default());
        }
        self.groups.get_mut(group)?.members.push(number);
        let told = self.worth_telling(group, at)?;
        self.groups.get_mut(group)?.told = true;
        Some(told)
    }

    fn nearest_group(&self, number: usize, at: i64) -> Option<usize> {
        let mut near: HashMap<usize, Vec<f32>> = HashMap::new();
        for hit in self.reports.find_for(number, NEAREST) {
            let Some(&(made, group)) = self.made.get(hit.number) else {
                continue;
            };
            if at - made <= self.policy.window * DAY {
                near.entry(group).or_default().push(hit.score);
            }
        }
        let mut best: Option<(f32, usize)> = None;
        for (group, scores) in near {
            let members = self.recent(group, at).len().min(2);
            let score = scores.iter().take(2).sum::<f32>() / members.max(1) as f32;
            let better = best.is_none_or(|(b, g)| score > b || (score == b && group < g));
            if score >= self.policy.joins && better {
                best = Some((score, group));
            }
        }
        best.map(|(_, group)| group)
    }

    fn recent(&self, group: usize, at: i64) -> Vec<usize> {
        let members = self
            .groups
            .get(group)
            .map_or(&[][..], |group| &group.members);
        let young = |member: &usize| {
            let made = self.made.get(*member).map_or(at, |(made, _)| *made);
            at - made <= self.policy.window * DAY
        };
        let latest = members
            .get(members.len().saturating_sub(COMPARED)..)
            .unwrap_or_default();
        latest.iter().copied().filter(young).collect()
    }

    fn worth_telling(&self, group: usize, at: i64) -> Option<Burst> {
        if self.groups.get(group)?.told {
            return None;
        }
        let members = self.recent(group, at);
        let mut hands: Vec<usize> = Vec::new();
        for &member in &members {
            if hands
                .iter()
                .all(|&hand| self.reports.score(member, hand) < self.policy.same_hand)
            {
                hands.push(member);
            }
        }
        let (hands, shared) = self.telling(&hands, at)?;
        let middle = hands.iter().copied().max_by(|&a, &b| {
            let near = |one: usize| {
                hands
                    .iter()
                    .map(|&other| self.reports.score(one, other))
                    .sum::<f32>()
            };
            near(a).total_cmp(&near(b)).then(b.cmp(&a))
        })?;
        Some(Burst {
            members,
            middle,
            share: shared,
        })
    }

    /// The reports within the time of the first rule that holds for them, and
    /// what they share. Older ones do not keep the newer from being told.
    fn telling(&self, hands: &[usize], at: i64) -> Option<(Vec<usize>, f32)> {
        let made = |hand: usize| self.made.get(hand).map_or(at, |(made, _)| *made);
        self.policy.rules.iter().find_map(|rule| {
            let is_young = |hand: &usize| at - made(*hand) <= rule.within * DAY;
            let young: Vec<usize> = hands.iter().copied().filter(is_young).collect();
            let first = made(*young.first()?);
            if young.len() < rule.reports || at - first < rule.after * DAY {
                return None;
            }
            let shared = self.reports.shared(&young);
            (shared >= rule.share).then_some((young, shared))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports of one matter on each of `days`, among others that differ.
    fn told(days: &[i64], texts: &[[&str; 2]]) -> Vec<(usize, Vec<usize>)> {
        let mut bursts = Bursts::default();
        let others = [
            [
                "营业厅排队太久",
                "今天在营业厅排队两个小时，只有一个窗口叫号",
            ],
            ["话费多扣", "上个月话费比平时多扣了八十元，客服说不清楚原因"],
            ["手机信号差", "地下车库里电话打不出去，希望增加信号"],
            ["携号转网被拒", "我要转到别家，柜台说合约没有到期不给办"],
            ["彩铃没开过", "账单上有彩铃费用，我从来没有开通过"],
            ["老人不会用手机营业厅", "希望柜台能帮老人查询余额和流量"],
        ];
        let mut found = Vec::new();
        let mut number = 0;
        for (other, day) in others.iter().zip(0..) {
            bursts.report(day * DAY, other);
            number += 1;
        }
        for (day, text) in days.iter().zip(texts) {
            if let Some(burst) = bursts.report(day * DAY, text) {
                found.push((number, burst.members));
            }
            number += 1;
        }
        found
    }

    const MATTER: [[&str; 2]; 5] = [
        ["翠屏苑基站辐射", "翠屏苑楼顶新装的基站离住户太近，担心辐射"],
        [
            "反对翠屏苑楼顶建基站",
            "没有征求业主同意就在翠屏苑楼顶装基站，要求拆除",
        ],
        [
            "翠屏苑业主要求拆除基站",
            "基站就在翠屏苑我家头顶，孩子睡不好，请拆掉",
        ],
        ["翠屏苑基站嗡嗡响", "翠屏苑楼顶的基站夜里嗡嗡响，还有辐射"],
        ["还是翠屏苑的基站", "翠屏苑基站问题什么时候给说法"],
    ];

    #[test]
    fn one_matter_of_several_people_is_told_once_and_by_the_fourth_report() {
        let found = told(&[10, 12, 15, 20, 22], &MATTER);
        assert_eq!(found.len(), 1, "{found:?}");
        let (at, members) = &found[0];
        assert!(
            *at <= 9 && members.iter().all(|member| *member >= 6),
            "{found:?}"
        );
    }

    #[test]
    fn three_reports_over_weeks_are_told_when_they_share_much_and_not_otherwise() {
        let same = [
            [
                "翠屏苑楼顶基站辐射",
                "翠屏苑楼顶新装的基站离住户太近，夜里还嗡嗡响",
            ],
            [
                "翠屏苑楼顶基站太近",
                "翠屏苑楼顶新装的基站离住户太近，要求拆除它",
            ],
            [
                "拆除翠屏苑楼顶基站",
                "孩子睡不好，翠屏苑楼顶新装的基站离住户太近",
            ],
        ];
        assert_eq!(told(&[10, 18, 32], &same).len(), 1);
        assert!(told(&[10, 18, 45], &same).is_empty());
        assert!(told(&[10, 18, 32], &MATTER[..3]).is_empty());
    }

    #[test]
    fn a_report_of_long_ago_does_not_hide_those_of_this_month() {
        let texts = [
            MATTER[0], MATTER[0], MATTER[1], MATTER[2], MATTER[3], MATTER[4],
        ];
        let found = told(&[10, 130, 133, 136, 139, 142], &texts);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn one_person_sending_one_text_four_times_is_no_burst() {
        assert!(told(&[10, 12, 15, 20], &[MATTER[0]; 4]).is_empty());
    }

    #[test]
    fn reports_of_half_a_year_apart_are_no_burst() {
        assert!(told(&[10, 210, 410, 610], &MATTER).is_empty());
    }
}

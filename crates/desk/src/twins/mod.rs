//! Complaints that may belong with the form that is being filled in: of the
//! same customer, of the same matter, or the same text sent twice. Each with
//! why. They are only shown; whether they are linked a person decides.

mod index;

use suda_domain::alarm::KnownMatter;
use suda_domain::{ComplaintId, Grade, Intake};
use suda_judge::pieces::{self, Readied};
use suda_judge::{Reason, Suggestion};
use suda_sync::{Ask, Reply};
use tokio::sync::Mutex;

use crate::backlog::ReadError;
use crate::desk::{Desk, Enrolled, Inner};
use crate::runner::exchange;
use crate::session::Session;
use crate::store::{StoreError, complaints};
use crate::transport::Transport;
use crate::view::{LinkView, MatterView, TwinElsewhereView, TwinReason, TwinView};
use index::{Index, Likeness, MOST, told};

/// Complaints shown.
const SHOWN: usize = 5;
/// Pieces shown of what two texts share.
const PIECES: usize = 3;
/// Rows taken over in one go.
const AT_ONCE: i64 = 500;
/// Reports from which a matter counts as a group's complaint, which is grade 1
/// (product.md, "Words").
const GROUP: u32 = 3;

/// The index of this desk's complaints, made at the first question.
#[derive(Default)]
pub(crate) struct Twins(Mutex<Index>);

impl Desk {
    /// Complaints on this computer that may belong with the form, the
    /// likeliest first.
    ///
    /// # Errors
    /// When nobody is signed in or the store cannot be read.
    pub async fn twins(
        &self,
        session: &Session,
        intake: Intake,
    ) -> Result<Vec<TwinView>, ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let intake = intake.cleaned();
        let found = {
            let mut index = self.inner.twins.0.lock().await;
            self.inner.catch_up_twins(&mut index).await?;
            index.find(&intake)
        };
        let own = Readied::new(&told(&intake));
        let mut conn = self.inner.store.read().await?;
        let mut shown = Vec::new();
        for (id, likeness) in found {
            if shown.len() >= SHOWN {
                break;
            }
            // Not for whom it is about.
            let Some(stored) = complaints::get(&mut conn, id, &reader).await? else {
                continue;
            };
            let reasons = reasons(&own, &stored.complaint.intake, likeness);
            shown.push(TwinView {
                row: self.inner.row(&enrolled, &stored),
                reasons,
            });
        }
        Ok(shown)
    }

    /// The same of other branches, as far as the hub tells of them; nothing
    /// while it cannot be reached.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn twins_elsewhere(
        &self,
        session: &Session,
        intake: Intake,
    ) -> Result<Vec<TwinElsewhereView>, ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let token = self.inner.hub_session();
        if self.inner.link() != LinkView::Up || token.is_none() {
            return Ok(Vec::new());
        }
        let intake = intake.cleaned();
        let Ok(transport) = Transport::new(&enrolled.device.hub_url) else {
            return Ok(Vec::new());
        };
        let ask = Ask::Twins {
            text: told(&intake),
            phone: intake.phone,
        };
        match exchange(&transport, &enrolled.device, token, ask, false).await {
            Ok((_, Reply::Twins(twins))) => {
                let shown = twins.into_iter().map(|twin| {
                    let (category_zh, category_en) = enrolled.category_names(&twin.category);
                    TwinElsewhereView {
                        reference: twin.reference,
                        branch: twin.branch,
                        branch_name: twin.branch_name,
                        category_zh,
                        category_en,
                        state: twin.state,
                        day: twin.day,
                        same_phone: twin.same_phone,
                        percent: twin.percent,
                    }
                });
                Ok(shown.collect())
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) => {
                tracing::debug!(%error, "the hub told of no complaints of other branches");
                Ok(Vec::new())
            }
        }
    }
}

impl Inner {
    /// The complaints nearest to what a form tells, with how near they are.
    pub(crate) async fn beside(
        &self,
        intake: &Intake,
    ) -> Result<Vec<(ComplaintId, f32)>, StoreError> {
        let mut index = self.twins.0.lock().await;
        self.catch_up_twins(&mut index).await?;
        Ok(index.beside(intake))
    }

    /// Takes over what has been recorded or has come in since.
    async fn catch_up_twins(&self, index: &mut Index) -> Result<(), StoreError> {
        let mut conn = self.store.read().await?;
        if index.is_too_large() {
            *index = Index::default();
        }
        if index.upto == 0 {
            index.upto = (complaints::last_row(&mut conn).await? - MOST).max(0);
        }
        loop {
            let rows = complaints::told_after(&mut conn, index.upto, AT_ONCE).await?;
            let taken = rows.len() as i64;
            let mut growing = std::mem::take(index);
            let growing = tokio::task::spawn_blocking(move || {
                for (row, complaint) in rows {
                    growing.add(row, complaint.id, &complaint.intake);
                }
                growing
            });
            // Where that work broke, the index is begun anew at the next question.
            *index = growing.await.unwrap_or_default();
            if taken < AT_ONCE {
                return Ok(());
            }
        }
    }
}

fn reasons(own: &Readied, other: &Intake, likeness: Likeness) -> Vec<TwinReason> {
    let mut reasons = Vec::new();
    if likeness.same_phone {
        reasons.push(TwinReason::SamePhone);
    }
    if likeness.same_account {
        reasons.push(TwinReason::SameAccount);
    }
    if likeness.same_name {
        reasons.push(TwinReason::SameName);
    }
    if likeness.same_text {
        reasons.push(TwinReason::SameText);
    } else if likeness.percent > 0 {
        let texts = [own.clone(), Readied::new(&told(other))];
        reasons.push(TwinReason::Alike {
            percent: likeness.percent,
            shared: pieces::shared(&texts, 2, PIECES, |_| false),
        });
    }
    reasons
}

impl Enrolled {
    /// What the centre has explained and the form tells of.
    pub(crate) fn matters(&self, intake: &Intake, category: Option<&str>) -> Vec<MatterView> {
        let text = Readied::new(&told(intake));
        let known = self.directory.known_matters.iter();
        known
            .filter_map(|matter| {
                let of_category = matter.category.as_deref().is_some_and(|of| {
                    let rest = category.and_then(|category| category.strip_prefix(of));
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                });
                let found = pieces::tells_of(&matter.pieces, &text);
                let matched = match found {
                    Some(found) => found.into_iter().cloned().collect(),
                    None if of_category => Vec::new(),
                    None => return None,
                };
                Some(matter_view(matter, matched))
            })
            .collect()
    }

    /// What a complaint of the branch belongs to, as the centre has found.
    pub(crate) fn matter_of(&self, complaint: &suda_domain::Complaint) -> Option<MatterView> {
        let known = self.directory.known_matters.iter();
        let mut member = known.filter(|matter| matter.members.contains(&complaint.id));
        match member.next() {
            Some(matter) => Some(matter_view(matter, Vec::new())),
            None => {
                let category = Some(complaint.intake.category.as_str());
                self.matters(&complaint.intake, category).into_iter().next()
            }
        }
    }

    /// The complaint of one of a group is grade 1: proposed, with how many
    /// there are; a person decides.
    pub(crate) fn with_group(&self, suggestion: Suggestion, intake: &Intake) -> Suggestion {
        let matters = self.matters(intake, None);
        let group = matters
            .into_iter()
            .filter(|matter| matter.reports >= GROUP)
            .max_by_key(|matter| matter.reports);
        let Some(group) = group.filter(|_| suggestion.grade != Grade::One) else {
            return suggestion;
        };
        let reason = Reason {
            rule: "group-matter".into(),
            zh: format!("群体事项，已有 {} 件", group.reports),
            en: format!("group matter, {} reports", group.reports),
            matched: group.matched,
        };
        Suggestion {
            grade: Grade::One,
            grade_reason: Some(reason.clone()),
            complexity: suda_domain::Complexity::Complex,
            complexity_reason: Some(reason),
            handoff: None,
            ..suggestion
        }
    }
}

fn matter_view(matter: &KnownMatter, matched: Vec<String>) -> MatterView {
    MatterView {
        id: matter.id.to_string(),
        title: matter.title.clone(),
        say: matter.say.clone(),
        reports: matter.reports,
        since: matter.since,
        matched,
    }
}

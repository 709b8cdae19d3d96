//! Guidance (口径): the approved standard answer and limits for a category.

use serde::{Deserialize, Serialize};

use crate::fact::GuidanceUsed;

/// One approved version of the answer for a category.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guidance {
    /// The category or any ancestor of it; the nearest one applies.
    pub category: String,
    /// Rises with each approved change.
    pub version: u32,
    pub title: String,
    /// What to say and to do, as plain text in short lines.
    pub text: String,
    /// What a branch may give without asking, in the currency's minor unit (分).
    #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
    pub limit_minor: Option<i64>,
}

/// The guidance for a category: its own, else that of its nearest ancestor.
/// Codes are dotted paths (`A02.03.01`), so an ancestor is a prefix.
pub fn for_category<'a>(all: &'a [Guidance], category: &str) -> Option<&'a Guidance> {
    all.iter()
        .filter(|g| {
            category
                .strip_prefix(g.category.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
        .max_by_key(|g| (g.category.len(), g.version))
}

/// What a branch may give for a complaint of a category, in the currency's
/// minor unit: as its guidance says, where naming no sum means none; without
/// guidance, the policy's `compensation_limit`.
pub fn limit_for(all: &[Guidance], category: &str, compensation_limit: u32) -> i64 {
    let own = for_category(all, category).map(|one| one.limit_minor.unwrap_or(0));
    own.unwrap_or_else(|| i64::from(compensation_limit))
}

/// What an answer is recorded with: the guidance for a category as it is in
/// force at that moment.
pub fn used_for(all: &[Guidance], category: &str) -> Option<GuidanceUsed> {
    for_category(all, category).map(|guidance| GuidanceUsed {
        category: guidance.category.clone(),
        version: guidance.version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guidance(category: &str, version: u32) -> Guidance {
        Guidance {
            category: category.into(),
            version,
            title: String::new(),
            text: String::new(),
            limit_minor: None,
        }
    }

    #[test]
    fn nearest_ancestor_and_newest_version_apply() {
        let all = [
            guidance("A", 1),
            guidance("A.01", 1),
            guidance("A.01", 2),
            guidance("A.0", 9),
        ];
        assert_eq!(
            for_category(&all, "A.01.02").map(|g| (g.category.as_str(), g.version)),
            Some(("A.01", 2))
        );
        assert_eq!(
            for_category(&all, "A.02").map(|g| g.category.as_str()),
            Some("A")
        );
        assert_eq!(for_category(&all, "B.01"), None);
        // Guidance that names no sum lets a branch give none.
        assert_eq!(limit_for(&all, "A.01.02", 50_000), 0);
        assert_eq!(limit_for(&all, "B.01", 50_000), 50_000);
    }
}

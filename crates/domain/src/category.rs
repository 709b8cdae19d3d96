//! The versioned three-level category tree.

use serde::{Deserialize, Serialize};

/// One node. Its code is the path, levels joined by dots: `A`, `A.01`, `A.01.02`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Category {
    pub code: String,
    /// The name in Simplified Chinese, the reference language.
    pub zh: String,
    pub en: String,
}

/// The whole tree of one version.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryTree {
    pub version: u32,
    /// In display order, parents before their children.
    pub nodes: Vec<Category>,
}

impl CategoryTree {
    pub fn get(&self, code: &str) -> Option<&Category> {
        self.nodes.iter().find(|node| node.code == code)
    }

    /// Whether a complaint may be filed under this code: it exists and has no children.
    pub fn is_leaf(&self, code: &str) -> bool {
        let prefix = format!("{code}.");
        self.get(code).is_some() && !self.nodes.iter().any(|node| node.code.starts_with(&prefix))
    }
}

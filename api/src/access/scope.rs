//! Which companies and warehouses somebody may see.
//!
//! A scope is enforced twice: every query carries it as a condition, and the transaction that the query runs in carries
//! it as settings, which PostgreSQL's row-level security reads.

use std::collections::BTreeSet;

/// The rows that somebody may see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every row.
    All,
    /// Rows whose company and whose warehouse are both listed.
    Limited {
        /// Companies, as figures name them.
        companies: BTreeSet<String>,
        /// Warehouses, as figures name them.
        warehouses: BTreeSet<String>,
    },
}

/// A name that cannot stand in a scope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot stand in a scope: a name there is not empty and has no comma")]
pub struct ScopeError {
    /// The name.
    pub name: String,
}

impl Scope {
    /// A scope over these companies and warehouses.
    ///
    /// # Errors
    /// An empty name or one with a comma, which PostgreSQL's policies would read as two.
    pub fn limited<C, W>(companies: C, warehouses: W) -> Result<Self, ScopeError>
    where
        C: IntoIterator<Item: Into<String>>,
        W: IntoIterator<Item: Into<String>>,
    {
        Ok(Self::Limited { companies: names(companies)?, warehouses: names(warehouses)? })
    }

    /// Whether figures of this warehouse may be seen.
    pub fn covers_warehouse(&self, warehouse: &str) -> bool {
        match self {
            Self::All => true,
            Self::Limited { warehouses, .. } => warehouses.contains(warehouse),
        }
    }

    /// The companies that a query is limited to; None for all.
    pub(crate) fn companies(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Limited { companies, .. } => Some(companies.iter().cloned().collect()),
        }
    }

    /// The warehouses that a query is limited to; None for all.
    pub(crate) fn warehouses(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Limited { warehouses, .. } => Some(warehouses.iter().cloned().collect()),
        }
    }

    /// The kind of scope, as the session's answer and the policies of PostgreSQL name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Limited { .. } => "limited",
        }
    }
}

fn names(given: impl IntoIterator<Item: Into<String>>) -> Result<BTreeSet<String>, ScopeError> {
    given
        .into_iter()
        .map(Into::into)
        .map(|name| if name.is_empty() || name.contains(',') { Err(ScopeError { name }) } else { Ok(name) })
        .collect()
}

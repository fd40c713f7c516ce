//! Which columns a name can mean.

use std::cell::Cell;
use std::sync::Arc;

use super::{ColumnRef, Node, Scalar, Strength, TextCollation};
use crate::collation::fold_name;
use crate::engine::TableDef;
use crate::types::{ColumnMeta, SqlError};

/// One source of a query as names see it.
#[derive(Clone, Debug)]
pub(crate) struct ScopeSource {
    /// Alias, or the table's name.
    pub(crate) name: String,
    /// Schema, when the table was named without an alias.
    pub(crate) schema: Option<String>,
    pub(crate) columns: Arc<[ColumnMeta]>,
    /// Whether the source may have no row, as the far side of an outer join.
    pub(crate) optional: bool,
    /// Whether a name may mean its columns yet: a join's ON sees only what it joins.
    pub(crate) visible: bool,
    /// Whether its columns need its name, as those of INSERTED and DELETED do.
    pub(crate) qualified_only: bool,
    /// Columns that the principal may not read, and why.
    pub(crate) denied: Vec<(usize, SqlError)>,
}

impl ScopeSource {
    /// A user table under a name.
    pub(crate) fn table(name: &str, table: &TableDef) -> Self {
        Self {
            name: name.to_owned(),
            schema: Some(table.schema.clone()),
            columns: table.layout.clone(),
            optional: false,
            visible: true,
            qualified_only: false,
            denied: Vec::new(),
        }
    }

    /// Columns that are no table's.
    pub(crate) fn plain(name: &str, columns: Arc<[ColumnMeta]>) -> Self {
        Self {
            name: name.to_owned(),
            schema: None,
            columns,
            optional: false,
            visible: true,
            qualified_only: false,
            denied: Vec::new(),
        }
    }

    /// Refuses a column that the principal may not read.
    ///
    /// # Errors
    /// 230.
    pub(crate) fn require(&self, column: usize) -> Result<(), SqlError> {
        let denied = self.denied.iter().find(|(position, _)| *position == column);
        denied.map_or(Ok(()), |(_, error)| Err(error.clone()))
    }

    fn is_named(&self, qualifier: &[String]) -> bool {
        match qualifier {
            [] => !self.qualified_only,
            [name] => same_name(&self.name, name),
            [.., schema, name] => {
                same_name(&self.name, name) && self.schema.as_ref().is_some_and(|s| same_name(s, schema))
            }
        }
    }
}

/// The sources of a query, and of the queries around it.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) sources: Vec<ScopeSource>,
    pub(crate) outer: Option<&'a Scope<'a>>,
    /// Whether a name meant a column of an outer query.
    pub(crate) correlated: Cell<bool>,
}

impl<'a> Scope<'a> {
    /// No sources at all.
    pub(crate) fn empty() -> Self {
        Self { sources: Vec::new(), outer: None, correlated: Cell::new(false) }
    }

    /// One source.
    pub(crate) fn over(source: ScopeSource) -> Self {
        Self { sources: vec![source], ..Self::empty() }
    }

    /// A query inside another.
    pub(crate) fn inside(outer: Option<&'a Scope<'a>>) -> Self {
        Self { outer, ..Self::empty() }
    }

    /// The column that a name means.
    ///
    /// # Errors
    /// 209 ambiguous, 4104 unknown qualifier, 207 unknown column.
    pub(crate) fn resolve(&self, parts: &[String]) -> Result<Scalar, SqlError> {
        let Some((column, qualifier)) = parts.split_last() else { return Err(invalid_column("")) };
        let mut qualifier_known = qualifier.is_empty();
        let mut scope = Some(self);
        let mut depth = 0;
        while let Some(current) = scope {
            let named =
                current.sources.iter().enumerate().filter(|(_, s)| s.visible && s.is_named(qualifier));
            let mut found = None;
            for (source, candidate) in named {
                qualifier_known = true;
                for place in candidate.columns.iter().enumerate().filter(|(_, c)| same_name(&c.name, column))
                {
                    if found.is_some() {
                        return Err(SqlError::batch(209, format!("Ambiguous column name '{column}'.")));
                    }
                    candidate.require(place.0)?;
                    found = Some(current.column(depth, source, place.0));
                }
            }
            if let Some(found) = found {
                self.note_correlation(depth);
                return Ok(found);
            }
            scope = current.outer;
            depth += 1;
        }
        if qualifier_known { Err(invalid_column(column)) } else { Err(unbound(&parts.join("."))) }
    }

    /// Notes that this query and those up to `depth` outwards use a column of the query at that depth.
    fn note_correlation(&self, depth: usize) {
        let mut scope = Some(self);
        for _ in 0..depth {
            let Some(current) = scope else { return };
            current.correlated.set(true);
            scope = current.outer;
        }
    }

    /// A column by its place.
    pub(crate) fn column(&self, depth: usize, source: usize, column: usize) -> Scalar {
        let place = &self.sources[source];
        let meta = &place.columns[column];
        let collation = if meta.sql_type.has_collation() {
            TextCollation { collation: meta.collation, strength: Strength::Column }
        } else {
            TextCollation::default()
        };
        Scalar {
            node: Node::Column(ColumnRef { depth, source, column, layout: place.columns.clone() }),
            sql_type: meta.sql_type,
            nullable: meta.nullable || place.optional,
            collation,
        }
    }
}

/// Whether two names are one, by the default collation.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || fold_name(one) == fold_name(other)
}

/// 207
pub(crate) fn invalid_column(column: &str) -> SqlError {
    SqlError::batch(207, format!("Invalid column name '{column}'."))
}

/// 4104
pub(crate) fn unbound(name: &str) -> SqlError {
    SqlError::batch(4104, format!("The multi-part identifier \"{name}\" could not be bound."))
}

//! The list of a SELECT, and what ORDER BY makes of it.

use super::plan::OutputColumn;
use crate::engine::Interrupt;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::scope::{ScopeSource, same_name};
use crate::exec::expression::{ColumnRef, Node, Scalar};
use crate::parser::ast::{Expr, SelectItem};
use crate::types::{Length, Origin, SqlError, SqlType, Value};

/// The list of a SELECT, bound.
pub(crate) struct Items {
    pub(crate) scalars: Vec<Scalar>,
    pub(crate) columns: Vec<OutputColumn>,
}

impl Items {
    pub(crate) fn bind(binder: &Binder<'_>, list: &[SelectItem]) -> Result<Self, Interrupt> {
        let mut items = Self { scalars: Vec::new(), columns: Vec::new() };
        for item in list {
            match item {
                SelectItem::Wildcard(qualifier) => items.wildcard(binder, qualifier.as_deref())?,
                SelectItem::Expr(expr, alias) => {
                    let scalar = binder.scalar(expr)?;
                    let name = match (alias, expr) {
                        (Some(alias), _) => alias.clone(),
                        (None, Expr::Column(parts)) => parts[parts.len() - 1].clone(),
                        _ => String::new(),
                    };
                    items.push(name, scalar);
                }
            }
        }
        Ok(items)
    }

    fn push(&mut self, name: String, scalar: Scalar) {
        let mut column = OutputColumn::new(name, scalar.sql_type, scalar.nullable, scalar.collation.clone());
        column.meta.origin = match &scalar.node {
            // What the query computes itself stands behind its sources and has no layout.
            Node::Column(place) => place.layout.get(place.column).map_or(Origin::Derived, |meta| meta.origin),
            _ => Origin::Computed,
        };
        self.columns.push(column);
        self.scalars.push(scalar);
    }

    /// Adds the key of the table's row, which stands in a place of its own.
    pub(super) fn carry_key(&mut self, place: usize) {
        let column = ColumnRef { depth: 0, source: place, column: 0, layout: [].into() };
        self.push(String::new(), Scalar::of(Node::Column(column), SqlType::VarBinary(Length::Max), true));
    }

    fn wildcard(&mut self, binder: &Binder<'_>, qualifier: Option<&str>) -> Result<(), Interrupt> {
        let sources = &binder.scope.sources;
        let wanted = |source: &ScopeSource| {
            source.visible && qualifier.map_or(!source.qualified_only, |q| same_name(&source.name, q))
        };
        if !sources.iter().any(wanted) {
            return Err(match qualifier {
                Some(qualifier) => {
                    let message = format!("The column prefix '{qualifier}' does not match with a table name or alias name used in the query.");
                    SqlError::batch(107, message)
                }
                None => SqlError { class: 15, ..SqlError::batch(263, "Must specify table to select from.") },
            }
            .into());
        }
        for (place, source) in sources.iter().enumerate().filter(|(_, source)| wanted(source)) {
            for column in 0..source.columns.len() {
                source.require(column)?;
                let mut scalar = binder.scope.column(0, place, column);
                if let Some(aggregates) = binder.aggregates {
                    scalar = aggregates.borrow().require_grouped(scalar, binder.scope)?;
                }
                self.push(source.columns[column].name.clone(), scalar);
            }
        }
        Ok(())
    }

    /// What an item of ORDER BY sorts by: a position in the list, an alias, or an expression of its own.
    pub(super) fn order_key(
        &self,
        expr: &Expr,
        binder: &Binder<'_>,
        listed_only: bool,
    ) -> Result<Scalar, Interrupt> {
        if let Expr::Literal(Value::Int(position), SqlType::Int) = expr {
            let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
            return index.and_then(|i| self.scalars.get(i)).cloned().ok_or_else(|| {
                let message = format!("The ORDER BY position number {position} is out of range of the number of items in the select list.");
                SqlError::batch(108, message).into()
            });
        }
        if let Expr::Column(parts) = expr
            && let [name] = parts.as_slice()
        {
            let mut named =
                self.columns.iter().zip(&self.scalars).filter(|(c, _)| same_name(&c.meta.name, name));
            if let Some((_, scalar)) = named.next() {
                if named.any(|(_, other)| other != scalar) {
                    return Err(SqlError::batch(209, format!("Ambiguous column name '{name}'.")).into());
                }
                return Ok(scalar.clone());
            }
        }
        let scalar = binder.scalar(expr)?;
        if listed_only && !self.scalars.contains(&scalar) {
            let message = "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.";
            return Err(SqlError { class: 15, ..SqlError::batch(145, message) }.into());
        }
        Ok(scalar)
    }

    /// The positions in the list of what the rows are ordered by, 0 for what is not listed. Beside such a key a real
    /// server no longer marks the list's expressions as computed.
    pub(super) fn order(&mut self, keys: &[(Scalar, bool)]) -> Vec<u16> {
        let positions =
            keys.iter().filter(|(key, _)| !matches!(key.node, Node::Constant(_))).map(|(key, _)| {
                let listed = self.scalars.iter().position(|scalar| scalar == key);
                listed.map_or(0, |index| u16::try_from(index + 1).expect("a result has at most 4096 columns"))
            });
        let positions: Vec<u16> = positions.collect();
        if positions.contains(&0) {
            for (column, scalar) in self.columns.iter_mut().zip(&self.scalars) {
                if !matches!(scalar.node, Node::Column(_)) {
                    column.meta.origin = Origin::Derived;
                }
            }
        }
        positions
    }
}

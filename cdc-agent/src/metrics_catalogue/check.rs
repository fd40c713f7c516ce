//! A definition with its tables and columns found.

use super::error::MetricError;
use crate::config::nearest;
use proto::{Column, ColumnType, Dimension, Layout, MetricDefinition, MetricKind};
use std::collections::BTreeMap;

/// A definition whose tables exist and whose sides a fact meets at most once.
pub(super) struct Checked<'a> {
    pub(super) definition: &'a MetricDefinition,
    pub(super) facts: &'a Layout,
    pub(super) sides: Vec<CheckedSide<'a>>,
}

/// A side and the pairs of columns that join it.
pub(super) struct CheckedSide<'a> {
    pub(super) layout: &'a Layout,
    pub(super) on: Vec<(&'a Column, &'a Column)>,
}

/// A column and the table that has it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) layout: &'a Layout,
    pub(super) column: &'a Column,
}

impl<'a> Checked<'a> {
    pub(super) fn new(
        definition: &'a MetricDefinition,
        layouts: &'a BTreeMap<String, Layout>,
    ) -> Result<Self, MetricError> {
        let metric = &definition.name;
        if (definition.kind == MetricKind::Ratio) != definition.denominator.is_some() {
            return Err(MetricError::Denominator { metric: metric.clone() });
        }
        let facts = table(metric, layouts, &definition.facts)?;
        let mut sides: Vec<CheckedSide<'a>> = Vec::new();
        for side in &definition.sides {
            let layout = table(metric, layouts, &side.table)?;
            if side.table == definition.facts || sides.iter().any(|known| known.layout.target == side.table) {
                return Err(MetricError::SideTwice { metric: metric.clone(), table: side.table.clone() });
            }
            let mut on = Vec::new();
            for (of_facts, of_side) in &side.on {
                on.push((column(metric, facts, of_facts)?, column(metric, layout, of_side)?));
            }
            let missing = layout.key_columns().find(|key| on.iter().all(|(_, of_side)| of_side != key));
            if let Some(missing) = missing {
                return Err(MetricError::SideKey {
                    metric: metric.clone(),
                    side: side.table.clone(),
                    column: missing.target.clone(),
                });
            }
            sides.push(CheckedSide { layout, on });
        }
        Ok(Self { definition, facts, sides })
    }

    /// Finds a column of the facts or of a side.
    pub(super) fn place(&self, dimension: &Dimension) -> Result<Place<'a>, MetricError> {
        let metric = &self.definition.name;
        let (table, name) = dimension.parts();
        let layout = match table {
            None => self.facts,
            Some(table) if table == self.facts.target => self.facts,
            Some(table) => {
                self.sides.iter().map(|side| side.layout).find(|layout| layout.target == table).ok_or_else(
                    || MetricError::UnknownTable {
                        metric: metric.clone(),
                        table: table.to_owned(),
                        nearest: nearest(table, self.sides.iter().map(|side| &side.layout.target)),
                    },
                )?
            }
        };
        Ok(Place { layout, column: column(metric, layout, name)? })
    }

    /// The name of the column that decides equality: a text's twin, which must be there.
    pub(super) fn identity(&self, column: &Column) -> Result<String, MetricError> {
        if column.column_type == ColumnType::Text && column.twin.is_none() {
            return Err(MetricError::TwinMissing {
                metric: self.definition.name.clone(),
                column: column.target.clone(),
            });
        }
        Ok(column.identity_name())
    }

    pub(super) fn misfit(&self, column: &Column, needed: &'static str) -> MetricError {
        MetricError::ColumnType {
            metric: self.definition.name.clone(),
            column: column.target.clone(),
            found: column.column_type.to_string(),
            needed,
        }
    }
}

fn table<'a>(
    metric: &str,
    layouts: &'a BTreeMap<String, Layout>,
    name: &str,
) -> Result<&'a Layout, MetricError> {
    layouts.get(name).ok_or_else(|| MetricError::UnknownTable {
        metric: metric.to_owned(),
        table: name.to_owned(),
        nearest: nearest(name, layouts.keys()),
    })
}

fn column<'a>(metric: &str, layout: &'a Layout, name: &str) -> Result<&'a Column, MetricError> {
    layout.columns.iter().find(|column| column.target == name).ok_or_else(|| MetricError::UnknownColumn {
        metric: metric.to_owned(),
        table: layout.target.clone(),
        column: name.to_owned(),
        nearest: nearest(name, layout.columns.iter().map(|column| &column.target)),
    })
}

//! Metrics as declared, checked against the tables and turned into SQL.
//!
//! The target's own rows are the before-image: a batch's contribution to a metric is what its facts contribute after the batch
//! minus what they contributed before. The facts of a batch are found by the keys of the changed rows, through the fact's own
//! key where the facts changed and through the join columns where a side changed, as a set. Sums telescope, so batches of any
//! size and order add up to the same figures, and the figures equal a recomputation after every transaction.
//!
//! A figure's day is not computed from the event's time when it is needed: it is stored beside the row when the row is
//! written, so that what is subtracted later is what was added, whatever became of the zone meanwhile.

mod check;
mod contribution;
mod day;
mod error;

pub use error::MetricError;

pub(crate) use contribution::{CREATE_CONTRIBUTION, Contribution};
pub(crate) use day::StoredDay;

use crate::apply::Zoning;
use crate::config::{Config, Scope};
use check::Checked;
use proto::{Dimension, FactCondition, Layout, Measure, MetricDefinition, Operand};
use std::collections::{BTreeMap, BTreeSet};

/// Every metric of a source, with its SQL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) metrics: Vec<Metric>,
    days: BTreeMap<String, Vec<StoredDay>>,
}

/// A metric and its SQL.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) definition: MetricDefinition,
    pub(crate) contribution: Contribution,
}

impl Catalogue {
    /// Checks every definition against the layouts.
    pub(crate) fn new(
        definitions: &[MetricDefinition],
        layouts: &BTreeMap<String, Layout>,
        schema: &str,
        zoning: &Zoning,
    ) -> Result<Self, MetricError> {
        let mut catalogue = Self::default();
        for definition in definitions {
            let checked = Checked::new(definition, layouts)?;
            let (table, day) = StoredDay::of(&checked, zoning)?;
            let days = catalogue.days.entry(table).or_default();
            match days.iter().find(|known| known.name() == day.name()) {
                Some(known) if *known != day => {
                    return Err(MetricError::DayTwice {
                        metric: definition.name.clone(),
                        column: definition.day.0.clone(),
                    });
                }
                Some(_) => {}
                None => days.push(day),
            }
            let contribution = Contribution::new(&checked, schema)?;
            catalogue.metrics.push(Metric { definition: definition.clone(), contribution });
        }
        Ok(catalogue)
    }

    /// The days to store beside the rows of a table.
    pub(crate) fn days_of(&self, table: &str) -> Vec<StoredDay> {
        self.days.get(table).cloned().unwrap_or_default()
    }

    /// The metrics that a change of the table can move.
    pub(crate) fn touched_by<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a Metric> {
        self.metrics.iter().filter(move |metric| metric.contribution.uses(table))
    }
}

/// The columns that need a stored twin if they are text, because a figure, a scope or a zone goes by them: `(table, column)` by
/// their target names.
pub fn twins_wanted(config: &Config) -> BTreeSet<(String, String)> {
    let mut wanted = BTreeSet::new();
    for definition in &config.metrics {
        wanted.extend(twins_of(definition));
    }
    for table in &config.tables {
        if let Scope::Columns { company, warehouse } = &table.scope {
            let columns = company.iter().chain(warehouse);
            wanted.extend(columns.map(|column| (table.target.clone(), column.clone())));
        }
    }
    if let Some(zones) = &config.zones {
        let columns = std::iter::once(&zones.warehouse).chain(&zones.company);
        wanted.extend(columns.map(|column| (zones.table.clone(), column.clone())));
    }
    wanted
}

fn twins_of(definition: &MetricDefinition) -> Vec<(String, String)> {
    let of = |dimension: &Dimension| {
        let (table, column) = dimension.parts();
        (table.unwrap_or(&definition.facts).to_owned(), column.to_owned())
    };
    let groups = definition.company.iter().chain(&definition.warehouse);
    let compared = conditions(definition).flat_map(|condition| {
        let other = match &condition.than {
            Some(Operand::Column(other)) => Some(other),
            _ => None,
        };
        std::iter::once(&condition.column).chain(other)
    });
    let joined = definition.sides.iter().flat_map(|side| {
        side.on.iter().flat_map(|(of_facts, of_side)| {
            [(definition.facts.clone(), of_facts.clone()), (side.table.clone(), of_side.clone())]
        })
    });
    groups.chain(compared).map(of).chain(joined).collect()
}

/// Every condition of a definition.
fn conditions(definition: &MetricDefinition) -> impl Iterator<Item = &FactCondition> {
    let counted = std::iter::once(&definition.numerator).chain(&definition.denominator);
    let counted = counted.filter_map(|measure| match measure {
        Measure::CountWhere(conditions) => Some(conditions),
        _ => None,
    });
    definition.filter.iter().chain(counted.flatten())
}

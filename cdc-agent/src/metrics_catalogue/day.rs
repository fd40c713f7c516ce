//! The business day of an event: which day it was where it happened.

use super::check::Checked;
use super::error::MetricError;
use crate::apply::Zoning;
use crate::apply::ident::{Ident, Literal};
use crate::config::NaiveZone;
use proto::ColumnType;

/// A `date` column beside the column that it is computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredDay {
    column: String,
    /// The expression, with `{row}` where the row's alias goes.
    template: String,
    /// Whether it depends on the warehouses' zones.
    zoned: bool,
}

impl StoredDay {
    /// The day that a metric wants, and the table that stores it.
    pub(super) fn of(checked: &Checked<'_>, zoning: &Zoning) -> Result<(String, Self), MetricError> {
        let place = checked.place(&checked.definition.day)?;
        let column = place.column.target.clone();
        let value = format!("{{row}}.{}", Ident(&column));
        let zone = || Self::warehouse_zone(checked, zoning);
        let (template, zoned) = match (place.column.column_type, zoning.naive_zone) {
            (ColumnType::Date, _) => (value, false),
            (ColumnType::Timestamp, NaiveZone::Warehouse) => (format!("{value}::date"), false),
            (ColumnType::Timestamp, NaiveZone::Fixed(fixed)) => match zone()? {
                None => (format!("{value}::date"), false),
                Some(zone) => {
                    let fixed = Literal(fixed.name());
                    (
                        format!(
                            "({value} at time zone {fixed} at time zone coalesce({zone}, {fixed}))::date"
                        ),
                        true,
                    )
                }
            },
            (ColumnType::TimestampTz, naive_zone) => {
                let zone = zone()?;
                let zoned = zone.is_some();
                let zone = match (zone, naive_zone) {
                    (Some(zone), NaiveZone::Fixed(fixed)) => {
                        format!("coalesce({zone}, {})", Literal(fixed.name()))
                    }
                    (None, NaiveZone::Fixed(fixed)) => Literal(fixed.name()).to_string(),
                    // A warehouse that has no zone yet: the day is restamped when its zone arrives.
                    (Some(zone), NaiveZone::Warehouse) => format!("coalesce({zone}, 'UTC')"),
                    (None, NaiveZone::Warehouse) => {
                        return Err(MetricError::ZoneUnknown {
                            metric: checked.definition.name.clone(),
                            column: checked.definition.day.0.clone(),
                        });
                    }
                };
                (format!("({value} at time zone {zone})::date"), zoned)
            }
            _ => return Err(checked.misfit(place.column, "a day is taken from a date or a point in time")),
        };
        Ok((place.layout.target.clone(), Self { column, template, zoned }))
    }

    /// A look-up of the row's warehouse, where the metric names one of the same table.
    fn warehouse_zone(checked: &Checked<'_>, zoning: &Zoning) -> Result<Option<String>, MetricError> {
        let (Some(warehouse), true) = (&checked.definition.warehouse, zoning.zones.is_some()) else {
            return Ok(None);
        };
        let day = checked.place(&checked.definition.day)?;
        let warehouse = checked.place(warehouse)?;
        if warehouse.layout.target != day.layout.target {
            return Ok(None);
        }
        Ok(Some(format!(
            "(select z.zone from cdc.warehouse_zone z where z.source = {} and z.warehouse = {{row}}.{}::text)",
            Literal(&zoning.source),
            Ident(&checked.identity(warehouse.column)?)
        )))
    }

    /// Name of the column.
    pub(crate) fn name(&self) -> String {
        name_of(&self.column)
    }

    /// The day of the row under an alias.
    pub(crate) fn expression(&self, alias: &str) -> String {
        self.template.replace("{row}", alias)
    }

    pub(crate) fn is_zoned(&self) -> bool {
        self.zoned
    }
}

/// Name of the stored day of a column.
pub(super) fn name_of(column: &str) -> String {
    format!("{column}__day")
}

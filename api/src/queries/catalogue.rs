//! What can be asked for: metrics, and the zones of warehouses.

use crate::access::Scope;
use crate::database::{DatabaseError, Reading};
use proto::MetricDefinition;

/// A metric of a source.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub source: String,
    pub definition: MetricDefinition,
    /// False while its figures are being built.
    pub ready: bool,
}

/// Where a warehouse is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WarehouseZone {
    pub source: String,
    pub warehouse: String,
    /// IANA name.
    pub zone: String,
}

/// Why the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(
        "the definition of metric {metric:?} was written by another version of the agent; update this API"
    )]
    Definition {
        metric: String,
        #[source]
        source: serde_json::Error,
    },
}

const METRICS: &str = "select source, name, definition, ready from reading.metric order by source, name";
const ZONES: &str = "
    select source, warehouse, zone
    from reading.warehouse_zone
    where $1::text[] is null or warehouse = any ($1)
    order by source, warehouse";

impl Metric {
    /// Whether somebody means this metric by `name`.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.definition.name == name || self.definition.aliases.iter().any(|alias| alias == name)
    }

    /// The tables that its figures rest on.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        let sides = self.definition.sides.iter().map(|side| side.table.as_str());
        std::iter::once(self.definition.facts.as_str()).chain(sides)
    }
}

/// Every metric. Definitions are the same for all.
pub(crate) async fn metrics(reading: &Reading, _scope: &Scope) -> Result<Vec<Metric>, CatalogueError> {
    let rows = reading.query(METRICS, &[]).await?;
    rows.iter()
        .map(|row| {
            let definition = serde_json::from_value(row.get("definition"))
                .map_err(|source| CatalogueError::Definition { metric: row.get("name"), source })?;
            Ok(Metric { source: row.get("source"), definition, ready: row.get("ready") })
        })
        .collect()
}

/// The zones of the warehouses that `scope` may see.
pub(crate) async fn zones(reading: &Reading, scope: &Scope) -> Result<Vec<WarehouseZone>, DatabaseError> {
    let rows = reading.query(ZONES, &[&scope.warehouses()]).await?;
    Ok(rows
        .iter()
        .map(|row| WarehouseZone {
            source: row.get("source"),
            warehouse: row.get("warehouse"),
            zone: row.get("zone"),
        })
        .collect())
}

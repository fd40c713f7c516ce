//! `verify --metrics`: every stored figure against its recomputation, in one snapshot of the target.

use crate::apply::{self, Connection, Doing, Settings, TableState, TargetError};
use crate::metrics_catalogue::Metric;
use chrono::NaiveDate;
use proto::MetricDefinition;
use std::fmt;
use tokio_postgres::{IsolationLevel, Row, Transaction};

/// What was compared and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Metrics compared.
    pub metrics: u64,
    /// Groups compared.
    pub groups: u64,
    /// Groups that differ.
    pub differences: Vec<Difference>,
}

/// A figure that is not what its facts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The metric.
    pub metric: String,
    /// Business day.
    pub day: NaiveDate,
    /// Company, `''` where unassigned.
    pub company: String,
    /// Warehouse, `''` where unassigned.
    pub warehouse: String,
    /// What is stored: facts, numerator, denominator; None where no row is.
    pub stored: Option<String>,
    /// What the facts give; None where there are none.
    pub recomputed: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |figure: &Option<String>| figure.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "{} {} company {:?} warehouse {:?}: stored {}, recomputed {}",
            self.metric,
            self.day,
            self.company,
            self.warehouse,
            text(&self.stored),
            text(&self.recomputed)
        )
    }
}

/// Compares every metric that the target maintains.
///
/// # Errors
/// PostgreSQL cannot be asked, or a recorded metric no longer fits its tables.
pub async fn metrics(settings: &Settings) -> Result<Verification, TargetError> {
    let doing = "comparing the figures";
    let source = &settings.zoning.source;
    let mut connection = Connection::open(&settings.endpoint).await?;
    let transaction = connection
        .client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .doing(doing)?;
    let layouts: Vec<_> =
        TableState::all(&transaction, source).await?.into_iter().map(|state| state.layout).collect();
    let recorded = "select definition::text from cdc.metric where source = $1 and ready order by name";
    let mut definitions: Vec<MetricDefinition> = Vec::new();
    for row in transaction.query(recorded, &[source]).await.doing(doing)? {
        definitions.push(apply::json(row.get(0), "the definition of a metric")?);
    }
    let catalogue = apply::catalogue_of(&layouts, &definitions, &settings.schema, &settings.zoning)?;
    let mut verification = Verification::default();
    for metric in &catalogue.metrics {
        compare(&transaction, source, metric, &mut verification).await?;
    }
    Ok(verification)
}

async fn compare(
    transaction: &Transaction<'_>,
    source: &str,
    metric: &Metric,
    verification: &mut Verification,
) -> Result<(), TargetError> {
    let name = &metric.definition.name;
    let sql = format!(
        "with stored as (select day, company, warehouse, facts, numerator, denominator from cdc.daily \
                         where source = $1 and metric = $2),
              recomputed as ({everything})
         select day, company, warehouse,
                s.facts || ' facts, ' || trim_scale(s.numerator) || ' / ' || trim_scale(s.denominator),
                r.facts || ' facts, ' || trim_scale(r.numerator) || ' / ' || trim_scale(r.denominator),
                (s.facts, s.numerator, s.denominator) is not distinct from (r.facts, r.numerator, r.denominator)
         from stored s full join recomputed r using (day, company, warehouse)
         order by day, company, warehouse",
        everything = metric.contribution.of_everything()
    );
    let rows = transaction.query(&sql, &[&source, name]).await.doing("comparing the figures")?;
    verification.metrics += 1;
    verification.groups += rows.len() as u64;
    let different = rows.iter().filter(|row| !row.get::<_, bool>(5));
    verification.differences.extend(different.map(|row| difference(name, row)));
    Ok(())
}

fn difference(metric: &str, row: &Row) -> Difference {
    Difference {
        metric: metric.to_owned(),
        day: row.get(0),
        company: row.get(1),
        warehouse: row.get(2),
        stored: row.get(3),
        recomputed: row.get(4),
    }
}

//! Daily figures in the target: adding what a transaction moved, building, and keeping zones and stored days together.

use super::error::{Doing, TargetError};
use super::ident::{self, Ident};
use super::table::TargetTable;
use crate::config::{NaiveZone, Zones};
use crate::metrics_catalogue::{Metric, StoredDay};
use tokio_postgres::{GenericClient, Transaction};

/// Where naive datetimes live and where each warehouse's zone is found.
#[derive(Clone, Debug)]
pub struct Zoning {
    /// Name of the stream.
    pub source: String,
    /// The zone of datetimes that carry none.
    pub naive_zone: NaiveZone,
    /// The table that knows each warehouse's zone.
    pub zones: Option<Zones>,
}

/// Adds the transaction's contributions to the figures, in key order, and removes the groups that have no facts left.
pub(super) const ADD_CONTRIBUTIONS: &str = "
    insert into cdc.daily as d (source, metric, day, company, warehouse, facts, numerator, denominator)
    select $1, metric, day, company, warehouse, sum(facts)::int8, sum(numerator), sum(denominator)
    from pg_temp.contribution
    group by metric, day, company, warehouse
    having sum(facts) <> 0 or sum(numerator) <> 0 or sum(denominator) <> 0
    order by metric, day, company, warehouse
    on conflict (source, metric, day, company, warehouse) do update set facts = d.facts + excluded.facts,
        numerator = d.numerator + excluded.numerator, denominator = d.denominator + excluded.denominator";

pub(super) const REMOVE_EMPTY: &str = "
    delete from cdc.daily d
    using (select distinct metric, day, company, warehouse from pg_temp.contribution) c
    where d.source = $1 and d.metric = c.metric and d.day = c.day and d.company = c.company
      and d.warehouse = c.warehouse and d.facts = 0";

/// Replaces every figure of the metric by a recomputation. The caller holds the stream row.
pub(super) async fn rebuild(
    transaction: &Transaction<'_>,
    source: &str,
    metric: &Metric,
) -> Result<(), TargetError> {
    let doing = "building a metric";
    let name = &metric.definition.name;
    transaction
        .execute("delete from cdc.daily where source = $1 and metric = $2", &[&source, name])
        .await
        .doing(doing)?;
    let sql = format!(
        "insert into cdc.daily (source, metric, day, company, warehouse, facts, numerator, denominator) \
         select $1, $2, day, company, warehouse, facts, numerator, denominator from ({}) as everything",
        metric.contribution.of_everything()
    );
    transaction.execute(&sql, &[&source, name]).await.doing(doing)?;
    transaction
        .execute(
            "update cdc.metric set ready = true, built_at = clock_timestamp() where source = $1 and name = $2",
            &[&source, name],
        )
        .await
        .doing(doing)?;
    Ok(())
}

/// Computes chosen stored days again, over the whole table; writes only rows whose days moved.
pub(super) async fn restamp(
    client: &impl GenericClient,
    table: &TargetTable,
    chosen: impl Fn(&StoredDay) -> bool,
) -> Result<(), TargetError> {
    let days: Vec<_> = table.days.iter().filter(|day| chosen(day)).collect();
    if days.is_empty() {
        return Ok(());
    }
    let assignments = days.iter().map(|day| format!("{} = {}", Ident(&day.name()), day.expression("t")));
    let differences =
        days.iter().map(|day| format!("t.{} is distinct from {}", Ident(&day.name()), day.expression("t")));
    let sql = format!(
        "update {} t set {} where {}",
        table.qualified(),
        ident::join(", ", assignments),
        ident::join(" or ", differences)
    );
    client.batch_execute(&sql).await.doing("computing business days again")
}

/// Copies the zones out of their table; returns whether any moved. A zone that PostgreSQL does not know is left out, with a
/// warning: the warehouse then has none.
pub(super) async fn refresh_zones(
    client: &impl GenericClient,
    zoning: &Zoning,
    table: &TargetTable,
) -> Result<bool, TargetError> {
    let doing = "reading the warehouses' zones";
    let Some(zones) = &zoning.zones else { return Ok(false) };
    let identity = |name: &str| {
        let column = table.layout.columns.iter().find(|column| column.target == name);
        column.map_or_else(|| name.to_owned(), proto::Column::identity_name)
    };
    let company = zones.company.as_ref().map_or_else(
        || "''".to_owned(),
        |company| format!("coalesce(t.{}::text, '')", Ident(&identity(company))),
    );
    let current = format!(
        "select distinct on (1) t.{warehouse}::text as warehouse, {company} as company, t.{zone} as zone \
         from {table} t where t.{warehouse} is not null and t.{zone} is not null order by 1, 2",
        warehouse = Ident(&identity(&zones.warehouse)),
        zone = Ident(&zones.zone),
        table = table.qualified(),
    );
    let unknown = format!(
        "select warehouse, zone from ({current}) as current \
         where zone not in (select zone from cdc.warehouse_zone where source = $1) \
           and not exists (select from pg_timezone_names n where n.name = current.zone)"
    );
    let mut left_out: Vec<String> = Vec::new();
    for row in client.query(&unknown, &[&zoning.source]).await.doing(doing)? {
        let (warehouse, zone): (String, String) = (row.get(0), row.get(1));
        tracing::warn!(source = zoning.source, warehouse, zone, "the warehouse's zone is not an IANA zone");
        left_out.push(warehouse);
    }
    let remove = format!(
        "delete from cdc.warehouse_zone z where z.source = $1 \
         and z.warehouse not in (select warehouse from ({current}) as current where warehouse <> all ($2))"
    );
    let add = format!(
        "insert into cdc.warehouse_zone as z (source, company, warehouse, zone) \
         select $1, company, warehouse, zone from ({current}) as current where warehouse <> all ($2) \
         on conflict (source, warehouse) do update set company = excluded.company, zone = excluded.zone \
         where (z.company, z.zone) <> (excluded.company, excluded.zone)"
    );
    let removed = client.execute(&remove, &[&zoning.source, &left_out]).await.doing(doing)?;
    let added = client.execute(&add, &[&zoning.source, &left_out]).await.doing(doing)?;
    Ok(removed + added > 0)
}

//! Making the target's tables, policies, views, indexes and metrics what the configuration says, in one transaction that holds
//! the stream row.
//!
//! Everything is compared with what was recorded when it was made, so that preparing again changes and locks nothing.

use super::Applier;
use super::error::{Doing, TargetError};
use super::figures::{self, Zoning};
use super::ident::{self, Ident, Literal, MAX_NAME_BYTES, Qualified};
use super::session::{Plan, Session};
use super::stream::{self, StreamRow, TableState};
use super::table::TargetTable;
use crate::config::Scope;
use crate::metrics_catalogue::{Catalogue, MetricError, StoredDay};
use proto::{Column, Condition, Layout, MetricDefinition, Phase};
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;
use tokio_postgres::{GenericClient, Transaction};

/// A table to be replicated.
#[derive(Clone, Debug)]
pub struct TablePlan {
    /// Its columns.
    pub layout: Layout,
    /// Who may see its rows.
    pub scope: Scope,
}

impl Applier {
    /// Creates or completes tables, policies, views and indexes, and builds the metrics that are new or changed. Needs the
    /// migrations; works before and after [`Applier::take_over`].
    ///
    /// # Errors
    /// A definition does not fit, a name is taken, or PostgreSQL refuses; nothing has changed then.
    pub async fn prepare_tables(
        &mut self,
        plans: &[TablePlan],
        definitions: &[MetricDefinition],
    ) -> Result<(), TargetError> {
        let names = migrations::pending_names(&self.connection.client).await?;
        if !names.is_empty() {
            return Err(TargetError::NotMigrated { names });
        }
        let schema = self.settings.schema.clone();
        let zoning = self.settings.zoning.clone();
        let catalogue = catalogue_of(plans.iter().map(|plan| &plan.layout), definitions, &schema, &zoning)?;
        let epoch = self.epoch;
        let transaction = self.connection.client.transaction().await.doing("preparing the tables")?;
        stream::create_row(&transaction, &zoning.source).await?;
        let row = StreamRow::locked(&transaction, &zoning.source).await?;
        if epoch.is_some() && row.is_none_or(|row| row.epoch != epoch) {
            return Err(TargetError::Fenced { source_name: zoning.source });
        }
        let preparation = Preparation { transaction: &transaction, schema: &schema, zoning: &zoning };
        preparation.schema().await?;
        let known = TableState::all(&transaction, &zoning.source).await?;
        preparation.leave_out(plans).await?;
        let mut changed = Vec::new();
        for plan in plans {
            let table =
                TargetTable::new(&schema, plan.layout.clone(), catalogue.days_of(&plan.layout.target));
            if preparation.table(&table, &known).await? {
                changed.push(plan.layout.target.clone());
            }
            preparation.exposure(&table, &plan.scope).await?;
        }
        preparation.lookups(&catalogue, plans).await?;
        let zones_moved = preparation.zones(plans).await?;
        changed.extend(preparation.days(&catalogue, plans, zones_moved).await?);
        preparation.metrics(&catalogue, &changed).await?;
        transaction.commit().await.doing("preparing the tables")?;
        // Tables that are no longer configured may still have rows in the journal.
        let layouts = self.tables().await?.into_iter().map(|state| state.layout);
        let tables = layouts.map(|layout| {
            let days = catalogue.days_of(&layout.target);
            TargetTable::new(&schema, layout, days)
        });
        let plan = Plan { tables: tables.collect(), catalogue };
        self.session = Some(Session::new(&self.connection.client, &plan).await?);
        self.plan = plan;
        Ok(())
    }
}

/// The metrics over these tables.
pub(crate) fn catalogue_of<'a>(
    layouts: impl IntoIterator<Item = &'a Layout>,
    definitions: &[MetricDefinition],
    schema: &str,
    zoning: &Zoning,
) -> Result<Catalogue, MetricError> {
    let layouts: BTreeMap<_, _> =
        layouts.into_iter().map(|layout| (layout.target.clone(), layout.clone())).collect();
    Catalogue::new(definitions, &layouts, schema, zoning)
}

struct Preparation<'a> {
    transaction: &'a Transaction<'a>,
    schema: &'a str,
    zoning: &'a Zoning,
}

impl Preparation<'_> {
    /// "if not exists" would ask for the right to create schemas even where there is nothing to create.
    async fn schema(&self) -> Result<(), TargetError> {
        let doing = "creating the target's schema";
        let sql = "select to_regnamespace($1) is not null";
        let exists: bool =
            self.transaction.query_one(sql, &[&Ident(self.schema).to_string()]).await.doing(doing)?.get(0);
        if exists {
            return Ok(());
        }
        let sql = format!("create schema {0}; grant usage on schema {0} to cdc_views", Ident(self.schema));
        self.transaction.batch_execute(&sql).await.doing(doing)
    }

    /// Whether the table was made now: figures over it are then counted anew.
    async fn table(&self, table: &TargetTable, known: &[TableState]) -> Result<bool, TargetError> {
        table.check_names()?;
        let name = &table.layout.target;
        match known.iter().find(|state| state.name == *name) {
            None => self.create(table).await.map(|()| true),
            Some(state) if state.layout == table.layout => Ok(false),
            Some(state) => self.evolve(table, &state.layout).await.map(|()| false),
        }
    }

    /// A table that is no longer configured falls behind unseen: if it comes back, it is loaded again.
    async fn leave_out(&self, plans: &[TablePlan]) -> Result<(), TargetError> {
        let configured: Vec<_> = plans.iter().map(|plan| plan.layout.target.as_str()).collect();
        for sql in [
            "insert into cdc.table_condition (source, name, condition, reason, caused_by) \
             select source, name, 'blind', 'it was not configured for a while', 'agent' from cdc.table_state \
             where source = $1 and name <> all ($2) on conflict (source, name, condition) do nothing",
            "update cdc.table_state set phase = 'pending', incarnation = null, load = null, load_resume = null, \
             load_rows = 0, load_scanned = null, load_sequence = null where source = $1 and name <> all ($2)",
        ] {
            let parameters: [&(dyn ToSql + Sync); 2] = [&self.zoning.source, &configured];
            self.transaction.execute(sql, &parameters).await.doing("leaving out a table")?;
        }
        Ok(())
    }

    async fn create(&self, table: &TargetTable) -> Result<(), TargetError> {
        let doing = "creating a table";
        let taken: bool = self
            .transaction
            .query_one("select to_regclass($1) is not null", &[&table.qualified()])
            .await
            .doing(doing)?
            .get(0);
        if taken {
            let (schema, table) = (self.schema.to_owned(), table.layout.target.clone());
            return Err(TargetError::TableTaken { schema, table });
        }
        let keys = ident::names(&table.identity);
        let key_definitions = table.layout.key_columns().map(|column| match column.twin {
            Some(_) => format!("{} text", Ident(&column.twin_name())),
            None => format!("{} {}", Ident(&column.target), column.column_type),
        });
        let sql = format!(
            "create table {name} ({columns}, cdc_as_of timestamptz not null, cdc_applied_at timestamptz not null, \
             primary key ({keys}));
             alter table {name} enable row level security;
             drop table if exists {met};
             create table {met} ({key_definitions}, primary key ({keys}));",
            name = table.qualified(),
            columns = table.column_definitions().join(", "),
            met = table.met(),
            key_definitions = ident::join(", ", key_definitions),
        );
        self.transaction.batch_execute(&sql).await.doing(doing)?;
        let forget = "delete from cdc.quarantine where source = $1 and name = $2";
        self.transaction.execute(forget, &[&self.zoning.source, &table.layout.target]).await.doing(doing)?;
        let layout = as_json(&table.layout)?;
        let source = &table.layout.source;
        self.transaction
            .execute(
                "insert into cdc.table_state (source, name, target_schema, source_schema, source_table, layout) \
                 values ($1, $2, $3, $4, $5, $6::text::jsonb)",
                &[
                    &self.zoning.source,
                    &table.layout.target,
                    &self.schema,
                    &source.schema,
                    &source.table,
                    &layout,
                ],
            )
            .await
            .doing(doing)?;
        Ok(())
    }

    /// Added columns are added, and the table is loaded again to fill them. Columns that the source no longer has stay as they
    /// are and are no longer shown. Anything else is refused.
    async fn evolve(&self, table: &TargetTable, old: &Layout) -> Result<(), TargetError> {
        if let Some(change) = difference(old, &table.layout) {
            return Err(TargetError::LayoutChanged {
                source_name: self.zoning.source.clone(),
                schema: self.schema.to_owned(),
                table: old.target.clone(),
                change,
            });
        }
        let doing = "adding columns to a table";
        let additions = table.column_definitions().into_iter();
        let additions = additions.map(|definition| format!("add column if not exists {definition}"));
        let sql = format!("alter table {} {}", table.qualified(), ident::join(", ", additions));
        self.transaction.batch_execute(&sql).await.doing(doing)?;
        let (source, name) = (&self.zoning.source, &old.target);
        self.transaction
            .execute(
                "update cdc.table_state set layout = $3::text::jsonb, phase = $4, load = null, load_resume = null, \
                 load_scanned = null where source = $1 and name = $2",
                &[source, name, &as_json(&table.layout)?, &Phase::Pending.to_string()],
            )
            .await
            .doing(doing)?;
        add_condition(
            self.transaction,
            source,
            name,
            Condition::Blind,
            "its columns changed; it is loaded again",
        )
        .await
    }

    /// Policy, grant and view, made again when their text differs from the recorded one.
    async fn exposure(&self, table: &TargetTable, scope: &Scope) -> Result<(), TargetError> {
        let doing = "granting the view of a table";
        let (source, name) = (&self.zoning.source, &table.layout.target);
        let exposed = *scope != Scope::Hidden;
        let sql = if exposed { exposure_sql(table, scope)? } else { hiding_sql(table) };
        let row = self
            .transaction
            .query_one(
                "select exposure from cdc.table_state where source = $1 and name = $2",
                &[source, name],
            )
            .await
            .doing(doing)?;
        if row.get::<_, String>(0) == sql {
            return Ok(());
        }
        let other = "select source from cdc.table_state where name = $2 and source <> $1 and exposed";
        if let Some(other) = self.transaction.query_opt(other, &[source, name]).await.doing(doing)?
            && exposed
        {
            return Err(TargetError::ViewTaken { table: name.clone(), other: other.get(0) });
        }
        self.transaction.batch_execute(&sql).await.doing(doing)?;
        let recorded =
            "update cdc.table_state set exposed = $3, exposure = $4 where source = $1 and name = $2";
        self.transaction.execute(recorded, &[source, name, &exposed, &sql]).await.doing(doing)?;
        Ok(())
    }

    /// Indexes by which the facts of a changed side are found; not where the primary key does it already.
    async fn lookups(&self, catalogue: &Catalogue, plans: &[TablePlan]) -> Result<(), TargetError> {
        for (facts, columns) in catalogue.metrics.iter().flat_map(|metric| metric.contribution.lookups()) {
            let layout = plans.iter().map(|plan| &plan.layout).find(|layout| layout.target == facts);
            let leading: Vec<_> = layout
                .into_iter()
                .flat_map(|layout| layout.key_columns().map(Column::identity_name).take(columns.len()))
                .collect();
            if columns.iter().all(|column| leading.contains(column)) {
                continue;
            }
            let mut name = format!("{facts}__{}__join", columns.join("_"));
            name.truncate(MAX_NAME_BYTES);
            let sql = format!(
                "create index if not exists {} on {} ({})",
                Ident(&name),
                Qualified { schema: self.schema, name: facts },
                ident::names(&columns)
            );
            self.transaction.batch_execute(&sql).await.doing("indexing a join")?;
        }
        Ok(())
    }

    /// A zones table that was declared after its rows came.
    async fn zones(&self, plans: &[TablePlan]) -> Result<bool, TargetError> {
        let Some(zones) = &self.zoning.zones else { return Ok(false) };
        let Some(plan) = plans.iter().find(|plan| plan.layout.target == zones.table) else {
            return Ok(false);
        };
        let table = TargetTable::new(self.schema, plan.layout.clone(), Vec::new());
        figures::refresh_zones(self.transaction, self.zoning, &table).await
    }

    /// Adds stored days and fills those whose expression or zones are new; returns the tables whose days moved.
    async fn days(
        &self,
        catalogue: &Catalogue,
        plans: &[TablePlan],
        zones_moved: bool,
    ) -> Result<Vec<String>, TargetError> {
        let doing = "storing business days";
        let mut restamped = Vec::new();
        for plan in plans {
            let table =
                TargetTable::new(self.schema, plan.layout.clone(), catalogue.days_of(&plan.layout.target));
            let wanted: BTreeMap<_, _> =
                table.days.iter().map(|day| (day.name(), day.expression("t"))).collect();
            let wanted = as_json(&wanted)?;
            let (source, name) = (&self.zoning.source, &table.layout.target);
            let changed = self
                .transaction
                .execute(
                    "update cdc.table_state set days = $3::text::jsonb \
                     where source = $1 and name = $2 and days <> $3::text::jsonb",
                    &[source, name, &wanted],
                )
                .await
                .doing(doing)?;
            let rezoned = zones_moved && table.days.iter().any(StoredDay::is_zoned);
            if changed == 0 && !rezoned {
                continue;
            }
            let columns = table.days.iter().map(StoredDay::name);
            for column in columns {
                let sql = format!(
                    "alter table {} add column if not exists {} date",
                    table.qualified(),
                    Ident(&column)
                );
                self.transaction.batch_execute(&sql).await.doing(doing)?;
            }
            figures::restamp(self.transaction, &table, |_| true).await?;
            restamped.push(name.clone());
        }
        Ok(restamped)
    }

    /// Records every metric; builds those that are new, changed, or over a table that is new or whose days moved; forgets the
    /// others.
    async fn metrics(&self, catalogue: &Catalogue, changed_tables: &[String]) -> Result<(), TargetError> {
        let doing = "recording a metric";
        let source = &self.zoning.source;
        let names: Vec<&str> =
            catalogue.metrics.iter().map(|metric| metric.definition.name.as_str()).collect();
        for forget in [
            "delete from cdc.metric where source = $1 and name <> all ($2)",
            "delete from cdc.daily where source = $1 and metric <> all ($2)",
        ] {
            self.transaction.execute(forget, &[source, &names]).await.doing(doing)?;
        }
        let mut built = 0;
        for metric in &catalogue.metrics {
            let definition = as_json(&metric.definition)?;
            let changed = self
                .transaction
                .execute(
                    "insert into cdc.metric as m (source, name, definition) values ($1, $2, $3::text::jsonb) \
                     on conflict (source, name) do update set definition = excluded.definition \
                     where m.definition <> excluded.definition",
                    &[source, &metric.definition.name, &definition],
                )
                .await
                .doing(doing)?;
            if changed == 1 || changed_tables.iter().any(|table| metric.contribution.uses(table)) {
                figures::rebuild(self.transaction, source, metric).await?;
                built += 1;
            }
        }
        if built > 0 {
            let sql = "update cdc.stream set revision = revision + 1 where source = $1";
            self.transaction.execute(sql, &[source]).await.doing(doing)?;
        }
        Ok(())
    }
}

/// What about the new layout cannot be followed by adding columns.
fn difference(old: &Layout, new: &Layout) -> Option<String> {
    let key = |layout: &Layout| layout.key_columns().map(Column::identity_name).collect::<Vec<_>>();
    if key(old) != key(new) {
        return Some(format!("the primary key was {} and is {}", key(old).join(", "), key(new).join(", ")));
    }
    new.columns.iter().find_map(|column| {
        let before = old.columns.iter().find(|before| before.target == column.target)?;
        if before.column_type != column.column_type {
            return Some(format!(
                "{} was {} and is {}",
                column.target, before.column_type, column.column_type
            ));
        }
        let refolded = before.twin.is_some() && column.twin.is_some() && before.twin != column.twin;
        refolded.then(|| format!("{} has another collation", column.target))
    })
}

fn hiding_sql(table: &TargetTable) -> String {
    let view = Qualified { schema: "reading", name: &table.layout.target };
    format!(
        "drop view if exists {view}; drop policy if exists scope on {name}; revoke all on {name} from cdc_views;",
        name = table.qualified()
    )
}

/// The view shows the captured columns and the row's age; twins and stored days stay inside.
fn exposure_sql(table: &TargetTable, scope: &Scope) -> Result<String, TargetError> {
    let view = Qualified { schema: "reading", name: &table.layout.target };
    let columns: Vec<_> = table.layout.columns.iter().map(|column| column.target.clone()).collect();
    Ok(format!(
        "{hide}
         grant select on {name} to cdc_views;
         create policy scope on {name} for select to cdc_views using ({condition});
         create view {view} as select {columns}, cdc_as_of from {name};
         alter view {view} owner to cdc_views;
         grant select on {view} to cdc_reader;",
        hide = hiding_sql(table),
        name = table.qualified(),
        condition = policy(table, scope)?,
        columns = ident::names(&columns),
    ))
}

/// The session's settings against the row's own columns; "(select …)" is evaluated once per query.
fn policy(table: &TargetTable, scope: &Scope) -> Result<String, TargetError> {
    let Scope::Columns { company, warehouse } = scope else { return Ok("true".to_owned()) };
    let mut conditions = Vec::new();
    for (column, setting) in [(company, "cdc.companies"), (warehouse, "cdc.warehouses")] {
        let Some(name) = column else { continue };
        let column = table.layout.columns.iter().find(|column| column.target == *name);
        let column = column.ok_or_else(|| MetricError::UnknownColumn {
            metric: "scope".to_owned(),
            table: table.layout.target.clone(),
            column: name.clone(),
            nearest: crate::config::nearest(name, table.layout.columns.iter().map(|column| &column.target)),
        })?;
        conditions.push(format!(
            "{}::text = any ((select string_to_array(nullif(current_setting({}, true), ''), ','))::text[])",
            Ident(&column.identity_name()),
            Literal(setting)
        ));
    }
    Ok(format!("(select current_setting('cdc.scope', true)) = 'all' or ({})", conditions.join(" and ")))
}

/// Puts a condition in force; one that is in force keeps its beginning.
pub(super) async fn add_condition(
    client: &impl GenericClient,
    source: &str,
    table: &str,
    condition: Condition,
    reason: &str,
) -> Result<(), TargetError> {
    client
        .execute(
            "insert into cdc.table_condition (source, name, condition, reason, caused_by) \
             values ($1, $2, $3, $4, 'agent') \
             on conflict (source, name, condition) do update set reason = excluded.reason",
            &[&source, &table, &condition.to_string(), &reason],
        )
        .await
        .doing("recording a condition")?;
    Ok(())
}

pub(super) fn as_json(value: &impl serde::Serialize) -> Result<String, TargetError> {
    serde_json::to_string(value)
        .map_err(|source| TargetError::Unreadable { what: "a value to be stored", source })
}

//! What one connection keeps ready: temporary tables and prepared statements.

use super::error::{Doing, TargetError};
use super::figures::{ADD_CONTRIBUTIONS, REMOVE_EMPTY};
use super::table::TargetTable;
use crate::metrics_catalogue::{CREATE_CONTRIBUTION, Catalogue};
use std::collections::BTreeMap;
use tokio_postgres::{Client, Statement};

/// Settings of every transaction that joins staged rows to the target. Staged tables have no statistics: left to itself,
/// PostgreSQL would read the whole target, by hash or merge join from a few thousand staged rows on, or as the outer side of a
/// loop. Without these it goes by the indexes. Compiling a plan costs more than running it.
pub(super) const TRANSACTION_SETTINGS: &str = "set local enable_hashjoin = off; set local enable_mergejoin = off; \
     set local enable_seqscan = off; set local jit = off; \
     set local statement_timeout = '120s'; set local lock_timeout = '5s';";

/// Lifts the settings for statements that do read a whole table.
pub(super) const WHOLE_TABLE_SETTINGS: &str = "set local enable_hashjoin = on; set local enable_mergejoin = on; \
     set local enable_seqscan = on; set local statement_timeout = '30min';";

/// What has to be prepared on every connection.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tables: Vec<TargetTable>,
    pub(super) catalogue: Catalogue,
}

/// The statements of one connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) writers: BTreeMap<String, Writer>,
    pub(super) shared: Shared,
}

/// Statements of the transaction as a whole.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) add_contributions: Statement,
    pub(super) remove_empty: Statement,
    pub(super) advance: Statement,
}

/// A table and its statements.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) table: TargetTable,
    pub(super) stage_types: Vec<postgres_types::Type>,
    pub(super) clear: String,
    pub(super) copy: Statement,
    pub(super) find_merged_keys: Option<Statement>,
    pub(super) find_changes: Statement,
    pub(super) delete: Statement,
    pub(super) upsert: Statement,
    pub(super) remember_met: Statement,
    pub(super) find_unmet: Statement,
    pub(super) note_differences: Statement,
    /// One per metric that the table can move.
    pub(super) contributions: Vec<Statement>,
}

/// Moves the stream row; $1 source, $2 run, $3 sequence, $4 `to`, $5 `hi`, $6 its identity, $7 the source's clock, $8 age of the
/// cut in microseconds.
const ADVANCE: &str = "with moved as (
        update cdc.stream set last_run = $2, applied_sequence = $3, position = $4, hi = $5, hi_identity = $6,
            revision = revision + 1, as_of = $7, read_at = clock_timestamp() - $8::int8 * interval '1 microsecond',
            applied_at = clock_timestamp(), agent_seen_at = clock_timestamp()
        where source = $1 returning revision)
    select revision, pg_notify('cdc_revision', revision::text) from moved";

impl Session {
    /// Makes the temporary tables and statements on a fresh or a used connection.
    pub(super) async fn new(client: &Client, plan: &Plan) -> Result<Self, TargetError> {
        let doing = "preparing the connection";
        client
            .batch_execute(&format!("discard temp; {CREATE_CONTRIBUTION}; begin; {TRANSACTION_SETTINGS}"))
            .await
            .doing(doing)?;
        let mut writers = BTreeMap::new();
        for table in &plan.tables {
            let writer = Writer::new(client, table, &plan.catalogue).await?;
            writers.insert(table.layout.target.clone(), writer);
        }
        let shared = Shared {
            add_contributions: client.prepare(ADD_CONTRIBUTIONS).await.doing(doing)?,
            remove_empty: client.prepare(REMOVE_EMPTY).await.doing(doing)?,
            advance: client.prepare(ADVANCE).await.doing(doing)?,
        };
        client.batch_execute("commit").await.doing(doing)?;
        Ok(Self { writers, shared })
    }
}

impl Writer {
    async fn new(client: &Client, table: &TargetTable, catalogue: &Catalogue) -> Result<Self, TargetError> {
        let doing = "preparing a table's statements";
        client.batch_execute(&table.create_temporary()).await.doing(doing)?;
        let mut contributions = Vec::new();
        for metric in catalogue.touched_by(&table.layout.target) {
            let sql = metric.contribution.of_change(&table.layout.target, &table.change());
            contributions.push(client.prepare(&sql).await.doing(doing)?);
        }
        let find_merged_keys = match table.has_text_key() {
            true => Some(client.prepare(&table.find_merged_keys()).await.doing(doing)?),
            false => None,
        };
        Ok(Self {
            stage_types: table.stage_types(),
            clear: table.clear_temporary(),
            copy: client.prepare(&table.copy()).await.doing(doing)?,
            find_merged_keys,
            find_changes: client.prepare(&table.find_changes()).await.doing(doing)?,
            delete: client.prepare(&table.delete()).await.doing(doing)?,
            upsert: client.prepare(&table.upsert()).await.doing(doing)?,
            remember_met: client.prepare(&table.remember_met()).await.doing(doing)?,
            find_unmet: client.prepare(&table.find_unmet()).await.doing(doing)?,
            note_differences: client.prepare(&table.note_differences()).await.doing(doing)?,
            contributions,
            table: table.clone(),
        })
    }
}

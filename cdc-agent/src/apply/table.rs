//! A replicated table in the target and the statements that move it.
//!
//! ```text
//! stage    what arrived: (place, present, columns, twins); a key may come more than once
//! change   newest image of each key that differs from the target's row, with its stored days
//! ```
//!
//! Both are temporary tables of the connection. PostgreSQL's own comparison of the identity columns decides which staged
//! rows are one key. Equal rows are dropped before anything is locked: they cost a look-up and no write.

use super::encode::Cell;
use super::error::TargetError;
use super::ident::{self, Ident, Literal, MAX_NAME_BYTES, Qualified};
use crate::metrics_catalogue::StoredDay;
use postgres_types::Type;
use proto::{Column, ColumnType, Key, Layout, LayoutId, Value};

/// Differences of one table that are written down.
pub(crate) const MAX_DIFFERENCES: usize = 10_000;

/// A replicated table.
#[derive(Clone, Debug)]
pub(crate) struct TargetTable {
    pub(crate) schema: String,
    pub(crate) layout: Layout,
    pub(crate) id: LayoutId,
    /// Business days stored beside the row.
    pub(crate) days: Vec<StoredDay>,
    /// Columns of the primary key: twins where there are some.
    pub(crate) identity: Vec<String>,
    /// Every captured column, then every twin.
    pub(crate) stored: Vec<String>,
}

impl TargetTable {
    pub(crate) fn new(schema: &str, layout: Layout, days: Vec<StoredDay>) -> Self {
        let identity = layout.key_columns().map(Column::identity_name).collect();
        let columns = layout.columns.iter().map(|column| column.target.clone());
        let twins = layout.columns.iter().filter(|column| column.twin.is_some()).map(Column::twin_name);
        let stored = columns.chain(twins).collect();
        Self { schema: schema.to_owned(), id: layout.id(), layout, days, identity, stored }
    }

    /// Refuses names that PostgreSQL would cut off.
    pub(crate) fn check_names(&self) -> Result<(), TargetError> {
        let days = self.days.iter().map(StoredDay::name);
        let met = met_name(&self.layout.target);
        match self.stored.iter().cloned().chain(days).chain([met]).find(|name| name.len() > MAX_NAME_BYTES) {
            Some(name) => Err(TargetError::NameTooLong { name }),
            None => Ok(()),
        }
    }

    pub(crate) fn qualified(&self) -> String {
        Qualified { schema: &self.schema, name: &self.layout.target }.to_string()
    }

    /// Keys that the load under way has met.
    pub(crate) fn met(&self) -> String {
        Qualified { schema: &self.schema, name: &met_name(&self.layout.target) }.to_string()
    }

    pub(crate) fn stage(&self) -> String {
        format!("pg_temp.\"stage_{:016x}\"", self.id.0)
    }

    pub(crate) fn change(&self) -> String {
        format!("pg_temp.\"change_{:016x}\"", self.id.0)
    }

    /// `"name" type` of every captured column and twin.
    pub(crate) fn column_definitions(&self) -> Vec<String> {
        let columns = self.layout.columns.iter();
        let own = columns.clone().map(|column| format!("{} {}", Ident(&column.target), column.column_type));
        let twins = columns.filter(|column| column.twin.is_some());
        own.chain(twins.map(|column| format!("{} text", Ident(&column.twin_name())))).collect()
    }

    pub(crate) fn day_names(&self) -> Vec<String> {
        self.days.iter().map(StoredDay::name).collect()
    }

    pub(crate) fn has_text_key(&self) -> bool {
        self.layout.key_columns().any(|column| column.twin.is_some())
    }

    /// Types of the staging table's columns, in its order.
    pub(crate) fn stage_types(&self) -> Vec<Type> {
        let columns = self.layout.columns.iter();
        let twins = columns.clone().filter(|column| column.twin.is_some()).map(|_| Type::TEXT);
        [Type::INT4, Type::BOOL]
            .into_iter()
            .chain(columns.map(|column| postgres_type(column.column_type)))
            .chain(twins)
            .collect()
    }

    /// Types of the identity columns, in key order.
    pub(crate) fn identity_types(&self) -> Vec<Type> {
        let typed = |column: &Column| match column.twin {
            Some(_) => Type::TEXT,
            None => postgres_type(column.column_type),
        };
        self.layout.key_columns().map(typed).collect()
    }

    pub(crate) fn create_temporary(&self) -> String {
        let columns = self.column_definitions().join(", ");
        let days = ident::join("", self.day_names().iter().map(|day| format!(", {} date", Ident(day))));
        let stage = self.stage().replace("pg_temp.", "");
        let change = self.change().replace("pg_temp.", "");
        format!(
            "create temp table {stage} (place integer, present boolean, {columns}) on commit delete rows;
             create temp table {change} (present boolean, {columns}{days}) on commit delete rows;"
        )
    }

    /// Empties both before another batch of the same transaction.
    pub(crate) fn clear_temporary(&self) -> String {
        format!("truncate {}, {}", self.stage(), self.change())
    }

    pub(crate) fn copy(&self) -> String {
        format!("copy {} from stdin (format binary)", self.stage())
    }

    /// stage → change.
    pub(crate) fn find_changes(&self) -> String {
        let (stored, identity) = (&self.stored, &self.identity);
        let days = ident::join("", self.day_names().iter().map(|day| format!(", {}", Ident(day))));
        let day_values = ident::join("", self.days.iter().map(|day| format!(", {}", day.expression("n"))));
        format!(
            "insert into {change} (present, {names}{days})
             select n.present, {new}{day_values}
             from (select distinct on ({keys}) * from {stage} order by {keys}, place desc) n
             left join {table} t on {same}
             where case when n.present then t.{first} is null or ({new}) is distinct from ({old})
                        else t.{first} is not null end",
            change = self.change(),
            names = ident::names(stored),
            new = ident::columns("n", stored),
            keys = ident::names(identity),
            stage = self.stage(),
            table = self.qualified(),
            same = ident::equal("t", "n", identity),
            first = Ident(&identity[0]),
            old = ident::columns("t", stored),
        )
    }

    /// Spellings of one identity that differ among present rows of the batch, or from a row that this very transaction wrote.
    pub(crate) fn find_merged_keys(&self) -> String {
        let spelled: Vec<_> = self
            .layout
            .key_columns()
            .filter(|column| column.twin.is_some())
            .map(|column| &column.target)
            .collect();
        let spellings = |alias: &str| {
            format!("jsonb_build_array({})::text", ident::columns(alias, spelled.iter().copied()))
        };
        format!(
            "select min(spelling collate \"C\"), max(spelling collate \"C\")
             from (select {s_keys}, {s_spelling} as spelling from {stage} s where s.present
                   union all
                   select {t_keys}, {t_spelling} from {stage} s
                   cross join lateral (select t.* from {table} t where {same} offset 0) t
                   where s.present and t.cdc_applied_at = now()) as spelled
             group by {keys} having count(distinct spelling collate \"C\") > 1 limit 1",
            s_keys = ident::columns("s", &self.identity),
            t_keys = ident::columns("t", &self.identity),
            keys = ident::names(&self.identity),
            s_spelling = spellings("s"),
            t_spelling = spellings("t"),
            stage = self.stage(),
            table = self.qualified(),
            same = ident::equal("t", "s", &self.identity),
        )
    }

    pub(crate) fn delete(&self) -> String {
        format!(
            "delete from {} t using {} c where not c.present and {}",
            self.qualified(),
            self.change(),
            ident::equal("t", "c", &self.identity)
        )
    }

    /// $1 is the source's clock at the cut. Written in key order, as every writer does.
    pub(crate) fn upsert(&self) -> String {
        let mut columns = self.stored.clone();
        columns.extend(self.day_names());
        let assigned = columns.iter().filter(|column| !self.identity.contains(column));
        let assignments =
            ident::join("", assigned.map(|column| format!("{0} = excluded.{0}, ", Ident(column))));
        format!(
            "insert into {table} ({names}, cdc_as_of, cdc_applied_at)
             select {names}, $1, now() from {change} where present order by {keys}
             on conflict ({keys}) do update set {assignments}
                 cdc_as_of = excluded.cdc_as_of, cdc_applied_at = excluded.cdc_applied_at",
            table = self.qualified(),
            names = ident::names(&columns),
            change = self.change(),
            keys = ident::names(&self.identity),
        )
    }

    /// Remembers the batch's keys as met by the load.
    pub(crate) fn remember_met(&self) -> String {
        let keys = ident::names(&self.identity);
        format!(
            "insert into {} ({keys}) select distinct {keys} from {} on conflict do nothing",
            self.met(),
            self.stage()
        )
    }

    /// Remembers one key, given as its identity, as met by the load.
    pub(crate) fn meet(&self) -> String {
        let places = ident::join(", ", (1..=self.identity.len()).map(|place| format!("${place}")));
        format!(
            "insert into {} ({}) values ({places}) on conflict do nothing",
            self.met(),
            ident::names(&self.identity)
        )
    }

    /// The values of the identity columns for a key as the source spells it.
    pub(crate) fn identity_cells<'a>(&'a self, key: &'a Key) -> Vec<Cell<'a>> {
        let columns = self.layout.key_columns().zip(&key.0);
        let cells = columns.map(|(column, value)| match (value, column.twin) {
            (Value::Text(text), Some(fold)) => Cell::Text(fold.apply(text)),
            _ => Cell::Value(value),
        });
        cells.collect()
    }

    /// Notes what is in `change` as differences between the target and the source: $1 the stream, $2 the run, $3 whether they are
    /// repaired. A table that differs everywhere is not written down row by row: [`MAX_DIFFERENCES`] are enough to see that.
    pub(crate) fn note_differences(&self) -> String {
        let differing = self.layout.columns.iter().map(|column| {
            let name = Ident(&column.target);
            let said = Literal(&column.target);
            format!("case when c.{name} is distinct from t.{name} then {said} end")
        });
        format!(
            "insert into cdc.difference (source, name, key, kind, columns, found_in, repaired)
             select $1, {name}, jsonb_build_array({spelled})::text,
                    case when not c.present then 'extra' when t.{first} is null then 'missing' else 'different' end,
                    case when c.present and t.{first} is not null then array_remove(array[{differing}], null) end, $2, $3
             from {change} c left join {table} t on {same}
             limit greatest(0, {MAX_DIFFERENCES} - (select count(*) from cdc.difference where source = $1 and name = {name}))
             on conflict (source, name, key) do update
             set kind = excluded.kind, columns = excluded.columns, found_in = excluded.found_in, repaired = excluded.repaired",
            name = Literal(&self.layout.target),
            spelled = ident::columns("c", &self.identity),
            first = Ident(&self.identity[0]),
            differing = ident::join(", ", differing),
            change = self.change(),
            table = self.qualified(),
            same = ident::equal("t", "c", &self.identity),
        )
    }

    /// Fills `change` with a deletion for every row that the load has not met.
    pub(crate) fn find_unmet(&self) -> String {
        format!(
            "insert into {change} (present, {keys}) select false, {t_keys} from {table} t
             where not exists (select from {met} m where {same})",
            change = self.change(),
            keys = ident::names(&self.identity),
            t_keys = ident::columns("t", &self.identity),
            table = self.qualified(),
            met = self.met(),
            same = ident::equal("m", "t", &self.identity),
        )
    }
}

fn met_name(table: &str) -> String {
    format!("{table}__met")
}

pub(crate) fn postgres_type(column_type: ColumnType) -> Type {
    match column_type {
        ColumnType::Bool => Type::BOOL,
        ColumnType::Int2 => Type::INT2,
        ColumnType::Int4 => Type::INT4,
        ColumnType::Int8 => Type::INT8,
        ColumnType::Float4 => Type::FLOAT4,
        ColumnType::Float8 => Type::FLOAT8,
        ColumnType::Numeric { .. } => Type::NUMERIC,
        ColumnType::Text => Type::TEXT,
        ColumnType::Bytes => Type::BYTEA,
        ColumnType::Date => Type::DATE,
        ColumnType::Time => Type::TIME,
        ColumnType::Timestamp => Type::TIMESTAMP,
        ColumnType::TimestampTz => Type::TIMESTAMPTZ,
        ColumnType::Uuid => Type::UUID,
    }
}

//! Tests of the engine without any SQL.

mod isolation;
mod random;
mod serializable;
mod tracking;

use std::sync::Arc;

use std::time::Duration;

use super::layout::{column_value, row_of, values_of};
use super::*;
use crate::collation::Collation;
use crate::parser::ast::{IndexOptions, Isolation, LockEscalation, TrackingOptions};
use crate::types::{ColumnMeta, SqlType};

/// A database with Change Tracking and snapshots, and tables of integers whose first column is the key.
struct Fixture {
    engine: Engine,
    database: DatabaseId,
}

impl Fixture {
    fn new() -> Self {
        let engine = Engine::new(Options { clock: Clock::Fixed(DateTime::UNIX_EPOCH), ..Options::default() });
        let database = engine.create_database("wms", Collation::DEFAULT).expect("a free name");
        engine.enable_database_tracking(database, TrackingOptions::default()).expect("it was off");
        engine.allow_snapshot(database, true);
        Self { engine, database }
    }

    fn table(&self, name: &str, columns: &[&str]) -> Arc<TableDef> {
        let columns: Vec<Column> =
            (1..).zip(columns).map(|(column_id, name)| integer_column(column_id, name)).collect();
        let key = KeyDef {
            object_id: self.engine.new_object_id(self.database),
            name: format!("PK_{name}"),
            system_named: false,
            index_id: CLUSTERED_INDEX_ID,
            columns: vec![KeyColumn { column: 0, descending: false }],
            options: IndexOptions::default(),
        };
        let object_id = self.engine.new_object_id(self.database);
        let def = TableDef {
            known_as: None,
            database: self.database,
            object_id,
            schema_id: 1,
            schema: "dbo".into(),
            name: name.into(),
            layout: columns.iter().map(|column| column.meta.clone()).collect(),
            last_column_id: columns.last().map_or(0, |column| column.column_id),
            columns,
            lock_escalation: LockEscalation::default(),
            primary_key: Some(key),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            created: self.engine.now(),
            modified: self.engine.now(),
        };
        self.in_transaction(|transaction| {
            self.engine.create_table(transaction, def.clone()).expect("created");
        });
        self.engine.table_by_id(TransactionId(0), self.database, object_id).expect("committed")
    }

    fn tracked_table(&self, name: &str, columns: &[&str], columns_updated: bool) -> Arc<TableDef> {
        let table = self.table(name, columns);
        self.in_transaction(|t| self.engine.enable_tracking(t, &table, columns_updated).expect("tracked"));
        table
    }

    fn in_transaction<T>(&self, work: impl FnOnce(TransactionId) -> T) -> T {
        let transaction = self.engine.begin();
        let result = work(transaction);
        self.engine.commit(transaction);
        result
    }

    /// The table with an index on its second column.
    fn indexed(&self, table: &Arc<TableDef>) -> Arc<TableDef> {
        let mut new = (**table).clone();
        new.indexes.push(IndexDef {
            index_id: 2,
            name: "ix".into(),
            unique: false,
            constraint: None,
            system_named: false,
            columns: vec![KeyColumn { column: 1, descending: false }],
            included: Vec::new(),
            filter: None,
            options: IndexOptions::default(),
        });
        self.in_transaction(|transaction| {
            self.engine.alter_table(transaction, table, new, None).expect("indexed");
        });
        self.engine.table_by_id(TransactionId(0), self.database, table.object_id).expect("committed")
    }

    fn read(
        &self,
        transaction: TransactionId,
        isolation: Isolation,
        table: &Arc<TableDef>,
    ) -> Result<Vec<Row>, Interrupt> {
        self.read_by(transaction, isolation, table, IndexRef::Primary)
    }

    fn read_by(
        &self,
        transaction: TransactionId,
        isolation: Isolation,
        table: &Arc<TableDef>,
        index: IndexRef,
    ) -> Result<Vec<Row>, Interrupt> {
        let statement = self.engine.statement(transaction, isolation);
        let read = self.engine.open(&statement, table, ReadHint::default())?;
        let scan = Scan { index, range: KeyRange::all(), after: None, limit: usize::MAX, unique: false };
        Ok(self.engine.scan(&read, &scan)?.into_iter().map(|found| found.row).collect())
    }

    /// Values of the second column by key, as a statement sees them.
    fn seen(
        &self,
        transaction: TransactionId,
        isolation: Isolation,
        table: &Arc<TableDef>,
    ) -> Result<Vec<(i64, i64)>, Interrupt> {
        Ok(self.read(transaction, isolation, table)?.iter().map(|row| pair(table, row)).collect())
    }

    /// Inserts `(key, value)`, replaces the value of an existing key, or deletes it (None); false if it was not there.
    fn put(
        &self,
        transaction: TransactionId,
        isolation: Isolation,
        table: &Arc<TableDef>,
        key: i64,
        value: Option<i64>,
    ) -> Result<bool, Interrupt> {
        let rows = self.read(transaction, isolation, table)?;
        let before = rows.into_iter().find(|row| column_value(&table.layout, row, 0) == Value::Int(key));
        let after = value.map(|value| row_of(&table.layout, &[Value::Int(key), Value::Int(value)]));
        let write = match (before, after) {
            (None, Some(after)) => RowWrite::Insert(after),
            (Some(before), Some(after)) => {
                RowWrite::Update { key: key_of(table, &before), before, after, set_list: 0 }
            }
            (Some(before), None) => RowWrite::Delete { key: key_of(table, &before), before },
            (None, None) => return Ok(false),
        };
        let statement = self.engine.statement(transaction, isolation);
        let writes = TableWrites { table: Arc::clone(table), rows: vec![write], set_lists: vec![vec![2]] };
        self.engine.apply(&statement, &[writes], None).map(|()| true)
    }
}

/// The first two columns of a row.
fn pair(table: &TableDef, row: &Row) -> (i64, i64) {
    match values_of(&table.layout, row).as_slice() {
        [Value::Int(key), Value::Int(value), ..] => (*key, *value),
        other => panic!("no pair of integers: {other:?}"),
    }
}

fn key_of(table: &TableDef, row: &[u8]) -> Key {
    table.key_of(row).expect("a primary key")
}

fn integer_column(column_id: i32, name: &str) -> Column {
    let meta = ColumnMeta::new(name, SqlType::Int, column_id > 1);
    Column { column_id, name: name.into(), meta, alias: None, default: None, computed: None, identity: None }
}

fn error_number<T: std::fmt::Debug>(result: Result<T, Interrupt>) -> i32 {
    match result {
        Err(Interrupt::Error(error)) => error.number,
        other => panic!("an error was expected: {other:?}"),
    }
}

fn wait_of<T: std::fmt::Debug>(result: Result<T, Interrupt>) -> LockWait {
    match result {
        Err(Interrupt::Wait(wait)) => wait,
        other => panic!("a wait was expected: {other:?}"),
    }
}

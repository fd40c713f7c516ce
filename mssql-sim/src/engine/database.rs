//! One database: its schemas, tables, names, counters and settings.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::TransactionId;
use super::alias::AliasType;
use super::backup::History;
use super::database_settings::DatabaseSettings;
use super::definition::{DatabaseId, ObjectId, TableDef};
use super::permission::Security;
use super::principal::FIXED_ROLES;
use super::role::Role;
use super::rows::Rows;
use super::schema_object::{ExtendedProperty, PropertyOwner, Synonym, UserView};
use super::tracking::{CommitRecord, DatabaseTracking, TableTracking};
use crate::collation::{Collation, fold_name};

/// User databases are numbered from here; the ids of dropped ones are used again.
pub(super) const FIRST_USER_DATABASE: i32 = 5;
/// First object id given to a user's object.
const FIRST_OBJECT_ID: ObjectId = 901_578_250;
/// Distance between object ids, so that they do not look like row numbers.
const OBJECT_ID_STEP: ObjectId = 16_000_057;
/// Schemas of every database and their ids; each fixed role has one besides, with its own id and name.
const FIXED_SCHEMAS: [(i32, &str); 4] = [(1, "dbo"), (2, "guest"), (3, "INFORMATION_SCHEMA"), (4, "sys")];
const FIRST_USER_SCHEMA: i32 = 5;

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// `schema_id`
    pub id: i32,
    /// Name, as created.
    pub name: String,
}

/// A table with everything in it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) def: Arc<TableDef>,
    pub(super) rows: Rows,
    /// Last identity value given.
    pub(super) identity: Option<i64>,
    /// Last number given to a row of a table without a primary key.
    pub(super) row_number: u64,
    pub(super) tracking: Option<TableTracking>,
    /// Commit that last changed the definition or replaced the rows; older snapshots may not read the table.
    pub(super) definition_sequence: u64,
    /// Uncommitted creation: only its transaction sees it.
    pub(super) created_by: Option<TransactionId>,
    /// Uncommitted drop: only its transaction no longer sees it.
    pub(super) dropped_by: Option<TransactionId>,
}

impl Table {
    pub(super) fn new(def: Arc<TableDef>, created_by: TransactionId) -> Self {
        Self {
            rows: Rows::new(&def),
            def,
            identity: None,
            row_number: 0,
            tracking: None,
            definition_sequence: 0,
            created_by: Some(created_by),
            dropped_by: None,
        }
    }

    /// Whether a transaction sees that the table exists.
    pub(super) fn exists_for(&self, transaction: TransactionId) -> bool {
        self.created_by.is_none_or(|creator| creator == transaction) && self.dropped_by != Some(transaction)
    }
}

/// A database.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pub(super) id: DatabaseId,
    pub(super) name: String,
    pub(super) created: DateTime<Utc>,
    pub(super) collation: Collation,
    pub(super) history: History,
    pub(super) role: Role,
    pub(super) settings: DatabaseSettings,
    pub(super) schemas: Vec<Schema>,
    pub(super) tables: BTreeMap<ObjectId, Table>,
    pub(super) views: BTreeMap<ObjectId, Arc<UserView>>,
    pub(super) synonyms: BTreeMap<ObjectId, Arc<Synonym>>,
    /// By owner and folded name.
    pub(super) properties: BTreeMap<(PropertyOwner, String), ExtendedProperty>,
    /// Folded schema and table name to the ids that have it; two while a drop is not committed.
    names: HashMap<(i32, String), Vec<ObjectId>>,
    last_object_id: ObjectId,
    pub(super) allow_snapshot: bool,
    pub(super) read_committed_snapshot: bool,
    pub(super) tracking: Option<DatabaseTracking>,
    /// Last Change Tracking version; survives switching it off.
    pub(super) tracking_version: i64,
    pub(super) commits: BTreeMap<i64, CommitRecord>,
    /// When the background cleanup last ran.
    pub(super) cleaned: DateTime<Utc>,
    /// Last rowversion given.
    pub(super) rowversion: u64,
    pub(super) alias_types: Vec<AliasType>,
    /// How many alias types were ever created.
    pub(super) last_alias_id: i32,
    pub(super) security: Security,
}

/// rowversion values of a new database begin here.
const FIRST_ROWVERSION: u64 = 2000;

impl Database {
    pub(super) fn new(id: DatabaseId, name: &str, collation: Collation, now: DateTime<Utc>) -> Self {
        Self {
            id,
            name: name.to_owned(),
            created: now,
            collation,
            history: History::begin(),
            role: Role::Primary,
            settings: DatabaseSettings::new(id),
            schemas: FIXED_SCHEMAS
                .into_iter()
                .chain(FIXED_ROLES)
                .map(|(id, name)| Schema { id, name: name.to_owned() })
                .collect(),
            tables: BTreeMap::new(),
            views: BTreeMap::new(),
            synonyms: BTreeMap::new(),
            properties: BTreeMap::new(),
            names: HashMap::new(),
            last_object_id: FIRST_OBJECT_ID - OBJECT_ID_STEP,
            allow_snapshot: false,
            read_committed_snapshot: false,
            tracking: None,
            tracking_version: 0,
            commits: BTreeMap::new(),
            cleaned: now,
            rowversion: FIRST_ROWVERSION,
            alias_types: Vec::new(),
            last_alias_id: 0,
            security: Security::default(),
        }
    }

    /// Whether it is one of the server's own.
    pub(super) fn is_system(&self) -> bool {
        self.id.0 < FIRST_USER_DATABASE
    }

    /// A schema by name.
    pub(super) fn schema(&self, name: &str) -> Option<&Schema> {
        let folded = fold_name(name);
        self.schemas.iter().find(|schema| fold_name(&schema.name) == folded)
    }

    /// Adds a schema; its id.
    pub(super) fn add_schema(&mut self, name: &str) -> i32 {
        let taken = |id: &i32| self.schemas.iter().any(|schema| schema.id == *id);
        let id = (FIRST_USER_SCHEMA..).find(|id| !taken(id)).expect("fewer schemas than ids");
        self.schemas.push(Schema { id, name: name.to_owned() });
        id
    }

    /// An object id that was never given before.
    pub(super) fn new_object_id(&mut self) -> ObjectId {
        self.last_object_id = match self.last_object_id.checked_add(OBJECT_ID_STEP) {
            Some(id) => id,
            // Around once: the low range has not been used, and 16,000,057 has no common factor with it.
            None => self.last_object_id % OBJECT_ID_STEP + 1,
        };
        self.last_object_id
    }

    /// Tables that have a name, uncommitted ones and drops included.
    pub(super) fn named(&self, schema: i32, name: &str) -> impl Iterator<Item = &Table> {
        let ids = self.names.get(&(schema, fold_name(name))).map_or(&[][..], Vec::as_slice);
        ids.iter().map(|id| &self.tables[id])
    }

    /// Whether a table's constraint has a name; constraints share the names of their table's schema.
    pub(super) fn has_constraint(&self, transaction: TransactionId, schema: i32, name: &str) -> bool {
        let folded = fold_name(name);
        let mut tables =
            self.tables.values().filter(|t| t.def.schema_id == schema && t.exists_for(transaction));
        tables.any(|table| table.def.constraints().any(|(known, _)| fold_name(known) == folded))
    }

    pub(super) fn add_table(&mut self, table: Table) {
        let def = &table.def;
        self.names.entry((def.schema_id, fold_name(&def.name))).or_default().push(def.object_id);
        self.tables.insert(def.object_id, table);
    }

    /// Follows a table to another name or schema.
    pub(super) fn rename_table(&mut self, from: &TableDef, to: &TableDef) {
        if (from.schema_id, &from.name) == (to.schema_id, &to.name) {
            return;
        }
        self.forget_name(from);
        self.names.entry((to.schema_id, fold_name(&to.name))).or_default().push(to.object_id);
    }

    fn forget_name(&mut self, def: &TableDef) {
        let name = (def.schema_id, fold_name(&def.name));
        if let Some(ids) = self.names.get_mut(&name) {
            ids.retain(|id| *id != def.object_id);
            if ids.is_empty() {
                self.names.remove(&name);
            }
        }
    }

    pub(super) fn remove_table(&mut self, id: ObjectId) {
        if let Some(table) = self.tables.remove(&id) {
            self.forget_name(&table.def);
        }
    }
}

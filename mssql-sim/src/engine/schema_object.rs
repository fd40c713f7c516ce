//! What a database names beside its tables: views, synonyms, schemas and extended properties.
//!
//! All of it is undone with the transaction that changed it. Unlike tables, these objects are seen by everybody as soon
//! as they are defined: nobody waits for the definer's commit.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::database::{Database, Schema};
use super::definition::{Column, DatabaseId, ObjectId};
use super::state::State;
use super::transaction::Undo;
use super::{Engine, Interrupt, TransactionId};
use crate::collation::fold_name;
use crate::parser::ast::{ObjectName, Query};
use crate::types::{SqlError, SqlType, Value};

/// What every object of a schema has.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectHeader {
    /// Database that holds it.
    pub database: DatabaseId,
    /// Object id.
    pub object_id: ObjectId,
    /// Id of its schema.
    pub schema_id: i32,
    /// Name of its schema, as created.
    pub schema: String,
    /// Name, as created.
    pub name: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When its definition last changed.
    pub modified: DateTime<Utc>,
}

/// A view.
#[derive(Clone, Debug)]
pub struct UserView {
    /// Name and identity.
    pub header: ObjectHeader,
    /// Its columns as they were when it was defined.
    pub columns: Vec<Column>,
    /// Its query.
    pub query: Query,
    /// The batch that created it; an ALTER shows as a CREATE.
    pub text: String,
    /// `WITH SCHEMABINDING`
    pub schema_bound: bool,
    /// `WITH CHECK OPTION`
    pub check_option: bool,
}

/// Another name for an object; that one need not exist.
#[derive(Clone, Debug)]
pub struct Synonym {
    /// Name and identity.
    pub header: ObjectHeader,
    /// What it stands for.
    pub base: ObjectName,
}

/// What an extended property describes: `class`, `major_id` and `minor_id` of `sys.extended_properties`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PropertyOwner {
    /// 0 the database, 1 an object or column, 3 a schema, 7 an index.
    pub class: u8,
    /// Object or schema id.
    pub major: i32,
    /// Column or index id, or 0.
    pub minor: i32,
}

/// An extended property.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtendedProperty {
    /// What it describes.
    pub owner: PropertyOwner,
    /// Its name.
    pub name: String,
    /// Its value and that one's type, as in a `sql_variant`.
    pub value: (SqlType, Value),
}

impl Engine {
    /// Creates a view, or replaces the definition of the one with its id.
    ///
    /// # Errors
    /// 2714 if the name is taken.
    pub fn define_view(&self, transaction: TransactionId, view: UserView) -> Result<(), Interrupt> {
        let mut state = self.state();
        let (database, id) = (view.header.database, view.header.object_id);
        if !state.database(database).views.contains_key(&id) {
            state.require_free_name(transaction, &view.header)?;
        }
        let before = state.database_mut(database).views.insert(id, Arc::new(view));
        Ok(state.remember(transaction, Undo::View { database, id, before })?)
    }

    /// Drops a view.
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn drop_view(&self, transaction: TransactionId, view: &UserView) -> Result<(), SqlError> {
        let mut state = self.state();
        let (database, id) = (view.header.database, view.header.object_id);
        let before = state.database_mut(database).views.remove(&id);
        state.drop_properties(transaction, database, 1, id)?;
        state.remember(transaction, Undo::View { database, id, before })
    }

    /// The views of a database.
    pub fn views(&self, database: DatabaseId) -> Vec<Arc<UserView>> {
        self.state().database(database).views.values().cloned().collect()
    }

    /// Creates a synonym.
    ///
    /// # Errors
    /// 2714 if the name is taken.
    pub fn create_synonym(&self, transaction: TransactionId, synonym: Synonym) -> Result<(), Interrupt> {
        let mut state = self.state();
        state.require_free_name(transaction, &synonym.header)?;
        let (database, id) = (synonym.header.database, synonym.header.object_id);
        let before = state.database_mut(database).synonyms.insert(id, Arc::new(synonym));
        Ok(state.remember(transaction, Undo::Synonym { database, id, before })?)
    }

    /// Drops a synonym.
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn drop_synonym(&self, transaction: TransactionId, synonym: &Synonym) -> Result<(), SqlError> {
        let mut state = self.state();
        let (database, id) = (synonym.header.database, synonym.header.object_id);
        let before = state.database_mut(database).synonyms.remove(&id);
        state.drop_properties(transaction, database, 1, id)?;
        state.remember(transaction, Undo::Synonym { database, id, before })
    }

    /// The synonyms of a database.
    pub fn synonyms(&self, database: DatabaseId) -> Vec<Arc<Synonym>> {
        self.state().database(database).synonyms.values().cloned().collect()
    }

    /// Creates a schema.
    ///
    /// # Errors
    /// 2714 and 2759 if the name is taken.
    pub fn create_schema(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        name: &str,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        if state.database(database).schema(name).is_some() {
            let failed = SqlError {
                state: 0,
                ..SqlError::statement(2759, "CREATE SCHEMA failed due to previous errors.")
            };
            return Err(failed.caused_by(super::schema::name_taken(name)));
        }
        let schema = state.database_mut(database).add_schema(name);
        state.remember(transaction, Undo::SchemaCreated { database, schema })
    }

    /// Drops an empty schema.
    ///
    /// # Errors
    /// 3729 while it holds an object.
    pub fn drop_schema(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        schema: &Schema,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        if let Some(object) = state.database(database).first_in_schema(schema.id, transaction) {
            let message = format!(
                "Cannot drop schema '{}' because it is being referenced by object '{object}'.",
                schema.name
            );
            return Err(SqlError::statement(3729, message));
        }
        state.drop_properties(transaction, database, 3, schema.id)?;
        state.database_mut(database).schemas.retain(|known| known.id != schema.id);
        state.remember(transaction, Undo::SchemaDropped { database, schema: schema.clone() })
    }

    /// Sets (`Some`) or drops (`None`) an extended property; the value that it had.
    ///
    /// # Errors
    /// 3926 if the transaction has ended.
    pub fn set_property(
        &self,
        transaction: TransactionId,
        database: DatabaseId,
        (owner, name): (PropertyOwner, &str),
        value: Option<(SqlType, Value)>,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let key = (owner, fold_name(name));
        let properties = &mut state.database_mut(database).properties;
        let before = match value {
            Some(value) => {
                properties.insert(key.clone(), ExtendedProperty { owner, name: name.to_owned(), value })
            }
            None => properties.remove(&key),
        };
        state.remember(transaction, Undo::Property { database, key, before })
    }

    /// The extended properties of a database, by owner.
    pub fn properties(&self, database: DatabaseId) -> Vec<ExtendedProperty> {
        self.state().database(database).properties.values().cloned().collect()
    }
}

impl State {
    pub(super) fn remember(&mut self, transaction: TransactionId, step: Undo) -> Result<(), SqlError> {
        self.transaction_mut(transaction)?.undo.push(step);
        Ok(())
    }

    /// Drops the extended properties of an object or schema and of its columns and indexes.
    pub(super) fn drop_properties(
        &mut self,
        transaction: TransactionId,
        database: DatabaseId,
        class: u8,
        major: i32,
    ) -> Result<(), SqlError> {
        let concerned = |owner: &PropertyOwner| {
            owner.major == major && (owner.class == class || class == 1 && owner.class == 7)
        };
        let properties = &mut self.database_mut(database).properties;
        let keys: Vec<_> = properties.keys().filter(|(owner, _)| concerned(owner)).cloned().collect();
        for key in keys {
            let before = self.database_mut(database).properties.remove(&key);
            self.remember(transaction, Undo::Property { database, key, before })?;
        }
        Ok(())
    }
}

impl Database {
    /// Name of some object of a schema.
    fn first_in_schema(&self, schema: i32, transaction: TransactionId) -> Option<String> {
        let tables = self.tables.values().filter(|t| t.def.schema_id == schema && t.exists_for(transaction));
        let tables = tables.map(|table| table.def.name.clone());
        let views = self.views.values().filter(|view| view.header.schema_id == schema);
        let synonyms = self.synonyms.values().filter(|synonym| synonym.header.schema_id == schema);
        tables
            .chain(views.map(|view| view.header.name.clone()))
            .chain(synonyms.map(|synonym| synonym.header.name.clone()))
            .next()
    }

    /// A view by name.
    pub(super) fn view(&self, schema: i32, name: &str) -> Option<&Arc<UserView>> {
        let folded = fold_name(name);
        self.views.values().find(|v| v.header.schema_id == schema && fold_name(&v.header.name) == folded)
    }

    /// A synonym by name.
    pub(super) fn synonym(&self, schema: i32, name: &str) -> Option<&Arc<Synonym>> {
        let folded = fold_name(name);
        self.synonyms.values().find(|s| s.header.schema_id == schema && fold_name(&s.header.name) == folded)
    }
}

//! Alias types: names for system types, with a nullability of their own (`CREATE TYPE .. FROM`).

use super::Engine;
use super::definition::DatabaseId;
use crate::collation::Collation;
use crate::parser::ast::TypeName;
use crate::types::{Length, SqlError, SqlType};

/// `user_type_id` of `sysname`; those of a database's own aliases follow it.
const SYSNAME_ID: i32 = 256;

/// An alias type.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasType {
    /// `user_type_id`; never given twice.
    pub id: i32,
    /// Id of its schema.
    pub schema_id: i32,
    /// Name, as created.
    pub name: String,
    /// The system type.
    pub sql_type: SqlType,
    /// Whether a column of this type may be NULL where its definition does not say.
    pub nullable: bool,
}

/// What the name of a type means in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedType {
    /// The system type.
    pub sql_type: SqlType,
    /// Whether a column may be NULL where its definition does not say; None for a system type, which does not tell.
    pub nullable: Option<bool>,
    /// `user_type_id` of the alias, if it is one.
    pub alias: Option<i32>,
}

impl Engine {
    /// Creates an alias type.
    ///
    /// # Errors
    /// 219 if the name is taken, 2760 for an unknown schema.
    pub fn create_alias_type(
        &self,
        database: DatabaseId,
        (schema, name): (&str, &str),
        sql_type: SqlType,
        nullable: bool,
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let database = state.database_mut(database);
        let Some(schema_id) = database.schema(schema).map(|schema| schema.id) else {
            let message = format!(
                "The specified schema name \"{schema}\" either does not exist or you do not have permission to use it."
            );
            return Err(SqlError::statement(2760, message));
        };
        if find(&database.alias_types, schema_id, name).is_some() {
            let message = format!(
                "The type '{schema}.{name}' already exists, or you do not have permission to create it."
            );
            return Err(SqlError::statement(219, message));
        }
        database.last_alias_id += 1;
        let id = SYSNAME_ID + database.last_alias_id;
        database.alias_types.push(AliasType { id, schema_id, name: name.to_owned(), sql_type, nullable });
        Ok(())
    }

    /// Drops an alias type.
    ///
    /// # Errors
    /// 218 if there is none of this name, 3732 while a column is of this type.
    pub fn drop_alias_type(
        &self,
        database: DatabaseId,
        (schema, name): (&str, &str),
    ) -> Result<(), SqlError> {
        let mut state = self.state();
        let database = state.database_mut(database);
        let schema_id = database.schema(schema).map(|schema| schema.id);
        let Some(id) = schema_id.and_then(|id| find(&database.alias_types, id, name)).map(|alias| alias.id)
        else {
            let message =
                format!("Could not find the type '{schema}.{name}' in database '{}'.", database.name);
            return Err(SqlError::statement(218, message));
        };
        let mut tables = database.tables.values();
        if let Some(user) =
            tables.find(|table| table.def.columns.iter().any(|column| column.alias == Some(id)))
        {
            let message = format!(
                "Cannot drop type '{schema}.{name}' because it is being referenced by object '{}'. There may be other \
                 objects that reference this type.",
                user.def.name
            );
            return Err(SqlError::statement(3732, message));
        }
        database.alias_types.retain(|alias| alias.id != id);
        Ok(())
    }

    /// A database's alias types.
    pub fn alias_types(&self, database: DatabaseId) -> Vec<AliasType> {
        self.state().database(database).alias_types.clone()
    }

    /// What the name of a type means.
    ///
    /// # Errors
    /// 2715 if it means nothing.
    pub fn resolve_type(&self, database: DatabaseId, name: &TypeName) -> Result<ResolvedType, SqlError> {
        let (schema, name) = match name {
            TypeName::System(sql_type) => {
                return Ok(ResolvedType { sql_type: *sql_type, nullable: None, alias: None });
            }
            TypeName::Alias { schema, name } => (schema.as_deref(), name),
        };
        let equal = |a: &str, b: &str| Collation::DEFAULT.equal_str(a, b);
        if equal(name, "sysname") && schema.is_none_or(|schema| equal(schema, "sys")) {
            let sql_type = SqlType::NVarChar(Length::Limited(128));
            return Ok(ResolvedType { sql_type, nullable: Some(false), alias: Some(SYSNAME_ID) });
        }
        let state = self.state();
        let database = state.database(database);
        let schema_id = database.schema(schema.unwrap_or("dbo")).map(|schema| schema.id);
        match schema_id.and_then(|id| find(&database.alias_types, id, name)) {
            Some(AliasType { id, sql_type, nullable, .. }) => {
                Ok(ResolvedType { sql_type: *sql_type, nullable: Some(*nullable), alias: Some(*id) })
            }
            None => Err(unknown_type(schema, name)),
        }
    }
}

fn find<'a>(aliases: &'a [AliasType], schema_id: i32, name: &str) -> Option<&'a AliasType> {
    aliases
        .iter()
        .find(|alias| alias.schema_id == schema_id && Collation::DEFAULT.equal_str(&alias.name, name))
}

fn unknown_type(schema: Option<&str>, name: &str) -> SqlError {
    let prefix = schema.map(|schema| format!("{schema}.")).unwrap_or_default();
    SqlError { state: 6, ..SqlError::batch(2715, format!("Cannot find data type {prefix}{name}.")) }
}

//! CREATE TYPE .. FROM and DROP TYPE.

use crate::engine::Interrupt;
use crate::exec::context::ExecContext;
use crate::exec::conversion::type_name;
use crate::parser::ast::{ObjectName, TypeName};
use crate::types::{Reach, SqlError, SqlType};

pub(super) fn create(
    context: &ExecContext,
    name: &ObjectName,
    base: SqlType,
    nullable: bool,
) -> Result<(), Interrupt> {
    if matches!(base, SqlType::Clr(_) | SqlType::RowVersion | SqlType::Xml) {
        let kind = type_name(base);
        let (number, message) = if base == SqlType::Xml {
            (15226, "Cannot create alias types from the XML datatype.".to_owned())
        } else {
            (222, format!("The base type \"{kind}\" is not a valid base type for the alias data type."))
        };
        return Err(SqlError { reach: Reach::Transaction, ..SqlError::statement(number, message) }.into());
    }
    let schema = schema_of(name)?;
    context.engine.create_alias_type(context.names.database, (schema, &name.name), base, nullable)?;
    Ok(())
}

pub(super) fn drop(context: &ExecContext, name: &ObjectName, if_exists: bool) -> Result<(), Interrupt> {
    let schema = schema_of(name)?;
    let written = TypeName::Alias { schema: Some(schema.to_owned()), name: name.name.clone() };
    if if_exists && context.engine.resolve_type(context.names.database, &written).is_err() {
        return Ok(());
    }
    context.engine.drop_alias_type(context.names.database, (schema, &name.name))?;
    Ok(())
}

fn schema_of(name: &ObjectName) -> Result<&str, SqlError> {
    if name.database.is_some() {
        return Err(SqlError::unsupported("a type of another database"));
    }
    Ok(name.schema.as_deref().unwrap_or("dbo"))
}

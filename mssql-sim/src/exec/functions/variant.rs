//! `SQL_VARIANT_PROPERTY` and `COLLATIONPROPERTY`, which answer in variants themselves.

use super::arguments::{Arguments, string};
use super::{Definition, Returns, Site};
use crate::catalog::type_facts::facts;
use crate::collation::Collation;
use crate::engine::Interrupt;
use crate::exec::messages::invalid_argument;
use crate::types::{Length, SqlError, SqlType, Value, Variant};

const SYSNAME: SqlType = SqlType::NVarChar(Length::Limited(128));

pub(super) fn definition(name: &str) -> Option<Definition> {
    match name {
        "SQL_VARIANT_PROPERTY" => {
            Some(Definition { count: 2..=2, rule: variant_rule, body: variant_property })
        }
        "COLLATIONPROPERTY" => {
            Some(Definition { count: 2..=2, rule: collation_rule, body: collation_property })
        }
        _ => None,
    }
}

fn variant_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.convert(0, SqlType::SqlVariant)?;
    arguments.text(1)?;
    Ok(Returns::nullable(SqlType::SqlVariant))
}

fn variant_property(site: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Value::Variant(variant) = &values[0] else { return Ok(Value::Null) };
    let facts = facts(variant.sql_type);
    Ok(match string(&values[1]).to_uppercase().as_str() {
        "BASETYPE" => name(facts.name),
        "PRECISION" => number(facts.precision.into()),
        "SCALE" => number(facts.scale.into()),
        "MAXLENGTH" => number(facts.max_length.into()),
        "COLLATION" if variant.sql_type.has_collation() => name(&variant.collation.name()),
        "TOTALBYTES" => return Err(invalid_argument(SqlType::SqlVariant, 2, &site.call.name).into()),
        _ => Value::Null,
    })
}

fn collation_rule(arguments: &mut Arguments<'_>) -> Result<Returns, SqlError> {
    arguments.text(0)?;
    arguments.text(1)?;
    Ok(Returns::nullable(SqlType::SqlVariant))
}

fn collation_property(_: &Site<'_>, values: Vec<Value>) -> Result<Value, Interrupt> {
    let Ok(collation) = Collation::named(&string(&values[0]), Collation::DEFAULT) else {
        return Ok(Value::Null);
    };
    Ok(match string(&values[1]).to_uppercase().as_str() {
        "CODEPAGE" => number(i64::from(collation.code_page().number())),
        "LCID" => number(i64::from(collation.lcid())),
        "COMPARISONSTYLE" => number(i64::from(collation.comparison_style())),
        "VERSION" => number(i64::from(collation.version())),
        _ => Value::Null,
    })
}

fn name(text: &str) -> Value {
    variant(SYSNAME, Value::text(text))
}

fn number(n: i64) -> Value {
    variant(SqlType::Int, Value::Int(n))
}

fn variant(sql_type: SqlType, value: Value) -> Value {
    Value::Variant(Box::new(Variant { sql_type, collation: Collation::DEFAULT, value }))
}

//! From a table's description to the columns that are carried, or to what stands against it.

use super::catalog::{Description, SourceColumn};
use super::error::suggestion;
use super::key::KeyColumn;
use super::sql_type::SqlType;
use crate::config::{self, identifier, nearest};
use proto::{Column, Fold, Layout, SourceTable};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Longest name of a column in the target: a suffix such as `__key` must still fit PostgreSQL's 63 bytes.
const MAX_COLUMN_BYTES: usize = 58;

/// Names that PostgreSQL keeps for itself in every table, and the row stamps.
const TAKEN: [&str; 8] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "cdc_as_of", "cdc_applied_at"];

/// Why a table cannot be carried as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// Change Tracking and the target both need a primary key.
    #[error(
        "{table} has no primary key: Change Tracking cannot follow it; take it out of the configuration or give it a key"
    )]
    NoKey {
        /// The table.
        table: SourceTable,
    },
    /// A key column whose values would not survive the way to the target and back.
    #[error(
        "{table}: the key column {column} has the type {sql_type}, whose values the target cannot hold exactly"
    )]
    KeyType {
        /// The table.
        table: SourceTable,
        /// The column.
        column: String,
        /// Its type.
        sql_type: String,
    },
    /// A key column in `columns_excluded`.
    #[error("{table}: {column} is part of the primary key and cannot be excluded")]
    KeyExcluded {
        /// The table.
        table: SourceTable,
        /// The column.
        column: String,
    },
    /// A column in `columns_excluded` that the table does not have.
    #[error("{table} has no column {column}, named in columns_excluded{}", suggestion(nearest.as_deref()))]
    UnknownColumn {
        /// The table.
        table: SourceTable,
        /// As configured.
        column: String,
        /// A column with a similar name.
        nearest: Option<String>,
    },
    /// A type that is not carried.
    #[error(
        "{table}: the column {column} has the type {sql_type}, which is not carried; add it to columns_excluded"
    )]
    Unsupported {
        /// The table.
        table: SourceTable,
        /// The column.
        column: String,
        /// Its type.
        sql_type: String,
    },
    /// A name that does not make an identifier, or one that is taken.
    #[error(
        "{table}: the column {column} has no usable name in the target; add it to columns_excluded or rename it"
    )]
    Unnameable {
        /// The table.
        table: SourceTable,
        /// The column.
        column: String,
    },
    /// Two columns with one name.
    #[error(
        "{table}: the columns {first} and {second} would both be {name} in the target; exclude or rename one"
    )]
    Collision {
        /// The table.
        table: SourceTable,
        /// The column that comes first.
        first: String,
        /// The other.
        second: String,
        /// Their name in the target.
        name: String,
    },
}

/// A table that is captured: its layout, and what its statements need.
#[derive(Clone, Debug)]
pub struct CapturedTable {
    /// The columns that are carried.
    pub layout: Layout,
    /// `object_id` when it was described.
    pub object_id: i32,
    /// Types at the source, in the layout's order.
    pub(super) types: Vec<SqlType>,
    /// Key columns in key order.
    pub(super) key: Vec<KeyColumn>,
}

impl CapturedTable {
    /// Lays a table out. `twins` names the columns, as `(table, column)` of the target, that take part in a join or a figure; text
    /// among them and in the key gets a twin.
    ///
    /// # Errors
    /// The most important of the things that stand against it.
    pub fn new(
        description: &Description,
        table: &config::Table,
        twins: &BTreeSet<(String, String)>,
    ) -> Result<Self, LayoutError> {
        if let Some(problem) = problems(description, table).into_iter().next() {
            return Err(problem);
        }
        let carried = carried(description, table);
        let columns = carried.iter().map(|&position| {
            let column = &description.columns[position];
            let in_key = description.key.iter().any(|part| part.column == position);
            column_of(description, column, |name| {
                in_key || twins.contains(&(table.target.clone(), name.to_owned()))
            })
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let key = key_of(description, &carried)?;
        Ok(Self {
            layout: Layout {
                source: description.source.clone(),
                target: table.target.clone(),
                columns,
                key: key.iter().map(|column| column.position).collect(),
            },
            object_id: description.object_id,
            types: carried.iter().map(|&position| description.columns[position].sql_type.clone()).collect(),
            key,
        })
    }
}

/// Everything that stands against carrying a table, most important first.
pub(super) fn problems(description: &Description, table: &config::Table) -> Vec<LayoutError> {
    let source = || description.source.clone();
    let mut problems = Vec::new();
    if description.key.is_empty() {
        problems.push(LayoutError::NoKey { table: source() });
    }
    for excluded in &table.columns_excluded {
        if !description.columns.iter().any(|column| column.name == *excluded) {
            let names = description.columns.iter().map(|column| &column.name);
            let nearest = nearest(excluded, names);
            problems.push(LayoutError::UnknownColumn { table: source(), column: excluded.clone(), nearest });
        }
    }
    for part in &description.key {
        let SourceColumn { name, sql_type, .. } = &description.columns[part.column];
        if table.columns_excluded.contains(name) {
            problems.push(LayoutError::KeyExcluded { table: source(), column: name.clone() });
        }
        if sql_type.key_declaration().is_none() {
            let sql_type = sql_type.display_name();
            problems.push(LayoutError::KeyType { table: source(), column: name.clone(), sql_type });
        }
    }
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for position in carried(description, table) {
        let column = &description.columns[position];
        if column.sql_type.column_type().is_none() {
            let sql_type = column.sql_type.display_name();
            problems.push(LayoutError::Unsupported {
                table: source(),
                column: column.name.clone(),
                sql_type,
            });
        }
        let Some(name) = column_name(&column.name) else {
            problems.push(LayoutError::Unnameable { table: source(), column: column.name.clone() });
            continue;
        };
        if let Some(first) = names.insert(name.clone(), &column.name) {
            let (first, second) = (first.to_owned(), column.name.clone());
            problems.push(LayoutError::Collision { table: source(), first, second, name });
        }
    }
    problems
}

/// Positions in the description of the columns that are not excluded.
fn carried(description: &Description, table: &config::Table) -> Vec<usize> {
    let columns = description.columns.iter().enumerate();
    let kept = columns.filter(|(_, column)| !table.columns_excluded.contains(&column.name));
    kept.map(|(position, _)| position).collect()
}

fn column_name(source: &str) -> Option<String> {
    identifier(source).filter(|name| name.len() <= MAX_COLUMN_BYTES && !TAKEN.contains(&name.as_str()))
}

fn column_of(
    description: &Description,
    column: &SourceColumn,
    wants_twin: impl Fn(&str) -> bool,
) -> Result<Column, LayoutError> {
    let (table, name) = (description.source.clone(), column.name.clone());
    let column_type = column.sql_type.column_type().ok_or_else(|| LayoutError::Unsupported {
        table: table.clone(),
        column: name.clone(),
        sql_type: column.sql_type.display_name(),
    })?;
    let target = column_name(&name).ok_or(LayoutError::Unnameable { table, column: name.clone() })?;
    let fold = column.collation.as_deref().map(Fold::of_collation);
    let twin = fold.filter(|_| wants_twin(&target));
    Ok(Column { source: name, target, column_type, nullable: column.nullable, twin })
}

fn key_of(description: &Description, carried: &[usize]) -> Result<Vec<KeyColumn>, LayoutError> {
    let parts = description.key.iter().map(|part| {
        let column = &description.columns[part.column];
        let table = || description.source.clone();
        let position = carried
            .iter()
            .position(|&position| position == part.column)
            .ok_or_else(|| LayoutError::KeyExcluded { table: table(), column: column.name.clone() })?;
        let declaration = column.sql_type.key_declaration().ok_or_else(|| LayoutError::KeyType {
            table: table(),
            column: column.name.clone(),
            sql_type: column.sql_type.display_name(),
        })?;
        let collation = column.collation.clone().filter(|name| *name != description.database_collation);
        Ok(KeyColumn {
            position,
            sql_type: column.sql_type.clone(),
            declaration,
            collation,
            descending: part.descending,
        })
    });
    parts.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::catalog::KeyPart;
    use super::super::sql_type::Length;
    use super::*;
    use crate::config::Scope;
    use proto::ColumnType;

    const DEFAULT: &str = "SQL_Latin1_General_CP1_CI_AS";

    pub(in super::super) fn column(name: &str, sql_type: SqlType) -> SourceColumn {
        let text = sql_type.column_type() == Some(ColumnType::Text);
        SourceColumn {
            name: name.into(),
            sql_type,
            nullable: false,
            collation: text.then(|| DEFAULT.to_owned()),
            recomputed: false,
        }
    }

    pub(in super::super) fn description(columns: Vec<SourceColumn>, key: &[usize]) -> Description {
        Description {
            source: SourceTable { schema: "dbo".into(), table: "Order Lines".into() },
            object_id: 7,
            database_collation: DEFAULT.into(),
            columns,
            key: key.iter().map(|&column| KeyPart { column, descending: false }).collect(),
            tracked: true,
            may_select: true,
            may_view_tracking: true,
        }
    }

    pub(in super::super) fn table(excluded: &[&str]) -> config::Table {
        config::Table {
            source: SourceTable { schema: "dbo".into(), table: "Order Lines".into() },
            target: "order_lines".into(),
            scope: Scope::Public,
            columns_excluded: excluded.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn text_in_keys_and_figures_gets_a_twin_and_other_text_none() {
        let text = || SqlType::NVarChar(Length::Of(20));
        let described = description(
            vec![column("Order ID", text()), column("Note", text()), column("Status", text())],
            &[0],
        );
        let twins = BTreeSet::from([("order_lines".to_owned(), "status".to_owned())]);
        let captured = CapturedTable::new(&described, &table(&[]), &twins).unwrap();
        let columns = captured.layout.columns.iter();
        let twins: Vec<_> = columns.map(|column| (column.target.as_str(), column.twin.is_some())).collect();
        assert_eq!(twins, [("order_id", true), ("note", false), ("status", true)]);
    }

    #[test]
    fn the_key_keeps_its_own_order_when_columns_are_excluded() {
        let columns = vec![
            column("a", SqlType::Int),
            column("shape", SqlType::Unsupported("geography".into())),
            column("b", SqlType::Int),
        ];
        let described = description(columns, &[2, 0]);
        let refused = CapturedTable::new(&described, &table(&[]), &BTreeSet::new()).unwrap_err();
        assert!(refused.to_string().contains("add it to columns_excluded"), "{refused}");
        let captured = CapturedTable::new(&described, &table(&["shape"]), &BTreeSet::new()).unwrap();
        assert_eq!(captured.layout.key, [1, 0]);
    }

    #[test]
    fn whatever_stands_against_a_table_is_named_at_once() {
        let columns = vec![
            column("at", SqlType::DateTime2 { scale: 7 }),
            column("Order ID", SqlType::Int),
            column("order_id", SqlType::Int),
            column("xmin", SqlType::Int),
        ];
        let found = problems(&description(columns.clone(), &[0]), &table(&["Order Id", "at"]));
        let kinds = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for expected in
            ["did you mean Order ID?", "cannot be excluded", "datetime2(7)", "both be order_id", "xmin"]
        {
            assert!(kinds.contains(expected), "{expected} is missing in\n{kinds}");
        }
        let keyless = problems(&description(columns, &[]), &table(&[]));
        assert!(matches!(keyless[0], LayoutError::NoKey { .. }));
    }

    #[test]
    fn a_collation_other_than_the_database_s_is_bound_with_its_key() {
        let mut code = column("code", SqlType::VarChar(Length::Of(8)));
        code.collation = Some("Modern_Spanish_CI_AI".into());
        let captured =
            CapturedTable::new(&description(vec![code], &[0]), &table(&[]), &BTreeSet::new()).unwrap();
        assert_eq!(captured.key[0].collation.as_deref(), Some("Modern_Spanish_CI_AI"));
        assert!(captured.layout.columns[0].twin.unwrap().accents);
    }
}

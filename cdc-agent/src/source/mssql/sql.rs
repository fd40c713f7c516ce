//! Every statement that the agent sends to SQL Server. Names go in through [`Ident`], values as parameters.

use super::ident::{Ident, TableIdent};
use super::layout::CapturedTable;

/// Once per connection. Snapshots are short and lose deadlocks; a lock that is held longer than 5 s is somebody else's turn.
pub(super) const SESSION: &str = "SET NOCOUNT ON; SET XACT_ABORT ON; SET LOCK_TIMEOUT 5000; \
    SET DEADLOCK_PRIORITY LOW; SET TEXTSIZE 2147483647; SET TRANSACTION ISOLATION LEVEL READ COMMITTED;";

/// The snapshot itself is fixed by the first table that is read in it.
pub(super) const BEGIN_SNAPSHOT: &str = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION;";

/// Leaves the session as [`SESSION`] made it.
pub(super) const END_SNAPSHOT: &str = "COMMIT TRANSACTION; SET TRANSACTION ISOLATION LEVEL READ COMMITTED;";

/// Whether the login may read the commit table: an error if not.
pub(super) const PROBE_COMMITS: &str = "SELECT TOP (1) commit_ts FROM sys.dm_tran_commit_table";

/// The current version alone.
pub(super) const VERSION: &str = "SELECT CHANGE_TRACKING_CURRENT_VERSION() AS version, NULL AS xdes_id, \
    NULL AS commit_lbn, NULL AS commit_csn, NULL AS commit_ts";

/// The current version with the identity of its commit.
pub(super) const VERSION_AND_COMMIT: &str = "SELECT V.version, C.xdes_id, C.commit_lbn, C.commit_csn, C.commit_ts \
    FROM (SELECT CHANGE_TRACKING_CURRENT_VERSION() AS version) AS V \
    LEFT JOIN sys.dm_tran_commit_table AS C ON C.commit_ts = V.version";

/// The identity of one commit.
pub(super) const COMMIT: &str = "SELECT C.commit_ts, C.xdes_id, C.commit_lbn, C.commit_csn, C.commit_ts \
    FROM sys.dm_tran_commit_table AS C WHERE C.commit_ts = @P1";

/// What the database says about itself.
pub(super) const DATABASE: &str = "SELECT D.name, \
    CAST(DATABASEPROPERTYEX(D.name, 'Collation') AS nvarchar(128)) AS collation_name, \
    CAST(DATABASEPROPERTYEX(D.name, 'Updateability') AS nvarchar(60)) AS updateability, \
    D.snapshot_isolation_state, CHANGE_TRACKING_CURRENT_VERSION() AS version, \
    R.retention_period, R.retention_period_units, R.is_auto_cleanup_on \
    FROM sys.databases AS D \
    LEFT JOIN sys.change_tracking_databases AS R ON R.database_id = D.database_id \
    WHERE D.database_id = DB_ID()";

/// Every table that the login sees, for suggestions.
pub(super) const TABLE_NAMES: &str = "SELECT S.name AS schema_name, T.name FROM sys.tables AS T \
    JOIN sys.schemas AS S ON S.schema_id = T.schema_id";

/// `@P1, @P2, …`
fn parameters(count: usize) -> String {
    (1..=count).map(|number| format!("@P{number}")).collect::<Vec<_>>().join(", ")
}

/// `(0, OBJECT_ID(@P1)), (1, OBJECT_ID(@P2)), …`
fn object_ids(count: usize) -> String {
    let rows = (0..count).map(|ordinal| format!("({ordinal}, OBJECT_ID(@P{}))", ordinal + 1));
    rows.collect::<Vec<_>>().join(", ")
}

/// The tables among `count` bracketed names, given as parameters, with the login's rights and whether they are tracked.
pub(super) fn tables(count: usize) -> String {
    let names = (0..count).map(|ordinal| format!("({ordinal}, CAST(@P{} AS nvarchar(520)))", ordinal + 1));
    format!(
        "SELECT N.ordinal, T.object_id, S.name AS schema_name, T.name, \
         HAS_PERMS_BY_NAME(N.name, 'OBJECT', 'SELECT') AS may_select, \
         HAS_PERMS_BY_NAME(N.name, 'OBJECT', 'VIEW CHANGE TRACKING') AS may_view_tracking, \
         C.object_id AS tracked \
         FROM (VALUES {}) AS N(ordinal, name) \
         JOIN sys.tables AS T ON T.object_id = OBJECT_ID(N.name) \
         JOIN sys.schemas AS S ON S.schema_id = T.schema_id \
         LEFT JOIN sys.change_tracking_tables AS C ON C.object_id = T.object_id",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// The columns of `count` tables, given by their object ids, with their place in the primary key.
pub(super) fn columns(count: usize) -> String {
    format!(
        "SELECT C.object_id, C.name, C.system_type_id, Y.name AS type_name, C.max_length, C.precision, C.scale, \
         C.collation_name, C.is_nullable, K.key_ordinal, K.is_descending_key, P.is_persisted \
         FROM sys.columns AS C \
         JOIN sys.types AS Y ON Y.user_type_id = C.user_type_id \
         LEFT JOIN (SELECT J.object_id, J.column_id, J.key_ordinal, J.is_descending_key \
         FROM sys.indexes AS I \
         JOIN sys.index_columns AS J ON J.object_id = I.object_id AND J.index_id = I.index_id \
         WHERE I.is_primary_key = 1 AND J.key_ordinal > 0) AS K \
         ON K.object_id = C.object_id AND K.column_id = C.column_id \
         LEFT JOIN sys.computed_columns AS P ON P.object_id = C.object_id AND P.column_id = C.column_id \
         WHERE C.object_id IN ({}) ORDER BY C.object_id, C.column_id",
        parameters(count)
    )
}

/// Version and clock, and of `count` tables, given by their bracketed names, the incarnation and the oldest valid version. The row
/// with ordinal -1 is there even without tables.
pub(super) fn overview(count: usize) -> String {
    let separator = if count == 0 { "" } else { ", " };
    format!(
        "SELECT N.ordinal, CHANGE_TRACKING_CURRENT_VERSION() AS version, SYSUTCDATETIME() AS clock, N.object_id, \
         C.begin_version, CHANGE_TRACKING_MIN_VALID_VERSION(N.object_id) AS min_valid_version, \
         I.object_id AS side_table, CAST(I.create_date AS datetime2(3)) AS side_table_created \
         FROM (VALUES (-1, CAST(NULL AS int)){separator}{}) AS N(ordinal, object_id) \
         LEFT JOIN sys.change_tracking_tables AS C ON C.object_id = N.object_id \
         LEFT JOIN sys.internal_tables AS I ON I.parent_object_id = N.object_id AND I.internal_type = 209",
        object_ids(count)
    )
}

/// Ordinals of the tables that have changes after their parameter.
pub(super) fn moved<'a>(tables: impl Iterator<Item = &'a CapturedTable>) -> String {
    let selects = tables.enumerate().map(|(ordinal, table)| {
        format!(
            "SELECT {ordinal} AS ordinal WHERE EXISTS (SELECT 1 AS one FROM {} AS CT)",
            changes(table, ordinal + 1)
        )
    });
    selects.collect::<Vec<_>>().join(" UNION ALL ")
}

/// How many keys changed after `@P1`.
pub(super) fn count_changes(table: &CapturedTable) -> String {
    format!("SELECT COUNT_BIG(*) AS change_count FROM {} AS CT", changes(table, 1))
}

/// The images of all keys that changed after `@P1`: presence, the changed key, the row.
pub(super) fn window(table: &CapturedTable) -> String {
    format!("SELECT {} FROM {}", changed_images(table), changed_rows(table))
}

/// What a window must not have: see [`Connector::filter_windows`](super::Connector::filter_windows).
#[cfg(feature = "test-switches")]
pub(super) fn upper_filter(upper: proto::Version) -> String {
    format!(" WHERE CT.SYS_CHANGE_VERSION <= {upper}")
}

/// The first `rows` images of [`window`] in key order, after the key in the parameters from `@P2` on if `resumed`.
pub(super) fn changed_chunk(table: &CapturedTable, resumed: bool, rows: u64) -> String {
    let after = if resumed { beyond(table, "CT", 2) } else { String::new() };
    format!(
        "SELECT TOP ({rows}) {} FROM {}{after} ORDER BY {}",
        changed_images(table),
        changed_rows(table),
        key_order(table, "CT")
    )
}

/// The first `rows` rows in key order, after the key in the parameters from `@P1` on if `resumed`.
pub(super) fn chunk(table: &CapturedTable, resumed: bool, rows: u64) -> String {
    let after = if resumed { beyond(table, "T", 1) } else { String::new() };
    format!(
        "SELECT TOP ({rows}) {} FROM {} AS T{after} ORDER BY {}",
        row(table),
        TableIdent(&table.layout.source),
        key_order(table, "T")
    )
}

/// The rows of `count` keys, given one after the other in the parameters: ordinal of the key, presence, the row.
pub(super) fn by_keys(table: &CapturedTable, count: usize) -> String {
    let width = table.key.len();
    let keys = (0..count).map(|ordinal| {
        let parts = table.key.iter().enumerate();
        let parts = parts.map(|(part, column)| column.parameter(ordinal * width + part + 1));
        format!("({ordinal}, {})", parts.collect::<Vec<_>>().join(", "))
    });
    let names = (0..width).map(|part| format!("k{part}")).collect::<Vec<_>>();
    let joined = key_names(table).zip(&names).map(|(column, name)| format!("T.{column} = K.{name}"));
    format!(
        "SELECT K.ordinal, {}, {} FROM (VALUES {}) AS K(ordinal, {}) LEFT JOIN {} AS T ON {}",
        presence(table),
        row(table),
        keys.collect::<Vec<_>>().join(", "),
        names.join(", "),
        TableIdent(&table.layout.source),
        joined.collect::<Vec<_>>().join(" AND ")
    )
}

fn changes(table: &CapturedTable, parameter: usize) -> String {
    format!("CHANGETABLE(CHANGES {}, @P{parameter})", TableIdent(&table.layout.source))
}

/// Presence, the key as the tracking has it, the row.
fn changed_images(table: &CapturedTable) -> String {
    let keys = table.key.iter().zip(key_names(table));
    let keys = keys.map(|(column, name)| column.sql_type.projection(&format!("CT.{name}")));
    format!("{}, {}, {}", presence(table), keys.collect::<Vec<_>>().join(", "), row(table))
}

fn changed_rows(table: &CapturedTable) -> String {
    let joined = key_names(table).map(|name| format!("T.{name} = CT.{name}"));
    format!(
        "{} AS CT LEFT JOIN {} AS T ON {}",
        changes(table, 1),
        TableIdent(&table.layout.source),
        joined.collect::<Vec<_>>().join(" AND ")
    )
}

/// A key column is never NULL, so NULL says that the join found no row.
fn presence(table: &CapturedTable) -> String {
    let first = key_names(table).next().map(|name| name.to_string()).unwrap_or_default();
    format!("CASE WHEN T.{first} IS NULL THEN 0 ELSE 1 END AS present")
}

/// The columns that are carried, in the layout's order.
fn row(table: &CapturedTable) -> String {
    let columns = table.layout.columns.iter().zip(&table.types);
    let columns =
        columns.map(|(column, sql_type)| sql_type.projection(&format!("T.{}", Ident(&column.source))));
    columns.collect::<Vec<_>>().join(", ")
}

fn key_names(table: &CapturedTable) -> impl Iterator<Item = Ident<'_>> {
    table.layout.key_columns().map(|column| Ident(&column.source))
}

fn key_order(table: &CapturedTable, alias: &str) -> String {
    let columns = table.key.iter().zip(key_names(table));
    let columns = columns
        .map(|(column, name)| format!("{alias}.{name}{}", if column.descending { " DESC" } else { "" }));
    columns.collect::<Vec<_>>().join(", ")
}

/// The condition for what comes after a key in the index's order. The bound of the first column stands alone in front, so that the server seeks:
/// `a >= @P1 AND (a > @P1 OR (a = @P1 AND b > @P2))`.
fn beyond(table: &CapturedTable, alias: &str, first_parameter: usize) -> String {
    let columns: Vec<_> = table.key.iter().zip(key_names(table)).enumerate().collect();
    let mut predicate = String::new();
    for (part, (column, name)) in columns.into_iter().rev() {
        let after = if column.descending { "<" } else { ">" };
        let parameter = column.parameter(first_parameter + part);
        let name = format!("{alias}.{name}");
        predicate = if predicate.is_empty() {
            format!("{name} {after} {parameter}")
        } else {
            let either = format!("({name} {after} {parameter} OR ({name} = {parameter} AND {predicate}))");
            if part == 0 { format!("{name} {after}= {parameter} AND {either}") } else { either }
        };
    }
    format!(" WHERE {predicate}")
}

#[cfg(test)]
mod tests {
    use super::super::catalog::SourceColumn;
    use super::super::layout::CapturedTable;
    use super::super::layout::tests::{column, description, table};
    use super::super::sql_type::{Length, SqlType};
    use super::*;
    use std::collections::BTreeSet;

    fn captured(columns: Vec<SourceColumn>, key: &[usize]) -> CapturedTable {
        CapturedTable::new(&description(columns, key), &table(&[]), &BTreeSet::new()).unwrap()
    }

    fn order_lines() -> CapturedTable {
        let columns = vec![
            column("Order ID", SqlType::VarChar(Length::Of(8))),
            column("line", SqlType::SmallInt),
            column("price", SqlType::Money),
        ];
        captured(columns, &[0, 1])
    }

    #[test]
    fn a_window_reads_presence_the_tracked_key_and_the_row() {
        assert_eq!(
            window(&order_lines()),
            "SELECT CASE WHEN T.[Order ID] IS NULL THEN 0 ELSE 1 END AS present, \
             CAST(CT.[Order ID] AS nvarchar(8)), CT.[line], \
             CAST(T.[Order ID] AS nvarchar(8)), T.[line], CAST(T.[price] AS decimal(19,4)) \
             FROM CHANGETABLE(CHANGES [dbo].[Order Lines], @P1) AS CT \
             LEFT JOIN [dbo].[Order Lines] AS T ON T.[Order ID] = CT.[Order ID] AND T.[line] = CT.[line]"
        );
    }

    #[test]
    fn a_chunk_goes_on_after_a_composite_key() {
        assert_eq!(
            chunk(&order_lines(), true, 500),
            "SELECT TOP (500) CAST(T.[Order ID] AS nvarchar(8)), T.[line], CAST(T.[price] AS decimal(19,4)) \
             FROM [dbo].[Order Lines] AS T \
             WHERE T.[Order ID] >= CAST(@P1 AS varchar(8)) AND (T.[Order ID] > CAST(@P1 AS varchar(8)) \
             OR (T.[Order ID] = CAST(@P1 AS varchar(8)) AND T.[line] > CAST(@P2 AS smallint))) \
             ORDER BY T.[Order ID], T.[line]"
        );
    }

    #[test]
    fn three_columns_and_a_descending_one_nest() {
        let columns = vec![column("a", SqlType::Int), column("b", SqlType::Int), column("c", SqlType::Int)];
        let mut table = captured(columns, &[0, 1, 2]);
        table.key[1].descending = true;
        assert_eq!(
            beyond(&table, "T", 1).replace("CAST(", "").replace(" AS int)", ""),
            " WHERE T.[a] >= @P1 AND (T.[a] > @P1 OR (T.[a] = @P1 AND \
             (T.[b] < @P2 OR (T.[b] = @P2 AND T.[c] > @P3))))"
        );
        assert_eq!(key_order(&table, "T"), "T.[a], T.[b] DESC, T.[c]");
    }

    #[test]
    fn keys_are_looked_up_as_a_table_of_values() {
        let sql = by_keys(&order_lines(), 2);
        assert!(sql.contains(
            "FROM (VALUES (0, CAST(@P1 AS varchar(8)), CAST(@P2 AS smallint)), \
             (1, CAST(@P3 AS varchar(8)), CAST(@P4 AS smallint))) AS K(ordinal, k0, k1) \
             LEFT JOIN [dbo].[Order Lines] AS T ON T.[Order ID] = K.k0 AND T.[line] = K.k1"
        ));
    }
}

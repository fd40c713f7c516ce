//! Scripts as SQL Server Management Studio writes them, run whole and then asked for what they made.

use mssql_sim::script::{ScriptError, run};
use mssql_sim::server::{Options, Server};

/// Runs a script on a new server; what it printed, and how it ended.
async fn run_script(server: &Server, script: &str) -> (String, Result<(), ScriptError>) {
    let mut session = server.local_session().expect("the user database is there");
    let mut out = Vec::new();
    let ended = run(&mut session, script, &mut out).await;
    (String::from_utf8(out).expect("answers are text"), ended)
}

/// Rows of a query in the script's database, columns between commas and rows between semicolons.
async fn rows(server: &Server, sql: &str) -> String {
    let rows =
        server.execute(&format!("USE Warehouse; {sql}")).await.unwrap_or_else(|e| panic!("{e}\nin: {sql}"));
    let shown = rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join(","));
    shown.collect::<Vec<_>>().join("; ")
}

fn shown(value: &mssql_sim::types::Value) -> String {
    use mssql_sim::types::Value;
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bit(bit) => u8::from(*bit).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(units) => String::from_utf16_lossy(units).trim_end().to_owned(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_whole_database_as_management_studio_scripts_it() {
    let server = Server::new(Options::default());
    let (printed, ended) = run_script(&server, include_str!("scripts/warehouse.sql")).await;
    ended.unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert!(printed.contains("one voucher"), "{printed}");
    assert!(
        printed.ends_with(
            "Code       OnHand\n---------- ------\nÑandú      0\nTORNILLO-1 13\n\n(2 rows affected)\n"
        ),
        "{printed}"
    );
    for (sql, expected) in [
        (
            "SELECT name, recovery_model_desc, compatibility_level, is_auto_update_stats_on, snapshot_isolation_state
             FROM sys.databases WHERE name = 'Warehouse'",
            "Warehouse,SIMPLE,150,1,1",
        ),
        ("SELECT name FROM sys.schemas WHERE schema_id BETWEEN 5 AND 16383", "stock"),
        (
            "SELECT SCHEMA_NAME(schema_id), name, type FROM sys.objects WHERE is_ms_shipped = 0 ORDER BY type, name",
            "stock,CK_Location_Kind,C; dbo,DF_Article_Active,D; dbo,DF_Article_CreatedAt,D; dbo,DF_Article_Price,D; \
             stock,DF_Movement_MovedAt,D; stock,FK_Movement_Article,F; stock,FK_Movement_Location,F; \
             dbo,PK_Article,PK; stock,PK_Location,PK; stock,PK_Movement,PK; dbo,Stock,SN; dbo,Article,U; \
             stock,Location,U; stock,Movement,U; dbo,UQ_Article_Code,UQ; stock,OnHand,V",
        ),
        (
            "SELECT name, index_id, type_desc, is_unique, fill_factor, is_padded, allow_page_locks, filter_definition
             FROM sys.indexes WHERE object_id IN (OBJECT_ID('dbo.Article'), OBJECT_ID('stock.Movement')) ORDER BY object_id, index_id",
            "PK_Article,1,CLUSTERED,1,0,0,1,NULL; UQ_Article_Code,2,NONCLUSTERED,1,90,1,0,NULL; \
             NULL,0,HEAP,0,0,0,1,NULL; PK_Movement,2,NONCLUSTERED,1,0,0,1,NULL; \
             IX_Movement_Article,3,NONCLUSTERED,0,0,0,1,NULL; \
             UX_Movement_Voucher,4,NONCLUSTERED,1,0,0,1,([Voucher] IS NOT NULL AND [Quantity]<>(0))",
        ),
        (
            "SELECT c.name, k.key_ordinal, k.is_descending_key, k.is_included_column FROM sys.index_columns k
             JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
             WHERE k.object_id = OBJECT_ID('stock.Movement') AND k.index_id = 3 ORDER BY k.index_column_id",
            "ArticleId,1,0,0; MovedAt,2,1,0; Quantity,0,0,1; Voucher,0,0,1",
        ),
        (
            "SELECT name, is_disabled, is_not_trusted, update_referential_action_desc FROM sys.foreign_keys ORDER BY name",
            "FK_Movement_Article,0,0,CASCADE; FK_Movement_Location,1,1,NO_ACTION",
        ),
        (
            "SELECT name, definition, is_not_trusted FROM sys.check_constraints",
            "CK_Location_Kind,([Kind]='shelf' OR [Kind]='floor'),0",
        ),
        ("SELECT name, definition, is_persisted FROM sys.computed_columns", "PriceWithTax,([Price]*(1.21)),1"),
        (
            "SELECT lock_escalation_desc FROM sys.tables WHERE name = 'Movement'",
            "DISABLE",
        ),
        (
            "SELECT p.name, OBJECT_NAME(p.major_id), c.name, CAST(p.value AS nvarchar(50)) FROM sys.extended_properties p
             LEFT JOIN sys.columns c ON c.object_id = p.major_id AND c.column_id = p.minor_id ORDER BY p.minor_id",
            "MS_Description,Article,NULL,Articles that the warehouse keeps; MS_Description,Article,Code,Its code, as printed",
        ),
        (
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_NAME",
            "dbo,Article,BASE TABLE; stock,Location,BASE TABLE; stock,Movement,BASE TABLE; stock,OnHand,VIEW",
        ),
        (
            "SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'OnHand'",
            "ArticleId,int,NO; Code,nvarchar,NO; OnHand,int,NO",
        ),
        ("SELECT COUNT(*), MIN(MovementId), MAX(MovementId) FROM stock.Movement", "4,1000,1030"),
        ("SELECT base_object_name FROM sys.synonyms", "[stock].[OnHand]"),
        ("SELECT collation_name FROM sys.columns WHERE name = 'Code' AND object_id = OBJECT_ID('dbo.Article')", "Modern_Spanish_CI_AS"),
        ("EXEC sp_pkeys 'Location', 'stock'", "Warehouse,stock,Location,Aisle,1,PK_Location; Warehouse,stock,Location,Slot,2,PK_Location"),
        ("EXEC sp_helpindex 'dbo.Article'", "PK_Article,clustered, unique, primary key located on PRIMARY,ArticleId; UQ_Article_Code,nonclustered, unique, unique key located on PRIMARY,Code"),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
    let twin = "USE Warehouse; INSERT stock.Movement (ArticleId, Quantity, Voucher) VALUES (1, 1, 'V1')";
    assert_eq!(server.execute(twin).await.map_err(|e| e.number), Err(2601), "among the rows of the filter");
    let outside = "USE Warehouse; INSERT stock.Movement (ArticleId, Quantity, Voucher) VALUES (1, 0, 'V1')";
    assert_eq!(server.execute(outside).await.map(|_| ()), Ok(()), "rows outside the filter may be twins");
}

#[tokio::test]
async fn the_first_error_ends_a_script_at_its_line() {
    let server = Server::new(Options::default());
    let (printed, ended) = run_script(&server, include_str!("scripts/failing.sql")).await;
    let Err(ScriptError::Batch { line, error }) = ended else { panic!("{printed}") };
    assert_eq!((line, error.number), (5, 5074), "{error}");
    assert!(printed.starts_with("before\nMsg 5074"), "{printed}");
    assert!(printed.contains("Msg 4922") && !printed.contains("never"), "{printed}");
}

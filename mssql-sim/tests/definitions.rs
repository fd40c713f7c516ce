//! Definitions: CREATE, ALTER, DROP, Change Tracking switches, permissions, and how the catalog shows them.

mod batch;

use batch::{error, rows, run, server};
use mssql_sim::engine::{NameScope, Temporaries};

#[tokio::test]
async fn a_definition_is_refused_by_its_number() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL CONSTRAINT PK_t PRIMARY KEY, a int NULL CONSTRAINT DF_a DEFAULT 5, b varchar(10) NULL);
         CREATE TABLE dbo.heap (id int NULL);
         CREATE TABLE dbo.child (id int NOT NULL PRIMARY KEY, t int NULL CONSTRAINT FK_t REFERENCES dbo.t (id));
         INSERT INTO dbo.t (id, b) VALUES (1, 'x'), (2, 'y');
         INSERT INTO dbo.heap VALUES (1)",
    )
    .await;
    for (sql, number) in [
        ("CREATE TABLE dbo.t (id int)", 2714),
        ("CREATE TABLE nope.t (id int)", 2760),
        ("CREATE TABLE dbo.x (a int, A int)", 2705),
        ("CREATE TABLE dbo.x (a int NULL PRIMARY KEY)", 8111),
        ("CREATE TABLE dbo.x (a int REFERENCES dbo.nope (id))", 1767),
        ("CREATE TABLE dbo.x (a int REFERENCES dbo.t (a))", 1776),
        ("CREATE TABLE dbo.x (a bigint REFERENCES dbo.t (id))", 1778),
        ("CREATE TABLE dbo.x (a rowversion, b rowversion)", 2738),
        ("CREATE TABLE dbo.x (a int IDENTITY, b int IDENTITY)", 2744),
        ("CREATE TABLE dbo.x (a int COLLATE Latin1_General_CI_AS)", 447),
        ("CREATE TABLE dbo.x (a varchar(5) COLLATE Nope_CI_AS)", 448),
        ("CREATE TABLE dbo.x (a int, b AS (nope + 1))", 207),
        ("ALTER TABLE dbo.nope ADD c int", 4902),
        ("ALTER TABLE dbo.t ADD c int NOT NULL", 4901),
        ("ALTER TABLE dbo.t ADD CONSTRAINT ck CHECK (id > 1)", 547),
        ("ALTER TABLE dbo.t ADD CONSTRAINT uq UNIQUE (a)", 1505),
        ("ALTER TABLE dbo.t ADD CONSTRAINT pk2 PRIMARY KEY (a)", 1779),
        ("ALTER TABLE dbo.heap ADD CONSTRAINT pk PRIMARY KEY (id)", 8111),
        ("ALTER TABLE dbo.t DROP COLUMN nope", 4924),
        ("ALTER TABLE dbo.t DROP COLUMN a", 5074),
        ("ALTER TABLE dbo.t DROP CONSTRAINT nope", 3728),
        ("ALTER TABLE dbo.t DROP CONSTRAINT PK_t", 3725),
        ("ALTER TABLE dbo.t ALTER COLUMN b int", 245),
        ("ALTER TABLE dbo.t ALTER COLUMN id bigint", 5074),
        ("DROP TABLE dbo.nope", 3701),
        ("DROP TABLE IF EXISTS dbo.nope", 0),
        ("TRUNCATE TABLE dbo.nope", 4701),
        ("DROP INDEX nope ON dbo.t", 3701),
        ("CREATE SCHEMA dbo", 2714),
        ("CREATE DATABASE master", 1801),
        ("DROP DATABASE nope", 3701),
        ("DROP DATABASE wms", 3702),
        ("CREATE DATABASE other", 0),
        ("USE other; DROP DATABASE other", 3702),
        ("DROP DATABASE other", 0),
        ("BEGIN TRAN; ALTER DATABASE CURRENT SET CHANGE_TRACKING (AUTO_CLEANUP = OFF)", 226),
        ("ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON", 5088),
        ("ALTER TABLE dbo.heap ENABLE CHANGE_TRACKING", 4997),
        ("ALTER TABLE dbo.t DISABLE CHANGE_TRACKING", 4998),
        ("ALTER TABLE dbo.child ENABLE CHANGE_TRACKING", 0),
        ("ALTER TABLE dbo.child ENABLE CHANGE_TRACKING", 4996),
        ("ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF", 22115),
        ("ALTER TABLE dbo.child DISABLE CHANGE_TRACKING", 0),
        ("ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF", 0),
        ("ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF", 5089),
        ("ALTER TABLE dbo.t ENABLE CHANGE_TRACKING", 1718),
    ] {
        assert_eq!(error(&server, sql).await, number, "{sql}");
    }
}

#[tokio::test]
async fn altering_a_table_converts_its_rows() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL, a int NULL, b varchar(10) NULL, CONSTRAINT PK_t PRIMARY KEY (id));
         INSERT INTO dbo.t VALUES (1, 10, 'x'), (2, 20, NULL)",
    )
    .await;
    run(&server, "ALTER TABLE dbo.t ADD c int NOT NULL DEFAULT 7, d int NULL CONSTRAINT DF_d DEFAULT 8, e AS (a + 1), f int IDENTITY(5, 5), g rowversion").await;
    assert_eq!(
        rows(&server, "SELECT id, a, b, c, d, e, f FROM dbo.t ORDER BY id").await,
        "1,10,x,7,NULL,11,5; 2,20,NULL,7,NULL,21,10"
    );
    run(&server, "ALTER TABLE dbo.t ALTER COLUMN b nvarchar(20) NULL; ALTER TABLE dbo.t DROP COLUMN e").await;
    assert_eq!(error(&server, "ALTER TABLE dbo.t DROP COLUMN d, b").await, 5074, "d has a DEFAULT");
    run(&server, "ALTER TABLE dbo.t DROP CONSTRAINT DF_d; ALTER TABLE dbo.t DROP COLUMN d, b").await;
    run(&server, "CREATE UNIQUE INDEX ix ON dbo.t (a); ALTER TABLE dbo.t ADD h int NULL").await;
    assert_eq!(error(&server, "INSERT INTO dbo.t (id, a) VALUES (3, 20)").await, 2601);
    assert_eq!(rows(&server, "SELECT id, a, c, f, h FROM dbo.t WHERE a = 20").await, "2,20,7,10,NULL");
    let ids =
        "SELECT name, column_id FROM sys.columns WHERE object_id = OBJECT_ID(N'dbo.t') AND column_id > 3";
    assert_eq!(rows(&server, ids).await, "c,4; f,7; g,8; h,9", "ids of dropped columns are not used again");
    run(&server, "ALTER TABLE dbo.t DROP CONSTRAINT PK_t; ALTER TABLE dbo.t ADD PRIMARY KEY (id DESC)").await;
    assert_eq!(rows(&server, "SELECT id FROM dbo.t").await, "2; 1", "rows stand in the order of the new key");
}

#[tokio::test]
async fn definitions_are_undone_with_their_transaction() {
    let server = server(
        "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, a int NULL); INSERT INTO dbo.t VALUES (1, 10);
         ALTER TABLE dbo.t ENABLE CHANGE_TRACKING; INSERT INTO dbo.t VALUES (2, 20)",
    )
    .await;
    run(
        &server,
        "BEGIN TRAN;
         INSERT INTO dbo.t VALUES (3, 30);
         ALTER TABLE dbo.t ADD b int NULL;
         UPDATE dbo.t SET b = 1;
         TRUNCATE TABLE dbo.t;
         INSERT INTO dbo.t VALUES (9, 90, 1);
         DROP TABLE dbo.t;
         CREATE TABLE dbo.t (other int NULL);
         CREATE TABLE dbo.u (id int NULL);
         ROLLBACK",
    )
    .await;
    assert_eq!(rows(&server, "SELECT * FROM dbo.t ORDER BY id").await, "1,10; 2,20");
    assert_eq!(rows(&server, "SELECT name FROM sys.tables").await, "t");
    let changes = "SELECT id, SYS_CHANGE_OPERATION FROM CHANGETABLE(CHANGES dbo.t, 0) AS c";
    assert_eq!(rows(&server, changes).await, "2,I");
    let id = rows(&server, "SELECT OBJECT_ID(N'dbo.t')").await;
    run(&server, "DROP TABLE dbo.t; CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)").await;
    assert_ne!(rows(&server, "SELECT OBJECT_ID(N'dbo.t')").await, id, "object ids are never used again");
}

#[tokio::test]
async fn the_catalog_describes_tables() {
    let server = server(
        "CREATE TABLE dbo.p (a int NOT NULL, b nvarchar(50) COLLATE Latin1_General_CS_AS NOT NULL, n decimal(9, 2) NULL,
             t datetime2(3) NULL, m varchar(max) NULL, s AS (a * 2) PERSISTED, CONSTRAINT PK_p PRIMARY KEY (b, a DESC));
         CREATE TABLE dbo.c (id int IDENTITY(3, 2) NOT NULL PRIMARY KEY, a int NOT NULL CONSTRAINT DF_a DEFAULT (0),
             b nvarchar(50) COLLATE Latin1_General_CS_AS NOT NULL, rv rowversion, at datetime NULL CONSTRAINT DF_at DEFAULT (getdate()),
             CONSTRAINT FK_cp FOREIGN KEY (a, b) REFERENCES dbo.p (a, b), CONSTRAINT CK_a CHECK (a > 0 AND a < 10));
         CREATE INDEX ix ON dbo.c (b DESC);
         ALTER TABLE dbo.p ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = ON)",
    )
    .await;
    for (sql, expected) in [
        (
            "SELECT c.name, y.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_computed, c.collation_name
             FROM sys.columns c JOIN sys.types y ON y.user_type_id = c.user_type_id WHERE c.object_id = OBJECT_ID(N'dbo.p')
             ORDER BY c.column_id",
            "a,int,4,10,0,0,0,NULL; b,nvarchar,100,0,0,0,0,Latin1_General_CS_AS; n,decimal,5,9,2,1,0,NULL; \
             t,datetime2,7,23,3,1,0,NULL; m,varchar,-1,0,0,1,0,SQL_Latin1_General_CP1_CI_AS; s,int,4,10,0,1,1,NULL",
        ),
        (
            "SELECT i.name, i.index_id, i.type_desc, i.is_primary_key, c.name, k.key_ordinal, k.is_descending_key
             FROM sys.indexes i JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id
             JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
             WHERE i.object_id = OBJECT_ID(N'dbo.p') ORDER BY k.key_ordinal",
            "PK_p,1,CLUSTERED,1,b,1,0; PK_p,1,CLUSTERED,1,a,2,1",
        ),
        (
            "SELECT f.name, OBJECT_NAME(f.referenced_object_id), p.name, r.name FROM sys.foreign_keys f
             JOIN sys.foreign_key_columns k ON k.constraint_object_id = f.object_id
             JOIN sys.columns p ON p.object_id = k.parent_object_id AND p.column_id = k.parent_column_id
             JOIN sys.columns r ON r.object_id = k.referenced_object_id AND r.column_id = k.referenced_column_id
             ORDER BY k.constraint_column_id",
            "FK_cp,p,b,b; FK_cp,p,a,a",
        ),
        ("SELECT name, definition FROM sys.default_constraints ORDER BY name", "DF_a,((0)); DF_at,(getdate())"),
        ("SELECT definition FROM sys.check_constraints", "([a]>(0) AND [a]<(10))"),
        ("SELECT name, is_persisted FROM sys.computed_columns", "s,1"),
        ("SELECT name, seed_value, increment_value, last_value FROM sys.identity_columns", "id,3,2,NULL"),
        ("SELECT type, name FROM sys.objects WHERE parent_object_id = OBJECT_ID(N'dbo.p') AND is_ms_shipped = 0", "PK,PK_p"),
        (
            "SELECT OBJECT_NAME(object_id), is_track_columns_updated_on, min_valid_version, begin_version, cleanup_version
             FROM sys.change_tracking_tables",
            "p,1,0,0,NULL",
        ),
        (
            "SELECT DB_NAME(database_id), is_auto_cleanup_on, retention_period, retention_period_units_desc
             FROM sys.change_tracking_databases",
            "wms,1,2,DAYS",
        ),
        (
            "SELECT CASE WHEN name = CONCAT('change_tracking_', OBJECT_ID(N'dbo.p')) THEN 1 ELSE 0 END, internal_type_desc
             FROM sys.internal_tables WHERE internal_type = 209",
            "1,CHANGE_TRACKING",
        ),
        ("SELECT snapshot_isolation_state_desc FROM sys.databases WHERE database_id = DB_ID()", "ON"),
        (
            "SELECT COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION
             FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'p' AND ORDINAL_POSITION < 4",
            "a,1,NO,int,NULL,10; b,2,NO,nvarchar,50,NULL; n,3,YES,decimal,NULL,9",
        ),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_user_sees_and_does_what_was_granted() {
    let server = server(
        "CREATE TABLE dbo.open_t (id int NOT NULL PRIMARY KEY); CREATE TABLE dbo.hidden_t (id int NOT NULL PRIMARY KEY);
         ALTER TABLE dbo.open_t ENABLE CHANGE_TRACKING;
         CREATE LOGIN reader WITH PASSWORD = 'secret'; CREATE USER reader FOR LOGIN reader;
         GRANT SELECT ON dbo.open_t TO reader",
    )
    .await;
    let engine = server.engine();
    assert_eq!(engine.log_in("reader", "wrong").map_err(|e| e.number), Err(18456));
    let principal = engine.log_in("reader", "secret").expect("the login exists");
    let database = engine.use_database(&principal, "wms").expect("it has a user").id();
    let temporaries = Temporaries::default();
    let scope =
        NameScope { database, principal: principal.clone(), transaction: engine.begin(), temporaries };
    let shown = || engine.tables(&scope, database).iter().map(|t| t.def.name.clone()).collect::<Vec<_>>();
    assert_eq!(shown(), ["open_t"], "a table without any permission is not shown");
    let table = engine.tables(&scope, database)[0].def.clone();
    assert_eq!(engine.require(&principal, "SELECT", &table), Ok(()));
    assert_eq!(engine.require(&principal, "VIEW CHANGE TRACKING", &table).map_err(|e| e.number), Err(229));
    assert_eq!(engine.min_valid_version(&scope, table.object_id), None);
    run(&server, "GRANT VIEW CHANGE TRACKING ON SCHEMA::dbo TO reader").await;
    assert_eq!(engine.min_valid_version(&scope, table.object_id), Some(0));
    run(&server, "DENY SELECT ON dbo.open_t TO reader").await;
    assert_eq!(engine.require(&principal, "SELECT", &table).map_err(|e| e.number), Err(229), "DENY wins");
}

/// What ODBC and JDBC drivers ask of a server to learn its tables: the codes are ODBC's.
#[tokio::test]
async fn the_procedures_that_drivers_call_describe_tables_and_keys() {
    let server = server(
        "CREATE TABLE dbo.cust (id int IDENTITY(1,1) NOT NULL CONSTRAINT pk_cust PRIMARY KEY, name nvarchar(50) NOT NULL,
            credit decimal(12,2) NULL CONSTRAINT df_credit DEFAULT (0));
         CREATE TABLE dbo.ord (id int NOT NULL, cust_id int NOT NULL CONSTRAINT fk_ord_cust REFERENCES dbo.cust (id),
            at datetime NOT NULL, CONSTRAINT pk_ord PRIMARY KEY (cust_id, id));
         CREATE INDEX ix_at ON dbo.ord (at DESC)",
    )
    .await;
    for (sql, expected) in [
        ("EXEC sp_tables @table_type = \"'TABLE'\"", "wms,dbo,cust,TABLE,NULL; wms,dbo,ord,TABLE,NULL"),
        ("EXEC sp_pkeys N'ord'", "wms,dbo,ord,cust_id,1,pk_ord; wms,dbo,ord,id,2,pk_ord"),
        (
            "EXEC sp_fkeys @pktable_name = N'cust'",
            "wms,dbo,cust,id,wms,dbo,ord,cust_id,1,1,1,fk_ord_cust,pk_cust,7",
        ),
        ("EXEC sp_special_columns N'cust'", "1,id,4,int,10,4,0,1"),
        (
            "EXEC sp_statistics N'ord'",
            "wms,dbo,ord,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL,NULL; wms,dbo,ord,0,ord,pk_ord,1,1,cust_id,A,0,NULL,NULL; \
             wms,dbo,ord,0,ord,pk_ord,1,2,id,A,0,NULL,NULL; wms,dbo,ord,1,ord,ix_at,3,1,at,D,0,NULL,NULL",
        ),
        (
            "DECLARE @c TABLE (q sysname NULL, o sysname NULL, t sysname, c sysname, data_type smallint, type_name varchar(64),
                 p int NULL, l int NULL, s smallint NULL, radix smallint NULL, nullable smallint, remarks varchar(254) NULL,
                 def nvarchar(4000) NULL, sql_type smallint, sub smallint NULL, octets int NULL, place int, yes varchar(254), ss smallint);
             INSERT @c EXEC sp_columns N'cust';
             SELECT c, data_type, type_name, p, l, s, radix, nullable, def, octets, place, yes FROM @c ORDER BY place",
            "id,4,int identity,10,4,0,10,0,NULL,NULL,1,NO; name,-9,nvarchar,50,100,NULL,NULL,0,NULL,100,2,NO; \
             credit,3,decimal,12,14,2,10,1,((0)),NULL,3,YES",
        ),
        ("EXEC sp_helpindex N'dbo.ord'", "ix_at,nonclustered located on PRIMARY,at(-); pk_ord,clustered, unique, primary key located on PRIMARY,cust_id, id"),
    ] {
        assert_eq!(rows(&server, sql).await, expected, "{sql}");
    }
}

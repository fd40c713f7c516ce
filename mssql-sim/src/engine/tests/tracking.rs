//! Net changes, as a real server was probed.

use super::*;
use crate::engine::tracking::ChangeScan;

/// Runs a script of transactions against `t(id, a, b)`: `i1` insert, `d1` delete, `u1` update of `a`, `u1:ab` of both,
/// `m1>2,2>3` one statement that moves keys; blanks between statements, `|` between transactions.
fn run(fixture: &Fixture, table: &Arc<TableDef>, script: &str) {
    for transaction in script.split('|') {
        let id = fixture.engine.begin();
        for statement in transaction.split_whitespace() {
            execute(fixture, id, table, statement);
        }
        fixture.engine.commit(id);
    }
}

fn execute(fixture: &Fixture, transaction: TransactionId, table: &Arc<TableDef>, statement: &str) {
    let (verb, rest) = statement.split_at(1);
    let number = |text: &str| text.parse::<i64>().expect("a key");
    let row = |key: i64| row_of(&table.layout, &[Value::Int(key), Value::Int(0), Value::Int(0)]);
    let (keys, columns) = rest.split_once(':').unwrap_or((rest, "a"));
    let column_ids = columns.chars().map(|c| match c {
        'k' => 1,
        'a' => 2,
        'b' => 3,
        other => panic!("no column {other}"),
    });
    let existing = |key: i64| (key_of(table, &row(key)), row(key));
    let mut columns_set = Vec::new();
    let rows = match verb {
        "i" => vec![RowWrite::Insert(row(number(keys)))],
        "d" => {
            let (key, before) = existing(number(keys));
            vec![RowWrite::Delete { key, before }]
        }
        "u" => {
            columns_set = column_ids.collect();
            let (key, before) = existing(number(keys));
            vec![RowWrite::Update { key, after: before.clone(), before, set_list: 0 }]
        }
        "m" => {
            columns_set = vec![1];
            let moves = keys.split(',').map(|one| one.split_once('>').expect("old>new"));
            let moved = moves.map(|(old, new)| {
                let (key, before) = existing(number(old));
                RowWrite::Update { key, before, after: row(number(new)), set_list: 0 }
            });
            moved.collect()
        }
        other => panic!("no verb {other}"),
    };
    let scope = fixture.engine.statement(transaction, Isolation::ReadCommitted);
    let writes = TableWrites { table: Arc::clone(table), rows, set_lists: vec![columns_set] };
    fixture.engine.apply(&scope, &[writes], None).expect("the script fits the table");
}

/// Changes after a version as `key:operation version/creation[columns]`, in the order in which they come.
fn changes(fixture: &Fixture, table: &Arc<TableDef>, last_sync: Option<i64>) -> String {
    let transaction = fixture.engine.begin();
    let statement = fixture.engine.statement(transaction, Isolation::ReadCommitted);
    let read = fixture.engine.open(&statement, table, ReadHint::default()).expect("open");
    let layout = crate::engine::tracking::changes_columns(table);
    let rows = fixture.engine.changes(&read, &ChangeScan::all(last_sync)).expect("tracked").rows;
    drop(statement);
    fixture.engine.rollback(transaction);
    let shown = rows.iter().map(|row| {
        let values = values_of(&layout, row);
        let [Value::Int(version), creation, Value::Text(operation), mask, _, Value::Int(key)] =
            values.as_slice()
        else {
            panic!("not a row of CHANGETABLE: {values:?}")
        };
        let creation = if let Value::Int(n) = creation { n.to_string() } else { "-".into() };
        let mask =
            if let Value::Bytes(bytes) = mask { format!("{:?}", mask_ids(bytes)) } else { String::new() };
        format!("{key}:{} {version}/{creation}{mask}", String::from_utf16_lossy(operation))
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn mask_ids(mask: &[u8]) -> Vec<i32> {
    assert_eq!(mask[..4], [0; 4], "a mask begins with four zero bytes");
    mask[4..].chunks(4).map(|id| i32::from_le_bytes(id.try_into().expect("four bytes"))).collect()
}

#[test]
fn changes_are_net_as_probed() {
    for (script, last_sync, expected) in [
        ("i1 | u1", Some(0), "1:I 2/1"),
        ("i1 | u1", Some(1), "1:U 2/-"),
        ("i1 | u1", None, "1:I 2/1"),
        ("i1 | u1", Some(-1), ""),
        ("i1 | u1", Some(2), ""),
        ("i1 | u1", Some(99), ""),
        ("i1 | d1", Some(0), "1:D 2/1"),
        ("i1 | d1", Some(1), "1:D 2/-"),
        ("i9 | i1 | d1", Some(1), "1:D 3/2"),
        ("i1 | d1 | i1", Some(1), "1:U 3/3"),
        ("i1 | d1 | i1", Some(0), "1:I 3/3"),
        ("i1 | m1>2", Some(1), "1:D 2/-, 2:I 2/2"),
        ("i1 | i2 | m1>2,2>3", Some(2), "1:D 3/-, 2:U 3/3, 3:I 3/3"),
        ("i1 d1", Some(0), "1:D 1/1"),
        ("i1 d1 i1", Some(0), "1:I 1/1"),
        ("i1 | d1 i1 u1", Some(0), "1:I 2/2"),
        ("i1 | d1 i1 u1", Some(1), "1:U 2/2"),
        ("i3 | i1 | i2", Some(0), "1:I 2/2, 2:I 3/3, 3:I 1/1"),
        ("i1 i2 u1", Some(0), "1:I 1/1, 2:I 1/1"),
    ] {
        let fixture = Fixture::new();
        let table = fixture.tracked_table("t", &["id", "a", "b"], false);
        run(&fixture, &table, script);
        assert_eq!(changes(&fixture, &table, last_sync), expected, "{script} after {last_sync:?}");
    }
}

#[test]
fn column_masks_are_as_probed() {
    for (script, last_sync, expected) in [
        ("i1 | u1:a", 1, "1:U 2/-[2]"),
        ("i1 | u1:b | u1:a", 1, "1:U 3/-[3, 2]"),
        ("i1 | u1:b u1:a u1:b", 1, "1:U 2/-[3, 2]"),
        ("i1 | u1:ab", 1, "1:U 2/-"),
        ("i1 | u1:ab | u1:a", 1, "1:U 3/-"),
        ("i1 | u1:ab | u1:a", 2, "1:U 3/-[2]"),
        ("i1 | u1:k", 1, "1:U 2/-"),
        ("i1 | u1:a", 0, "1:I 2/1"),
        ("i1 | d1 | i1 | u1:a", 1, "1:U 4/3"),
    ] {
        let fixture = Fixture::new();
        let table = fixture.tracked_table("t", &["id", "a", "b"], true);
        run(&fixture, &table, script);
        assert_eq!(changes(&fixture, &table, Some(last_sync)), expected, "{script} after {last_sync}");
    }
}

#[test]
fn versions_are_taken_by_commits_that_touched_a_tracked_table() {
    let fixture = Fixture::new();
    let tracked = fixture.tracked_table("t", &["id", "a", "b"], false);
    let untracked = fixture.table("u", &["id", "a", "b"]);
    let version = || fixture.engine.tracking_version(fixture.database).expect("tracked");

    run(&fixture, &untracked, "i1 | u1");
    assert_eq!(version(), 0, "an untracked table takes no version");

    let (first, second) = (fixture.engine.begin(), fixture.engine.begin());
    execute(&fixture, first, &tracked, "i1");
    execute(&fixture, second, &tracked, "i2");
    assert_eq!(
        (version(), changes(&fixture, &tracked, None)),
        (0, String::new()),
        "open transactions show nothing"
    );
    fixture.engine.commit(second);
    fixture.engine.commit(first);
    assert_eq!(changes(&fixture, &tracked, None), "1:I 2/2, 2:I 1/1", "versions follow the order of commits");

    let undone = fixture.engine.begin();
    execute(&fixture, undone, &tracked, "d1");
    fixture.engine.rollback(undone);
    assert_eq!(version(), 2, "a rollback takes no version");

    let partly = fixture.engine.begin();
    fixture.engine.save(partly, "s").expect("open");
    execute(&fixture, partly, &tracked, "d1");
    fixture.engine.rollback_to(partly, "S").expect("saved");
    execute(&fixture, partly, &tracked, "u2");
    fixture.engine.commit(partly);
    assert_eq!(changes(&fixture, &tracked, Some(2)), "2:U 3/-", "a savepoint's rollback drops its changes");
}

#[test]
fn truncate_and_switching_off_drop_history_without_a_version() {
    let fixture = Fixture::new();
    let scope = |transaction| NameScope {
        temporaries: crate::engine::Temporaries::default(),
        database: fixture.database,
        principal: Principal::of_login("sa", true),
        transaction,
    };
    let table = fixture.tracked_table("t", &["id", "a", "b"], false);
    let min_valid =
        |table: &TableDef| fixture.engine.min_valid_version(&scope(TransactionId(0)), table.object_id);
    run(&fixture, &table, "i1 | i2");
    assert_eq!(min_valid(&table), Some(0));

    let undone = fixture.engine.begin();
    fixture.engine.truncate(undone, &table).expect("truncated");
    fixture.engine.rollback(undone);
    assert_eq!((min_valid(&table), changes(&fixture, &table, None)), (Some(0), "1:I 1/1, 2:I 2/2".into()));

    fixture.in_transaction(|transaction| fixture.engine.truncate(transaction, &table).expect("truncated"));
    assert_eq!((min_valid(&table), changes(&fixture, &table, None)), (Some(2), String::new()));
    assert_eq!(fixture.engine.tracking_version(fixture.database), Some(2));

    run(&fixture, &table, "i1");
    fixture
        .in_transaction(|transaction| fixture.engine.disable_tracking(transaction, &table).expect("was on"));
    assert_eq!(min_valid(&table), None);
    fixture.in_transaction(|transaction| {
        fixture.engine.enable_tracking(transaction, &table, false).expect("was off");
    });
    assert_eq!((min_valid(&table), changes(&fixture, &table, None)), (Some(3), String::new()));
}

#[test]
fn cleanup_follows_retention_on_the_servers_clock() {
    let fixture = Fixture::new();
    let options = TrackingOptions { retention: Some((2, 60)), auto_cleanup: None };
    fixture.engine.alter_database_tracking(fixture.database, options).expect("it is on");
    let table = fixture.tracked_table("t", &["id", "a", "b"], false);
    run(&fixture, &table, "i1 | i2");
    fixture.engine.advance_clock(Duration::from_secs(90 * 60));
    run(&fixture, &table, "u1");
    fixture.engine.cleanup(fixture.database);
    assert_eq!(changes(&fixture, &table, Some(0)), "1:I 3/1, 2:I 2/2", "nothing is old enough");

    fixture.engine.advance_clock(Duration::from_secs(31 * 60));
    fixture.engine.cleanup(fixture.database);
    assert_eq!(changes(&fixture, &table, Some(0)), "1:U 3/-", "an old position silently misses rows");
    let info = fixture.engine.tables(
        &NameScope {
            temporaries: crate::engine::Temporaries::default(),
            database: fixture.database,
            principal: Principal::of_login("sa", true),
            transaction: TransactionId(0),
        },
        fixture.database,
    );
    let tracking = info[0].tracking.expect("tracked");
    assert_eq!(
        (tracking.min_valid_version, tracking.cleanup_version, tracking.begin_version),
        (2, Some(2), 0)
    );
    assert_eq!(fixture.engine.tracked_commits(fixture.database).len(), 1, "the commit table is cleaned too");
}

#[test]
fn a_snapshot_sees_the_changes_of_its_instant_unless_told_otherwise() {
    for (changes_follow_snapshot, expected) in [(true, 1), (false, 2)] {
        let engine = Engine::new(Options { changes_follow_snapshot, ..Options::default() });
        let database = engine.create_database("wms", Collation::DEFAULT).expect("a free name");
        engine.enable_database_tracking(database, TrackingOptions::default()).expect("it was off");
        engine.allow_snapshot(database, true);
        let fixture = Fixture { engine, database };
        let table = fixture.tracked_table("t", &["id", "a", "b"], false);
        run(&fixture, &table, "i1");
        let reader = fixture.engine.begin();
        fixture.read(reader, Isolation::Snapshot, &table).expect("the snapshot begins");
        run(&fixture, &table, "i2");
        let statement = fixture.engine.statement(reader, Isolation::Snapshot);
        let read = fixture.engine.open(&statement, &table, ReadHint::default()).expect("open");
        assert_eq!(
            fixture.engine.changes(&read, &ChangeScan::all(None)).expect("tracked").rows.len(),
            expected
        );
    }
}

//! Who sees what, who waits for whom.

use super::*;

const RC: Isolation = Isolation::ReadCommitted;
const SNAPSHOT: Isolation = Isolation::Snapshot;
const PATIENT: Patience = Patience { timeout: None, deadlock_priority: 0, process_id: 51 };

#[test]
fn read_committed_waits_for_a_writer_and_snapshot_does_not() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(10)).expect("inserted"));

    let (writer, reader, old) = (fixture.engine.begin(), fixture.engine.begin(), fixture.engine.begin());
    assert_eq!(fixture.seen(old, SNAPSHOT, &table), Ok(vec![(1, 10)]));
    fixture.put(writer, RC, &table, 1, Some(11)).expect("nobody holds it");
    assert_eq!(wait_of(fixture.seen(reader, RC, &table)).holder, writer);
    assert_eq!(fixture.seen(reader, Isolation::ReadUncommitted, &table), Ok(vec![(1, 11)]));
    assert_eq!(fixture.seen(writer, RC, &table), Ok(vec![(1, 11)]), "one's own writes are seen");
    fixture.engine.commit(writer);
    assert_eq!(fixture.seen(reader, RC, &table), Ok(vec![(1, 11)]));
    assert_eq!(fixture.seen(old, SNAPSHOT, &table), Ok(vec![(1, 10)]), "the instant stays");

    let conflict = fixture.put(old, SNAPSHOT, &table, 1, Some(12));
    assert_eq!(error_number(conflict), 3960);
    let late = fixture.engine.begin();
    assert_eq!(fixture.seen(late, SNAPSHOT, &table), Ok(vec![(1, 11)]));
}

#[test]
fn a_reader_waits_on_an_uncommitted_delete_and_gets_the_row_back_after_its_rollback() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(10)).expect("inserted"));
    let (writer, reader) = (fixture.engine.begin(), fixture.engine.begin());
    fixture.put(writer, RC, &table, 1, None).expect("deleted");
    assert_eq!(wait_of(fixture.seen(reader, RC, &table)).holder, writer);
    fixture.engine.rollback(writer);
    assert_eq!(fixture.seen(reader, RC, &table), Ok(vec![(1, 10)]));
}

#[test]
fn an_insert_of_a_key_waits_for_the_one_before_it() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    for commits in [true, false] {
        let (first, second) = (fixture.engine.begin(), fixture.engine.begin());
        let key = i64::from(commits);
        let insert = |transaction| {
            let statement = fixture.engine.statement(transaction, RC);
            let row = row_of(&table.layout, &[Value::Int(key), Value::Int(0)]);
            let rows = vec![RowWrite::Insert(row)];
            fixture.engine.apply(
                &statement,
                &[TableWrites { table: table.clone(), rows, set_lists: vec![] }],
                None,
            )
        };
        insert(first).expect("the key is free");
        assert_eq!(wait_of(insert(second)).holder, first);
        if commits {
            fixture.engine.commit(first);
            assert_eq!(error_number(insert(second)), 2627);
        } else {
            fixture.engine.rollback(first);
            insert(second).expect("the key is free again");
        }
        fixture.engine.rollback(second);
    }
}

#[test]
fn a_savepoints_rollback_keeps_its_locks() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(10)).expect("inserted"));
    let (holder, other) = (fixture.engine.begin(), fixture.engine.begin());
    fixture.engine.save(holder, "before").expect("open");
    fixture.put(holder, RC, &table, 1, Some(11)).expect("updated");
    fixture.engine.rollback_to(holder, "before").expect("saved");
    assert_eq!(fixture.seen(other, RC, &table), Ok(vec![(1, 10)]), "nothing is written any more");
    assert_eq!(wait_of(fixture.put(other, RC, &table, 1, Some(12))).holder, holder);
    fixture.engine.commit(holder);
    fixture.put(other, RC, &table, 1, Some(12)).expect("free");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_holder_or_the_timeout() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    let (holder, waiter) = (fixture.engine.begin(), fixture.engine.begin());
    fixture.put(holder, RC, &table, 1, Some(1)).expect("free");
    let wait = wait_of(fixture.seen(waiter, RC, &table));
    let hasty = Patience { timeout: Some(Duration::from_millis(50)), ..PATIENT };
    assert_eq!(
        fixture.engine.wait(wait.clone(), hasty).await.map_err(|e| (e.number, e.state)),
        Err((1222, 51))
    );

    let engine = fixture.engine.clone();
    let waiting = tokio::spawn(async move { engine.wait(wait, PATIENT).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "the holder is still open");
    fixture.engine.commit(holder);
    assert_eq!(waiting.await.expect("no panic"), Ok(()));
}

#[test]
fn a_row_that_changed_since_it_was_read_is_tried_again_at_once() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(10)).expect("inserted"));
    let slow = fixture.engine.begin();
    let before = fixture.read(slow, RC, &table).expect("nobody holds it").remove(0);
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(11)).expect("updated"));
    let statement = fixture.engine.statement(slow, RC);
    let rows = vec![RowWrite::Delete { key: key_of(&table, &before), before }];
    let writes = TableWrites { table, rows, set_lists: vec![] };
    assert_eq!(fixture.engine.apply(&statement, &[writes], None), Err(Interrupt::Retry));
}

#[tokio::test(start_paused = true)]
async fn a_cycle_of_waiters_costs_the_cheapest_of_them() {
    for (priorities, victim) in [([0, 0], 1), ([-5, 0], 0), ([0, -5], 1)] {
        let fixture = Fixture::new();
        let table = fixture.table("t", &["id", "a"]);
        let sessions = [fixture.engine.begin(), fixture.engine.begin()];
        for (session, key) in sessions.iter().zip([1, 2]) {
            insert_blindly(&fixture, *session, &table, key).expect("free");
        }
        let [first_wait, second_wait] =
            [(0, 2), (1, 1)].map(|(s, key)| wait_of(insert_blindly(&fixture, sessions[s], &table, key)));
        let patience = priorities.map(|deadlock_priority| Patience { deadlock_priority, ..PATIENT });
        let engine = fixture.engine.clone();
        let first = tokio::spawn(async move {
            let result = engine.wait(first_wait, patience[0]).await;
            engine.rollback(sessions[0]);
            result
        });
        tokio::task::yield_now().await;
        let second = fixture.engine.wait(second_wait, patience[1]).await;
        fixture.engine.rollback(sessions[1]);
        let outcomes = [first.await.expect("no panic"), second];
        assert_eq!(outcomes[victim].as_ref().map_err(|e| e.number), Err(1205), "{priorities:?}");
        assert_eq!(outcomes[1 - victim], Ok(()), "{priorities:?}");
    }
}

fn insert_blindly(
    fixture: &Fixture,
    transaction: TransactionId,
    table: &Arc<TableDef>,
    key: i64,
) -> Result<(), Interrupt> {
    let statement = fixture.engine.statement(transaction, RC);
    let rows = vec![RowWrite::Insert(row_of(&table.layout, &[Value::Int(key), Value::Int(0)]))];
    fixture.engine.apply(&statement, &[TableWrites { table: table.clone(), rows, set_lists: vec![] }], None)
}

#[test]
fn ddl_waits_for_users_and_ends_older_snapshots() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(10)).expect("inserted"));
    let old = fixture.engine.begin();
    fixture.seen(old, SNAPSHOT, &table).expect("the snapshot begins");

    let writer = fixture.engine.begin();
    fixture.put(writer, RC, &table, 2, Some(20)).expect("free");
    let changer = fixture.engine.begin();
    assert_eq!(wait_of(fixture.engine.truncate(changer, &table)).holder, writer);
    fixture.engine.commit(writer);
    fixture.engine.truncate(changer, &table).expect("nobody uses it");
    let reader = fixture.engine.begin();
    assert_eq!(wait_of(fixture.seen(reader, RC, &table)).holder, changer);
    fixture.engine.commit(changer);
    assert_eq!(fixture.seen(reader, RC, &table), Ok(vec![]));
    assert_eq!(error_number(fixture.seen(old, SNAPSHOT, &table)), 3961);
}

#[test]
fn old_versions_go_when_no_snapshot_needs_them() {
    let fixture = Fixture::new();
    let table = fixture.table("t", &["id", "a"]);
    let versions = || {
        let state = fixture.engine.state();
        let entries = state.table(&table).expect("there").rows.iter();
        entries.map(|(_, entry)| entry.older.len() + usize::from(entry.newest.is_some())).sum::<usize>()
    };
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(0)).expect("inserted"));
    let old = fixture.engine.begin();
    fixture.seen(old, SNAPSHOT, &table).expect("the snapshot begins");
    for value in 1..5 {
        fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, Some(value)).expect("updated"));
    }
    fixture.in_transaction(|t| fixture.put(t, RC, &table, 1, None).expect("deleted"));
    assert_eq!(fixture.seen(old, SNAPSHOT, &table), Ok(vec![(1, 0)]));
    assert_eq!(versions(), 2, "the snapshot holds the one that it sees, besides the newest");
    fixture.engine.commit(old);
    assert_eq!(versions(), 0, "a deleted row leaves nothing behind");
}

#[test]
fn min_active_rowversion_is_held_back_by_open_transactions() {
    let fixture = Fixture::new();
    let (engine, database) = (&fixture.engine, fixture.database);
    let before = engine.min_active_rowversion(database);
    let (first, second) = (engine.begin(), engine.begin());
    assert_eq!(engine.next_rowversions(first, database, 3), Ok(before));
    assert_eq!(engine.next_rowversions(second, database, 1), Ok(before + 3));
    engine.commit(second);
    assert_eq!(
        (engine.min_active_rowversion(database), engine.last_rowversion(database)),
        (before, before + 3)
    );
    engine.rollback(first);
    assert_eq!(engine.min_active_rowversion(database), before + 4);
}

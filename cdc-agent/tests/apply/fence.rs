//! Who may write, and which run comes next.

use crate::fixture::{MadeRun, Target, client, made, plans, rows};
use crate::model::{Model, Order, lines, metrics, order_row, orders};
use cdc_agent::apply::{Applier, Idle, Outcome, TargetError};
use proto::{Image, JournalId, Record, SourceMoment};
use std::time::Duration;
use uuid::Uuid;

fn order(entered: i64) -> (Image, Order) {
    let order = Order { warehouse: Some("SJU1".into()), status: "OPEN".into(), entered, shipped: None };
    (Image::Present(order_row(1, "A", &order)), order)
}

fn entered(day: i64) -> Vec<Record> {
    rows(&orders(), vec![order(day * 86_400_000_000).0], false).into()
}

async fn target(name: &str) -> Target {
    Target::new(name, &[orders(), lines()], &metrics()).await
}

/// Two runs of which the second is the newer image of the same order; both applied.
async fn two_runs(target: &mut Target) -> (MadeRun, Model) {
    let first = target.run(entered(0));
    assert!(matches!(target.applier.apply(first.read()).await, Ok(Outcome::Applied(_))));
    target.apply(entered(1)).await;
    let mut model = Model::default();
    model.orders.insert((1, "A".into()), ("A".into(), order(86_400_000_000).1));
    (first, model)
}

#[tokio::test]
async fn a_run_applies_once_and_only_after_its_predecessor() {
    let mut target = target("fence_order").await;
    let (first, model) = two_runs(&mut target).await;
    let revision = target.applier.stream().await.unwrap().unwrap().revision;
    assert_eq!(target.applier.apply(first.read()).await.unwrap(), Outcome::AlreadyThere);
    let skipping = made(4, Some(first.start.id), entered(2));
    let forked = made(3, Some(first.start.id), entered(2));
    let rewritten = made(2, Some(first.start.id), entered(2));
    for run in [skipping, forked, rewritten] {
        let error = target.applier.apply(run.read()).await.unwrap_err();
        assert!(matches!(error, TargetError::Gap { applied: 2, .. }), "{error}");
    }
    let mut torn = target.run(entered(3));
    torn.end.image_count += 1;
    let error = target.applier.apply(torn.read()).await.unwrap_err();
    assert!(matches!(error, TargetError::Torn { found: 1, expected: 2, .. }), "{error}");
    model.compare(&target.observer, "after refused runs").await;
    assert_eq!(target.applier.stream().await.unwrap().unwrap().revision, revision);
}

#[tokio::test]
async fn without_the_sequence_check_an_older_run_takes_rows_and_figures_back() {
    let mut target = target("fence_control").await;
    let (first, model) = two_runs(&mut target).await;
    target.applier.leave_sequence_unchecked();
    assert!(matches!(target.applier.apply(first.read()).await, Ok(Outcome::Applied(_))));
    assert_ne!(crate::model::figures(&target.observer).await, model.figures());
}

#[tokio::test]
async fn a_second_agent_is_kept_out_and_an_overtaken_one_cannot_write() {
    let mut target = target("fence_epoch").await;
    target.apply(entered(0)).await;
    let busy = Applier::connect(target.settings.clone()).await.unwrap_err();
    assert!(matches!(busy, TargetError::Busy { .. }), "{busy}");
    // The first agent is paused, and the server drops its idle lock; the second takes over.
    target.disconnect().await;
    let second = Applier::connect(target.settings.clone()).await.unwrap();
    let zombie = std::mem::replace(&mut target.applier, second);
    let row = target.applier.take_over(JournalId(Uuid::new_v4()), false).await.unwrap();
    assert_eq!((row.applied_sequence, row.position.map(|version| version.0)), (1, Some(10)));
    target.disconnect().await;
    target.applier = zombie;
    target.applier.reconnect().await.unwrap();
    let error = target.refuse(entered(1)).await;
    assert!(matches!(error, TargetError::Fenced { .. }), "{error}");
    let error = target.applier.heartbeat(None, "streaming", None).await.unwrap_err();
    assert!(matches!(error, TargetError::Fenced { .. }), "{error}");
}

#[tokio::test]
async fn a_lost_connection_is_replaced_and_the_run_decided_by_the_row() {
    let mut target = target("fence_lost").await;
    let run = target.run(entered(0));
    target.applier.apply(run.read()).await.unwrap();
    target.disconnect().await;
    let next = target.run(entered(1));
    let error = target.applier.apply(next.read()).await.unwrap_err();
    assert!(
        error.is_connection_lost() || error.sql_state().is_some_and(|code| code.code() == "57P01"),
        "{error}"
    );
    target.applier.reconnect().await.unwrap();
    // As if the first run's COMMIT had not been answered.
    assert_eq!(target.applier.apply(run.read()).await.unwrap(), Outcome::AlreadyThere);
    assert!(matches!(target.applier.apply(next.read()).await.unwrap(), Outcome::Applied(_)));
}

#[tokio::test]
async fn a_new_history_takes_every_table_out_of_step() {
    let mut target = target("fence_history").await;
    target.apply(entered(0)).await;
    let row = target.applier.take_over(JournalId(Uuid::new_v4()), true).await.unwrap();
    assert_eq!((row.history, row.position, row.hi, row.applied_sequence), (2, None, None, 1));
    for table in target.applier.tables().await.unwrap() {
        assert_eq!((table.phase.as_str(), table.incarnation), ("pending", None));
        assert_eq!(table.conditions[0].0, "suspect");
    }
    target.apply(entered(1)).await;
}

#[tokio::test]
async fn readers_are_told_of_progress_and_of_silence() {
    let mut target = target("fence_signs").await;
    let listener = client(&target.url).await;
    listener.batch_execute("listen cdc_revision").await.unwrap();
    let applied = target.apply(entered(0)).await;
    let moment = SourceMoment { source_clock: 1_700_000_100_000_000, agent_clock: 0 };
    let idle = Idle { sequence: 1, moment, age: Duration::from_secs(3) };
    target.applier.heartbeat(Some(&idle), "streaming", None).await.unwrap();
    target.applier.heartbeat(None, "source_unreachable", Some("no answer")).await.unwrap();
    let shown = target
        .show(
            "select concat_ws(' ', revision, applied_sequence, idle_sequence, extract(epoch from idle_as_of)::int8, \
             agent_state, agent_detail, clock_timestamp() - idle_at > interval '3 s', \
             clock_timestamp() - read_at < interval '1 min', clock_timestamp() - agent_seen_at < interval '1 min') \
             from reading.stream",
        )
        .await;
    assert_eq!(shown, format!("{} 1 1 1700000100 source_unreachable no answer t t t", applied.revision));
    target.observer.batch_execute("insert into cdc.control (source, command, name, requested_by) values ('wms', 'resync', 'orders', 'ana')").await.unwrap();
    let requests = target.applier.take_requests().await.unwrap();
    assert_eq!(
        (requests.len(), requests[0].table.as_str(), requests[0].requested_by.as_str()),
        (1, "orders", "ana")
    );
    target.applier.finish_request(requests[0].id, &Ok(2)).await.unwrap();
    assert_eq!(target.applier.take_requests().await.unwrap(), []);
}

#[tokio::test]
async fn an_agent_does_not_lock_itself_out_after_an_error_on_a_living_connection() {
    let mut target = target("fence_own_lock").await;
    target.apply(entered(0)).await;
    let run = target.run(entered(1));
    target.observer.batch_execute("begin; lock table wms.orders in access exclusive mode").await.unwrap();
    let error = target.applier.apply(run.read()).await.unwrap_err();
    assert!(error.sql_state().is_some_and(|code| code.code() == "55P03"), "{error}");
    target.observer.batch_execute("rollback").await.unwrap();
    target.applier.reconnect().await.unwrap();
    assert!(matches!(target.applier.apply(run.read()).await.unwrap(), Outcome::Applied(_)));
}

#[tokio::test]
async fn a_table_that_was_not_configured_for_a_while_is_loaded_when_it_comes_back() {
    let mut target = target("fence_left_out").await;
    let live = "update cdc.table_state set phase = 'live', \
                incarnation = '{\"object_id\": 1, \"begin_version\": 0, \"side_table\": null}' where name = 'lines'";
    target.observer.batch_execute(live).await.unwrap();
    target.prepare(&plans(&[orders()]), &[]).await;
    target.prepare(&plans(&[orders(), lines()]), &metrics()).await;
    let tables = target.applier.tables().await.unwrap();
    let lines = tables.iter().find(|table| table.name == "lines").unwrap();
    assert_eq!((lines.phase.as_str(), &lines.incarnation), ("pending", &None));
    assert_eq!(lines.conditions[0].0, "blind");
}

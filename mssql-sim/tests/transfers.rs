//! Money moves between accounts in concurrent transactions while followers read snapshots and changes: no snapshot may
//! see half a transfer, and a copy that follows the changes alone must stay equal to the table.

mod client;

use std::collections::BTreeMap;

use client::{Connection, connect, rows, run};
use mssql_sim::server::{Options, Server};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::DuplexStream;
use tokio::sync::watch;

const ACCOUNTS: i32 = 12;
const BALANCE: i32 = 100;
const WRITERS: u64 = 5;
const TRANSFERS: usize = 150;
const DEADLOCK: u32 = 1205;

const SETUP: &str = "ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON;
    ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON;
    CREATE TABLE dbo.account (code nvarchar(10) NOT NULL PRIMARY KEY, balance int NOT NULL, version rowversion);
    ALTER TABLE dbo.account ENABLE CHANGE_TRACKING";

/// Balance by account code; the collation's equality is this fixture's lower case.
type Balances = BTreeMap<String, i32>;

/// One transfer, now and then with the receiving row deleted and inserted again, or renamed and back.
fn transfer(random: &mut StdRng) -> Vec<String> {
    let from = random.random_range(0..ACCOUNTS);
    let to = (from + random.random_range(1..ACCOUNTS)) % ACCOUNTS;
    let amount = random.random_range(1..5);
    let mut batches = vec![
        format!("BEGIN TRAN; UPDATE dbo.account SET balance = balance - {amount} WHERE code = N'ACC{from} '"),
        format!("UPDATE dbo.account SET balance = balance + {amount} WHERE code = N'acc{to}'"),
    ];
    match random.random_range(0..6) {
        0 => batches.push(format!(
            "DECLARE @b int; SELECT @b = balance FROM dbo.account WHERE code = N'acc{to}';
             DELETE FROM dbo.account WHERE code = N'acc{to}'; INSERT INTO dbo.account (code, balance) VALUES (N'Acc{to}', @b)"
        )),
        1 => batches.push(format!(
            "UPDATE dbo.account SET code = code + N'x' WHERE code = N'acc{to}';
             UPDATE dbo.account SET code = N'aCC{to}' WHERE code = N'acc{to}X'"
        )),
        _ => {}
    }
    batches.push(if random.random_bool(0.85) { "COMMIT".into() } else { "ROLLBACK".into() });
    batches
}

async fn write(mut client: Connection<DuplexStream>, seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let mut deadlocks = 0;
    for _ in 0..TRANSFERS {
        for batch in transfer(&mut random) {
            match rows(&mut client, &batch).await {
                Ok(_) => {}
                Err(error) if error.code() == Some(DEADLOCK) => {
                    deadlocks += 1;
                    break;
                }
                Err(error) => panic!("{batch}: {error}"),
            }
        }
    }
    deadlocks
}

/// Reads cut after cut until the writers are done, and once more; the number of cuts.
async fn follow(mut client: Connection<DuplexStream>, writing: watch::Receiver<bool>) -> usize {
    let mut copy = Balances::new();
    let (mut position, mut cuts) = (0i64, 0);
    loop {
        let last = !*writing.borrow();
        let to = rows(&mut client, "SELECT CHANGE_TRACKING_CURRENT_VERSION()").await.expect("a version");
        run(&mut client, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN").await;
        let changes = format!(
            "SELECT CT.code, T.balance FROM CHANGETABLE(CHANGES dbo.account, {position}) AS CT
             LEFT JOIN dbo.account AS T ON T.code = CT.code"
        );
        for row in rows(&mut client, &changes).await.expect("changes") {
            let code = row.get::<&str, _>(0).expect("a key").to_lowercase();
            match row.get::<i32, _>(1) {
                Some(balance) => copy.insert(code, balance),
                None => copy.remove(&code),
            };
        }
        let table = rows(&mut client, "SELECT code, balance FROM dbo.account").await.expect("the table");
        run(&mut client, "COMMIT; SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await;
        let table: Balances = table
            .iter()
            .map(|row| (row.get::<&str, _>(0).expect("a key").to_lowercase(), row.get(1).expect("a balance")))
            .collect();
        assert_eq!(copy, table, "the changes after {position} lead to the snapshot");
        assert_eq!(
            (table.len(), table.values().sum()),
            (ACCOUNTS as usize, ACCOUNTS * BALANCE),
            "half a transfer"
        );
        position = to[0].get::<i64, _>(0).expect("a version");
        cuts += 1;
        if last {
            return cuts;
        }
    }
}

#[tokio::test]
async fn snapshots_and_changes_agree_under_concurrent_transfers() {
    let server = Server::new(Options::default());
    let mut client = connect(&server).await;
    run(&mut client, SETUP).await;
    let values: Vec<String> = (0..ACCOUNTS).map(|n| format!("(N'Acc{n}', {BALANCE})")).collect();
    run(&mut client, &format!("INSERT INTO dbo.account (code, balance) VALUES {}", values.join(", "))).await;

    let (done, writing) = watch::channel(true);
    let follower = tokio::spawn(follow(connect(&server).await, writing));
    let mut writers = Vec::new();
    for seed in 0..WRITERS {
        writers.push(tokio::spawn(write(connect(&server).await, seed)));
    }
    let mut deadlocks = 0;
    for writer in writers {
        deadlocks += writer.await.expect("a writer ends well");
    }
    done.send(false).expect("the follower listens");
    let cuts = follower.await.expect("the follower ends well");
    println!("{} transfers, {deadlocks} deadlocks, {cuts} cuts", TRANSFERS * WRITERS as usize);
    assert!(cuts > 20 && deadlocks > 0, "cuts and deadlocks happened along the way");
}

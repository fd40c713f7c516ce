//! Orders and lines that agree in every committed state of the source: an order's `units` is the sum of its lines.

use demo::client::SqlServer;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use tokio::sync::Semaphore;

pub(crate) const SCHEMA: &str = "
ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON);
ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON;
GO
CREATE TABLE dbo.orders (wh NVARCHAR(10) NOT NULL, id INT NOT NULL, units INT NOT NULL, shipped_at DATETIME NULL,
    note NVARCHAR(200) NULL, CONSTRAINT pk_orders PRIMARY KEY (wh, id));
CREATE TABLE dbo.lines (wh NVARCHAR(10) NOT NULL, id INT NOT NULL, line INT NOT NULL, qty INT NOT NULL,
    CONSTRAINT pk_lines PRIMARY KEY (wh, id, line));
GO
ALTER TABLE dbo.orders ENABLE CHANGE_TRACKING;
ALTER TABLE dbo.lines ENABLE CHANGE_TRACKING;
GO
";

/// Both tables, for comparisons.
pub(crate) const COMPARED: [(&str, &str, &str); 2] = [("dbo", "orders", "orders"), ("dbo", "lines", "lines")];

pub(crate) const TABLES: &str = "[[table]]\nname = \"dbo.orders\"\n[[table]]\nname = \"dbo.lines\"\n";

/// A figure of one table and one over the join.
pub(crate) const METRICS: &str = r#"
[[metric]]
name = "orders_shipped"
title_es = "Pedidos"
title_en = "Orders"
unit = "orders"
kind = "sum"
facts = "orders"
day = "shipped_at"
warehouse = "wh"
numerator = "count"

[[metric]]
name = "units_shipped"
title_es = "Unidades"
title_en = "Units"
unit = "units"
kind = "sum"
facts = "lines"
sides = [{ table = "orders", on = [["wh", "wh"], ["id", "id"]] }]
day = "orders.shipped_at"
warehouse = "orders.wh"
numerator = { sum = "qty" }
"#;

const WAREHOUSES: [&str; 3] = ["SJU1", "sju1", "MEX1"];
const MOST_ORDERS: usize = 40;

/// Random transactions; the same seed gives the same ones.
pub(crate) struct Workload {
    rng: StdRng,
    orders: Vec<(&'static str, i32)>,
    next: i32,
}

impl Workload {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), orders: Vec::new(), next: 1 }
    }

    /// Goes on until the sender of `stop` is dropped; returns the number of transactions.
    pub(crate) async fn write(
        mut self,
        mut source: SqlServer,
        mut stop: tokio::sync::oneshot::Receiver<()>,
    ) -> u64 {
        let mut count = 0;
        while let Err(tokio::sync::oneshot::error::TryRecvError::Empty) = stop.try_recv() {
            source.run(&self.transaction()).await.unwrap();
            count += 1;
        }
        count
    }

    /// New orders only, so that it may run beside another workload's rows; as [`write`](Self::write).
    pub(crate) async fn write_new_orders(
        mut self,
        mut source: SqlServer,
        mut stop: tokio::sync::oneshot::Receiver<()>,
    ) -> u64 {
        self.leave_numbers_below(500_000);
        let mut count = 0;
        while let Err(tokio::sync::oneshot::error::TryRecvError::Empty) = stop.try_recv() {
            source.run(&self.enter_many(3)).await.unwrap();
            count += 1;
        }
        count
    }

    /// Numbers new orders from here on, so that it may run beside another workload's rows.
    pub(crate) fn leave_numbers_below(&mut self, first: i32) {
        self.next = first;
    }

    /// One transaction for each permit, until the semaphore is closed; returns their number.
    pub(crate) async fn write_at_pace(mut self, mut source: SqlServer, pace: Arc<Semaphore>) -> u64 {
        let mut count = 0;
        while let Ok(permit) = pace.acquire().await {
            permit.forget();
            source.run(&self.transaction()).await.unwrap();
            count += 1;
        }
        count
    }

    /// One transaction that keeps orders and lines in agreement.
    pub(crate) fn transaction(&mut self) -> String {
        let body = match self.rng.random_range(0..10) {
            _ if self.orders.len() < 5 => self.enter(),
            0..=1 if self.orders.len() < MOST_ORDERS => self.enter(),
            0..=3 => self.change(),
            4..=5 => self.ship(),
            6..=7 => self.annotate(),
            8 => self.exchange(),
            _ => self.purge(),
        };
        format!("SET XACT_ABORT ON; BEGIN TRAN; {body} COMMIT;")
    }

    /// Orders with one line each, entered at once.
    pub(crate) fn enter_many(&mut self, count: usize) -> String {
        let ids: Vec<i32> = (self.next..).take(count).collect();
        self.next += i32::try_from(count).expect("few orders");
        self.orders.extend(ids.iter().map(|id| ("MEX1", *id)));
        let rows = |form: fn(&i32) -> String| ids.iter().map(form).collect::<Vec<_>>().join(", ");
        let orders = rows(|id| format!("(N'MEX1', {id}, 1, '2026-11-05T08:00:00')"));
        let lines = rows(|id| format!("(N'MEX1', {id}, 0, 1)"));
        format!(
            "SET XACT_ABORT ON; BEGIN TRAN; INSERT INTO dbo.orders (wh, id, units, shipped_at) VALUES {orders}; \
             INSERT INTO dbo.lines VALUES {lines}; COMMIT;"
        )
    }

    fn any(&mut self) -> (&'static str, i32) {
        *self.orders.choose(&mut self.rng).expect("there are orders")
    }

    fn enter(&mut self) -> String {
        let (wh, id) = (*WAREHOUSES.choose(&mut self.rng).expect("there are warehouses"), self.next);
        self.next += 1;
        self.orders.push((wh, id));
        let lines: Vec<i32> =
            (0..self.rng.random_range(1..5)).map(|_| self.rng.random_range(1..50)).collect();
        let units: i32 = lines.iter().sum();
        let values: Vec<_> =
            lines.iter().enumerate().map(|(i, qty)| format!("(N'{wh}', {id}, {i}, {qty})")).collect();
        format!(
            "INSERT INTO dbo.orders (wh, id, units) VALUES (N'{wh}', {id}, {units}); \
             INSERT INTO dbo.lines VALUES {};",
            values.join(", ")
        )
    }

    fn change(&mut self) -> String {
        let (wh, id) = self.any();
        let more = self.rng.random_range(1..9);
        format!(
            "UPDATE dbo.lines SET qty = qty + {more} WHERE wh = N'{wh}' AND id = {id} AND line = 0; \
             UPDATE dbo.orders SET units = units + {more} WHERE wh = N'{wh}' AND id = {id};"
        )
    }

    fn ship(&mut self) -> String {
        let (wh, id) = self.any();
        let day = self.rng.random_range(1..28);
        format!(
            "UPDATE dbo.orders SET shipped_at = '2026-11-{day:02}T10:00:00' WHERE wh = N'{wh}' AND id = {id};"
        )
    }

    /// The order alone: its version moves and its lines' does not.
    fn annotate(&mut self) -> String {
        let (wh, id) = self.any();
        let note = self.rng.random_range(0..1_000_000);
        format!("UPDATE dbo.orders SET note = N'nota {note} ñ' WHERE wh = N'{wh}' AND id = {id};")
    }

    /// Units go from one order to another.
    fn exchange(&mut self) -> String {
        let ((wh, id), (other_wh, other)) = (self.any(), self.any());
        let moved = self.rng.random_range(1..20);
        let shift = |wh: &str, id: i32, sign: char| {
            format!(
                "UPDATE dbo.lines SET qty = qty {sign} {moved} WHERE wh = N'{wh}' AND id = {id} AND line = 0; \
                 UPDATE dbo.orders SET units = units {sign} {moved} WHERE wh = N'{wh}' AND id = {id}; "
            )
        };
        shift(wh, id, '-') + &shift(other_wh, other, '+')
    }

    fn purge(&mut self) -> String {
        let chosen = self.rng.random_range(0..self.orders.len());
        let (wh, id) = self.orders.swap_remove(chosen);
        format!(
            "DELETE FROM dbo.lines WHERE wh = N'{wh}' AND id = {id}; DELETE FROM dbo.orders WHERE wh = N'{wh}' AND id = {id};"
        )
    }
}

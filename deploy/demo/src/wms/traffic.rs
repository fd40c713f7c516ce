//! Live traffic: each step is one batch of T-SQL with one transaction, as a WMS would send it.

use super::history::{self, LINES, ORDERS, SHIPMENTS, TASKS};
use super::model::{self, WAREHOUSES, Warehouse};
use super::script::{Literal, Money, Rows};
use super::{Open, Stage};

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The demo's day runs this much faster than a real one, so that a person sees it move.
const HASTE: f64 = 30.0;

/// Orders per second and warehouse that arrive even at night.
const NIGHT_RATE: f64 = 0.1;

/// Open orders above which no more arrive until some have left.
const MOST_OPEN: usize = 600;

/// Generates batches; the same seed and moments give the same batches.
pub struct Traffic {
    rng: StdRng,
    open: Vec<Open>,
    serial: u64,
    receipts: u64,
}

impl Traffic {
    /// Goes on where the history ends.
    pub fn new(seed: u64, open: Vec<Open>, serial: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), open, serial, receipts: 0 }
    }

    /// The batches of an interval that ends now. Each is one transaction.
    pub fn tick(&mut self, now: DateTime<Utc>, seconds: f64) -> Vec<String> {
        let mut batches = Vec::new();
        for (index, warehouse) in WAREHOUSES.iter().enumerate() {
            let local = warehouse.local(now);
            let rate = (warehouse.hourly_rate(local) * HASTE / 3_600.0).max(NIGHT_RATE);
            for _ in 0..model::poisson(&mut self.rng, rate * seconds) {
                if self.open.len() < MOST_OPEN {
                    batches.push(self.enter(index, warehouse, local));
                }
            }
            for _ in 0..model::poisson(&mut self.rng, rate * seconds * 4.0) {
                batches.extend(self.advance(index, local));
            }
            if self.rng.random_bool((0.3 * seconds).min(1.0)) {
                batches.push(self.move_stock(warehouse, local));
            }
            if self.rng.random_bool((0.05 * seconds).min(1.0)) {
                batches.push(self.receive(warehouse, local));
            }
        }
        batches
    }

    fn enter(&mut self, index: usize, warehouse: &Warehouse, local: NaiveDateTime) -> String {
        let order = model::order(&mut self.rng, warehouse, self.serial, local);
        self.serial += 1;
        let mut orders = Rows::of(ORDERS);
        orders.push(&history::order_row(warehouse, &order, Stage::New, local, &mut self.rng));
        let mut lines = Rows::of(LINES);
        for (number, line) in (1_i64..).zip(&order.lines) {
            lines.push(&row![
                warehouse.code,
                order.number,
                number,
                line.sku,
                line.quantity,
                0,
                0,
                0,
                Money(line.price),
                i64::from(Stage::New.code()),
            ]);
        }
        self.open.push(Open { warehouse: index, order, stage: Stage::New });
        transaction(orders.statements().chain(lines.statements()))
    }

    /// Takes any open order of the warehouse one stage further, or calls it off.
    fn advance(&mut self, warehouse: usize, local: NaiveDateTime) -> Option<String> {
        let of_it: Vec<usize> =
            (0..self.open.len()).filter(|&i| self.open[i].warehouse == warehouse).collect();
        let chosen = *of_it.get(self.rng.random_range(0..of_it.len().max(1)))?;
        let cancelled = self.open[chosen].stage == Stage::New && self.rng.random_bool(0.04);
        let stage = if cancelled { Stage::Cancelled } else { self.open[chosen].stage.next() };
        self.open[chosen].stage = stage;
        let finished = matches!(stage, Stage::Shipped | Stage::Cancelled);
        let open = if finished { self.open.swap_remove(chosen) } else { self.open[chosen].clone() };
        Some(self.step(&WAREHOUSES[warehouse], &open, local))
    }

    fn step(&mut self, warehouse: &Warehouse, open: &Open, local: NaiveDateTime) -> String {
        let order = &open.order;
        let key = format!("wh_id = {} AND order_no = {}", warehouse.code.literal(), order.number.literal());
        let mut statements = vec![format!(
            "UPDATE wms.orders SET status = {}, shipped_at = {}, cancelled_at = {}, moddte = {}, mod_usr = N'RF' WHERE {key};",
            open.stage.code(),
            (open.stage == Stage::Shipped).then_some(local).literal(),
            (open.stage == Stage::Cancelled).then_some(local).literal(),
            local.literal(),
        )];
        for (number, line) in (1_i64..).zip(&order.lines) {
            let quantities = match open.stage {
                Stage::Allocated => format!("allocated_qty = {}, ", line.available),
                Stage::Packed => format!("picked_qty = {}, ", line.available),
                Stage::Shipped => format!("shipped_qty = {}, ", line.available),
                _ => String::new(),
            };
            statements.push(format!(
                "UPDATE wms.order_lines SET {quantities}line_status = {} WHERE {key} AND line_no = {number};",
                open.stage.code()
            ));
        }
        let mut rows = match open.stage {
            Stage::Packed => Rows::of(TASKS),
            Stage::Shipped => Rows::of(SHIPMENTS),
            _ => return transaction(statements),
        };
        if open.stage == Stage::Shipped {
            rows.push(&history::shipment_row(warehouse, order, local, &mut self.rng));
        } else {
            for (number, line) in (1_i64..).zip(&order.lines) {
                rows.push(&history::task_row(warehouse, &order.number, number, line, local, &mut self.rng));
            }
        }
        statements.extend(rows.statements());
        transaction(statements)
    }

    /// Stock is moved to another location: the key changes; sometimes a location runs empty and its row goes.
    fn move_stock(&mut self, warehouse: &Warehouse, local: NaiveDateTime) -> String {
        let item = model::sku(warehouse.company, self.rng.random_range(0..model::ITEMS)).literal();
        let (code, when) = (warehouse.code.literal(), local.literal());
        let lot = format!("L{:06}", self.rng.random_range(0..1_000_000)).literal();
        let change = match self.rng.random_range(0..10) {
            0 => format!(
                "DELETE FROM wms.inventory WHERE wh_id = {code} AND sku = {item} AND qty_on_hand < 60;"
            ),
            1..=3 => format!(
                "UPDATE wms.inventory SET lot = {lot}, last_move = {when} WHERE wh_id = {code} AND sku = {item} AND lot = N'----';"
            ),
            _ => format!(
                "UPDATE wms.inventory SET qty_on_hand = qty_on_hand + {}, last_move = {when} WHERE wh_id = {code} AND sku = {item};",
                self.rng.random_range(-15..=20)
            ),
        };
        transaction([change])
    }

    /// A truck arrives: a receipt with its lines.
    fn receive(&mut self, warehouse: &Warehouse, local: NaiveDateTime) -> String {
        self.receipts += 1;
        let receipt = uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string();
        let mut receipts = Rows::of(
            "wms.receipts (receipt_id, wh_id, company_id, po_no, supplier_no, expected_at, arrived_at, closed_at, status)",
        );
        receipts.push(&row![
            receipt,
            warehouse.code,
            warehouse.company,
            format!("PO{:06}", self.receipts),
            format!("SUP{:03}", self.rng.random_range(1..80)),
            local - Duration::hours(2),
            local,
            None::<NaiveDateTime>,
            20,
        ]);
        let mut lines = Rows::of(
            "wms.receipt_lines (receipt_id, line_no, sku, expected_qty, received_qty, damaged_qty, received_at)",
        );
        for number in 1..=self.rng.random_range(1..6_i64) {
            let expected = self.rng.random_range(10..400);
            let received_at = format!("{} -04:00", local.format("%Y-%m-%d %H:%M:%S%.3f"));
            lines.push(&row![
                receipt,
                number,
                model::sku(warehouse.company, self.rng.random_range(0..model::ITEMS)),
                expected,
                expected - i32::from(self.rng.random_bool(0.1)),
                0,
                received_at,
            ]);
        }
        transaction(receipts.statements().chain(lines.statements()))
    }
}

fn transaction(statements: impl IntoIterator<Item = String>) -> String {
    let body: Vec<_> = statements.into_iter().collect();
    format!("SET XACT_ABORT ON; BEGIN TRAN;\n{}\nCOMMIT;", body.join("\n"))
}

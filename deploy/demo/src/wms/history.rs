//! Ninety days of the past, loaded once before the traffic begins.

use super::model::{self, ITEMS, Order, WAREHOUSES, Warehouse};
use super::script::{Money, Rows};
use super::{Open, Stage};
use crate::row;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Days of history.
pub const DAYS: i64 = 90;

/// Days of pick tasks, which are many.
const PICK_DAYS: i64 = 10;

pub(super) const ORDERS: &str = "wms.orders (wh_id, order_no, company_id, customer_no, order_type, priority, status, entered_at, \
     due_ship_at, shipped_at, cancelled_at, carrier, total_value, notes, moddte, mod_usr)";
pub(super) const LINES: &str = "wms.order_lines (wh_id, order_no, line_no, sku, ordered_qty, allocated_qty, picked_qty, \
     shipped_qty, unit_price, line_status)";
pub(super) const TASKS: &str = "wms.pick_tasks (wh_id, order_no, line_no, from_loc, sku, qty_req, qty_picked, short_reason, \
     picker_id, created_at, started_at, done_at, goal_seconds)";
pub(super) const SHIPMENTS: &str = "wms.shipments (ship_id, wh_id, order_no, carrier, tracking, packed_at, shipped_at, promised_at, \
     cartons, freight_cost)";

/// The past as statements, and the orders that are still open at its end.
pub struct History {
    /// Inserts, parents first.
    pub statements: Vec<String>,
    /// Orders that the traffic goes on with.
    pub open: Vec<Open>,
    /// The next order's serial number.
    pub serial: u64,
}

struct Writer {
    rng: StdRng,
    orders: Rows,
    lines: Rows,
    tasks: Rows,
    shipments: Rows,
    open: Vec<Open>,
    serial: u64,
}

/// Writes the past of every warehouse up to `now`.
pub fn write(seed: u64, now: DateTime<Utc>) -> History {
    let mut writer = Writer {
        rng: StdRng::seed_from_u64(seed),
        orders: Rows::of(ORDERS),
        lines: Rows::of(LINES),
        tasks: Rows::of(TASKS),
        shipments: Rows::of(SHIPMENTS),
        open: Vec::new(),
        serial: 1,
    };
    for (index, warehouse) in WAREHOUSES.iter().enumerate() {
        writer.warehouse(index, warehouse, warehouse.local(now));
    }
    let mut statements = stock(&mut writer.rng, now);
    for rows in [&writer.orders, &writer.lines, &writer.tasks, &writer.shipments] {
        statements.extend(rows.statements());
    }
    History { statements, open: writer.open, serial: writer.serial }
}

impl Writer {
    fn warehouse(&mut self, index: usize, warehouse: &Warehouse, now: NaiveDateTime) {
        let mut hour = now.date().and_hms_opt(0, 0, 0).expect("midnight") - Duration::days(DAYS - 1);
        while hour <= now {
            let count = model::poisson(&mut self.rng, warehouse.hourly_rate(hour));
            let mut times: Vec<_> = (0..count)
                .map(|_| hour + Duration::milliseconds(self.rng.random_range(0..3_600_000)))
                .collect();
            times.sort_unstable();
            for entered_at in times.into_iter().filter(|at| *at <= now) {
                let order = model::order(&mut self.rng, warehouse, self.serial, entered_at);
                self.serial += 1;
                self.order(index, warehouse, order, now);
            }
            hour += Duration::hours(1);
        }
    }

    fn order(&mut self, index: usize, warehouse: &Warehouse, order: Order, now: NaiveDateTime) {
        let cancelled = self.rng.random_bool(0.01);
        let late = self.rng.random_bool(0.04);
        let hours = if late { self.rng.random_range(28..50) } else { self.rng.random_range(2..20) };
        let shipped_at =
            order.entered_at + Duration::hours(hours) + Duration::minutes(self.rng.random_range(0..60));
        let stage = match (cancelled, shipped_at <= now) {
            (true, _) => Stage::Cancelled,
            (false, true) => Stage::Shipped,
            (false, false) if order.entered_at + Duration::hours(1) > now => Stage::New,
            (false, false) => Stage::Picking,
        };
        let at = match stage {
            Stage::Shipped => shipped_at,
            _ => order.entered_at,
        };
        self.orders.push(&order_row(warehouse, &order, stage, at, &mut self.rng));
        for (number, line) in (1_i64..).zip(&order.lines) {
            let shipped = if stage == Stage::Shipped { line.available } else { 0 };
            let allocated = if stage == Stage::New || stage == Stage::Cancelled { 0 } else { line.available };
            self.lines.push(&row![
                warehouse.code,
                order.number,
                number,
                line.sku,
                line.quantity,
                allocated,
                shipped,
                shipped,
                Money(line.price),
                i64::from(stage.code()),
            ]);
            if stage == Stage::Shipped && now - shipped_at < Duration::days(PICK_DAYS) {
                self.tasks.push(&task_row(warehouse, &order.number, number, line, shipped_at, &mut self.rng));
            }
        }
        match stage {
            Stage::Shipped => {
                self.shipments.push(&shipment_row(warehouse, &order, shipped_at, &mut self.rng));
            }
            Stage::Cancelled => {}
            _ => self.open.push(Open { warehouse: index, order, stage }),
        }
    }
}

/// The columns of [`ORDERS`]; `at` is the time of the last event.
pub(super) fn order_row(
    warehouse: &Warehouse,
    order: &Order,
    stage: Stage,
    at: NaiveDateTime,
    rng: &mut StdRng,
) -> Vec<String> {
    let value: i64 = order.lines.iter().map(|line| line.price * i64::from(line.quantity)).sum();
    Vec::from(row![
        warehouse.code,
        order.number,
        warehouse.company,
        order.customer,
        order.order_type,
        i64::from(order.priority),
        i64::from(stage.code()),
        order.entered_at,
        order.due_at,
        (stage == Stage::Shipped).then_some(at),
        (stage == Stage::Cancelled).then_some(at),
        model::carrier(rng),
        Money(value),
        order.note,
        at,
        "WMS",
    ])
}

/// The columns of [`TASKS`] for a line that is picked shortly before `done`.
pub(super) fn task_row(
    warehouse: &Warehouse,
    order_no: &str,
    line_no: i64,
    line: &model::Line,
    done: NaiveDateTime,
    rng: &mut StdRng,
) -> Vec<String> {
    let seconds = rng.random_range(40..400);
    let short = (line.available < line.quantity).then_some("SIN EXISTENCIA");
    let picker = format!("P{:02}", rng.random_range(1..=18));
    Vec::from(row![
        warehouse.code,
        order_no,
        line_no,
        model::location(rng),
        line.sku,
        line.quantity,
        line.available,
        short,
        picker,
        done - Duration::seconds(seconds * 3),
        done - Duration::seconds(seconds),
        done,
        180_i64,
    ])
}

/// The columns of [`SHIPMENTS`].
pub(super) fn shipment_row(
    warehouse: &Warehouse,
    order: &Order,
    shipped_at: NaiveDateTime,
    rng: &mut StdRng,
) -> Vec<String> {
    Vec::from(row![
        format!("{}-{}", warehouse.code, order.number),
        warehouse.code,
        order.number,
        model::carrier(rng),
        format!("1Z{:010}", rng.random_range(0..9_999_999_999_u64)),
        shipped_at - Duration::minutes(25),
        shipped_at,
        order.due_at,
        1 + i32::try_from(order.lines.len() / 3).unwrap_or(0),
        Money(rng.random_range(45_000..=620_000)),
    ])
}

/// Items, stock, counts and shifts: small tables that need no day-by-day story.
fn stock(rng: &mut StdRng, now: DateTime<Utc>) -> Vec<String> {
    let mut items = Rows::of("wms.item (company_id, sku, descr, abc, uom, unit_cost, weight_kg, hazmat)");
    for company in [1, 2] {
        for index in 0..ITEMS {
            let class = ["A", "B", "C"][(index as usize / 40).min(2)];
            items.push(&row![
                company,
                model::sku(company, index),
                model::description(index),
                class,
                "PZA",
                Money(rng.random_range(8_000..=600_000)),
                Money(rng.random_range(1_000..=120_000)),
                i64::from(index % 29 == 0),
            ]);
        }
    }
    let mut inventory = Rows::of(
        "wms.inventory (wh_id, loc, sku, lot, company_id, qty_on_hand, qty_alloc, status, expiry, last_move)",
    );
    let mut counts = Rows::of(
        "wms.cycle_counts (count_batch, wh_id, loc, sku, system_qty, counted_qty, counted_at, counter_id)",
    );
    let mut shifts = Rows::of("wms.labor_shifts (wh_id, worker_id, job, clock_in, clock_out)");
    for warehouse in &WAREHOUSES {
        let local = warehouse.local(now);
        for index in 0..ITEMS {
            let location =
                format!("{}-{:02}-{}", char::from(b'A' + (index % 8) as u8), index / 8 + 1, index % 4 + 1);
            let quantity = rng.random_range(20..900);
            let expiry = (index % 3 == 0).then(|| local.date() + Duration::days(rng.random_range(20..400)));
            let item = model::sku(warehouse.company, index);
            inventory.push(&row![
                warehouse.code,
                location,
                item,
                "----",
                warehouse.company,
                quantity,
                0,
                "DISP",
                expiry,
                local - Duration::hours(rng.random_range(1..300)),
            ]);
            if index % 10 == 0 {
                counts.push(&row![
                    "CC-0001",
                    warehouse.code,
                    location,
                    item,
                    quantity,
                    quantity - i32::from(index % 40 == 0),
                    local - Duration::days(1),
                    "J. Colón",
                ]);
            }
        }
        for day in 1..=14 {
            for worker in 1..=6 {
                let start = (local - Duration::days(day)).date().and_hms_opt(7, 0, 0).expect("seven");
                shifts.push(&row![
                    warehouse.code,
                    format!("P{worker:02}"),
                    "pick",
                    start,
                    start + Duration::minutes(rng.random_range(420..540)),
                ]);
            }
        }
    }
    [items, inventory, counts, shifts].iter().flat_map(|rows| rows.statements().collect::<Vec<_>>()).collect()
}

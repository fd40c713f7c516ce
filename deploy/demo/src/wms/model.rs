//! What orders, lines and people of the demo's warehouses look like. Everything follows from a seed and a moment.

use chrono::{DateTime, Datelike, Duration, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;
use rand::Rng;
use rand::rngs::StdRng;

/// A warehouse of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Warehouse {
    /// Code.
    pub code: &'static str,
    /// Company that owns it.
    pub company: i32,
    /// Its zone; every naive datetime of its rows is in it.
    pub zone: Tz,
    /// Orders on an ordinary working day.
    pub orders_per_day: f64,
}

/// The three warehouses of `schema.sql`.
pub const WAREHOUSES: [Warehouse; 3] = [
    Warehouse { code: "SJU1", company: 1, zone: Tz::America__Puerto_Rico, orders_per_day: 70.0 },
    Warehouse { code: "MIA2", company: 1, zone: Tz::America__New_York, orders_per_day: 50.0 },
    Warehouse { code: "MEX1", company: 2, zone: Tz::America__Mexico_City, orders_per_day: 60.0 },
];

/// Items per company.
pub const ITEMS: u32 = 120;

const NOUNS: [&str; 12] = [
    "Café molido",
    "Jabón de coco",
    "Piña en almíbar",
    "Arroz grano largo",
    "Aceite de maíz",
    "Harina de trigo",
    "Atún en agua",
    "Leche evaporada",
    "Salsa habanera",
    "Galletas María",
    "Detergente líquido",
    "Papel de cocina",
];
const SIZES: [&str; 6] = ["250 g", "500 g", "1 kg", "12 × 330 ml", "6 × 1 l", "caja de 24"];
const CARRIERS: [&str; 4] = ["UPS", "FEDEX", "DHL", "PROPIO"];
const NOTES: [&str; 5] = [
    "Entregar antes del mediodía",
    "Cliente pide factura en español",
    "Fragile ☕ handle with care",
    "Llamar al llegar: señora Núñez",
    "Dock 4 only",
];
/// Share of a day's orders that arrive in each local hour.
const RHYTHM: [f64; 24] = [
    0.2, 0.1, 0.1, 0.1, 0.2, 0.5, 1.5, 3.5, 6.5, 9.0, 10.5, 10.0, 7.5, 8.0, 9.5, 9.0, 7.5, 5.0, 3.5, 2.5,
    2.0, 1.5, 1.0, 0.8,
];

/// A new order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Number, unique within the warehouse.
    pub number: String,
    /// Customer.
    pub customer: String,
    /// Kind: `STD`, `EXP` or `B2B`.
    pub order_type: &'static str,
    /// 1 is urgent.
    pub priority: u8,
    /// Local time of entry.
    pub entered_at: NaiveDateTime,
    /// Local time by which it should leave.
    pub due_at: NaiveDateTime,
    /// A note for some.
    pub note: Option<&'static str>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A line of an order.
#[derive(Clone, Debug)]
pub struct Line {
    /// Item.
    pub sku: String,
    /// Units wanted.
    pub quantity: i32,
    /// Price of one, in ten-thousandths.
    pub price: i64,
    /// Units that will be found: fewer for a short.
    pub available: i32,
}

impl Warehouse {
    /// The local time there at a moment.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    /// Orders that may be expected in the hour of a local time.
    pub fn hourly_rate(&self, local: NaiveDateTime) -> f64 {
        let total: f64 = RHYTHM.iter().sum();
        let weekday = match local.weekday().num_days_from_monday() {
            5 => 0.45,
            6 => 0.15,
            _ => 1.0,
        };
        self.orders_per_day * weekday * RHYTHM[local.hour() as usize] / total
    }
}

/// A SKU of a company.
pub fn sku(company: i32, index: u32) -> String {
    format!("{}-{index:04}", if company == 1 { "IV" } else { "AN" })
}

/// Description of an item.
pub fn description(index: u32) -> String {
    format!("{} {}", NOUNS[index as usize % NOUNS.len()], SIZES[(index as usize / NOUNS.len()) % SIZES.len()])
}

/// Any carrier.
pub fn carrier(rng: &mut StdRng) -> &'static str {
    CARRIERS[rng.random_range(0..CARRIERS.len())]
}

/// A storage location.
pub fn location(rng: &mut StdRng) -> String {
    let aisle = char::from(b'A' + rng.random_range(0..8_u8));
    format!("{aisle}-{:02}-{}", rng.random_range(1..=24), rng.random_range(1..=4))
}

/// How many events happen when `mean` are expected (Poisson, by Knuth's product of uniforms; means are small here).
pub fn poisson(rng: &mut StdRng, mean: f64) -> u32 {
    let limit = (-mean).exp();
    let mut product: f64 = rng.random();
    let mut count = 0;
    while product > limit {
        product *= rng.random::<f64>();
        count += 1;
    }
    count
}

/// A new order at a warehouse.
pub fn order(rng: &mut StdRng, warehouse: &Warehouse, serial: u64, entered_at: NaiveDateTime) -> Order {
    let express = rng.random_bool(0.2);
    let lines = 1 + poisson(rng, 2.2).min(7);
    Order {
        number: format!("{}{serial:07}", if warehouse.company == 1 { "SO" } else { "PV" }),
        customer: format!("C{:04}", rng.random_range(1..=400)),
        order_type: if express {
            "EXP"
        } else if rng.random_bool(0.3) {
            "B2B"
        } else {
            "STD"
        },
        priority: if express { 1 } else { rng.random_range(2..=4) },
        entered_at,
        due_at: entered_at + if express { Duration::hours(6) } else { Duration::hours(26) },
        note: rng.random_bool(0.06).then(|| NOTES[rng.random_range(0..NOTES.len())]),
        lines: (0..lines).map(|_| line(rng, warehouse.company)).collect(),
    }
}

fn line(rng: &mut StdRng, company: i32) -> Line {
    let quantity = rng.random_range(1..=24);
    let short = rng.random_bool(0.02);
    Line {
        sku: sku(company, rng.random_range(0..ITEMS)),
        quantity,
        price: rng.random_range(12_500..=890_000),
        available: if short { rng.random_range(0..quantity) } else { quantity },
    }
}

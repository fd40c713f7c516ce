//! Random histories of orders and lines: rows and figures after every run, against a plain program.

use crate::fixture::{FOLD, Target, rows};
use crate::model::{Line, Model, Order, line_gone, line_row, lines, metrics, order_gone, order_row, orders};
use proto::{Image, Record};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const DAY: i64 = 86_400 * 1_000_000;
const RUNS: usize = 60;

/// Few keys, so that rows change often and lines move between orders that come and go.
struct History {
    random: StdRng,
    model: Model,
}

impl History {
    /// One cut: changes of both tables in one order or the other, some in a load's chunk, keys more than once.
    fn run(&mut self) -> Vec<Record> {
        // Within one snapshot a key has one spelling; the source may spell it otherwise at the next.
        let lower = self.random.random_bool(0.5);
        let mut records = Vec::new();
        for _ in 0..self.random.random_range(1..4) {
            let count = self.random.random_range(0..12);
            let chunk = self.random.random_bool(0.3);
            if self.random.random_bool(0.5) {
                let images = (0..count).map(|_| self.change_order(lower)).collect();
                records.extend(rows(&orders(), images, chunk));
            } else {
                let images = (0..count).map(|_| self.change_line(lower)).collect();
                records.extend(rows(&lines(), images, chunk));
            }
        }
        records
    }

    fn order_key(&mut self, lower: bool) -> (i32, String) {
        let number = self.random.random_range(0..12);
        (self.random.random_range(1..3), if lower { format!("ñ-{number} ") } else { format!("Ñ-{number}") })
    }

    fn change_order(&mut self, lower: bool) -> Image {
        let (company, spelling) = self.order_key(lower);
        let key = (company, FOLD.apply(&spelling).into_owned());
        if self.random.random_bool(0.25) {
            self.model.orders.remove(&key);
            return order_gone(company, &spelling);
        }
        let random = &mut self.random;
        let order = Order {
            warehouse: [None, Some("SJU1"), Some("sju1 "), Some("MIA")]
                .choose(random)
                .unwrap()
                .map(Into::into),
            status: (*["shipped", "SHIPPED ", "open"].choose(random).unwrap()).into(),
            entered: random.random_range(0..4 * DAY),
            shipped: random.random_bool(0.7).then(|| random.random_range(-2 * DAY..2 * DAY)),
        };
        let row = order_row(company, &spelling, &order);
        self.model.orders.insert(key, (spelling, order));
        Image::Present(row)
    }

    fn change_line(&mut self, lower: bool) -> Image {
        let id = self.random.random_range(0..30);
        if self.random.random_bool(0.2) {
            self.model.lines.remove(&id);
            return line_gone(id);
        }
        let (company, spelling) = self.order_key(lower);
        let line = Line {
            order: (company, FOLD.apply(&spelling).into_owned()),
            ordered: self.random.random_bool(0.9).then(|| self.random.random_range(1..5_000)),
            shipped: self.random.random_range(0..5_000),
        };
        let row = line_row(id, &spelling, &line);
        self.model.lines.insert(id, line);
        Image::Present(row)
    }
}

#[tokio::test]
async fn rows_and_figures_equal_the_model_after_every_run() {
    let seed = std::env::var("SEED").map_or_else(|_| rand::rng().random(), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut target = Target::new("random_runs", &[orders(), lines()], &metrics()).await;
    let mut history = History { random: StdRng::seed_from_u64(seed), model: Model::default() };
    let mut moved = 0;
    for number in 0..RUNS {
        let records = history.run();
        let applied = target.apply(records).await;
        moved += applied.written + applied.deleted;
        history.model.compare(&target.observer, &format!("SEED={seed}, run {number}")).await;
    }
    assert!(moved > 100, "the history moved only {moved} rows");
    let verified = cdc_agent::verify::metrics(&target.settings).await.unwrap();
    assert_eq!((verified.metrics, verified.differences), (4, Vec::new()));
    let spoil = "update cdc.daily set facts = facts + 1 where metric = 'orders_received'";
    let spoiled = target.observer.execute(spoil, &[]).await.unwrap();
    let verified = cdc_agent::verify::metrics(&target.settings).await.unwrap();
    assert_eq!(verified.differences.len() as u64, spoiled, "every spoiled figure is found");
}

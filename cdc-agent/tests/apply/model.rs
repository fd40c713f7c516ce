//! Orders and their lines, and what a plain program makes of them.

use crate::fixture::{FOLD, layout, text};
use proto::{ColumnType, Decimal, Image, Key, Layout, MetricDefinition, Row, Value};
use std::collections::BTreeMap;
use tokio_postgres::Client;

const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// One order at the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) warehouse: Option<String>,
    pub(crate) status: String,
    pub(crate) entered: i64,
    pub(crate) shipped: Option<i64>,
}

/// One line at the source; quantities in thousandths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) order: (i32, String),
    pub(crate) ordered: Option<i64>,
    pub(crate) shipped: i64,
}

/// The source's rows. Keys are folded; an order keeps the spelling that it came with.
#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) orders: BTreeMap<(i32, String), (String, Order)>,
    pub(crate) lines: BTreeMap<i64, Line>,
}

/// By metric, day, company and warehouse: facts, numerator and denominator in thousandths.
pub(crate) type Figures = BTreeMap<(String, i64, String, String), (i64, i64, i64)>;

pub(crate) fn orders() -> Layout {
    layout(
        "orders",
        &[
            ("company_id", ColumnType::Int4),
            ("order_no", ColumnType::Text),
            ("warehouse", ColumnType::Text),
            ("status", ColumnType::Text),
            ("entered_at", ColumnType::Timestamp),
            ("shipped_at", ColumnType::Timestamp),
        ],
        &["company_id", "order_no"],
        &["order_no", "warehouse", "status"],
    )
}

pub(crate) fn lines() -> Layout {
    layout(
        "lines",
        &[
            ("line_id", ColumnType::Int8),
            ("company_id", ColumnType::Int4),
            ("order_no", ColumnType::Text),
            ("ordered", ColumnType::Numeric { precision: 12, scale: 3 }),
            ("shipped", ColumnType::Numeric { precision: 12, scale: 3 }),
        ],
        &["line_id"],
        &["order_no"],
    )
}

/// `orders_received`, `orders_shipped`, `units_shipped`, `line_fill_rate`.
pub(crate) fn metrics() -> Vec<MetricDefinition> {
    #[derive(serde::Deserialize)]
    struct File {
        metric: Vec<MetricDefinition>,
    }
    toml::from_str::<File>(include_str!("metrics.toml")).unwrap().metric
}

pub(crate) fn order_row(company: i32, spelling: &str, order: &Order) -> Row {
    Row(vec![
        Value::Int(company.into()),
        text(spelling),
        order.warehouse.as_deref().map_or(Value::Null, text),
        text(&order.status),
        Value::Timestamp(order.entered),
        order.shipped.map_or(Value::Null, Value::Timestamp),
    ])
}

pub(crate) fn line_row(id: i64, spelling: &str, line: &Line) -> Row {
    let quantity = |thousandths: i64| Value::Decimal(Decimal { unscaled: thousandths.into(), scale: 3 });
    Row(vec![
        Value::Int(id),
        Value::Int(line.order.0.into()),
        text(spelling),
        line.ordered.map_or(Value::Null, quantity),
        quantity(line.shipped),
    ])
}

pub(crate) fn order_gone(company: i32, spelling: &str) -> Image {
    Image::Absent(Key(vec![Value::Int(company.into()), text(spelling)]))
}

pub(crate) fn line_gone(id: i64) -> Image {
    Image::Absent(Key(vec![Value::Int(id)]))
}

impl Model {
    /// Every figure, computed from all rows.
    pub(crate) fn figures(&self) -> Figures {
        let mut figures = Figures::new();
        let mut add = |metric: &str, at: i64, company: i32, order: &Order, sums: (i64, i64)| {
            let warehouse =
                order.warehouse.as_deref().map_or(String::new(), |code| FOLD.apply(code).into_owned());
            let group = (metric.to_owned(), at.div_euclid(DAY_MICROS), company.to_string(), warehouse);
            let figure = figures.entry(group).or_default();
            figure.0 += 1;
            figure.1 += sums.0;
            figure.2 += sums.1;
        };
        for ((company, _), (_, order)) in &self.orders {
            add("orders_received", order.entered, *company, order, (1_000, 0));
            if let Some(shipped) = order.shipped.filter(|_| FOLD.apply(&order.status) == "SHIPPED") {
                add("orders_shipped", shipped, *company, order, (1_000, 0));
            }
        }
        for line in self.lines.values() {
            let Some((_, order)) = self.orders.get(&line.order) else { continue };
            let Some(shipped) = order.shipped else { continue };
            add("units_shipped", shipped, line.order.0, order, (line.shipped, 0));
            let full = i64::from(line.ordered.is_some_and(|ordered| line.shipped >= ordered));
            add("line_fill_rate", shipped, line.order.0, order, (full * 1_000, 1_000));
        }
        figures
    }

    /// Compares rows and figures with the target's.
    pub(crate) async fn compare(&self, observer: &Client, context: &str) {
        let mut orders = BTreeMap::new();
        let sql = "select company_id, order_no__key, order_no, warehouse, status, \
                   (extract(epoch from entered_at) * 1000000)::int8, (extract(epoch from shipped_at) * 1000000)::int8, \
                   entered_at__day = entered_at::date and shipped_at__day is not distinct from shipped_at::date \
                   from wms.orders";
        for row in observer.query(sql, &[]).await.unwrap() {
            let order =
                Order { warehouse: row.get(3), status: row.get(4), entered: row.get(5), shipped: row.get(6) };
            assert!(row.get::<_, bool>(7), "{context}: the stored days of {order:?}");
            orders.insert((row.get(0), row.get(1)), (row.get::<_, String>(2), order));
        }
        assert_eq!(orders, self.orders, "{context}: orders");
        let mut lines = BTreeMap::new();
        let sql = "select line_id, company_id, order_no__key, (ordered * 1000)::int8, (shipped * 1000)::int8 from wms.lines";
        for row in observer.query(sql, &[]).await.unwrap() {
            let line = Line { order: (row.get(1), row.get(2)), ordered: row.get(3), shipped: row.get(4) };
            lines.insert(row.get(0), line);
        }
        assert_eq!(lines, self.lines, "{context}: lines");
        assert_eq!(figures(observer).await, self.figures(), "{context}: figures");
    }
}

/// The stored figures.
pub(crate) async fn figures(observer: &Client) -> Figures {
    let sql = "select metric, (day - date '1970-01-01')::int8, company, warehouse, facts, (numerator * 1000)::int8, \
               (denominator * 1000)::int8 from cdc.daily";
    let rows = observer.query(sql, &[]).await.unwrap();
    let figure = |row: &tokio_postgres::Row| {
        ((row.get(0), row.get(1), row.get(2), row.get(3)), (row.get(4), row.get(5), row.get(6)))
    };
    rows.iter().map(figure).collect()
}

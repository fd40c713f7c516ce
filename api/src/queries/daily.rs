//! Daily figures. PostgreSQL divides and formats, so no figure passes through a float.

use crate::access::Scope;
use crate::database::{DatabaseError, Reading};
use chrono::NaiveDate;
use serde::{Serialize, Serializer};

/// Which figures are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// The metrics: source, name, whether it is a ratio.
    pub metrics: Vec<AskedMetric>,
    /// The days of each warehouse whose zone is known.
    pub spans: Vec<Span>,
    /// The days of every other warehouse.
    pub other: Days,
    /// Only this company.
    pub company: Option<String>,
    /// Only this warehouse.
    pub warehouse: Option<String>,
}

/// A metric that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct AskedMetric {
    pub source: String,
    pub name: String,
    pub ratio: bool,
}

/// Days, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// The days of one warehouse.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub source: String,
    pub warehouse: String,
    pub days: Days,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Figure {
    pub date: NaiveDate,
    pub metric: String,
    /// A sum with at least two places, a ratio with six; None where the denominator is 0.
    pub value: Option<String>,
    pub numerator: String,
    /// None for a sum.
    pub denominator: Option<String>,
    #[serde(serialize_with = "number_or_text")]
    pub company: String,
    pub warehouse: String,
}

/// The outer range lets the primary key find the days; the inner one is the warehouse's own.
const FIGURES: &str = "
    with asked as (
        select * from unnest($1::text[], $2::text[], $3::bool[]) as a (source, metric, ratio)
    ), span as (
        select * from unnest($4::text[], $5::text[], $6::date[], $7::date[]) as s (source, warehouse, first, last)
    )
    select d.day, d.metric, d.company, d.warehouse, trim_scale(d.numerator)::text as numerator,
           case when a.ratio then trim_scale(d.denominator)::text end as denominator,
           case when a.ratio then round(d.numerator / nullif(d.denominator, 0), 6)
                else round(d.numerator, greatest(2, min_scale(d.numerator))) end::text as value
    from asked a
    join reading.daily d on d.source = a.source and d.metric = a.metric
    left join span s on s.source = d.source and s.warehouse = d.warehouse
    where d.day between $8 and $9
      and d.day between coalesce(s.first, $10) and coalesce(s.last, $11)
      and ($12::text is null or upper(d.company) = upper(rtrim($12)))
      and ($13::text is null or upper(d.warehouse) = upper(rtrim($13)))
      and ($14::text[] is null or d.company = any ($14))
      and ($15::text[] is null or d.warehouse = any ($15))
    order by d.day, d.metric, d.company, d.warehouse";

/// The figures that `scope` may see, by day, metric, company and warehouse.
pub(crate) async fn figures(
    reading: &Reading,
    scope: &Scope,
    asked: &Figures,
) -> Result<Vec<Figure>, DatabaseError> {
    let column = |of: fn(&AskedMetric) -> &str| asked.metrics.iter().map(of).collect::<Vec<_>>();
    let ratios = asked.metrics.iter().map(|metric| metric.ratio).collect::<Vec<_>>();
    let sources = asked.spans.iter().map(|span| span.source.as_str()).collect::<Vec<_>>();
    let warehouses = asked.spans.iter().map(|span| span.warehouse.as_str()).collect::<Vec<_>>();
    let firsts = asked.spans.iter().map(|span| span.days.first).collect::<Vec<_>>();
    let lasts = asked.spans.iter().map(|span| span.days.last).collect::<Vec<_>>();
    let first = firsts.iter().copied().chain([asked.other.first]).min();
    let last = lasts.iter().copied().chain([asked.other.last]).max();
    let rows = reading
        .query(
            FIGURES,
            &[
                &column(|metric| &metric.source),
                &column(|metric| &metric.name),
                &ratios,
                &sources,
                &warehouses,
                &firsts,
                &lasts,
                &first,
                &last,
                &asked.other.first,
                &asked.other.last,
                &asked.company,
                &asked.warehouse,
                &scope.companies(),
                &scope.warehouses(),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Figure {
            date: row.get("day"),
            metric: row.get("metric"),
            value: row.get("value"),
            numerator: row.get("numerator"),
            denominator: row.get("denominator"),
            company: row.get("company"),
            warehouse: row.get("warehouse"),
        })
        .collect())
}

/// A company that is a whole number is shown as one; `007` is not.
fn number_or_text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text && number.unsigned_abs() < 1 << 53 => {
            serializer.serialize_i64(number)
        }
        _ => serializer.serialize_str(text),
    }
}

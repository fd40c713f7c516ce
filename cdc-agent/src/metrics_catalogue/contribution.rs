//! What facts contribute to a metric, as SQL.

use super::check::{Checked, Place};
use super::day;
use super::error::MetricError;
use crate::apply::ident::{self, Ident, Literal, Qualified};
use proto::{Column, ColumnType, Comparison, Dimension, FactCondition, Measure, Operand};

/// Signed contributions of a transaction, collected until its end.
pub(crate) const CREATE_CONTRIBUTION: &str = "create temp table contribution (metric text, day date, company text, \
     warehouse text, facts bigint, numerator numeric, denominator numeric) on commit delete rows";

/// The parts of a metric's SQL that do not depend on what changed.
#[derive(Clone, Debug)]
pub(crate) struct Contribution {
    metric: String,
    /// Group and measures over the alias `f` and the sides' aliases.
    day: String,
    company: String,
    warehouse: String,
    numerator: String,
    denominator: String,
    /// What makes a fact count.
    filter: String,
    facts: FactTable,
    sides: Vec<SideTable>,
}

#[derive(Clone, Debug)]
struct FactTable {
    name: String,
    qualified: String,
    identity: Vec<String>,
}

#[derive(Clone, Debug)]
struct SideTable {
    name: String,
    qualified: String,
    alias: String,
    /// Column of the facts, column of the side, whether the latter belongs to the side's key.
    on: Vec<(String, String, bool)>,
}

impl Contribution {
    pub(super) fn new(checked: &Checked<'_>, schema: &str) -> Result<Self, MetricError> {
        let definition = checked.definition;
        let writer = Writer { checked };
        let qualified = |name: &str| Qualified { schema, name }.to_string();
        let mut sides = Vec::new();
        for side in &checked.sides {
            let keys: Vec<&Column> = side.layout.key_columns().collect();
            let mut on = Vec::new();
            for (of_facts, of_side) in &side.on {
                on.push((checked.identity(of_facts)?, checked.identity(of_side)?, keys.contains(of_side)));
            }
            let name = side.layout.target.clone();
            sides.push(SideTable { qualified: qualified(&name), alias: writer.alias(&name), name, on });
        }
        let day = checked.place(&definition.day)?;
        let day_column = day::name_of(&day.column.target);
        let day = format!("{}.{}", writer.alias(&day.layout.target), Ident(&day_column));
        let mut filter = vec![format!("{day} is not null")];
        for condition in &definition.filter {
            filter.push(writer.condition(condition)?);
        }
        Ok(Self {
            metric: definition.name.clone(),
            day,
            company: writer.group(definition.company.as_ref())?,
            warehouse: writer.group(definition.warehouse.as_ref())?,
            numerator: writer.measure(&definition.numerator)?,
            denominator: match &definition.denominator {
                Some(measure) => writer.measure(measure)?,
                None => "0".to_owned(),
            },
            filter: filter.join(" and "),
            facts: FactTable {
                name: definition.facts.clone(),
                qualified: qualified(&definition.facts),
                identity: checked.facts.key_columns().map(Column::identity_name).collect(),
            },
            sides,
        })
    }

    /// Whether a change of the table can move the metric.
    pub(crate) fn uses(&self, table: &str) -> bool {
        self.facts.name == table || self.sides.iter().any(|side| side.name == table)
    }

    /// Join columns of the facts that have to be found by index: one list per side.
    pub(crate) fn lookups(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.sides.iter().map(|side| {
            let keys = side.on.iter().filter(|(_, _, key)| *key);
            (self.facts.name.as_str(), keys.map(|(of_facts, _, _)| of_facts.clone()).collect())
        })
    }

    /// Adds what the facts touched by `change` (a relation with the identity columns of `table`) contribute now, times $1.
    pub(crate) fn of_change(&self, table: &str, change: &str) -> String {
        format!(
            "insert into pg_temp.contribution select {metric}, day, company, warehouse, $1::int8 * facts, \
             $1::int8 * numerator, $1::int8 * denominator from ({grouped}) as moved",
            metric = Literal(&self.metric),
            grouped = self.grouped(&self.touched(table, change)),
        )
    }

    /// `day, company, warehouse, facts, numerator, denominator` over all facts.
    pub(crate) fn of_everything(&self) -> String {
        let joins = self.sides.iter().map(|side| {
            let on = side.on("f", &side.alias);
            format!(" left join {} {} on {on}", side.qualified, side.alias)
        });
        self.grouped(&format!("{} f{}", self.facts.qualified, ident::join("", joins)))
    }

    /// The touched facts as `f` with their sides. A fact meets at most one row of a side, and a change has one row per key, so
    /// each fact comes once. `offset 0` keeps PostgreSQL from turning the look-ups around: guessing that few facts pass the
    /// filter, it would start from those and compare each with the whole change.
    fn touched(&self, table: &str, change: &str) -> String {
        let on = match self.sides.iter().find(|side| side.name == table) {
            Some(side) => ident::join(
                " and ",
                side.on
                    .iter()
                    .filter(|(_, _, key)| *key)
                    .map(|(of_facts, of_side, _)| format!("f.{} = c.{}", Ident(of_facts), Ident(of_side))),
            ),
            None => ident::equal("f", "c", &self.facts.identity),
        };
        let sides = self.sides.iter().map(|side| {
            let on = side.on("f", "s");
            format!(
                " left join lateral (select s.* from {} s where {on} offset 0) {} on true",
                side.qualified, side.alias
            )
        });
        format!(
            "{change} c cross join lateral (select f.* from {} f where {on} offset 0) f{}",
            self.facts.qualified,
            ident::join("", sides)
        )
    }

    fn grouped(&self, facts: &str) -> String {
        format!(
            "select {day} as day, {company} as company, {warehouse} as warehouse, count(*) as facts, \
             {numerator} as numerator, {denominator} as denominator from {facts} where {filter} group by 1, 2, 3",
            day = self.day,
            company = self.company,
            warehouse = self.warehouse,
            numerator = self.numerator,
            denominator = self.denominator,
            filter = self.filter,
        )
    }
}

impl SideTable {
    fn on(&self, facts: &str, side: &str) -> String {
        let pairs = self
            .on
            .iter()
            .map(|(of_facts, of_side, _)| format!("{side}.{} = {facts}.{}", Ident(of_side), Ident(of_facts)));
        ident::join(" and ", pairs)
    }
}

/// Writes the expressions of one definition.
struct Writer<'a> {
    checked: &'a Checked<'a>,
}

impl Writer<'_> {
    /// Facts are `f`, sides `s0`, `s1`, …
    fn alias(&self, table: &str) -> String {
        let side = self.checked.sides.iter().position(|side| side.layout.target == table);
        side.map_or_else(|| "f".to_owned(), |position| format!("s{position}"))
    }

    fn column(&self, place: Place<'_>) -> String {
        format!("{}.{}", self.alias(&place.layout.target), Ident(&place.column.target))
    }

    fn identity(&self, place: Place<'_>) -> Result<String, MetricError> {
        let name = self.checked.identity(place.column)?;
        Ok(format!("{}.{}", self.alias(&place.layout.target), Ident(&name)))
    }

    fn group(&self, dimension: Option<&Dimension>) -> Result<String, MetricError> {
        let Some(dimension) = dimension else { return Ok("''".to_owned()) };
        let identity = self.identity(self.checked.place(dimension)?)?;
        Ok(format!("coalesce({identity}::text, '')"))
    }

    fn measure(&self, measure: &Measure) -> Result<String, MetricError> {
        match measure {
            Measure::Count => Ok("count(*)".to_owned()),
            Measure::CountWhere(conditions) => {
                let conditions = conditions.iter().map(|condition| self.condition(condition));
                let conditions = conditions.collect::<Result<Vec<_>, _>>()?;
                Ok(format!("count(*) filter (where {})", conditions.join(" and ")))
            }
            Measure::Sum(dimension) => Ok(format!("coalesce(sum({}), 0)", self.exact(dimension)?)),
            Measure::SumProduct(dimensions) => {
                let factors = dimensions.iter().map(|dimension| self.exact(dimension));
                let factors = factors.collect::<Result<Vec<_>, _>>()?;
                Ok(format!("coalesce(sum({}), 0)", factors.join(" * ")))
            }
        }
    }

    /// Floats are refused: added and taken away again they do not give 0.
    fn exact(&self, dimension: &Dimension) -> Result<String, MetricError> {
        let place = self.checked.place(dimension)?;
        match place.column.column_type {
            ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 | ColumnType::Numeric { .. } => {
                Ok(format!("{}::numeric", self.column(place)))
            }
            _ => Err(self.checked.misfit(place.column, "only exact numbers are summed")),
        }
    }

    fn condition(&self, condition: &FactCondition) -> Result<String, MetricError> {
        let place = self.checked.place(&condition.column)?;
        let left = self.column(place);
        let incomplete = || MetricError::Comparison {
            metric: self.checked.definition.name.clone(),
            column: condition.column.0.clone(),
        };
        let operator = match (condition.is, &condition.than) {
            (Comparison::Null, None) => return Ok(format!("{left} is null")),
            (Comparison::NotNull, None) => return Ok(format!("{left} is not null")),
            (Comparison::Null | Comparison::NotNull, Some(_)) => return Err(incomplete()),
            (Comparison::Equal, _) => "=",
            (Comparison::NotEqual, _) => "<>",
            (Comparison::Less, _) => "<",
            (Comparison::AtMost, _) => "<=",
            (Comparison::Greater, _) => ">",
            (Comparison::AtLeast, _) => ">=",
        };
        match condition.than.as_ref().ok_or_else(incomplete)? {
            Operand::Number(number) => match place.column.column_type {
                ColumnType::Bool => Ok(format!("{left}::int {operator} {number}")),
                ColumnType::Int2
                | ColumnType::Int4
                | ColumnType::Int8
                | ColumnType::Float4
                | ColumnType::Float8
                | ColumnType::Numeric { .. } => Ok(format!("{left} {operator} {number}")),
                _ => Err(self.checked.misfit(place.column, "it is compared with a number")),
            },
            Operand::Text(text) => match (place.column.column_type, place.column.twin) {
                (ColumnType::Text, Some(fold)) => {
                    Ok(format!("{} {operator} {}", self.identity(place)?, Literal(&fold.apply(text))))
                }
                (ColumnType::Text, None) => self.identity(place),
                _ => Err(self.checked.misfit(place.column, "it is compared with a text")),
            },
            Operand::Column(other) => {
                let other = self.checked.place(other)?;
                Ok(format!("{} {operator} {}", self.identity(place)?, self.identity(other)?))
            }
        }
    }
}

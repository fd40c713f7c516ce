//! Which part of a table a query has to read.
//!
//! Conditions on the leading columns of a key become ranges of key bytes. AND intersects ranges and OR unites them, so
//! a keyset predicate, `a >= @a AND (a > @a OR (a = @a AND b > @b))`, is the one range behind `(@a, @b)`, and an IN list
//! is as many short ranges as it has values. Ranges only leave out what cannot qualify; the conditions are evaluated
//! all the same. Values are those of the moment at which the read begins.

use crate::engine::{IndexRef, Interrupt, KeyRange, TableDef, key_prefix, tracking};
use crate::exec::conversion::{
    Family, as_decimal, exact_parts, family, fraction_digits, integer_bounds, is_text,
};
use crate::exec::decimal;
use crate::exec::expression::{ColumnRef, Condition, Frame, Node, Scalar};
use crate::parser::ast::BinaryOp;
use crate::types::{SqlType, Value};

/// Most ranges of one read; beyond it the conditions alone decide.
const MAX_RANGES: usize = 4096;

/// How a table is read.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) index: IndexRef,
    /// The conditions that bound the read; empty for all of it.
    terms: Vec<Term>,
    /// Places whose rows the terms need.
    needs: Vec<usize>,
    /// Leading key columns that equal one value each.
    pub(super) fixed: usize,
    /// Whether a range holds one row at most.
    pub(super) unique: bool,
}

/// A condition on key columns.
#[derive(Clone, Debug)]
enum Term {
    And(Vec<Term>),
    Or(Vec<Term>),
    Compare {
        column: usize,
        operator: BinaryOp,
        value: Scalar,
    },
    /// `column IS NULL`
    Null(usize),
}

impl Access {
    /// Chooses the index whose leading columns the conditions bound best; the primary key when none does.
    pub(super) fn choose(place: usize, table: &TableDef, known: &[usize], conditions: &[&Condition]) -> Self {
        let terms = conditions.iter().filter_map(|c| Term::from(c, place, known)).collect();
        // A filtered index does not hold every row.
        let secondary =
            (0..table.indexes.len()).map(IndexRef::Secondary).filter(|index| table.filter(*index).is_none());
        let candidates = std::iter::once(IndexRef::Primary).chain(secondary);
        Self::best(table, terms, candidates)
    }

    /// How CHANGETABLE(CHANGES ..) of a table is read, whose own columns come before the key's.
    pub(super) fn of_changes(
        place: usize,
        table: &TableDef,
        known: &[usize],
        conditions: &[&Condition],
    ) -> Self {
        let key = table.index_columns(IndexRef::Primary);
        let first = tracking::changes_columns(table).len() - key.len();
        let in_table = |column: usize| Some(key.get(column.checked_sub(first)?)?.column);
        let terms = conditions.iter().filter_map(|c| Term::from(c, place, known)?.renumbered(&in_table));
        Self::best(table, terms.collect(), std::iter::once(IndexRef::Primary))
    }

    fn best(table: &TableDef, terms: Vec<Term>, candidates: impl Iterator<Item = IndexRef>) -> Self {
        let mut best =
            Self { index: IndexRef::Primary, terms: Vec::new(), needs: Vec::new(), fixed: 0, unique: false };
        let mut best_score = 0;
        for index in candidates {
            let columns: Vec<usize> = table.index_columns(index).iter().map(|c| c.column).collect();
            let fixed = columns.iter().take_while(|c| terms.iter().any(|t| t.fixes(**c))).count();
            let bounded = columns.get(fixed).is_some_and(|c| terms.iter().any(|t| t.bounds(*c)));
            let score = 2 * fixed + usize::from(bounded);
            if score > best_score {
                best_score = score;
                let useful = terms.iter().filter(|t| columns.iter().any(|c| t.mentions(*c))).cloned();
                let unique = index == IndexRef::Primary && fixed == columns.len();
                best = Self { index, terms: useful.collect(), needs: Vec::new(), fixed, unique };
            }
        }
        best.needs = best.terms.iter().flat_map(Term::places).collect();
        best
    }

    /// Whether the read depends on rows of these places.
    pub(super) fn follows(&self, places: &[usize]) -> bool {
        self.needs.iter().any(|p| places.contains(p))
    }

    /// The ranges to read, in the order of the index.
    pub(super) fn ranges(&self, table: &TableDef, frame: &Frame<'_>) -> Result<Vec<KeyRange>, Interrupt> {
        if self.terms.is_empty() {
            return Ok(vec![KeyRange::all()]);
        }
        let mut bounds = Vec::new();
        for term in &self.terms {
            bounds.push(term.evaluate(table, frame)?);
        }
        let key = KeySpace { table, index: self.index };
        Ok(key.ranges(&bounds.iter().collect::<Vec<_>>()))
    }
}

/// The value that conditions demand of a column, given rows of the known places.
pub(super) fn demanded(
    place: usize,
    column: usize,
    known: &[usize],
    conditions: &[&Condition],
) -> Option<Scalar> {
    conditions.iter().filter_map(|c| Term::from(c, place, known)).find_map(|term| term.equal_value(column))
}

impl Term {
    /// What a condition says about the columns of a place, given rows of the known places; None if nothing.
    fn from(condition: &Condition, place: usize, known: &[usize]) -> Option<Self> {
        match condition {
            Condition::And(all) => {
                let terms: Vec<Term> = all.iter().filter_map(|c| Self::from(c, place, known)).collect();
                (!terms.is_empty()).then_some(Self::And(terms))
            }
            // Every alternative must say something, else the whole says nothing.
            Condition::Or(any) => {
                any.iter().map(|c| Self::from(c, place, known)).collect::<Option<Vec<_>>>().map(Self::Or)
            }
            Condition::Compare(left, operator, right, collation) if *operator != BinaryOp::NotEqual => {
                let of_place = |scalar: &Scalar| {
                    let column = key_column(scalar).filter(|c| c.source == place && c.orders_by(*collation));
                    column.map(|c| c.column)
                };
                let given = |scalar: &Scalar| {
                    !scalar.has_subquery() && scalar.places().iter().all(|p| known.contains(p))
                };
                match (of_place(left), of_place(right)) {
                    (Some(column), _) if given(right) => {
                        Some(Self::Compare { column, operator: *operator, value: right.clone() })
                    }
                    (_, Some(column)) if given(left) => {
                        Some(Self::Compare { column, operator: mirrored(*operator), value: left.clone() })
                    }
                    _ => None,
                }
            }
            Condition::IsNull(operand) => match &operand.node {
                Node::Column(c) if c.depth == 0 && c.source == place => Some(Self::Null(c.column)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same about other columns; None if nothing is left to say.
    fn renumbered(self, number: &impl Fn(usize) -> Option<usize>) -> Option<Self> {
        Some(match self {
            Self::And(terms) => {
                let kept: Vec<Self> = terms.into_iter().filter_map(|t| t.renumbered(number)).collect();
                if kept.is_empty() {
                    return None;
                }
                Self::And(kept)
            }
            Self::Or(terms) => {
                Self::Or(terms.into_iter().map(|t| t.renumbered(number)).collect::<Option<_>>()?)
            }
            Self::Compare { column, operator, value } => {
                Self::Compare { column: number(column)?, operator, value }
            }
            Self::Null(column) => Self::Null(number(column)?),
        })
    }

    /// Whether the term holds for one value of the column only.
    fn fixes(&self, wanted: usize) -> bool {
        match self {
            Self::And(terms) => terms.iter().any(|t| t.fixes(wanted)),
            Self::Or(_) => false,
            Self::Compare { column, operator, .. } => *column == wanted && *operator == BinaryOp::Equal,
            Self::Null(column) => *column == wanted,
        }
    }

    /// The value that the column must have.
    fn equal_value(&self, wanted: usize) -> Option<Scalar> {
        match self {
            Self::And(terms) => terms.iter().find_map(|t| t.equal_value(wanted)),
            Self::Compare { column, operator: BinaryOp::Equal, value } if *column == wanted => {
                Some(value.clone())
            }
            _ => None,
        }
    }

    /// Whether the term leaves values of the column out.
    fn bounds(&self, wanted: usize) -> bool {
        match self {
            Self::And(terms) => terms.iter().any(|t| t.bounds(wanted)),
            Self::Or(terms) => terms.iter().all(|t| t.bounds(wanted)),
            Self::Compare { column, .. } | Self::Null(column) => *column == wanted,
        }
    }

    fn mentions(&self, wanted: usize) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().any(|t| t.mentions(wanted)),
            Self::Compare { column, .. } | Self::Null(column) => *column == wanted,
        }
    }

    fn places(&self) -> Vec<usize> {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().flat_map(Self::places).collect(),
            Self::Compare { value, .. } => value.places(),
            Self::Null(_) => Vec::new(),
        }
    }

    fn evaluate(&self, table: &TableDef, frame: &Frame<'_>) -> Result<Bound, Interrupt> {
        Ok(match self {
            Self::And(terms) => {
                Bound::And(terms.iter().map(|t| t.evaluate(table, frame)).collect::<Result<_, _>>()?)
            }
            Self::Or(terms) => {
                Bound::Or(terms.iter().map(|t| t.evaluate(table, frame)).collect::<Result<_, _>>()?)
            }
            Self::Null(column) => Bound::Compare(*column, BinaryOp::Equal, Value::Null),
            Self::Compare { column, operator, value } => match value.evaluate(frame)? {
                // A comparison with NULL is never true.
                Value::Null => Bound::Never,
                given => match as_column_value(given, table.columns[*column].sql_type()) {
                    Some(given) => Bound::Compare(*column, *operator, given),
                    None => Bound::Unknown,
                },
            },
        })
    }
}

/// A term with its values.
enum Bound {
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Compare(usize, BinaryOp, Value),
    Never,
    /// Says nothing about the key.
    Unknown,
}

/// The keys of one index.
struct KeySpace<'a> {
    table: &'a TableDef,
    index: IndexRef,
}

impl KeySpace<'_> {
    /// The keys for which all of `bounds` can hold.
    fn ranges(&self, bounds: &[&Bound]) -> Vec<KeyRange> {
        let (mut simple, mut alternatives) = (Vec::new(), Vec::new());
        if !flatten(bounds, &mut simple, &mut alternatives) {
            return Vec::new();
        }
        let mut ranges = vec![self.simple_range(&simple)];
        for any in alternatives {
            let mut union = Vec::new();
            for bound in any {
                // Each alternative together with the plain comparisons, whose equalities may lead its key.
                let mut with_simple: Vec<&Bound> = simple.clone();
                with_simple.push(bound);
                union.extend(self.ranges(&with_simple));
            }
            if union.len() > MAX_RANGES {
                continue;
            }
            ranges = intersection(&ranges, &merged(union));
        }
        ranges.retain(|range| !range.is_empty());
        ranges
    }

    /// The range that comparisons of single columns leave: equal leading columns, then bounds of the next.
    fn simple_range(&self, simple: &[&Bound]) -> KeyRange {
        let mut prefix = Vec::new();
        let mut range = KeyRange::all();
        for key_column in self.table.index_columns(self.index) {
            let on_column = simple.iter().filter_map(|bound| match bound {
                Bound::Compare(column, operator, value) if *column == key_column.column => {
                    Some((*operator, value))
                }
                _ => None,
            });
            let on_column: Vec<(BinaryOp, &Value)> = on_column.collect();
            let with = |value: &Value| {
                let mut values: Vec<Value> = prefix.clone();
                values.push(value.clone());
                key_prefix(self.table, self.index, &values)
            };
            for (operator, value) in &on_column {
                let bytes = with(value);
                let within = match (operator, key_column.descending) {
                    (BinaryOp::Equal, _) => KeyRange::starting_with(&bytes),
                    (BinaryOp::Less, false) | (BinaryOp::Greater, true) => KeyRange::less_than(&bytes),
                    (BinaryOp::LessOrEqual, false) | (BinaryOp::GreaterOrEqual, true) => {
                        KeyRange::at_most(&bytes)
                    }
                    (BinaryOp::Greater, false) | (BinaryOp::Less, true) => KeyRange::greater_than(&bytes),
                    _ => KeyRange::at_least(&bytes),
                };
                range = range.intersect(within);
            }
            match on_column.iter().find(|(operator, _)| *operator == BinaryOp::Equal) {
                Some((_, value)) => prefix.push((*value).clone()),
                None => break,
            }
        }
        // Without its own lower bound a range would begin before the equal columns.
        if prefix.is_empty() {
            range
        } else {
            range.intersect(KeyRange::starting_with(&key_prefix(self.table, self.index, &prefix)))
        }
    }
}

/// Takes ANDs apart; false if a part can never hold.
fn flatten<'b>(
    bounds: &[&'b Bound],
    simple: &mut Vec<&'b Bound>,
    alternatives: &mut Vec<&'b [Bound]>,
) -> bool {
    bounds.iter().all(|bound| match bound {
        Bound::And(all) => flatten(&all.iter().collect::<Vec<_>>(), simple, alternatives),
        Bound::Or(any) => {
            alternatives.push(any);
            true
        }
        Bound::Compare(..) => {
            simple.push(bound);
            true
        }
        Bound::Never => false,
        Bound::Unknown => true,
    })
}

/// Sorts ranges and joins those that touch.
fn merged(mut ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by(|a, b| a.from.cmp(&b.from));
    let mut result: Vec<KeyRange> = Vec::new();
    for range in ranges {
        match result.last_mut() {
            Some(last) if last.to.as_ref().is_none_or(|to| *to >= range.from) => {
                last.to = match (last.to.take(), range.to) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    _ => None,
                };
            }
            _ => result.push(range),
        }
    }
    result
}

/// What two sorted lists of ranges have in common.
fn intersection(one: &[KeyRange], other: &[KeyRange]) -> Vec<KeyRange> {
    let both = one.iter().flat_map(|a| other.iter().map(|b| a.clone().intersect(b.clone())));
    both.filter(|range| !range.is_empty()).collect()
}

/// A column that a comparison names, through conversions that keep its order.
fn key_column(scalar: &Scalar) -> Option<&ColumnRef> {
    match &scalar.node {
        Node::Column(place) if place.depth == 0 => Some(place),
        Node::Convert { inner, style: None, try_cast: false }
            if keeps_order(inner.sql_type, scalar.sql_type) =>
        {
            key_column(inner)
        }
        _ => None,
    }
}

/// Whether converting between the types neither merges values nor changes their order, nor what they are made of.
fn keeps_order(from: SqlType, to: SqlType) -> bool {
    match (family(from), family(to)) {
        (Family::Exact, Family::Exact) => widens(from, to),
        (Family::Binary, Family::Binary) | (Family::Approximate, Family::Approximate) => {
            !matches!(to, SqlType::Binary(_) | SqlType::Real)
        }
        (Family::DateAndTime, Family::DateAndTime) | (Family::Time, Family::Time) => {
            std::mem::discriminant(&from) == std::mem::discriminant(&to)
                && fraction_digits(from) <= fraction_digits(to)
        }
        _ => is_text(from) && is_text(to),
    }
}

fn widens(from: SqlType, to: SqlType) -> bool {
    match (as_decimal(from), as_decimal(to)) {
        (Some((p, s)), Some((q, t))) => t >= s && q - t >= p - s,
        _ => false,
    }
}

fn mirrored(operator: BinaryOp) -> BinaryOp {
    match operator {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        other => other,
    }
}

/// A compared value as one of the column's type; None if the type has no such value.
fn as_column_value(value: Value, column: SqlType) -> Option<Value> {
    match (&value, column) {
        (Value::Text(_), _) if is_text(column) => Some(value),
        (Value::Int(_) | Value::Bit(_) | Value::Decimal { .. } | Value::Money(_), _) => {
            let (unscaled, scale) = exact_parts(&value)?;
            exact_as(unscaled, scale, column)
        }
        _ => Some(value),
    }
}

fn exact_as(unscaled: i128, scale: u8, column: SqlType) -> Option<Value> {
    let (_, wanted) = as_decimal(column)?;
    let rescaled = decimal::rescale(unscaled, scale, wanted)?;
    if decimal::rescale(rescaled, wanted, scale) != Some(unscaled) {
        return None;
    }
    match column {
        SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => {
            Some(Value::Decimal { unscaled: rescaled, scale })
        }
        SqlType::Money | SqlType::SmallMoney => i64::try_from(rescaled).ok().map(Value::Money),
        SqlType::Bit => matches!(rescaled, 0 | 1).then_some(Value::Bit(rescaled == 1)),
        _ => {
            let (low, high) = integer_bounds(column);
            i64::try_from(rescaled).ok().filter(|n| (low..=high).contains(n)).map(Value::Int)
        }
    }
}

//! Random expressions and conditions.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::generate::{Generator, MOST_ROWS, Visible, joint};
use super::tree::{Aggregate, Condition, Expr, Family, Function, Type};

/// What an expression may name.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) columns: Vec<Visible>,
    /// Tells every row from every other; empty where nothing does.
    pub(super) key: Vec<Expr>,
    /// Columns of the query around.
    pub(super) outer: Vec<Visible>,
}

const INT_LIMIT: i64 = 1 << 31;
const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

impl Scope {
    /// The columns c1, c2, ... of a query.
    pub(super) fn of(alias: &str, columns: &[Type]) -> Self {
        let columns = columns.iter().enumerate();
        let columns = columns.map(|(index, of)| Visible { name: format!("{alias}.c{}", index + 1), of: *of });
        Self { columns: columns.collect(), key: Vec::new(), outer: Vec::new() }
    }

    /// This scope and another.
    pub(super) fn beside(mut self, other: &Self) -> Self {
        if self.key.is_empty() || other.key.is_empty() {
            self.key.clear();
        } else {
            self.key.extend(other.key.iter().cloned());
        }
        self.columns.extend(other.columns.iter().cloned());
        self
    }
}

impl Generator {
    /// An expression of a family, with its type.
    pub(super) fn expression(&mut self, scope: &Scope, family: Family, depth: u32) -> (Expr, Type) {
        if depth == 0 || self.one_in(3) {
            return self.leaf(scope, family);
        }
        match self.random.random_range(0..8) {
            0 => self.case(scope, family, depth),
            1 => self.first_not_null(scope, family, depth),
            2 if self.one_in(2) && scope.outer.is_empty() => self.subquery(scope, family),
            _ => match family {
                Family::Integer => self.integer(scope, depth),
                Family::Decimal => self.decimal(scope, depth),
                Family::Text => self.text(scope, depth),
                Family::Date => self.date(scope, depth),
            },
        }
    }

    fn leaf(&mut self, scope: &Scope, family: Family) -> (Expr, Type) {
        let visible = scope.columns.iter().chain(&scope.outer);
        let fitting: Vec<&Visible> = visible.filter(|column| column.of.family() == family).collect();
        if !self.one_in(4)
            && let Some(column) = fitting.choose(&mut self.random)
        {
            return (Expr::Column(column.name.clone()), column.of);
        }
        let is_null = self.one_in(8);
        match family {
            Family::Integer if is_null => (Expr::Null(Type::Int(0)), Type::Int(0)),
            Family::Integer => (Expr::Int(self.random.random_range(-9..10)), Type::Int(9)),
            Family::Decimal => {
                let of = Type::Decimal { precision: 5, scale: 2 };
                let cents: i32 = self.random.random_range(-9999..10000);
                let sign = if cents < 0 { "-" } else { "" };
                let literal = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
                (if is_null { Expr::Null(of) } else { Expr::Converted(literal, of) }, of)
            }
            Family::Text if is_null => (Expr::Null(Type::Text), Type::Text),
            Family::Text => (Expr::Text(self.any(&["", "a", "B", "ab", "bA", "c"]).into()), Type::Text),
            Family::Date if is_null => (Expr::Null(Type::Date), Type::Date),
            Family::Date => {
                let day = self.any(&["2024-02-29", "2023-12-31", "2026-01-01", "2025-07-15"]);
                (Expr::Converted(day.into(), Type::Date), Type::Date)
            }
        }
    }

    fn case(&mut self, scope: &Scope, family: Family, depth: u32) -> (Expr, Type) {
        let (mut branches, mut of) = (Vec::new(), None);
        for _ in 0..self.random.random_range(1..3) {
            let condition = self.condition(scope, depth - 1);
            let (value, value_type) = self.expression(scope, family, depth - 1);
            of = Some(of.map_or(value_type, |of| joint(of, value_type)));
            branches.push((condition, value));
        }
        let of = of.expect("there is a branch");
        if self.one_in(3) {
            return (Expr::Case(branches, None), of);
        }
        let (otherwise, otherwise_type) = self.expression(scope, family, depth - 1);
        (Expr::Case(branches, Some(Box::new(otherwise))), joint(of, otherwise_type))
    }

    fn first_not_null(&mut self, scope: &Scope, family: Family, depth: u32) -> (Expr, Type) {
        let (a, of) = self.expression(scope, family, depth - 1);
        let (b, other) = self.expression(scope, family, depth - 1);
        if self.one_in(3) {
            return (Expr::Call(Function::NullIf, vec![a, b]), of);
        }
        (Expr::Call(Function::Coalesce, vec![a, b]), joint(of, other))
    }

    /// A subquery that has one row: an aggregate, often of rows that belong to the row around.
    fn subquery(&mut self, scope: &Scope, family: Family) -> (Expr, Type) {
        let mut query = self.body(0, None, &scope.columns);
        query.selects.truncate(1);
        let select = &mut query.selects[0];
        let columns = Scope { columns: columns_of(select), key: Vec::new(), outer: Vec::new() };
        let (aggregate, of) = self.aggregate(&columns, family);
        let select = &mut query.selects[0];
        (select.items, select.distinct, select.having) = (vec![aggregate], false, None);
        select.group.clear();
        query.columns = vec![of];
        (Expr::Subquery(Box::new(query)), of)
    }

    fn integer(&mut self, scope: &Scope, depth: u32) -> (Expr, Type) {
        match self.random.random_range(0..7) {
            0 => {
                let (text, _) = self.expression(scope, Family::Text, depth - 1);
                if self.one_in(2) {
                    let sought = Expr::Text(self.any(&["a", "b", "B"]).into());
                    return (Expr::Call(Function::Position, vec![text, sought]), Type::Int(4000));
                }
                (Expr::Call(Function::Length, vec![text]), Type::Int(4000))
            }
            1 => {
                let (date, _) = self.expression(scope, Family::Date, depth - 1);
                if self.one_in(2) {
                    let (other, _) = self.expression(scope, Family::Date, depth - 1);
                    return (Expr::Call(Function::DaysBetween, vec![date, other]), Type::Int(1_000_000));
                }
                let part = self.any(&[Function::Year, Function::Month, Function::Day]);
                (Expr::Call(part, vec![date]), Type::Int(9999))
            }
            2 => {
                let (decimal, of) = self.expression(scope, Family::Decimal, depth - 1);
                match of {
                    Type::Decimal { precision, scale } if precision - scale <= 9 => {
                        let bound = 10_i64.pow(u32::from(precision - scale));
                        (Expr::Truncate(Box::new(decimal)), Type::Int(bound))
                    }
                    _ => self.leaf(scope, Family::Integer),
                }
            }
            3 => {
                let (n, of) = self.expression(scope, Family::Integer, depth - 1);
                (Expr::Call(Function::Abs, vec![n]), of)
            }
            _ => self.integer_operation(scope, depth),
        }
    }

    fn integer_operation(&mut self, scope: &Scope, depth: u32) -> (Expr, Type) {
        let (a, of) = self.expression(scope, Family::Integer, depth - 1);
        let (b, other) = self.expression(scope, Family::Integer, depth - 1);
        let operator = self.any(&["+", "-", "*", "/", "%"]);
        let (x, y) = (bound(of), bound(other));
        let reached = match operator {
            "+" | "-" => x + y,
            "*" => x.saturating_mul(y),
            "/" => x,
            _ => x.min(y),
        };
        let of = match (of, other) {
            (Type::Int(_), Type::Int(_)) if reached < INT_LIMIT => Type::Int(reached),
            (Type::Big(_), _) | (_, Type::Big(_)) if reached < 1 << 60 => Type::Big(reached),
            _ => return (a, of),
        };
        let b = match operator {
            "/" | "%" => Expr::Call(Function::NullIf, vec![b, Expr::Int(0)]),
            _ => b,
        };
        (Expr::Binary(operator, Box::new(a), Box::new(b)), of)
    }

    fn decimal(&mut self, scope: &Scope, depth: u32) -> (Expr, Type) {
        match self.random.random_range(0..7) {
            0 => {
                let (n, of) = self.expression(scope, Family::Integer, depth - 1);
                let precision = if matches!(of, Type::Int(_)) { 10 } else { 19 };
                let of = Type::Decimal { precision, scale: 0 };
                (Expr::Cast(Box::new(n), of), of)
            }
            1 => {
                let (decimal, of) = self.expression(scope, Family::Decimal, depth - 1);
                let Type::Decimal { precision, scale } = of else { return (decimal, of) };
                let wanted = self.random.random_range(0..5);
                // One digit more, for what rounding carries.
                let whole = precision - scale + 1;
                if whole + wanted > 38 {
                    return (decimal, of);
                }
                let of = Type::Decimal { precision: whole + wanted, scale: wanted };
                (Expr::Cast(Box::new(decimal), of), of)
            }
            2 => {
                let (decimal, of) = self.expression(scope, Family::Decimal, depth - 1);
                let Type::Decimal { scale, .. } = of else { return (decimal, of) };
                match self.any(&[Function::Abs, Function::Floor, Function::Ceiling, Function::Round]) {
                    Function::Abs => {
                        (Expr::Call(Function::Abs, vec![decimal]), Type::Decimal { precision: 38, scale })
                    }
                    Function::Round => {
                        let digits = Expr::Int(self.random.random_range(-1..3));
                        (
                            Expr::Call(Function::Round, vec![decimal, digits]),
                            Type::Decimal { precision: 38, scale },
                        )
                    }
                    whole => (Expr::Call(whole, vec![decimal]), Type::Decimal { precision: 38, scale: 0 }),
                }
            }
            _ => self.decimal_operation(scope, depth),
        }
    }

    /// Types by SQL Server's rules; an operation whose type would not fit in 38 digits is left out.
    fn decimal_operation(&mut self, scope: &Scope, depth: u32) -> (Expr, Type) {
        let (a, of) = self.expression(scope, Family::Decimal, depth - 1);
        let (b, other) = self.expression(scope, Family::Decimal, depth - 1);
        let (Type::Decimal { precision: p, scale: s }, Type::Decimal { precision: q, scale: t }) =
            (of, other)
        else {
            return (a, of);
        };
        let operator = self.any(&["+", "-", "*", "/"]);
        let (precision, scale) = match operator {
            "*" => (p + q + 1, s + t),
            "/" => {
                let scale = (s + q + 1).max(6);
                (p - s + t + scale, scale)
            }
            _ => {
                let scale = s.max(t);
                ((p - s).max(q - t) + scale + 1, scale)
            }
        };
        if precision > 38 {
            return (a, of);
        }
        let of = Type::Decimal { precision, scale };
        if operator == "/" {
            let zero = Expr::Converted("0".into(), other);
            let divisor = Expr::Call(Function::NullIf, vec![b, zero]);
            return (Expr::Divide(Box::new(a), Box::new(divisor), scale), of);
        }
        (Expr::Binary(operator, Box::new(a), Box::new(b)), of)
    }

    fn text(&mut self, scope: &Scope, depth: u32) -> (Expr, Type) {
        let (text, _) = self.expression(scope, Family::Text, depth - 1);
        let start = Expr::Int(self.random.random_range(1..4));
        let length = Expr::Int(self.random.random_range(0..4));
        let expr = match self.random.random_range(0..9) {
            0 => Expr::Call(Function::Upper, vec![text]),
            1 => Expr::Call(Function::Lower, vec![text]),
            2 => Expr::Call(Function::Reverse, vec![text]),
            3 => Expr::Call(Function::Left, vec![text, length]),
            4 => Expr::Call(Function::Right, vec![text, length]),
            5 => Expr::Call(Function::Substring, vec![text, start, length]),
            6 => {
                let (from, to) = (self.any(&["a", "b", "ab"]), self.any(&["", "x", "ba"]));
                Expr::Call(Function::Replace, vec![text, Expr::Text(from.into()), Expr::Text(to.into())])
            }
            7 => {
                let (n, _) = self.expression(scope, Family::Integer, depth - 1);
                Expr::Cast(Box::new(n), Type::Text)
            }
            _ => {
                let (other, _) = self.expression(scope, Family::Text, depth - 1);
                Expr::Call(Function::Concat, vec![text, other])
            }
        };
        (expr, Type::Text)
    }

    fn date(&mut self, scope: &Scope, depth: u32) -> (Expr, Type) {
        let (date, _) = self.expression(scope, Family::Date, depth - 1);
        let expr = match self.random.random_range(0..3) {
            0 => Expr::Call(Function::AddDays, vec![date, Expr::Int(self.random.random_range(-400..400))]),
            1 => Expr::Call(Function::AddMonths, vec![date, Expr::Int(self.random.random_range(-30..30))]),
            _ => Expr::Call(Function::EndOfMonth, vec![date]),
        };
        (expr, Type::Date)
    }

    /// An aggregate of a family.
    pub(super) fn aggregate(&mut self, scope: &Scope, family: Family) -> (Expr, Type) {
        let plain = Scope { outer: Vec::new(), ..scope.clone() };
        let inner = |generator: &mut Self, family| generator.without_subqueries(&plain, family);
        let distinct = self.one_in(4);
        if family == Family::Integer && self.one_in(2) {
            if self.one_in(2) {
                return (Expr::CountRows, Type::Int(MOST_ROWS));
            }
            let of = self.any(&[Family::Integer, Family::Decimal, Family::Text, Family::Date]);
            let argument = Box::new(inner(self, of).0);
            return (Expr::Aggregate { name: Aggregate::Count, distinct, argument }, Type::Int(MOST_ROWS));
        }
        let (argument, of) = inner(self, family);
        let extreme = self.any(&[Aggregate::Min, Aggregate::Max]);
        let (name, of) = match (of, self.random.random_range(0..3)) {
            (Type::Int(bound), 0) if bound * MOST_ROWS < INT_LIMIT => {
                (Aggregate::Sum, Type::Int(bound * MOST_ROWS))
            }
            (Type::Big(bound), 0) if bound < 1 << 48 => (Aggregate::Sum, Type::Big(bound * MOST_ROWS)),
            (Type::Decimal { scale, .. }, 0) => (Aggregate::Sum, Type::Decimal { precision: 38, scale }),
            (Type::Int(bound), 1) if bound * MOST_ROWS < INT_LIMIT => (Aggregate::Average { scale: 0 }, of),
            (Type::Decimal { precision, scale }, 1) if precision < 30 => {
                let scale = scale.max(6);
                (Aggregate::Average { scale }, Type::Decimal { precision: 38, scale })
            }
            _ => (extreme, of),
        };
        (Expr::Aggregate { name, distinct, argument: Box::new(argument) }, of)
    }

    /// An aggregate's argument holds no subquery.
    fn without_subqueries(&mut self, scope: &Scope, family: Family) -> (Expr, Type) {
        let (expr, of) = self.leaf(scope, family);
        match (of, self.random.random_range(0..3)) {
            (Type::Int(bound), 0) if bound < 1 << 20 => {
                (Expr::Binary("+", Box::new(expr), Box::new(Expr::Int(3))), Type::Int(bound + 3))
            }
            (Type::Text, 0) => (Expr::Call(Function::Upper, vec![expr]), of),
            _ => (expr, of),
        }
    }

    /// A window function whose value is an integer.
    pub(super) fn window(&mut self, scope: &Scope) -> (Expr, Type) {
        let partition = if self.one_in(2) { Vec::new() } else { vec![self.column(scope)] };
        let key = || scope.key.iter().cloned().map(|key| (key, false)).collect::<Vec<_>>();
        let some_order = vec![(self.column(scope), self.one_in(2))];
        let (argument, of) = self.leaf(&Scope { outer: Vec::new(), ..scope.clone() }, Family::Integer);
        let (function, argument, order, of) = match self.random.random_range(0..8) {
            0 => ("ROW_NUMBER", None, key(), Type::Big(MOST_ROWS)),
            1 => ("RANK", None, some_order, Type::Big(MOST_ROWS)),
            2 => ("DENSE_RANK", None, some_order, Type::Big(MOST_ROWS)),
            3 => ("LAG", Some(argument), key(), of),
            4 => ("MIN", Some(argument), key(), of),
            5 if bound(of) * MOST_ROWS < INT_LIMIT => ("SUM", Some(argument), some_order, Type::Big(1 << 40)),
            6 if bound(of) * MOST_ROWS < INT_LIMIT => ("SUM", Some(argument), Vec::new(), Type::Big(1 << 40)),
            _ => ("COUNT", Some(argument), Vec::new(), Type::Int(MOST_ROWS)),
        };
        let argument = argument.map(Box::new);
        (Expr::Window { function: function.into(), argument, partition, order }, of)
    }

    fn column(&mut self, scope: &Scope) -> Expr {
        Expr::Column(scope.columns.choose(&mut self.random).expect("every source has columns").name.clone())
    }

    /// A condition.
    pub(super) fn condition(&mut self, scope: &Scope, depth: u32) -> Condition {
        if depth > 0 {
            let inner = |generator: &mut Self| Box::new(generator.condition(scope, depth - 1));
            match self.random.random_range(0..9) {
                0 | 1 => return Condition::And(inner(self), inner(self)),
                2 => return Condition::Or(inner(self), inner(self)),
                3 => return Condition::Not(inner(self)),
                4 if scope.outer.is_empty() => {
                    return Condition::Exists(Box::new(self.body(0, None, &scope.columns)));
                }
                5 if scope.outer.is_empty() => return self.in_query(scope),
                _ => {}
            }
        }
        let family =
            self.any(&[Family::Integer, Family::Integer, Family::Decimal, Family::Text, Family::Date]);
        let value = |generator: &mut Self| generator.expression(scope, family, depth.min(1)).0;
        match self.random.random_range(0..7) {
            0 => Condition::IsNull(value(self)),
            1 => Condition::Between(value(self), value(self), value(self)),
            2 => {
                let items = (0..self.random.random_range(1..4)).map(|_| value(self)).collect();
                Condition::In(value(self), items)
            }
            3 if family == Family::Text => {
                Condition::Like(value(self), self.any(&["a%", "%b%", "_", "%", "a_", "%A", "c"]).into())
            }
            _ => Condition::Compare(self.any(&COMPARISONS), value(self), value(self)),
        }
    }

    fn in_query(&mut self, scope: &Scope) -> Condition {
        let family = self.any(&[Family::Integer, Family::Text, Family::Date]);
        let (value, _) = self.expression(scope, family, 1);
        let query = self.body(0, Some(&[family]), &scope.columns);
        Condition::InQuery(value, Box::new(query))
    }
}

/// The columns of a subquery's own sources.
fn columns_of(select: &super::tree::Select) -> Vec<Visible> {
    let mut columns = Vec::new();
    collect(&select.from, &mut columns);
    columns
}

fn collect(from: &super::tree::From, columns: &mut Vec<Visible>) {
    match from {
        super::tree::From::Table(_, alias) => {
            let own = super::data::COLUMNS.iter();
            columns.extend(own.map(|(name, of)| Visible { name: format!("{alias}.{name}"), of: *of }));
        }
        super::tree::From::Derived(query, alias) => columns.extend(Scope::of(alias, &query.columns).columns),
        super::tree::From::Join(left, _, right, _) => {
            collect(left, columns);
            collect(right, columns);
        }
    }
}

fn bound(of: Type) -> i64 {
    match of {
        Type::Int(bound) | Type::Big(bound) => bound,
        _ => i64::MAX,
    }
}

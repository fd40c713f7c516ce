//! Random queries over the tables of [`super::data`], typed so that none of them can fail.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::data;
use super::expression::Scope;
use super::tree::{Condition, Expr, Family, From, Query, Select, Type};

/// Rows that a query of three joined tables can have at most; sums are kept clear of overflow by it.
pub(super) const MOST_ROWS: i64 = data::MOST_ROWS * data::MOST_ROWS * data::MOST_ROWS;

/// A source of random queries.
pub(super) struct Generator {
    pub(super) random: StdRng,
    /// Aliases handed out.
    aliases: u32,
}

/// A column that an expression may name.
#[derive(Clone, Debug)]
pub(super) struct Visible {
    pub(super) name: String,
    pub(super) of: Type,
}

impl Generator {
    pub(super) fn new(random: StdRng) -> Self {
        Self { random, aliases: 0 }
    }

    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.random.random_range(0..n) == 0
    }

    pub(super) fn any<T: Copy>(&mut self, choices: &[T]) -> T {
        *choices.choose(&mut self.random).expect("there is a choice")
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("x{}", self.aliases)
    }

    /// A whole query.
    pub(super) fn query(&mut self) -> Query {
        let mut query = if self.one_in(6) { self.query_with_cte() } else { self.body(2, None, &[]) };
        let descending = query.columns.iter().map(|_| self.one_in(3)).collect();
        let limit = if self.one_in(2) { Some(self.random.random_range(0..8)) } else { None };
        query.order = Some((descending, limit));
        query
    }

    fn query_with_cte(&mut self) -> Query {
        let name = self.alias();
        let cte = self.body(1, None, &[]);
        let (from, scope) = self.named_source(&name, &cte.columns);
        let other = self.table();
        let (from, scope) = if self.one_in(2) { self.join((from, scope), other) } else { (from, scope) };
        let select = self.select(from, &scope, None, 1);
        let columns = select.1;
        Query { ctes: vec![(name, cte)], selects: vec![select.0], operator: "", order: None, columns }
    }

    /// One SELECT or several with an operator between; `families` of the columns if they are asked for.
    pub(super) fn body(&mut self, depth: u32, families: Option<&[Family]>, outer: &[Visible]) -> Query {
        let (from, mut scope) = self.sources(depth);
        scope.outer = outer.to_vec();
        let (first, columns) = self.select(from, &scope, families, depth);
        let mut query = Query { ctes: Vec::new(), selects: vec![first], operator: "", order: None, columns };
        if self.one_in(5) {
            query.operator = self.any(&["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]);
            for _ in 0..self.random.random_range(1..3) {
                let families: Vec<Family> = query.columns.iter().map(|of| of.family()).collect();
                let (from, mut scope) = self.sources(0);
                scope.outer = outer.to_vec();
                let (next, types) = self.select(from, &scope, Some(&families), 0);
                query.selects.push(next);
                query.columns = query.columns.iter().zip(types).map(|(a, b)| joint(*a, b)).collect();
            }
        }
        query
    }

    fn sources(&mut self, depth: u32) -> (From, Scope) {
        let mut all = self.source(depth);
        for _ in 0..self.any(&[0, 0, 0, 1, 1, 2]) {
            let next = self.source(0);
            all = self.join(all, next);
        }
        all
    }

    fn source(&mut self, depth: u32) -> (From, Scope) {
        if depth == 0 || !self.one_in(4) {
            return self.table();
        }
        let alias = self.alias();
        let mut query = self.body(depth - 1, None, &[]);
        if self.one_in(3) {
            let descending = query.columns.iter().map(|_| self.one_in(2)).collect();
            query.order = Some((descending, Some(self.random.random_range(1..5))));
        }
        let scope = Scope::of(&alias, &query.columns);
        (From::Derived(Box::new(query), alias), scope)
    }

    fn named_source(&mut self, name: &str, columns: &[Type]) -> (From, Scope) {
        let alias = self.alias();
        let scope = Scope::of(&alias, columns);
        (From::Table(name.into(), alias), scope)
    }

    fn table(&mut self) -> (From, Scope) {
        let (table, alias) = (self.any(&data::TABLES), self.alias());
        let columns =
            data::COLUMNS.iter().map(|(name, of)| Visible { name: format!("{alias}.{name}"), of: *of });
        let scope = Scope {
            columns: columns.collect(),
            key: vec![Expr::Column(format!("{alias}.id"))],
            outer: Vec::new(),
        };
        (From::Table(table.into(), alias), scope)
    }

    fn join(&mut self, left: (From, Scope), right: (From, Scope)) -> (From, Scope) {
        let kind = self.any(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"]);
        let on = match kind {
            "CROSS JOIN" => None,
            // PostgreSQL only knows full joins by equality.
            "FULL JOIN" => self.equality(&left.1, &right.1),
            _ => {
                let equal = self.equality(&left.1, &right.1);
                let both = left.1.clone().beside(&right.1);
                let other = self.condition(&both, 1);
                match equal {
                    Some(equal) if self.one_in(4) => Some(Condition::And(Box::new(equal), Box::new(other))),
                    Some(equal) => Some(equal),
                    None => Some(other),
                }
            }
        };
        let kind = if kind == "FULL JOIN" && on.is_none() { "CROSS JOIN" } else { kind };
        let scope = left.1.beside(&right.1);
        (From::Join(Box::new(left.0), kind, Box::new(right.0), on.map(Box::new)), scope)
    }

    /// A column of each side, equal; none where no two have the same type.
    fn equality(&mut self, left: &Scope, right: &Scope) -> Option<Condition> {
        let mut pairs = Vec::new();
        for a in &left.columns {
            let same = right.columns.iter().filter(|b| b.of.family() == a.of.family());
            pairs.extend(same.map(|b| (a.name.clone(), b.name.clone())));
        }
        let (a, b) = pairs.choose(&mut self.random)?.clone();
        Some(Condition::Compare("=", Expr::Column(a), Expr::Column(b)))
    }

    /// A SELECT and the types of its columns.
    fn select(
        &mut self,
        from: From,
        scope: &Scope,
        families: Option<&[Family]>,
        depth: u32,
    ) -> (Select, Vec<Type>) {
        let families = match families {
            Some(families) => families.to_vec(),
            None => {
                let count = self.random.random_range(1..4);
                let any = [Family::Integer, Family::Integer, Family::Decimal, Family::Text, Family::Date];
                (0..count).map(|_| self.any(&any)).collect()
            }
        };
        let filter = if self.one_in(3) { None } else { Some(self.condition(scope, depth.min(1) + 1)) };
        if self.one_in(4) {
            return self.grouped(from, scope, &families, filter);
        }
        let windows = self.one_in(6) && !scope.key.is_empty();
        let items: Vec<(Expr, Type)> = families
            .iter()
            .map(|family| match family {
                Family::Integer if windows => self.window(scope),
                _ => self.expression(scope, *family, 2),
            })
            .collect();
        let (items, types) = items.into_iter().unzip();
        let distinct = self.one_in(6);
        (Select { distinct, items, from, filter, group: Vec::new(), having: None }, types)
    }

    fn grouped(
        &mut self,
        from: From,
        scope: &Scope,
        families: &[Family],
        filter: Option<Condition>,
    ) -> (Select, Vec<Type>) {
        let mut group: Vec<(Expr, Type)> = Vec::new();
        for _ in 0..self.random.random_range(0..3) {
            let column = scope.columns.choose(&mut self.random).expect("every source has columns").clone();
            group.push((Expr::Column(column.name), column.of));
        }
        let items: Vec<(Expr, Type)> = families
            .iter()
            .map(|family| {
                let fitting: Vec<_> =
                    group.iter().filter(|(_, of)| of.family() == *family).cloned().collect();
                match fitting.choose(&mut self.random) {
                    Some(item) if self.one_in(2) => item.clone(),
                    _ => self.aggregate(scope, *family),
                }
            })
            .collect();
        let having = self.one_in(3).then(|| {
            let (aggregate, _) = self.aggregate(scope, Family::Integer);
            let operator = self.any(&["=", "<>", "<", "<=", ">", ">="]);
            Condition::Compare(operator, aggregate, Expr::Int(self.random.random_range(-3..12)))
        });
        let (items, types) = items.into_iter().unzip();
        let group = group.into_iter().map(|(expr, _)| expr).collect();
        (Select { distinct: false, items, from, filter, group, having }, types)
    }
}

/// The type of a column that has values of both.
pub(super) fn joint(a: Type, b: Type) -> Type {
    match (a, b) {
        (Type::Int(a), Type::Int(b)) => Type::Int(a.max(b)),
        (Type::Int(a) | Type::Big(a), Type::Int(b) | Type::Big(b)) => Type::Big(a.max(b)),
        (Type::Decimal { precision: p, scale: s }, Type::Decimal { precision: q, scale: t }) => {
            let scale = s.max(t);
            Type::Decimal { precision: ((p - s).max(q - t) + scale).min(38), scale }
        }
        (a, _) => a,
    }
}

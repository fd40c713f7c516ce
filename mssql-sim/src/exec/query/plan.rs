//! What binding makes of a query.
//!
//! A plan holds no state of a run, so that a correlated subquery or the right side of a join runs it again and again.
//! The values of a subquery that does not depend on the outer row are computed once and kept.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::aggregate::Aggregates;
use super::bind::bind_unordered;
use super::row_key::push_key;
use super::run::Run;
use super::seek::Access;
use super::table_function::TableFunction;
use super::window::Windows;
use crate::catalog::View;
use crate::collation::Collation;
use crate::engine::{DatabaseId, Interrupt, Row, TableDef, TableRead};
use crate::exec::conversion::convert;
use crate::exec::expression::bind::Binder;
use crate::exec::expression::{Condition, Frame, Scalar, TextCollation};
use crate::parser::ast::{Cte, Query, SetOperator};
use crate::types::{ColumnMeta, Origin, SqlError, SqlType, Value};

/// Common table expressions in reach of a query: those of its own WITH that come before, and those of outer ones.
#[derive(Clone, Copy)]
pub(crate) struct Ctes<'a> {
    pub(super) list: &'a [Cte],
    pub(super) outer: Option<&'a Ctes<'a>>,
    /// The recursive one whose members are being bound.
    pub(super) working: Option<&'a Working<'a>>,
    /// Levels that a recursive one may have; 0 for any number.
    pub(super) max_recursion: u32,
}

/// Levels of recursion without MAXRECURSION.
const DEFAULT_MAX_RECURSION: u32 = 100;

impl<'a> Ctes<'a> {
    /// Those of a statement or query, within those around it.
    pub(crate) fn new(list: &'a [Cte], outer: Option<&'a Ctes<'a>>) -> Self {
        let max_recursion = outer.map_or(DEFAULT_MAX_RECURSION, |outer| outer.max_recursion);
        Self { list, outer, working: None, max_recursion }
    }
}

/// A recursive common table expression as its own members see it.
pub(super) struct Working<'a> {
    pub(super) name: &'a str,
    pub(super) table: &'a Arc<WorkTable>,
}

/// The rows of one level of a recursive common table expression, while the next one is made of them.
#[derive(Debug)]
pub(super) struct WorkTable {
    pub(super) columns: Arc<[ColumnMeta]>,
    rows: Mutex<Vec<Row>>,
}

impl WorkTable {
    pub(super) fn new(columns: Arc<[ColumnMeta]>) -> Self {
        Self { columns, rows: Mutex::default() }
    }

    /// The rows of the level.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.rows.lock().clone()
    }

    /// Replaces them by those of the next level.
    pub(super) fn set(&self, rows: Vec<Row>) {
        *self.rows.lock() = rows;
    }
}

/// A bound query.
#[derive(Debug)]
pub(crate) struct QueryPlan {
    pub(super) columns: Vec<OutputColumn>,
    pub(super) body: PlanBody,
    /// Whether its rows depend on an outer query's row.
    pub(super) correlated: bool,
    /// For each key by which the rows are ordered, the position of its column, from 1; 0 for a key that is no column.
    pub(super) order: Vec<u16>,
    memory: Memory,
}

/// What an uncorrelated subquery has answered.
#[derive(Debug, Default)]
struct Memory {
    value: OnceLock<Value>,
    exists: OnceLock<bool>,
    members: OnceLock<Members>,
}

/// Keys of the values of a subquery's column, and whether NULL is among them.
#[derive(Debug)]
struct Members {
    keys: HashSet<Vec<u8>>,
    has_null: bool,
}

/// A column that a query gives.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    pub(crate) meta: ColumnMeta,
    pub(crate) collation: TextCollation,
}

impl OutputColumn {
    /// A column that is no table's.
    pub(super) fn new(name: String, sql_type: SqlType, nullable: bool, collation: TextCollation) -> Self {
        let plain = ColumnMeta::new(name, sql_type, nullable);
        let meta = ColumnMeta { collation: collation.collation, origin: Origin::Derived, ..plain };
        Self { meta, collation }
    }
}

#[derive(Debug)]
pub(super) enum PlanBody {
    Select(Arc<SelectPlan>),
    Set(SetPlan),
    Recursive(RecursivePlan),
    Values(Vec<Vec<Scalar>>),
}

/// Two queries and what is made of them; the columns' types are the plan's own.
#[derive(Debug)]
pub(super) struct SetPlan {
    pub(super) operator: SetOperator,
    pub(super) left: Arc<QueryPlan>,
    pub(super) right: Arc<QueryPlan>,
}

/// A recursive common table expression; all its queries give columns of the same types.
#[derive(Debug)]
pub(super) struct RecursivePlan {
    pub(super) anchor: Arc<QueryPlan>,
    pub(super) members: Vec<Arc<QueryPlan>>,
    pub(super) table: Arc<WorkTable>,
    pub(super) max_recursion: u32,
}

/// One SELECT, in the order in which it is computed.
#[derive(Debug, Default)]
pub(super) struct SelectPlan {
    /// Places in its tuple.
    pub(super) width: usize,
    pub(super) relation: Relation,
    pub(super) filter: Option<Condition>,
    pub(super) aggregate: Option<Aggregates>,
    pub(super) having: Option<Condition>,
    pub(super) windows: Option<Windows>,
    pub(super) items: Vec<Scalar>,
    pub(super) distinct: bool,
    /// Empty when the rows come in the wanted order anyway.
    pub(super) order_by: Vec<(Scalar, bool)>,
    pub(super) top: Option<Top>,
    /// `WITH TIES`: what the rows are ordered by.
    pub(super) ties: Option<Vec<(Scalar, bool)>>,
    pub(super) offset: Option<Scalar>,
}

/// How many rows.
#[derive(Debug)]
pub(super) enum Top {
    Rows(Scalar),
    Percent(Scalar),
}

/// Where rows come from.
#[derive(Clone, Debug, Default)]
pub(super) enum Relation {
    /// SELECT without FROM: one row without columns.
    #[default]
    Nothing,
    Table(Arc<TableLeaf>),
    Changes(Arc<ChangesLeaf>),
    /// Rows that are made at once.
    Made(Arc<MadeLeaf>),
    Derived(Arc<DerivedLeaf>),
    /// A source whose rows are thinned out before they are joined.
    Filtered(Arc<FilteredPlan>),
    Join(Arc<JoinPlan>),
}

/// A source and what its rows must satisfy.
#[derive(Debug)]
pub(super) struct FilteredPlan {
    pub(super) input: Relation,
    pub(super) condition: Condition,
}

/// A user table.
#[derive(Debug)]
pub(super) struct TableLeaf {
    pub(super) place: usize,
    /// Place that gets the row's key, for a statement that will write the row.
    pub(super) key_place: Option<usize>,
    pub(super) read: TableRead,
    pub(super) access: Access,
}

/// CHANGETABLE(CHANGES ..) of a table.
#[derive(Debug)]
pub(super) struct ChangesLeaf {
    pub(super) place: usize,
    pub(super) read: TableRead,
    pub(super) last_sync: Scalar,
    pub(super) access: Access,
}

/// A source whose rows are made at once.
#[derive(Debug)]
pub(super) struct MadeLeaf {
    pub(super) place: usize,
    pub(super) maker: Maker,
}

/// What makes the rows.
#[derive(Debug)]
pub(super) enum Maker {
    View {
        view: View,
        database: DatabaseId,
        /// What the first column must be equal to, where that saves making all rows.
        key: Option<Scalar>,
    },
    Function(TableFunction),
    /// The level before, of a recursive common table expression.
    Working(Arc<WorkTable>),
    /// The values are of the key columns' types, in key order.
    Version {
        read: TableRead,
        table: Arc<TableDef>,
        key: Vec<Scalar>,
    },
}

/// A query in FROM.
#[derive(Debug)]
pub(super) struct DerivedLeaf {
    pub(super) place: usize,
    pub(super) plan: Arc<QueryPlan>,
    /// Whether it may refer to the sources before it, as the right side of an APPLY.
    pub(super) lateral: bool,
}

/// A join. The left side runs once; what is done with the right side depends on `method`.
#[derive(Debug)]
pub(super) struct JoinPlan {
    pub(super) left: Relation,
    pub(super) right: Relation,
    /// Places that the right side fills.
    pub(super) right_places: Vec<usize>,
    pub(super) left_places: Vec<usize>,
    pub(super) kind: OuterKind,
    pub(super) method: JoinMethod,
    /// The whole condition.
    pub(super) on: Option<Condition>,
}

/// Which sides keep their rows without a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OuterKind {
    Inner,
    Left,
    Full,
}

#[derive(Debug)]
pub(super) enum JoinMethod {
    /// The right side runs again for each left row, which it may refer to.
    Lookup,
    /// The right side is read once and found by the values of these pairs; without any, all of it is tried.
    Hash(Vec<EqualPair>),
}

/// An equality between the two sides of a join.
#[derive(Clone, Debug)]
pub(super) struct EqualPair {
    pub(super) left: Scalar,
    pub(super) right: Scalar,
    pub(super) collation: Collation,
}

/// Binds a query inside an expression.
pub(crate) fn bind_subquery(binder: &Binder<'_>, query: &Query) -> Result<Arc<QueryPlan>, Interrupt> {
    bind_unordered(binder.context, Some(binder.scope), binder.ctes, query)
}

impl QueryPlan {
    pub(super) fn new(columns: Vec<OutputColumn>, body: PlanBody, correlated: bool) -> Self {
        Self { columns, body, correlated, order: Vec::new(), memory: Memory::default() }
    }

    /// Whether a column is the word NULL, which has no type of its own.
    pub(super) fn is_null_column(&self, column: usize) -> bool {
        matches!(&self.body, PlanBody::Select(select) if select.items[column].is_untyped_null())
    }

    /// The columns that it gives.
    pub(crate) fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// The same with the order of its rows.
    pub(super) fn ordered_by(self, order: Vec<u16>) -> Self {
        Self { order, ..self }
    }

    /// The columns as a result describes them.
    pub(crate) fn layout(&self) -> Arc<[ColumnMeta]> {
        self.columns.iter().map(|c| c.meta.clone()).collect()
    }

    /// The value of a subquery with one column: NULL without rows, error 512 with more than one.
    pub(crate) fn single_value(self: &Arc<Self>, frame: &Frame<'_>) -> Result<Value, Interrupt> {
        if let Some(value) = self.memory.value.get() {
            return Ok(value.clone());
        }
        let mut run = Run::start(self);
        let value = run.next(frame.context, Some(frame))?.map_or(Value::Null, |row| row[0].clone());
        if run.next(frame.context, Some(frame))?.is_some() {
            let message = "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, \
                           <, <= , >, >= or when the subquery is used as an expression.";
            return Err(SqlError::statement(512, message).into());
        }
        Ok(if self.correlated { value } else { self.memory.value.get_or_init(|| value).clone() })
    }

    /// Whether it has any row.
    pub(crate) fn has_rows(self: &Arc<Self>, frame: &Frame<'_>) -> Result<bool, Interrupt> {
        if let Some(exists) = self.memory.exists.get() {
            return Ok(*exists);
        }
        let exists = Run::start(self).advance(frame.context, Some(frame))?;
        Ok(if self.correlated { exists } else { *self.memory.exists.get_or_init(|| exists) })
    }

    /// Whether a value is among those of its column; None is unknown.
    pub(crate) fn contains(
        self: &Arc<Self>,
        frame: &Frame<'_>,
        wanted: &Value,
        common: SqlType,
        collation: &Collation,
    ) -> Result<Option<bool>, Interrupt> {
        let fresh;
        let members = match self.memory.members.get() {
            Some(known) => known,
            None => {
                let read = self.read_members(frame, common, collation)?;
                if self.correlated {
                    fresh = read;
                    &fresh
                } else {
                    self.memory.members.get_or_init(|| read)
                }
            }
        };
        if members.keys.is_empty() && !members.has_null {
            return Ok(Some(false));
        }
        if wanted.is_null() {
            return Ok(None);
        }
        let mut key = Vec::new();
        push_key(wanted, collation, &mut key);
        Ok(if members.keys.contains(&key) { Some(true) } else { (!members.has_null).then_some(false) })
    }

    /// Whether something is true of all, or of any, of the values of its column; None is unknown.
    pub(crate) fn quantify(
        self: &Arc<Self>,
        frame: &Frame<'_>,
        common: SqlType,
        all: bool,
        compare: impl Fn(&Value) -> Option<bool>,
    ) -> Result<Option<bool>, Interrupt> {
        let own = self.columns[0].meta.sql_type;
        let mut result = Some(all);
        let mut run = Run::start(self);
        while let Some(row) = run.next(frame.context, Some(frame))? {
            match compare(&convert(row[0].clone(), own, common, None)?) {
                Some(holds) if holds != all => return Ok(Some(holds)),
                Some(_) => {}
                None => result = None,
            }
        }
        Ok(result)
    }

    fn read_members(
        self: &Arc<Self>,
        frame: &Frame<'_>,
        common: SqlType,
        collation: &Collation,
    ) -> Result<Members, Interrupt> {
        let own = self.columns[0].meta.sql_type;
        let mut members = Members { keys: HashSet::new(), has_null: false };
        let mut run = Run::start(self);
        while let Some(row) = run.next(frame.context, Some(frame))? {
            if row[0].is_null() {
                members.has_null = true;
                continue;
            }
            let mut key = Vec::new();
            push_key(&convert(row[0].clone(), own, common, None)?, collation, &mut key);
            members.keys.insert(key);
        }
        Ok(members)
    }
}

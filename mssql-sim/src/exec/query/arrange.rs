//! How the sources of a FROM clause are run: in which order, by which keys, filtered when.
//!
//! The left side of a join drives it. A right side that is a table with a key on the join's columns is sought for each
//! left row; any other is read once into a hash table. What WHERE and ON demand of one source alone is demanded before
//! the join too, as far as that changes nothing for outer joins.

use std::sync::Arc;

use super::plan::{
    ChangesLeaf, EqualPair, FilteredPlan, JoinMethod, JoinPlan, MadeLeaf, Maker, OuterKind, Relation,
    TableLeaf,
};
use super::seek::{Access, demanded};
use crate::engine::{IndexRef, KeyColumn, TableDef, TableRead, tracking};
use crate::exec::expression::{Condition, Node, Scalar};
use crate::parser::ast::BinaryOp;

/// Sources as they are written, not yet arranged.
pub(super) enum Raw {
    Nothing,
    Table { place: usize, key_place: Option<usize>, read: TableRead },
    Changes { place: usize, read: TableRead, last_sync: Box<Scalar> },
    Other(usize, Relation),
    Join { kind: OuterKind, lateral: bool, left: Box<Raw>, right: Box<Raw>, on: Option<Box<Condition>> },
}

/// What a side of a join knows before it runs.
#[derive(Clone, Copy)]
struct Given<'a> {
    /// Places that have a row by then.
    known: &'a [usize],
    /// Conditions that every row satisfies that matters in the end.
    conditions: &'a [&'a Condition],
}

impl Given<'_> {
    /// What makes the rows of a catalog view of which one key is wanted, if the view knows a way to it.
    fn view_by_key(&self, place: usize, relation: &Relation) -> Option<Maker> {
        let Relation::Made(leaf) = relation else { return None };
        let Maker::View { view, database, .. } = leaf.maker else { return None };
        let key = if view.has_key() { demanded(place, 0, self.known, self.conditions) } else { None };
        key.map(|key| Maker::View { view, database, key: Some(key) })
    }
}

impl Raw {
    /// Arranges the sources; `filter` is the WHERE clause.
    pub(super) fn plan(self, filter: Option<&Condition>) -> Relation {
        let conditions = filter.map_or(Vec::new(), Condition::conjuncts);
        self.arrange(Given { known: &[], conditions: &conditions })
    }

    /// Has the key of a table's row put into a place of its own.
    pub(super) fn note_key(&mut self, target: usize, into: usize) {
        match self {
            Self::Table { place, key_place, .. } if *place == target => *key_place = Some(into),
            Self::Join { left, right, .. } => {
                left.note_key(target, into);
                right.note_key(target, into);
            }
            _ => {}
        }
    }

    fn places(&self) -> Vec<usize> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Table { place, key_place, .. } => std::iter::once(*place).chain(*key_place).collect(),
            Self::Changes { place, .. } | Self::Other(place, _) => vec![*place],
            Self::Join { left, right, .. } => [left.places(), right.places()].concat(),
        }
    }

    fn arrange(self, given: Given<'_>) -> Relation {
        match self {
            Self::Nothing => Relation::Nothing,
            Self::Other(place, relation) => match given.view_by_key(place, &relation) {
                Some(maker) => Relation::Made(Arc::new(MadeLeaf { place, maker })),
                None => relation,
            },
            Self::Table { place, key_place, read } => {
                let access = Access::choose(place, &read.table, given.known, given.conditions);
                Relation::Table(Arc::new(TableLeaf { place, key_place, read, access }))
            }
            Self::Changes { place, read, last_sync } => {
                let access = Access::of_changes(place, &read.table, given.known, given.conditions);
                Relation::Changes(Arc::new(ChangesLeaf { place, read, last_sync: *last_sync, access }))
            }
            Self::Join { kind, lateral, left, right, on } => {
                arrange_join(kind, lateral, (*left, *right), on.map(|on| *on), given)
            }
        }
    }

    /// A side of a join; a single source is filtered by what concerns it alone.
    fn arrange_side(self, given: Given<'_>) -> Relation {
        let (Self::Table { place, .. } | Self::Changes { place, .. } | Self::Other(place, _)) = self else {
            return self.arrange(given);
        };
        let own = given.conditions.iter().filter(|condition| {
            let places = condition.places();
            !condition.has_subquery() && !places.is_empty() && places.iter().all(|p| *p == place)
        });
        let own: Vec<Condition> = own.map(|condition| (*condition).clone()).collect();
        let input = self.arrange(given);
        if own.is_empty() {
            return input;
        }
        Relation::Filtered(Arc::new(FilteredPlan { input, condition: Condition::And(own) }))
    }

    /// Whether it reads rows of these places: a table sought by them, a CHANGETABLE(VERSION ..) of their keys.
    fn depends_on(&self, places: &[usize], given: Given<'_>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Table { place, read, .. } => {
                Access::choose(*place, &read.table, given.known, given.conditions).follows(places)
            }
            Self::Changes { place, read, .. } => {
                Access::of_changes(*place, &read.table, given.known, given.conditions).follows(places)
            }
            Self::Other(place, relation) => {
                let follows = |key: &Scalar| key.places().iter().any(|p| places.contains(p));
                match (given.view_by_key(*place, relation), relation) {
                    (Some(Maker::View { key, .. }), _) => key.iter().any(follows),
                    (_, Relation::Made(leaf)) => match &leaf.maker {
                        Maker::Version { key, .. } => key.iter().any(follows),
                        _ => false,
                    },
                    _ => false,
                }
            }
            Self::Join { left, right, .. } => {
                let nothing = Given { known: &[], conditions: &[] };
                left.depends_on(places, nothing) || right.depends_on(places, nothing)
            }
        }
    }
}

fn arrange_join(
    kind: OuterKind,
    lateral: bool,
    (left, right): (Raw, Raw),
    on: Option<Condition>,
    given: Given<'_>,
) -> Relation {
    let (left_places, right_places) = (left.places(), right.places());
    let own = on.as_ref().map_or(Vec::new(), Condition::conjuncts);
    let everything: Vec<&Condition> = given.conditions.iter().copied().chain(own.iter().copied()).collect();
    // WHERE may not thin out the far side of an outer join, nor ON its near side.
    let (of_left, of_right): (&[&Condition], &[&Condition]) = match kind {
        OuterKind::Inner => (&everything, &everything),
        OuterKind::Left => (given.conditions, &own),
        OuterKind::Full => (&[], &[]),
    };
    let pairs =
        equal_pairs(if kind == OuterKind::Inner { &everything } else { &own }, &left_places, &right_places);
    let with_left = [given.known, &left_places].concat();
    let left = left.arrange_side(Given { conditions: of_left, ..given });
    let after_left = Given { known: &with_left, conditions: of_right };
    let (right, method) = if lateral || kind != OuterKind::Full && right.depends_on(&left_places, after_left)
    {
        (right.arrange(after_left), JoinMethod::Lookup)
    } else {
        (right.arrange_side(Given { conditions: of_right, ..given }), JoinMethod::Hash(pairs))
    };
    Relation::Join(Arc::new(JoinPlan { left, right, right_places, left_places, kind, method, on }))
}

/// Equalities between the sides, by which partners are found.
fn equal_pairs(conditions: &[&Condition], left: &[usize], right: &[usize]) -> Vec<EqualPair> {
    let within = |scalar: &Scalar, places: &[usize]| {
        let used = scalar.places();
        !used.is_empty() && !scalar.has_subquery() && used.iter().all(|p| places.contains(p))
    };
    let pairs = conditions.iter().filter_map(|condition| {
        let Condition::Compare(a, BinaryOp::Equal, b, collation) = condition else { return None };
        let (l, r) = if within(a, left) && within(b, right) {
            (a, b)
        } else if within(b, left) && within(a, right) {
            (b, a)
        } else {
            return None;
        };
        Some(EqualPair { left: l.clone(), right: r.clone(), collation: *collation })
    });
    pairs.collect()
}

impl Relation {
    /// Whether the rows come in this order by themselves.
    pub(super) fn comes_in_order(&self, order_by: &[(Scalar, bool)]) -> bool {
        match self {
            Self::Filtered(plan) => plan.input.comes_in_order(order_by),
            Self::Join(join) => join.kind != OuterKind::Full && join.left.comes_in_order(order_by),
            Self::Table(leaf) => {
                let columns = leaf.read.table.index_columns(leaf.access.index);
                is_prefix(order_by, leaf.place, columns, leaf.access.fixed)
            }
            Self::Changes(leaf) => {
                is_prefix(order_by, leaf.place, &changes_order(&leaf.read.table), leaf.access.fixed)
            }
            Self::Nothing | Self::Made(_) | Self::Derived(_) => order_by.is_empty(),
        }
    }
}

/// The columns by which CHANGETABLE(CHANGES ..) is in order: the key's, which stand behind its own.
fn changes_order(table: &TableDef) -> Vec<KeyColumn> {
    let key = table.index_columns(IndexRef::Primary);
    let first = tracking::changes_columns(table).len() - key.len();
    (first..).zip(key).map(|(column, key)| KeyColumn { column, ..*key }).collect()
}

/// Whether an order is that of the leading columns of a key, of which the first `fixed` have one value each.
fn is_prefix(order_by: &[(Scalar, bool)], source: usize, columns: &[KeyColumn], fixed: usize) -> bool {
    let mut rest = &columns[fixed..];
    for (scalar, descending) in order_by {
        let Node::Column(place) = &scalar.node else { return false };
        if place.depth != 0 || place.source != source || !place.orders_by(scalar.collation.collation) {
            return false;
        }
        // Columns that have one value do not disturb the order.
        if columns[..fixed].iter().any(|key| key.column == place.column) {
            continue;
        }
        match rest {
            [next, behind @ ..] if next.column == place.column && next.descending == *descending => {
                rest = behind;
            }
            _ => return false,
        }
    }
    true
}

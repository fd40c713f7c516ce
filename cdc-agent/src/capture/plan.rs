//! What a cut has to do, from what is captured and what the source says of every table. Pure.
//!
//! Every table in step or loading is judged at every poll, moved or not: a table whose entries were cleaned away looks exactly
//! like one that did not move.

use super::captured::{Captured, Load, Pause, Stage};
use super::request::{Command, Wish};
use crate::source::Standing;
use proto::{Condition, Incarnation, Key, LoadKind, LoadMark, Record, Version};
use std::collections::BTreeMap;

/// What the next cut does.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Entries that open the run: tables that leave step, loads that begin.
    pub opening: Vec<Record>,
    /// Tables whose window is read, with the version after which it begins.
    pub windows: Vec<(String, Version)>,
    /// Tables of which a chunk is read.
    pub chunks: Vec<String>,
    /// Tables whose scan is done and whose keys not met are read again.
    pub rereads: Vec<String>,
    /// Keys in quarantine that are read again, by table.
    pub retries: Vec<(String, Vec<Key>)>,
    /// Tables whose operator's wish this plan fulfils.
    pub granted: Vec<String>,
}

impl Plan {
    /// Whether the source can be left alone if its version has not moved.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_work() && self.rereads.is_empty()
    }

    /// Whether there is more to do than to look for changes and for keys not met.
    pub(super) fn has_work(&self) -> bool {
        !(self.opening.is_empty() && self.chunks.is_empty() && self.retries.is_empty())
    }
}

/// Why what was captured of a table cannot be built on.
#[derive(Debug, PartialEq)]
struct Lost(String);

/// Judges every table and decides what the cut at version `to` does. `wishes` are operators' by table; those that cannot be
/// followed are refused before.
pub(super) fn plan(
    captured: &Captured,
    to: Version,
    standings: &BTreeMap<String, Standing>,
    wishes: &BTreeMap<&str, Wish<'_>>,
) -> Plan {
    let mut plan = Plan::default();
    for (name, stage) in &captured.tables {
        let Some(standing) = standings.get(name) else { continue };
        let wish = wishes.get(name.as_str());
        if let Some(Wish { command: Command::Pause, reason }) = wish
            && !matches!(stage, Stage::Paused(_))
        {
            plan.leave(name, Condition::Paused, reason.clone());
            plan.granted.push(name.clone());
            continue;
        }
        match (stage, standing) {
            (Stage::Out { .. } | Stage::Paused(_), Standing::Unusable { .. }) => {}
            (Stage::Live(_) | Stage::Loading(_), Standing::Unusable { reason }) => {
                plan.leave(name, Condition::Blind, reason.clone());
            }
            (Stage::Paused(pause), Standing::Tracked { incarnation, min_valid }) => {
                if let Some(Wish { command: Command::Resume, reason }) = wish {
                    plan.resume(name, pause, to, (incarnation, *min_valid), reason.clone());
                }
            }
            (Stage::Out { kind, reason }, Standing::Tracked { incarnation, .. }) => {
                plan.begin(name, *kind, to, incarnation, reason.clone());
                plan.grant_load(name, wish);
            }
            (Stage::Live(known), Standing::Tracked { incarnation, min_valid }) => {
                match judge(known, incarnation, captured.position, *min_valid) {
                    Err(Lost(reason)) => {
                        plan.start_over(name, to, incarnation, reason);
                        plan.grant_load(name, wish);
                    }
                    Ok(()) => {
                        let load = wish.and_then(|wish| Some((wish.command.whole_table_load()?, wish)));
                        if let Some((kind, wish)) = load {
                            plan.begin(name, kind, to, incarnation, wish.reason.clone());
                            plan.granted.push(name.clone());
                        }
                        // What a comparison reads is not written, so the window is.
                        if load.is_none_or(|(kind, _)| kind.compares()) {
                            plan.window(name, captured.position);
                        }
                        plan.retry(name, wish);
                    }
                }
            }
            (Stage::Loading(load), Standing::Tracked { incarnation, min_valid }) => {
                plan.go_on(name, load, captured.position, to, (incarnation, *min_valid));
            }
        }
    }
    plan
}

/// Whether the tables that a cut read still stand as they stood before it; else which one does not, and why.
pub(super) fn still_valid(
    captured: &Captured,
    plan: &Plan,
    before: &BTreeMap<String, Standing>,
    after: &BTreeMap<String, Standing>,
) -> Result<(), (String, String)> {
    let began = plan.opening.iter().filter_map(|record| match record {
        Record::LoadBegin(mark) => Some((mark.table.as_str(), mark.base)),
        _ => None,
    });
    let began: BTreeMap<_, _> = began.collect();
    for (name, stage) in &captured.tables {
        let position = match (began.get(name.as_str()), stage) {
            (Some(base), _) => Some(*base),
            (None, Stage::Out { .. } | Stage::Paused(_)) => continue,
            (None, Stage::Loading(load)) => load.base().or(captured.position),
            (None, Stage::Live(_)) => captured.position,
        };
        let lost = match (before.get(name), after.get(name)) {
            (Some(Standing::Unusable { .. }), _) => continue,
            (
                Some(Standing::Tracked { incarnation: known, .. }),
                Some(Standing::Tracked { incarnation, min_valid }),
            ) => judge(known, incarnation, position, *min_valid).err(),
            (_, Some(Standing::Unusable { reason })) => Some(Lost(reason.clone())),
            (_, None) | (None, _) => Some(Lost("the source no longer answers for it".into())),
        };
        if let Some(Lost(reason)) = lost {
            return Err((name.clone(), reason));
        }
    }
    Ok(())
}

/// `>=`, not `>`: entries are kept for every change after the minimum valid version.
fn judge(
    known: &Incarnation,
    now: &Incarnation,
    position: Option<Version>,
    min_valid: Version,
) -> Result<(), Lost> {
    if known.object_id != now.object_id {
        return Err(Lost("the table was dropped and created again".into()));
    }
    if known != now {
        return Err(Lost("the table was truncated, or its tracking was switched off and on".into()));
    }
    match position {
        Some(position) if position < min_valid => Err(Lost(format!(
            "changes after version {position} are no longer kept (the oldest valid version is {min_valid}); \
             a longer CHANGE_RETENTION would have kept them"
        ))),
        _ => Ok(()),
    }
}

impl Plan {
    fn leave(&mut self, name: &str, condition: Condition, reason: String) {
        self.opening.push(Record::Leave { table: name.into(), condition, reason });
    }

    /// A load that begins for a reason of its own is what a person asked for who wants the table loaded.
    fn grant_load(&mut self, name: &str, wish: Option<&Wish<'_>>) {
        if matches!(wish, Some(Wish { command: Command::Resync, .. })) {
            self.granted.push(name.into());
        }
    }

    fn retry(&mut self, name: &str, wish: Option<&Wish<'_>>) {
        if let Some(Wish { command: Command::Retry(keys), .. }) = wish {
            self.retries.push((name.into(), keys.clone()));
            self.granted.push(name.into());
        }
    }

    /// What changed while the table was paused is loaded; all of it where that is no longer known.
    fn resume(
        &mut self,
        name: &str,
        pause: &Pause,
        to: Version,
        (incarnation, min_valid): (&Incarnation, Version),
        reason: String,
    ) {
        self.granted.push(name.into());
        let Some((base, known)) = &pause.since else {
            return self.begin(name, LoadKind::Resync, to, incarnation, reason);
        };
        match judge(known, incarnation, Some(*base), min_valid) {
            Ok(()) => self.begin(name, LoadKind::Window, *base, incarnation, reason),
            Err(Lost(reason)) => self.start_over(name, to, incarnation, reason),
        }
    }

    fn begin(
        &mut self,
        name: &str,
        kind: LoadKind,
        base: Version,
        incarnation: &Incarnation,
        reason: String,
    ) {
        let mark = LoadMark { table: name.into(), kind, base, incarnation: incarnation.clone(), reason };
        self.opening.push(Record::LoadBegin(mark));
        self.chunks.push(name.into());
    }

    fn start_over(&mut self, name: &str, to: Version, incarnation: &Incarnation, reason: String) {
        self.leave(name, Condition::Blind, reason.clone());
        self.begin(name, LoadKind::Resync, to, incarnation, reason);
    }

    fn window(&mut self, name: &str, position: Option<Version>) {
        if let Some(position) = position {
            self.windows.push((name.into(), position));
        }
    }

    /// A load under way: its windows follow the source's position; its scan goes on, or its keys not met are read again.
    fn go_on(
        &mut self,
        name: &str,
        load: &Load,
        position: Option<Version>,
        to: Version,
        (incarnation, min_valid): (&Incarnation, Version),
    ) {
        let needed = [position, load.base()].into_iter().flatten().min();
        if let Err(Lost(reason)) = judge(&load.mark.incarnation, incarnation, needed, min_valid) {
            return self.start_over(name, to, incarnation, reason);
        }
        self.window(name, position);
        if load.scanned_in.is_some() {
            self.rereads.push(name.into());
        } else {
            self.chunks.push(name.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incarnation(object_id: i32, begin: i64) -> Incarnation {
        Incarnation { object_id, begin_version: Version(begin), side_table: None }
    }

    fn tracked(incarnation: Incarnation, min_valid: i64) -> BTreeMap<String, Standing> {
        BTreeMap::from([("t".to_owned(), Standing::Tracked { incarnation, min_valid: Version(min_valid) })])
    }

    fn live(position: i64) -> Captured {
        let mut captured = Captured::new(["t".to_owned()]);
        captured.position = Some(Version(position));
        captured.tables.insert("t".into(), Stage::Live(incarnation(1, 0)));
        captured
    }

    fn reason(plan: &Plan) -> String {
        match plan.opening.as_slice() {
            [Record::Leave { reason, .. }, Record::LoadBegin(_)] => reason.clone(),
            other => panic!("not a fresh start: {other:?}"),
        }
    }

    #[test]
    fn lost_history_starts_over_and_equality_with_the_minimum_does_not() {
        let none = BTreeMap::new();
        let fine = plan(&live(5), Version(9), &tracked(incarnation(1, 0), 5), &none);
        assert_eq!(fine.windows, [("t".to_owned(), Version(5))]);
        assert!(fine.is_idle());
        let late = plan(&live(5), Version(9), &tracked(incarnation(1, 0), 6), &none);
        assert!(reason(&late).contains("no longer kept"));
        let truncated = plan(&live(5), Version(9), &tracked(incarnation(1, 5), 5), &none);
        assert!(reason(&truncated).contains("truncated"));
        let recreated = plan(&live(5), Version(9), &tracked(incarnation(2, 0), 0), &none);
        assert!(reason(&recreated).contains("created again"));
    }

    #[test]
    fn a_table_that_was_cleaned_during_the_cut_drops_it_though_it_did_not_move() {
        let captured = live(5);
        let before = tracked(incarnation(1, 0), 0);
        let made = plan(&captured, Version(9), &before, &BTreeMap::new());
        assert!(still_valid(&captured, &made, &before, &tracked(incarnation(1, 0), 5)).is_ok());
        let (table, _) = still_valid(&captured, &made, &before, &tracked(incarnation(1, 0), 6)).unwrap_err();
        assert_eq!(table, "t");
    }

    #[test]
    fn a_window_load_needs_its_base_until_its_scan_is_done() {
        let mut captured = live(9);
        let mark = LoadMark {
            table: "t".into(),
            kind: LoadKind::Window,
            base: Version(5),
            incarnation: incarnation(1, 0),
            reason: String::new(),
        };
        let load = Load { mark, resume: None, rows: 0, scanned_in: None };
        captured.tables.insert("t".into(), Stage::Loading(load));
        let none = BTreeMap::new();
        assert_eq!(plan(&captured, Version(9), &tracked(incarnation(1, 0), 5), &none).chunks, ["t"]);
        let lost = plan(&captured, Version(9), &tracked(incarnation(1, 0), 6), &none);
        assert!(matches!(&lost.opening[1], Record::LoadBegin(mark) if mark.kind == LoadKind::Resync));
    }

    #[test]
    fn a_paused_table_goes_on_where_it_was_paused_while_that_is_still_known() {
        let wish = |command| BTreeMap::from([("t", Wish { command, reason: "asked".into() })]);
        let mut captured = live(5);
        let paused = plan(&captured, Version(9), &tracked(incarnation(1, 0), 0), &wish(&Command::Pause));
        assert!(paused.windows.is_empty() && paused.granted == ["t"]);
        captured.observe(2, &paused.opening[0]);
        captured.position = Some(Version(9));

        let left_alone = plan(&captured, Version(12), &tracked(incarnation(1, 0), 0), &BTreeMap::new());
        assert_eq!(left_alone, Plan::default());
        let resume = wish(&Command::Resume);
        let known = plan(&captured, Version(12), &tracked(incarnation(1, 0), 5), &resume);
        assert!(matches!(&known.opening[..], [Record::LoadBegin(mark)]
            if mark.kind == LoadKind::Window && mark.base == Version(5)));
        let lost = plan(&captured, Version(12), &tracked(incarnation(1, 0), 6), &resume);
        assert!(reason(&lost).contains("no longer kept"));
    }
}

//! What operators ask of capture: a queue for each table, answered one command at a time, oldest first.

use super::captured::Stage;
use crate::source::{Isolation, Standing};
use proto::{Key, LoadKind};
use std::collections::{BTreeMap, VecDeque};
use std::mem;

/// What may be asked for a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Load it again.
    Resync,
    /// Take it out of step and leave it alone; it keeps its own position.
    Pause,
    /// Take it up where it was paused.
    Resume,
    /// Read these keys again: they are in quarantine.
    Retry(Vec<Key>),
    /// Compare it with the source; `repair` writes what differs.
    Verify {
        /// Whether what differs is written.
        repair: bool,
    },
}

impl Command {
    /// The whole-table load that fulfils it on a live table.
    pub(super) fn whole_table_load(&self) -> Option<LoadKind> {
        match self {
            Self::Resync => Some(LoadKind::Resync),
            Self::Verify { repair: false } => Some(LoadKind::Verify),
            Self::Verify { repair: true } => Some(LoadKind::Repair),
            Self::Pause | Self::Resume | Self::Retry(_) => None,
        }
    }
}

/// An operator's request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its row in `cdc.control`.
    pub id: i64,
    /// Table in the target.
    pub table: String,
    /// What is asked for.
    pub command: Command,
    /// Who asked.
    pub requested_by: String,
}

/// Requests received and not yet answered.
#[derive(Debug, Default)]
pub struct Requests(BTreeMap<String, VecDeque<Request>>);

/// What is asked for a table next.
#[derive(Debug, PartialEq)]
pub(super) struct Wish<'a> {
    pub(super) command: &'a Command,
    /// Who asked, in words for an operator.
    pub(super) reason: String,
}

impl Requests {
    pub(super) fn push(&mut self, request: Request) {
        self.0.entry(request.table.clone()).or_default().push_back(request);
    }

    /// The next command of every table that has one.
    pub(super) fn wishes(&self) -> BTreeMap<&str, Wish<'_>> {
        let wish = |requests: &'_ VecDeque<Request>| {
            let first = requests.front()?;
            let same = requests.iter().take_while(|request| request.command == first.command);
            let names: Vec<_> = same.map(|request| request.requested_by.as_str()).collect();
            Some(names.join(", "))
        };
        let wishes = self.0.iter().filter_map(|(table, requests)| {
            let reason = format!("asked for by {}", wish(requests)?);
            Some((table.as_str(), Wish { command: &requests.front()?.command, reason }))
        });
        wishes.collect()
    }

    /// Takes out what a table's next command has answered: its own requests, and those behind it that ask the same.
    pub(super) fn answered(&mut self, table: &str) -> Vec<i64> {
        let Some(requests) = self.0.get_mut(table) else { return Vec::new() };
        let Some(command) = requests.front().map(|first| first.command.clone()) else { return Vec::new() };
        let same = requests.iter().take_while(|request| request.command == command).count();
        let rest = requests.split_off(same);
        mem::replace(requests, rest).into_iter().map(|request| request.id).collect()
    }
}

/// Why a command cannot be followed as the table stands; None when it can.
pub(super) fn refusal(
    command: &Command,
    stage: Option<&Stage>,
    standing: Option<&Standing>,
    isolation: Isolation,
) -> Option<String> {
    let (Some(stage), Some(standing)) = (stage, standing) else {
        return Some("the table is not replicated".into());
    };
    let said = match (command, stage) {
        (Command::Pause, Stage::Paused(_)) => "it is paused already",
        (Command::Pause, _) => return None,
        (Command::Verify { .. }, _) if !isolation.is_one_instant() => {
            "without snapshots at the source both sides never stand at one instant; see `cdc-agent check`"
        }
        (Command::Resync | Command::Retry(_) | Command::Verify { .. }, Stage::Paused(_)) => {
            "it is paused; resume it first"
        }
        (Command::Resume, Stage::Live(_) | Stage::Loading(_) | Stage::Out { .. }) => "it is not paused",
        (Command::Retry(_), Stage::Loading(_) | Stage::Out { .. }) => {
            "it is being loaded, which reads these keys too"
        }
        _ => match standing {
            Standing::Unusable { reason } => reason,
            Standing::Tracked { .. } => return None,
        },
    };
    Some(said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: i64, command: Command) -> Request {
        Request { id, table: "t".into(), command, requested_by: format!("person {id}") }
    }

    #[test]
    fn commands_are_answered_in_their_order_and_equal_ones_together() {
        let mut requests = Requests::default();
        let commands = [Command::Pause, Command::Pause, Command::Resume, Command::Pause];
        commands.into_iter().zip(1..).for_each(|(command, id)| requests.push(request(id, command)));
        let wish = &requests.wishes()["t"];
        assert_eq!(
            (wish.command, wish.reason.as_str()),
            (&Command::Pause, "asked for by person 1, person 2")
        );
        assert_eq!(requests.answered("t"), [1, 2]);
        assert_eq!(requests.wishes()["t"].command, &Command::Resume);
        assert_eq!(requests.answered("t"), [3]);
        assert_eq!(requests.answered("t"), [4]);
        assert_eq!(requests.answered("t"), [] as [i64; 0]);
        assert!(requests.wishes().is_empty());
    }
}

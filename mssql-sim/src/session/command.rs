//! `CurCmd`: what a DONE token says ended, as a real server was seen to send it.

use crate::parser::ast::{ObjectKind, SetOption, Statement};

/// A statement's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Command {
    /// `DROP FUNCTION`
    DropFunction = 179,
    /// `SET IDENTITY_INSERT t ON`
    IdentityInsertOn = 183,
    /// `SET IDENTITY_INSERT t OFF`
    IdentityInsertOff = 184,
    /// `SET` of a switch to ON
    SwitchOn = 185,
    /// `SET` of a switch to OFF
    SwitchOff = 186,
    /// `SET ROWCOUNT`
    SetRowCount = 189,
    /// `SET TEXTSIZE`
    SetTextSize = 190,
    /// The condition of `IF` and `WHILE`
    Condition = 192,
    /// `SELECT`, and what gives variables their values
    Select = 193,
    /// `INSERT`
    Insert = 195,
    /// `DELETE`
    Delete = 196,
    /// `UPDATE`
    Update = 197,
    /// `CREATE TABLE`
    CreateTable = 198,
    /// `DROP TABLE`
    DropTable = 199,
    /// `CREATE INDEX`
    CreateIndex = 200,
    /// `DROP INDEX`
    DropIndex = 201,
    /// `BREAK` and `CONTINUE`
    Jump = 202,
    /// `CREATE DATABASE`
    CreateDatabase = 203,
    /// `DROP DATABASE`
    DropDatabase = 204,
    /// `CREATE VIEW`, `ALTER VIEW`
    CreateView = 207,
    /// `DROP VIEW`
    DropView = 208,
    /// `ROLLBACK`
    Rollback = 210,
    /// `BEGIN TRANSACTION`
    Begin = 212,
    /// `COMMIT`
    Commit = 213,
    /// `SAVE TRANSACTION`
    Save = 214,
    /// `ALTER DATABASE`
    AlterDatabase = 215,
    /// `ALTER TABLE`
    AlterTable = 216,
    /// `RETURN`
    Return = 219,
    /// `DROP PROCEDURE`
    DropProcedure = 223,
    /// `EXECUTE`, and a call by RPC
    Execute = 224,
    /// `DROP TRIGGER`
    DropTrigger = 225,
    /// `USE`
    Use = 226,
    /// `BACKUP`
    Backup = 228,
    /// `RESTORE`
    Restore = 229,
    /// `TRUNCATE TABLE`
    Truncate = 234,
    /// `WAITFOR`
    WaitFor = 243,
    /// `RAISERROR` and `THROW`
    Raise = 246,
    /// `PRINT`
    Print = 247,
    /// `SET` of something that is no switch, such as the isolation level
    SetValue = 249,
    /// Nothing: a batch without statements, one that was refused or ended by an error, a transaction request
    Nothing = 253,
    /// `MERGE`
    Merge = 279,
    /// Entering a TRY block
    Try = 349,
    /// Entering a CATCH block
    Catch = 350,
    /// Leaving TRY and CATCH
    EndCatch = 351,
}

impl Command {
    /// `command` of `sys.dm_exec_requests`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Delete => "DELETE",
            Self::Update => "UPDATE",
            Self::CreateTable => "CREATE TABLE",
            Self::DropTable => "DROP TABLE",
            Self::CreateIndex => "CREATE INDEX",
            Self::DropIndex => "DROP INDEX",
            Self::AlterTable => "ALTER TABLE",
            Self::CreateDatabase => "CREATE DATABASE",
            Self::DropDatabase => "DROP DATABASE",
            Self::AlterDatabase => "ALTER DATABASE",
            Self::Truncate => "TRUNCATE TABLE",
            Self::Begin => "BEGIN TRANSACTION",
            Self::Commit => "COMMIT TRANSACTION",
            Self::Rollback => "ROLLBACK TRANSACTION",
            Self::WaitFor => "WAITFOR",
            Self::Execute => "EXECUTE",
            _ => "AWAITING COMMAND",
        }
    }

    /// What a statement's end says, `None` where its end says nothing of its own.
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        Some(match statement {
            Statement::Select(_)
            | Statement::SelectInto { .. }
            | Statement::SelectAssign { .. }
            | Statement::SetVariable(..)
            | Statement::Declare(_) => Self::Select,
            Statement::Insert(_) | Statement::InsertBulk(_) => Self::Insert,
            Statement::Update(_) => Self::Update,
            Statement::Delete(_) => Self::Delete,
            Statement::Merge(_) => Self::Merge,
            Statement::Truncate(_) => Self::Truncate,
            Statement::CreateTable(_) => Self::CreateTable,
            Statement::AlterTable { .. } => Self::AlterTable,
            Statement::DropObjects { kind, .. } => Self::of_drop(*kind)?,
            Statement::CreateView(_) => Self::CreateView,
            Statement::CreateIndex(_) => Self::CreateIndex,
            Statement::DropIndex { .. } => Self::DropIndex,
            Statement::CreateDatabase { .. } => Self::CreateDatabase,
            Statement::DropDatabase { .. } => Self::DropDatabase,
            Statement::AlterDatabase { .. } => Self::AlterDatabase,
            Statement::Backup(_) => Self::Backup,
            Statement::Restore(_) => Self::Restore,
            Statement::Use(_) => Self::Use,
            Statement::Begin(_) => Self::Begin,
            Statement::Commit => Self::Commit,
            Statement::Rollback(_) => Self::Rollback,
            Statement::Save(_) => Self::Save,
            Statement::SetOption(option) => return Self::of_option(option),
            Statement::If { .. } | Statement::While { .. } => Self::Condition,
            Statement::Break | Statement::Continue => Self::Jump,
            Statement::Return => Self::Return,
            Statement::Print(_) => Self::Print,
            Statement::RaiseError(..) | Statement::Throw(_) => Self::Raise,
            Statement::WaitFor(_) => Self::WaitFor,
            Statement::Execute { .. } | Statement::ExecuteText(_) => Self::Execute,
            Statement::ExecuteAs { .. }
            | Statement::Revert
            | Statement::CreateSchema(_)
            | Statement::DropSchema { .. }
            | Statement::TransferObject { .. }
            | Statement::CreateSynonym { .. }
            | Statement::RebuildIndex { .. }
            | Statement::Rename { .. }
            | Statement::ExtendedProperty(_)
            | Statement::CreateType { .. }
            | Statement::DropType { .. }
            | Statement::DeclareTable(_)
            | Statement::Permission(_)
            | Statement::Block(_)
            | Statement::TryCatch(..)
            | Statement::Kill(_)
            | Statement::Nothing => return None,
        })
    }

    fn of_drop(kind: ObjectKind) -> Option<Self> {
        Some(match kind {
            ObjectKind::Table => Self::DropTable,
            ObjectKind::View => Self::DropView,
            ObjectKind::Procedure => Self::DropProcedure,
            ObjectKind::Function => Self::DropFunction,
            ObjectKind::Trigger => Self::DropTrigger,
            ObjectKind::Synonym => return None,
        })
    }

    fn of_option(option: &SetOption) -> Option<Self> {
        Some(match option {
            SetOption::Switch(names, _) if names.iter().all(|name| name == "QUOTED_IDENTIFIER") => {
                return None;
            }
            SetOption::Switch(_, true) => Self::SwitchOn,
            SetOption::Switch(_, false) => Self::SwitchOff,
            SetOption::IdentityInsert(_, true) => Self::IdentityInsertOn,
            SetOption::IdentityInsert(_, false) => Self::IdentityInsertOff,
            SetOption::RowCount(_) => Self::SetRowCount,
            SetOption::Other(name, _) if name == "TEXTSIZE" => Self::SetTextSize,
            SetOption::Isolation(_)
            | SetOption::LockTimeout(_)
            | SetOption::DeadlockPriority(_)
            | SetOption::Other(..) => Self::SetValue,
        })
    }

    /// Whether the statement's end tells rows.
    pub(super) fn counts_rows(self) -> bool {
        matches!(self, Self::Select | Self::Insert | Self::Update | Self::Delete | Self::Merge)
    }
}

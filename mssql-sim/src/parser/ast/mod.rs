//! The syntax tree of the supported T-SQL.

mod backup;
mod definition;
mod expression;
mod hint;
mod query;
mod statement;
mod write;

pub use backup::{BackupDatabase, RestoreDatabase};
pub use definition::{
    AlterTable, ColumnDef, ConstraintDef, ConstraintKind, CreateIndex, CreateMode, CreateTable, CreateView,
    DatabaseOption, DropElement, GrantKind, GrantedPermission, IndexOptions, KeyClause, LockEscalation,
    ObjectKind, Permission, PropertyChange, PropertyStatement, RecoveryModel, RenamedKind, Securable,
    SetPrincipal, TrackingOptions, TypeName,
};
pub use expression::{BinaryOp, Expr, FrameBound, Over, UnaryOp, WindowFrame};
pub use hint::TableHint;
pub use query::{Alias, Cte, JoinKind, Query, QueryBody, Select, SelectItem, SetOperator, TableRef, Top};
pub use statement::{Isolation, Located, ObjectName, SetOption, Statement};
pub use write::{
    Assignment, Delete, Insert, InsertBulk, InsertSource, Merge, MergeAction, MergeClause, MergeWhen, Output,
    Update, WriteTop,
};

//! BACKUP and RESTORE.

use super::Expr;

/// `BACKUP DATABASE database TO DISK = device`
#[derive(Clone, Debug, PartialEq)]
pub struct BackupDatabase {
    /// Name, as text or in a variable.
    pub database: Expr,
    /// Device, as text or in a variable.
    pub device: Expr,
    /// `FORMAT` or `INIT`: what the device held is gone.
    pub overwrite: bool,
}

/// `RESTORE DATABASE database FROM DISK = device`
#[derive(Clone, Debug, PartialEq)]
pub struct RestoreDatabase {
    /// Name, as text or in a variable.
    pub database: Expr,
    /// Device, as text or in a variable.
    pub device: Expr,
    /// `FILE = n`: which backup of the device, from 1.
    pub file: i64,
    /// `REPLACE`: an existing database goes, whatever it is.
    pub replace: bool,
}

//! What an operator does to a server, or what befalls it: restores, failovers, the role of a replica.

use std::time::Duration;

use crate::engine::{Backup, Role};
use crate::server::Server;
use crate::types::SqlError;

/// The server goes down and another takes its place under its address.
#[derive(Clone, Debug, Default)]
pub struct Failover {
    /// How long connections are refused meanwhile.
    pub outage: Duration,
    /// How far the new primary had got, if it had not got everything: a save of its database by then. What was committed
    /// since is lost, and its Change Tracking versions are given again.
    pub behind: Option<Backup>,
    /// Name of the server that takes over, if it has another one.
    pub server_name: Option<String>,
}

impl Server {
    /// Saves a database.
    ///
    /// # Errors
    /// 911 if there is none of this name.
    pub async fn save(&self, database: &str) -> Result<Backup, SqlError> {
        self.engine().save_database(database).await
    }

    /// Puts a saved database in place of the one of this name. Sessions that are in it are ended, their connections
    /// closed; it waits for what uses it from other databases.
    ///
    /// # Errors
    /// 3108 for a system database.
    pub async fn restore(&self, database: &str, backup: &Backup) -> Result<(), SqlError> {
        loop {
            if let Some(id) = self.engine().database_id(database) {
                self.sessions().end_in(id);
                self.engine().database_unused(database).await;
            }
            match self.engine().restore_database(database, backup) {
                Err(error) if error.number == IN_USE => {}
                result => return result,
            }
        }
    }

    /// Fails over: every connection is reset, new ones are refused for a while.
    ///
    /// # Errors
    /// Those of [`Server::restore`].
    pub async fn fail_over(&self, failover: Failover) -> Result<(), SqlError> {
        let outage = self.begin_outage();
        if let Some(backup) = &failover.behind {
            self.restore(backup.database_name(), backup).await?;
        }
        if let Some(name) = failover.server_name {
            self.rename(name);
        }
        tokio::time::sleep(failover.outage).await;
        drop(outage);
        Ok(())
    }

    /// Makes a database that of a primary or of a secondary replica.
    ///
    /// # Errors
    /// 911 if there is none of this name.
    pub fn set_role(&self, database: &str, role: Role) -> Result<(), SqlError> {
        self.engine().set_role(database, role)
    }
}

/// Somebody came in between.
const IN_USE: i32 = 3101;

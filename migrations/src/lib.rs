//! The PostgreSQL schema in which agent and API meet, as numbered SQL files inside the binary.
//!
//! All pending files are applied in one transaction under an advisory lock, so that two agents that start together
//! apply each file once and a failure leaves nothing behind. Every applied file is recorded with a digest of its text: a
//! file that changed after it was applied is an error, never a second attempt.
//!
//! Two roles exist before the first file runs. `cdc_views` owns the views of schema `reading` and no table;
//! `cdc_reader` may read those views and nothing else. The role that the API logs in with is a member of `cdc_reader`.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient, Transaction};

/// A file of `sql/`.
#[derive(Clone, Copy, Debug)]
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "0001_stream", sql: include_str!("../sql/0001_stream.sql") },
    Migration { version: 2, name: "0002_reading", sql: include_str!("../sql/0002_reading.sql") },
    Migration { version: 3, name: "0003_pause", sql: include_str!("../sql/0003_pause.sql") },
    Migration { version: 4, name: "0004_verification", sql: include_str!("../sql/0004_verification.sql") },
];

/// Any number that no other program locks; the same in every version of this crate.
const ADVISORY_LOCK: i64 = 0x6364_6331;

const BOOTSTRAP: &str = "
    create schema cdc;
    create table cdc.migration (
        version    integer primary key,
        name       text not null,
        digest     text not null,
        applied_at timestamptz not null default clock_timestamp()
    )";

/// The roles, for a database administrator to create where the agent's role may not.
pub const ROLES_SQL: &str = "create role cdc_views nologin;\ncreate role cdc_reader nologin;\n\
                             grant cdc_views to AGENT_ROLE;";

/// Roles belong to the server, the lock to one database of it: two databases may be brought up to date at once.
const CREATE_ROLE: &str = "do $$ begin
    if not exists (select from pg_roles where rolname = 'ROLE') then create role ROLE nologin; end if;
exception when duplicate_object or unique_violation then null; end $$";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The roles are missing and this role may not create them.
    #[error(
        "the roles cdc_views and cdc_reader are missing or not usable, and role {role:?} may not create them; \
         let an administrator run, once:\n{sql}"
    )]
    Roles {
        /// The role that was logged in.
        role: String,
        /// What an administrator runs.
        sql: String,
    },
    /// The role may not create schemas in this database.
    #[error(
        "role {role:?} may not create schemas; let an administrator run: grant create on database {database:?} to {role:?}"
    )]
    CreateSchema {
        /// The role that was logged in.
        role: String,
        /// The database.
        database: String,
    },
    /// An applied file is not the one in this binary.
    #[error("migration {name} was applied from another text; this binary does not belong to this database")]
    Changed {
        /// The file.
        name: String,
    },
    /// The database is ahead of this binary.
    #[error("the database has migration {version}, newer than this binary knows; use the newer binary")]
    Newer {
        /// The highest applied version.
        version: i32,
    },
    /// A file failed.
    #[error("migration {name} failed")]
    Failed {
        /// The file.
        name: &'static str,
        /// What PostgreSQL said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// PostgreSQL could not be asked.
    #[error("the database could not be asked for its migrations")]
    Database(#[from] tokio_postgres::Error),
}

/// Brings the schema up to date; returns the names of the files that were applied now.
///
/// # Errors
/// See [`MigrationError`]; nothing is half-done.
pub async fn migrate(client: &mut Client) -> Result<Vec<&'static str>, MigrationError> {
    let transaction = client.transaction().await?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&ADVISORY_LOCK]).await?;
    let pending = pending(&transaction).await?;
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    ensure_roles(&transaction).await?;
    if pending.len() == MIGRATIONS.len() {
        bootstrap(&transaction).await?;
    }
    for migration in &pending {
        let failed = |source| MigrationError::Failed { name: migration.name, source };
        transaction.batch_execute(migration.sql).await.map_err(failed)?;
        transaction
            .execute(
                "insert into cdc.migration (version, name, digest) values ($1, $2, md5($3))",
                &[&migration.version, &migration.name, &migration.sql],
            )
            .await?;
        tracing::info!(migration = migration.name, "migration applied");
    }
    transaction.commit().await?;
    Ok(pending.iter().map(|migration| migration.name).collect())
}

/// The names of the files that [`migrate`] would apply.
///
/// # Errors
/// See [`MigrationError`].
pub async fn pending_names(client: &impl GenericClient) -> Result<Vec<&'static str>, MigrationError> {
    Ok(pending(client).await?.iter().map(|migration| migration.name).collect())
}

async fn pending(client: &impl GenericClient) -> Result<Vec<Migration>, MigrationError> {
    let recorded: bool =
        client.query_one("select to_regclass('cdc.migration') is not null", &[]).await?.get(0);
    if !recorded {
        return Ok(MIGRATIONS.to_vec());
    }
    let applied = client.query("select version, name, digest from cdc.migration", &[]).await?;
    let mut pending = MIGRATIONS.to_vec();
    for row in applied {
        let version: i32 = row.get(0);
        let Some(position) = pending.iter().position(|migration| migration.version == version) else {
            return Err(MigrationError::Newer { version });
        };
        let known = pending.remove(position);
        let digest: String = client.query_one("select md5($1)", &[&known.sql]).await?.get(0);
        if digest != row.get::<_, String>(2) {
            return Err(MigrationError::Changed { name: row.get(1) });
        }
    }
    Ok(pending)
}

async fn bootstrap(transaction: &Transaction<'_>) -> Result<(), MigrationError> {
    // Asked before the attempt: a failed statement ends the transaction.
    let row = transaction.query_one("select current_user::text, current_database()::text", &[]).await?;
    transaction.batch_execute(BOOTSTRAP).await.map_err(|source| {
        if source.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            MigrationError::CreateSchema { role: row.get(0), database: row.get(1) }
        } else {
            MigrationError::Failed { name: "bootstrap", source }
        }
    })
}

/// The agent must be able to give views to `cdc_views`, so it is made a member; superusers are one of everything.
async fn ensure_roles(transaction: &Transaction<'_>) -> Result<(), MigrationError> {
    let row = transaction
        .query_one(
            "select current_user::text,
                    exists (select from pg_roles where rolname = 'cdc_views'),
                    exists (select from pg_roles where rolname = 'cdc_reader'),
                    (select rolsuper or rolcreaterole from pg_roles where rolname = current_user)",
            &[],
        )
        .await?;
    let (role, views, reader, may_create): (String, bool, bool, bool) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    let refused = || MigrationError::Roles {
        role: role.clone(),
        sql: ROLES_SQL.replace("AGENT_ROLE", &format!("\"{}\"", role.replace('"', "\"\""))),
    };
    if !(may_create || (views && reader)) {
        return Err(refused());
    }
    for role in ["cdc_views", "cdc_reader"] {
        transaction.batch_execute(&CREATE_ROLE.replace("ROLE", role)).await?;
    }
    let member = "select pg_has_role(current_user, 'cdc_views', 'member')";
    if !transaction.query_one(member, &[]).await?.get::<_, bool>(0) {
        if !may_create {
            return Err(refused());
        }
        transaction.batch_execute("grant cdc_views to current_user").await?;
    }
    Ok(())
}

//! The control port: a server's counters, clock, faults, backups and failovers over HTTP/1, for tests in other languages.
//!
//! It has no authentication and so listens on loopback only. Bodies are JSON; an answer without content is 204, an error
//! of the server is 409 with its number and text.
//!
//! ```text
//! GET    /counters         figures, see Counters
//! POST   /faults           a Fault; 422 for an effect that is none at its place
//! DELETE /faults           takes all faults back and ends stalls
//! POST   /resume           ends stalls
//! POST   /clock            {"advance_ms": n}
//! POST   /cleanup          {"database": name}: what is older than its retention
//! POST   /gate             {"hold": n}: the n-th commit of tracked changes from now
//! DELETE /gate             lets what is held be seen
//! POST   /save             {"database": name, "device": name}
//! POST   /restore          {"database": name, "device": name}: the last save; its sessions are ended
//! POST   /failover         {"outage_ms": n, "device": name?, "server_name": name?}; with a device, back to its last save
//! ```

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::counters::Counters;
use crate::faults::Fault;
use crate::operation::Failover;
use crate::server::Server;
use crate::types::SqlError;

/// A control port that is bound.
#[derive(Debug)]
pub struct ControlPort {
    listener: TcpListener,
}

/// An error as the answer has it.
#[derive(Debug, Serialize)]
struct Problem {
    number: i32,
    message: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Json(self)).into_response()
    }
}

impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        Self { number: error.number, message: error.message }
    }
}

type Outcome = Result<StatusCode, Problem>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    database: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    hold: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    database: String,
    device: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outage {
    #[serde(default)]
    outage_ms: u64,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    server_name: Option<String>,
}

impl ControlPort {
    /// Binds an address of the loopback.
    ///
    /// # Errors
    /// An address that is not the machine's own, or is taken.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("{address} is not on the loopback");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(Self { listener: TcpListener::bind(address).await? })
    }

    /// Bound address.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves requests about a server until it is dropped.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn serve(self, server: Server) -> io::Result<()> {
        let router = Router::new()
            .route("/counters", get(counters))
            .route("/faults", post(arm).delete(clear))
            .route("/resume", post(resume))
            .route("/clock", post(advance))
            .route("/cleanup", post(cleanup))
            .route("/gate", post(hold).delete(release))
            .route("/save", post(save))
            .route("/restore", post(restore))
            .route("/failover", post(fail_over))
            .with_state(server);
        axum::serve(self.listener, router).await
    }
}

async fn counters(State(server): State<Server>) -> Json<Counters> {
    Json(server.counters())
}

async fn arm(
    State(server): State<Server>,
    Json(fault): Json<Fault>,
) -> Result<StatusCode, (StatusCode, String)> {
    match server.faults().arm(fault) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(unfit) => Err((StatusCode::UNPROCESSABLE_ENTITY, unfit.to_string())),
    }
}

async fn clear(State(server): State<Server>) -> StatusCode {
    server.faults().clear();
    StatusCode::NO_CONTENT
}

async fn resume(State(server): State<Server>) -> StatusCode {
    server.faults().resume();
    StatusCode::NO_CONTENT
}

async fn advance(State(server): State<Server>, Json(body): Json<Advance>) -> StatusCode {
    server.engine().advance_clock(Duration::from_millis(body.advance_ms));
    StatusCode::NO_CONTENT
}

async fn cleanup(State(server): State<Server>, Json(body): Json<Named>) -> Outcome {
    let engine = server.engine();
    let database = engine.database_id(&body.database).ok_or_else(|| missing(&body.database))?;
    engine.cleanup(database);
    Ok(StatusCode::NO_CONTENT)
}

async fn hold(State(server): State<Server>, Json(body): Json<Hold>) -> StatusCode {
    server.engine().hold_commit(body.hold);
    StatusCode::NO_CONTENT
}

async fn release(State(server): State<Server>) -> StatusCode {
    server.engine().release_commits();
    StatusCode::NO_CONTENT
}

async fn save(State(server): State<Server>, Json(body): Json<Saved>) -> Outcome {
    let backup = server.save(&body.database).await?;
    server.engine().write_backup(&body.device, backup, false);
    Ok(StatusCode::NO_CONTENT)
}

async fn restore(State(server): State<Server>, Json(body): Json<Saved>) -> Outcome {
    let backup = server.engine().last_backup(&body.device)?;
    server.restore(&body.database, &backup).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn fail_over(State(server): State<Server>, Json(body): Json<Outage>) -> Outcome {
    let behind = body.device.map(|device| server.engine().last_backup(&device)).transpose()?;
    let outage = Duration::from_millis(body.outage_ms);
    server.fail_over(Failover { outage, behind, server_name: body.server_name }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn missing(database: &str) -> Problem {
    let message =
        format!("Database '{database}' does not exist. Make sure that the name is entered correctly.");
    Problem { number: 911, message }
}

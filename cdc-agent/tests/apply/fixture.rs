//! A private PostgreSQL for the whole binary, a database for each test, and runs made by hand.

use cdc_agent::apply::{Applied, Applier, Outcome, Run, Settings, TablePlan, TargetError, Zoning};
use cdc_agent::config::{Endpoint, NaiveZone, Scope, Secret, Tls};
use proto::{
    Column, ColumnType, Fold, Image, Incarnation, JournalId, Layout, MetricDefinition, Record, RunEnd, RunId,
    RunStart, SourceMoment, SourceTable, TableMark, Value, Version,
};
use services::postgres::{Postgres, USER};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Case and trailing blanks do not matter, accents do: the collation of most servers.
pub(crate) const FOLD: Fold = Fold { case: true, accents: false, width: true };

/// The source's clock before the first run; each run is a second later.
pub(crate) const EPOCH: i64 = 1_700_000_000_000_000;

static SERVER: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

/// The server lives as long as a test that uses it.
fn server() -> Arc<Postgres> {
    let mut server = SERVER.lock().unwrap();
    server.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Postgres::temporary().unwrap());
        *server = Arc::downgrade(&started);
        started
    })
}

/// A database with its applier.
pub(crate) struct Target {
    pub(crate) settings: Settings,
    pub(crate) applier: Applier,
    pub(crate) journal: JournalId,
    /// A superuser's connection for looking at what is there.
    pub(crate) observer: Client,
    pub(crate) url: String,
    last: Option<RunId>,
    sequence: u64,
    _server: Arc<Postgres>,
}

fn settings(server: &Postgres, database: &str) -> Settings {
    Settings {
        endpoint: Endpoint {
            host: "127.0.0.1".into(),
            port: server.port(),
            database: database.into(),
            user: USER.into(),
            password: Secret::new(server.password()),
            tls: Tls::Plaintext,
        },
        schema: "wms".into(),
        zoning: Zoning { source: "wms".into(), naive_zone: NaiveZone::Warehouse, zones: None },
        poll_interval: Duration::from_secs(1),
    }
}

pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Target {
    /// A database without the shared schema.
    pub(crate) async fn bare(name: &str) -> Bare {
        let server = server();
        let admin = client(&server.url("postgres")).await;
        admin.batch_execute(&format!("create database {name}")).await.unwrap();
        let url = server.url(name);
        Bare { settings: settings(&server, name), observer: client(&url).await, url, server }
    }

    /// A migrated database; tables come with [`Target::prepare`].
    pub(crate) async fn empty(name: &str, configure: impl FnOnce(&mut Settings)) -> Self {
        let Bare { mut settings, observer, url, server } = Self::bare(name).await;
        configure(&mut settings);
        let mut applier = Applier::connect(settings.clone()).await.unwrap();
        applier.migrate().await.unwrap();
        let journal = JournalId(Uuid::new_v4());
        Self { settings, applier, journal, observer, url, last: None, sequence: 0, _server: server }
    }

    pub(crate) async fn new(name: &str, layouts: &[Layout], metrics: &[MetricDefinition]) -> Self {
        let mut target = Self::empty(name, |_| ()).await;
        target.prepare(&plans(layouts), metrics).await;
        target
    }

    pub(crate) async fn prepare(&mut self, plans: &[TablePlan], metrics: &[MetricDefinition]) {
        self.applier.take_over(self.journal, false).await.unwrap();
        self.applier.prepare_tables(plans, metrics).await.unwrap();
    }

    /// The run that follows, not applied yet.
    pub(crate) fn run(&mut self, records: impl Into<Vec<Record>>) -> MadeRun {
        self.sequence += 1;
        let run = made(self.sequence, self.last, records.into());
        self.last = Some(run.start.id);
        run
    }

    pub(crate) async fn apply(&mut self, records: impl Into<Vec<Record>>) -> Applied {
        let run = self.run(records);
        match self.applier.apply(run.read()).await.unwrap() {
            Outcome::Applied(applied) => applied,
            Outcome::AlreadyThere => panic!("a new run was there already"),
        }
    }

    /// Applies a run that is refused; the next one takes its place.
    pub(crate) async fn refuse(&mut self, records: impl Into<Vec<Record>>) -> TargetError {
        let before = (self.last, self.sequence);
        let run = self.run(records);
        let error = self.applier.apply(run.read()).await.unwrap_err();
        (self.last, self.sequence) = before;
        error
    }

    /// Ends the applier's connection at the server and waits until the server has let go of it.
    pub(crate) async fn disconnect(&self) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdc-agent' \
                   and datname = current_database()";
        let locks = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                     where l.locktype = 'advisory' and d.datname = current_database()";
        self.observer.batch_execute(end).await.unwrap();
        while self.observer.query_one(locks, &[]).await.unwrap().get::<_, i64>(0) > 0 {}
    }

    /// One text of one row, `∅` for NULL or no row.
    pub(crate) async fn show(&self, sql: &str) -> String {
        show(&self.observer, sql).await
    }
}

/// A database without the shared schema, and a way to it.
pub(crate) struct Bare {
    pub(crate) settings: Settings,
    pub(crate) observer: Client,
    pub(crate) url: String,
    server: Arc<Postgres>,
}

pub(crate) async fn show(observer: &Client, sql: &str) -> String {
    let row = observer.query_opt(&format!("select x::text from ({sql}) as shown(x)"), &[]).await.unwrap();
    row.and_then(|row| row.get(0)).unwrap_or_else(|| "∅".to_owned())
}

pub(crate) fn plans(layouts: &[Layout]) -> Vec<TablePlan> {
    layouts.iter().map(|layout| TablePlan { layout: layout.clone(), scope: Scope::Hidden }).collect()
}

/// A run kept in memory, so that it can be applied again.
#[derive(Clone)]
pub(crate) struct MadeRun {
    pub(crate) start: RunStart,
    pub(crate) end: RunEnd,
    pub(crate) records: Vec<Record>,
}

impl MadeRun {
    pub(crate) fn read(&self) -> Run<impl Iterator<Item = Result<Record, Infallible>> + use<>> {
        let records = self.records.clone().into_iter().map(Ok);
        Run { start: self.start, end: self.end.clone(), records }
    }
}

pub(crate) fn made(sequence: u64, predecessor: Option<RunId>, records: Vec<Record>) -> MadeRun {
    let id = RunId(Uuid::new_v4());
    let images = |record: &Record| match record {
        Record::Rows { images, .. } => images.len() as u64,
        _ => 0,
    };
    let version = Version(sequence.cast_signed() * 10);
    let end = RunEnd {
        id,
        to: version,
        hi: version,
        hi_identity: None,
        moment: SourceMoment {
            source_clock: EPOCH + sequence.cast_signed() * 1_000_000,
            agent_clock: cdc_agent::clock::now_micros(),
        },
        tables: vec![TableMark { table: "orders".into(), incarnation: incarnation() }],
        record_count: records.len() as u64,
        image_count: records.iter().map(images).sum(),
    };
    MadeRun { start: RunStart { sequence, id, predecessor }, end, records }
}

pub(crate) fn incarnation() -> Incarnation {
    Incarnation { object_id: 7, begin_version: Version(1), side_table: None }
}

pub(crate) fn layout(table: &str, columns: &[(&str, ColumnType)], key: &[&str], twins: &[&str]) -> Layout {
    let columns: Vec<_> = columns
        .iter()
        .map(|&(name, column_type)| Column {
            source: name.into(),
            target: name.into(),
            column_type,
            nullable: !key.contains(&name),
            twin: twins.contains(&name).then_some(FOLD),
        })
        .collect();
    let key =
        key.iter().map(|name| columns.iter().position(|column| column.target == *name).unwrap()).collect();
    Layout {
        source: SourceTable { schema: "dbo".into(), table: table.into() },
        target: table.into(),
        columns,
        key,
    }
}

pub(crate) fn rows(layout: &Layout, images: Vec<Image>, chunk: bool) -> [Record; 2] {
    [Record::Layout(layout.clone()), Record::Rows { layout: layout.id(), images, chunk }]
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

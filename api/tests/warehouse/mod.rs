//! A PostgreSQL as the agent leaves it, for tests. It is real, private, and gone afterwards.

use services::postgres::Postgres;
use std::path::PathBuf;
use tokio_postgres::{Client, NoTls};

pub(crate) const TOKEN: &str = "a-token-that-only-this-test-knows";
const PASSWORD: &str = "cdc_api";

/// The server, and a connection as its superuser.
pub(crate) struct Warehouse {
    pub(crate) postgres: Postgres,
    pub(crate) client: Client,
    folder: PathBuf,
}

impl Warehouse {
    pub(crate) async fn start() -> Self {
        let postgres = tokio::task::block_in_place(Postgres::temporary).unwrap();
        let mut client = connect(&postgres).await;
        migrations::migrate(&mut client).await.unwrap();
        let login = format!("create role cdc_api login password '{PASSWORD}' in role cdc_reader");
        client.batch_execute(&login).await.unwrap();
        client.batch_execute(include_str!("schema.sql")).await.unwrap();
        let folder = std::env::temp_dir().join(format!("cdc-api-{}", postgres.port()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { postgres, client, folder }
    }

    /// Runs SQL as the agent's role would.
    pub(crate) async fn execute(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql}"));
    }

    /// A commit that changes what can be read, as the agent announces it.
    pub(crate) async fn commit(&self, sql: &str) {
        let sql = format!("begin; {sql}; update cdc.stream set revision = revision + 1; commit;");
        self.execute(&sql).await;
    }

    /// A daily figure.
    pub(crate) async fn figure(&self, metric: &str, day: &str, place: (&str, &str), sums: (&str, &str)) {
        let ((company, warehouse), (numerator, denominator)) = (place, sums);
        self.execute(&format!(
            "insert into cdc.daily (source, metric, day, company, warehouse, facts, numerator, denominator)
             values ('wms', '{metric}', '{day}', '{company}', '{warehouse}', 1, {numerator}, {denominator})"
        ))
        .await;
    }

    /// The API's configuration for this server, listening on free ports.
    pub(crate) fn config(&self) -> String {
        let file = |name: &str, secret: &str| {
            let path = self.folder.join(name);
            std::fs::write(&path, format!("{secret}\n")).unwrap();
            path.display().to_string()
        };
        format!(
            "[database]\nhost = '127.0.0.1'\nport = {}\ndatabase = 'postgres'\nuser = 'cdc_api'\npassword_file = '{}'\n\
             tls = 'plaintext'\n[listen]\naddress = '127.0.0.1:0'\nmetrics_address = '127.0.0.1:0'\n\
             [access]\ntoken_file = '{}'\nsecure_cookie = false\n\
             [[detail]]\nname = 'orders'\nnewest_by = 'entered_at'\nkey = ['wh_id', 'order_no']\n\
             filters = {{ company = 'company_id', warehouse = 'wh_id', status = 'status' }}\n",
            self.postgres.port(),
            file("password", PASSWORD),
            file("token", TOKEN),
        )
    }

    /// Makes the superuser's connection again, after the server was stopped.
    pub(crate) async fn reconnect(&mut self) {
        self.client = connect(&self.postgres).await;
    }
}

impl Drop for Warehouse {
    fn drop(&mut self) {
        // What is left is in the system's folder for temporary files.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

async fn connect(postgres: &Postgres) -> Client {
    let (client, connection) = tokio_postgres::connect(&postgres.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

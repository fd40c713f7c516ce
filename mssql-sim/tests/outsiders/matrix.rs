//! Every type with its extremes and NULL, written by each client and read back by every other.

use crate::driver::{Client, Driver, Request, Typed};
use crate::site::Site;
use crate::values::{self, Type};

#[tokio::test(flavor = "multi_thread")]
async fn what_each_client_writes_every_client_reads() {
    let site = Site::start().await;
    let types = values::types();
    let (mut compared, mut differences) = (0, Vec::new());
    let mut clients = Vec::new();
    for driver in Driver::ALL {
        let mut client = Client::start(driver).await;
        client.connect("main", &site.login).await;
        write(&mut client, &types, &mut differences).await;
        clients.push(client);
    }
    for reader in &mut clients {
        for writer in Driver::ALL {
            for (index, sql_type) in types.iter().enumerate() {
                compared += read(reader, writer, (index, sql_type), &mut differences).await;
            }
        }
    }
    assert!(differences.is_empty(), "{} of {compared}:\n{}", differences.len(), differences.join("\n"));
    println!("{} clients, {} types, {compared} values read: 0 differences", Driver::ALL.len(), types.len());
}

fn table(writer: Driver, index: usize) -> String {
    format!("dbo.{}_{index}", writer.name())
}

async fn write(client: &mut Client, types: &[Type], differences: &mut Vec<String>) {
    for (index, Type { sql, values }) in types.iter().enumerate() {
        let table = table(client.driver, index);
        client
            .run("main", &format!("CREATE TABLE {table} (id int NOT NULL PRIMARY KEY, v {sql} NULL)"))
            .await;
        let insert = format!("INSERT INTO {table} (id, v) VALUES (?, ?)");
        for (id, value) in values.iter().map(String::as_str).map(Some).chain([None]).enumerate() {
            let id = id.to_string();
            let parameters: [Typed<'_>; 2] = [("int", Some(&id)), (sql, value)];
            let request = Request::Run { session: "main", sql: &insert, parameters: &parameters };
            if let Some(error) = client.ask(request).await.error {
                differences.push(format!("{sql} by {}: {value:.80?}: {error:?}", client.driver.name()));
            }
        }
    }
}

/// Compares one table and returns how many values it holds.
async fn read(
    reader: &mut Client,
    writer: Driver,
    (index, Type { sql, values }): (usize, &Type),
    differences: &mut Vec<String>,
) -> usize {
    let driver = reader.driver;
    let query = format!("SELECT v FROM {} ORDER BY id", table(writer, index));
    let rows = reader.run("main", &query).await.remove(0).rows;
    let written: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).chain([None]).collect();
    if rows.len() != written.len() {
        differences.push(format!("{sql}: {} rows instead of {}", rows.len(), written.len()));
    }
    for (row, written) in rows.iter().zip(&written) {
        let read = row[0].as_deref();
        if !values::is_same(driver, sql, read, *written) {
            let path = format!("{sql} from {} to {}", writer.name(), driver.name());
            differences.push(format!("{path}: {read:.80?} instead of {written:.80?}"));
        }
    }
    written.len()
}

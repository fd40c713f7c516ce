//! Every type with its extremes and NULL, written by each client, as parameters and by bulk copy, and read back by every
//! other.

use crate::driver::{Client, Driver, Request, Typed};
use crate::site::{Login, Site};
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
        copy(&mut client, &site.login, &types, &mut differences).await;
        clients.push(client);
    }
    for reader in &mut clients {
        for writer in Driver::ALL {
            let readable = |(_, it): &(usize, &Type)| values::can_read(reader.driver, it.sql);
            let readable: Vec<_> = types.iter().enumerate().filter(readable).collect();
            for (index, sql_type) in readable {
                let copied = values::can_copy(writer, sql_type.sql).then_some(Way::BulkCopy);
                for way in [Way::Parameters].into_iter().chain(copied) {
                    let table = table(writer, way, index);
                    compared += read(reader, &table, sql_type, &mut differences).await;
                }
            }
        }
    }
    assert!(differences.is_empty(), "{} of {compared}:\n{}", differences.len(), differences.join("\n"));
    println!("{} clients, {} types, {compared} values read: 0 differences", Driver::ALL.len(), types.len());
}

/// How values get into a table.
#[derive(Clone, Copy, Debug)]
enum Way {
    Parameters,
    BulkCopy,
}

fn table(writer: Driver, way: Way, index: usize) -> String {
    format!("{}_{way:?}_{index}", writer.name())
}

/// Copies the values of every type, each into a table of its own.
async fn copy(client: &mut Client, login: &Login, types: &[Type], differences: &mut Vec<String>) {
    for (index, Type { sql, values }) in types.iter().enumerate() {
        if !values::can_copy(client.driver, sql) {
            continue;
        }
        let table = table(client.driver, Way::BulkCopy, index);
        client
            .run("main", &format!("CREATE TABLE {table} (id int NOT NULL PRIMARY KEY, v {sql} NULL)"))
            .await;
        let ids: Vec<String> = (0..=values.len()).map(|id| id.to_string()).collect();
        let texts = values.iter().map(String::as_str).map(Some).chain([None]);
        let rows: Vec<_> = ids.iter().zip(texts).map(|(id, text)| vec![Some(id.as_str()), text]).collect();
        let columns = [("id", "int"), ("v", *sql)];
        let request = Request::Copy { session: "main", table: &table, columns: &columns, rows: &rows };
        if let Some(error) = client.ask(request).await.error {
            differences.push(format!("{sql} copied by {}: {error:?}", client.driver.name()));
            client.connect("main", login).await;
        }
    }
}

/// Inserts the values of every type as parameters, each type into a table of its own.
async fn write(client: &mut Client, types: &[Type], differences: &mut Vec<String>) {
    for (index, Type { sql, values }) in types.iter().enumerate() {
        let table = table(client.driver, Way::Parameters, index);
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
    table: &str,
    Type { sql, values }: &Type,
    differences: &mut Vec<String>,
) -> usize {
    let driver = reader.driver;
    let query = format!("SELECT v FROM {table} ORDER BY id");
    let mut reply = reader.ask(Request::Run { session: "main", sql: &query, parameters: &[] }).await;
    if let Some(error) = reply.error {
        differences.push(format!("{sql} from {table} to {}: {error:?}", driver.name()));
        return 0;
    }
    let rows = reply.results.remove(0).rows;
    let written: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).chain([None]).collect();
    if rows.len() != written.len() {
        differences.push(format!("{sql}: {} rows of {table} instead of {}", rows.len(), written.len()));
    }
    for (row, written) in rows.iter().zip(&written) {
        let read = row[0].as_deref();
        if !values::is_same(driver, sql, read, *written) {
            let path = format!("{sql} from {table} to {}", driver.name());
            differences.push(format!("{path}: {read:.80?} instead of {written:.80?}"));
        }
    }
    written.len()
}

//! TLS as each client does it: for the login, for everything, and with certificates that it must not take.

use mssql_sim::wire::tls::Authority;

use crate::driver::{Client, Driver, Encryption, Request};
use crate::site::{Login, Site, Tap, trusted};

/// The host by which verifying clients know the server.
const HOST: &str = "localhost";
const QUERY: &str = "SELECT 'in the open' AS heard";

#[tokio::test(flavor = "multi_thread")]
async fn as_much_is_encrypted_as_the_client_asks_for() {
    let site = Site::certified(HOST).await;
    let mut connections = 0;
    for driver in Driver::ALL {
        let mut client = Client::start(driver).await;
        // (asked for, whether the user's name is heard on the line, whether a query is)
        let table = [
            (Encryption::None, true, true),
            (Encryption::Login, false, true),
            (Encryption::Full, false, false),
        ];
        for (encryption, login_heard, query_heard) in
            table.into_iter().filter(|(it, ..)| driver.can_ask_for(*it))
        {
            let tap = Tap::on(site.login.port).await;
            let login = Login { port: tap.port, ..site.login.clone() };
            client
                .expect(Request::Connect { session: "main", login: &login, encryption, hasty: false })
                .await;
            assert_eq!(client.value("main", QUERY).await.as_deref(), Some("in the open"));
            let long = "\u{1f69a}".repeat(50_000);
            let parameters = [("nvarchar(max)", Some(&*long))];
            let sql = "SELECT DATALENGTH(?) AS n";
            let reply = client.expect(Request::Run { session: "main", sql, parameters: &parameters }).await;
            assert_eq!(reply.results[0].rows, [[Some((4 * 50_000).to_string())]]);
            client.expect(Request::Close { session: "main" }).await;

            let name = driver.name();
            assert_eq!(tap.heard(&login.user), login_heard, "{name}: the login, {encryption:?}");
            assert_eq!(tap.heard(QUERY), query_heard, "{name}: the query, {encryption:?}");
            connections += 1;
        }
    }
    println!("{connections} kinds of connection, as much encrypted as was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_or_host_is_refused() {
    let site = Site::certified(HOST).await;
    let elsewhere = Site::certified("elsewhere.example").await;
    let foreign = Login { ca: Some(trusted(&Authority::new())), ..site.login.clone() };
    for driver in Driver::ALL {
        for (case, login, good) in
            [("ours", &site.login, true), ("authority", &foreign, false), ("host", &elsewhere.login, false)]
        {
            // A process of its own, for what a driver has read once it may keep.
            let mut client = Client::start(driver).await;
            let encryption = Encryption::Full;
            let reply =
                client.ask(Request::Connect { session: "main", login, encryption, hasty: false }).await;
            assert_eq!(reply.error.is_none(), good, "{}: {case}: {:?}", driver.name(), reply.error);
        }
    }
    println!("{} clients refuse another authority's certificate and another host's", Driver::ALL.len());
}

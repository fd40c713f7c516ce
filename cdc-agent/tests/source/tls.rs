//! Over which lines the agent talks: only ones whose far end shows the right certificate.

use crate::site::source;
use cdc_agent::config::{Source, Tls};
use cdc_agent::source::{Connector, SourceError};
use mssql_sim::server::{Options, Server};
use mssql_sim::wire::tls::{Authority, Tls as ServerTls, Validity};
use std::path::Path;

const HOST: &str = "sql.warehouse.example";

fn verified(ca_file: &Path) -> Source {
    let mut source = source("sa", "Passw0rd!");
    source.endpoint.host = HOST.into();
    source.endpoint.tls = Tls::Verify { ca_file: Some(ca_file.to_owned()) };
    source
}

#[tokio::test]
async fn the_server_s_certificate_is_verified() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    let ca_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca_file.path(), ours.pem()).unwrap();
    let server = Server::new(Options::default());
    server.execute("ALTER DATABASE wms SET CHANGE_TRACKING = ON").await.unwrap();
    let connector = Connector::new(verified(ca_file.path()));

    let cases = [
        (ours.issue(&[HOST], Validity::Current), None),
        (ours.issue(&["other.example"], Validity::Current), Some("not valid for name")),
        (ours.issue(&[HOST], Validity::Expired), Some("expired")),
        (foreign.issue(&[HOST], Validity::Current), Some("UnknownIssuer")),
    ];
    for (identity, refusal) in cases {
        server.set_tls(Some(ServerTls { identity, forced: false }));
        match (connector.connect_over(server.connect()).await, refusal) {
            (Ok(mut connection), None) => drop(connection.latest().await.unwrap()),
            (Err(error @ SourceError::Unprotected { .. }), Some(words)) => {
                let said = error.to_string();
                assert!(said.contains(HOST) && said.contains(words), "{said}");
            }
            (Ok(_), Some(words)) => panic!("taken, although {words}"),
            (Err(error), _) => panic!("{error:?}"),
        }
    }
    server.set_tls(None);
    let clear = connector.connect_over(server.connect()).await.err();
    assert!(clear.is_some(), "a line that the server does not encrypt is not used");
}

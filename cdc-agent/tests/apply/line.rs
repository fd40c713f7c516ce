//! The line to PostgreSQL is protected and verified, or there is no line.

use cdc_agent::apply::{Applier, Settings, TargetError, Zoning};
use cdc_agent::config::{Endpoint, NaiveZone, Secret, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use services::postgres::{Postgres, USER};
use std::io::Write;
use std::time::Duration;
use tempfile::NamedTempFile;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn file_of(authority: &Authority) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    file
}

/// The server takes a certificate for `name`, signed by `authority`, and speaks TLS from then on.
async fn speak_tls(server: &Postgres, authority: &Authority, name: &str) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let admin = crate::fixture::client(&server.url("postgres")).await;
    // COPY as a program writes a file that is the server's own and that nobody else may read.
    for (file, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        let lines: Vec<_> = text.lines().map(|line| format!("('{line}')")).collect();
        let values = lines.join(", ");
        let write = format!("copy (values {values}) to program 'cat > {file} && chmod 600 {file}'");
        admin.batch_execute(&write).await.unwrap();
    }
    admin.batch_execute("alter system set ssl = on").await.unwrap();
    admin.batch_execute("select pg_reload_conf()").await.unwrap();
    while admin.query_one("show ssl", &[]).await.unwrap().get::<_, String>(0) != "on" {}
}

async fn connect(server: &Postgres, authority: &NamedTempFile) -> Result<Applier, TargetError> {
    Applier::connect(Settings {
        endpoint: Endpoint {
            host: "localhost".into(),
            port: server.port(),
            database: "postgres".into(),
            user: USER.into(),
            password: Secret::new(server.password()),
            tls: Tls::Verify { ca_file: Some(authority.path().to_owned()) },
        },
        schema: "wms".into(),
        zoning: Zoning { source: "wms".into(), naive_zone: NaiveZone::Warehouse, zones: None },
        poll_interval: Duration::from_secs(1),
    })
    .await
}

/// Why there is no connection, with every cause.
fn refusal(connected: Result<Applier, TargetError>) -> String {
    let error = connected.expect_err("the line is refused");
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

#[tokio::test]
async fn only_a_verified_line_is_a_line() {
    let server = tokio::task::spawn_blocking(Postgres::temporary).await.unwrap().unwrap();
    let (ours, other) = (authority(), authority());
    let (ours_file, other_file) = (file_of(&ours), file_of(&other));

    let plaintext = refusal(connect(&server, &ours_file).await);
    assert!(plaintext.contains("TLS"), "a server without TLS is not spoken to in plaintext: {plaintext}");

    speak_tls(&server, &ours, "localhost").await;
    let applier = connect(&server, &ours_file).await.unwrap();
    drop(applier);
    let foreign = refusal(connect(&server, &other_file).await);
    assert!(foreign.contains("invalid peer certificate"), "another authority: {foreign}");

    speak_tls(&server, &ours, "elsewhere.example").await;
    let misnamed = refusal(connect(&server, &ours_file).await);
    assert!(misnamed.contains("not valid for name"), "another host's certificate: {misnamed}");
}

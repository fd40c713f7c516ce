//! TLS inside TDS: what is encrypted, and which certificates a verifying client takes.

use mssql_sim::server::{Options, Server};
use mssql_sim::wire::tls::{Authority, Identity, IdentityError, Tls, Validity};
use tiberius::{Config, EncryptionLevel};

use crate::client::{config, connect_as, rows};
use crate::tap::Tap;

const HOST: &str = "sql.warehouse.example";

fn server(identity: Identity, forced: bool) -> Server {
    Server::new(Options { tls: Some(Tls { identity, forced }), ..Options::default() })
}

/// A client that wants `encryption` and trusts `authority` for [`HOST`].
fn verifying(encryption: EncryptionLevel, authority: &Authority) -> Config {
    let mut config = config();
    config.host(HOST);
    config.encryption(encryption);
    config.trust_cert_ca_bundle(authority.pem());
    config
}

#[tokio::test]
async fn as_much_is_encrypted_as_both_sides_agree_on() {
    const LOGIN: &str = "sa";
    const QUERY: &str = "SELECT 'in the open'";
    let authority = Authority::new();
    // (client asks for, server forces) -> (the login is readable on the line, a query is)
    let table = [
        (EncryptionLevel::NotSupported, false, Some((true, true))),
        (EncryptionLevel::Off, false, Some((false, true))),
        (EncryptionLevel::On, false, Some((false, false))),
        (EncryptionLevel::Required, false, Some((false, false))),
        (EncryptionLevel::NotSupported, true, None),
        (EncryptionLevel::Off, true, Some((false, false))),
        (EncryptionLevel::On, true, Some((false, false))),
    ];
    for (encryption, forced, expected) in table {
        let server = server(authority.issue(&[HOST], Validity::Current), forced);
        let (tap, sent) = Tap::new(server.connect());
        let readable = match connect_as(verifying(encryption, &authority), tap).await {
            Ok(mut client) => {
                assert_eq!(rows(&mut client, QUERY).await.unwrap().len(), 1);
                Some((sent.contains(LOGIN), sent.contains(QUERY)))
            }
            Err(_) => None,
        };
        assert_eq!(readable, expected, "client {encryption:?}, forced {forced}");
    }
}

#[tokio::test]
async fn long_messages_pass_through_tls_both_ways() {
    let authority = Authority::new();
    let server = server(authority.issue(&[HOST], Validity::Current), true);
    for packet_size in [512, 4096, 32767] {
        let mut config = verifying(EncryptionLevel::Required, &authority);
        config.packet_size(packet_size);
        let mut client = connect_as(config, server.connect()).await.unwrap();
        let long = "\u{1f69a}".repeat(300_000);
        let row = client.query("SELECT @P1 AS long", &[&long]).await.unwrap().into_row().await.unwrap();
        assert!(row.unwrap().get::<&str, _>("long") == Some(long.as_str()), "packet size {packet_size}");
    }
}

#[tokio::test]
async fn a_verifying_client_takes_only_a_good_certificate() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    let server = server(ours.issue(&[HOST], Validity::Current), false);
    let cases = [
        ("ours", ours.issue(&["other.example", HOST], Validity::Current), true),
        ("of another host", ours.issue(&["other.example"], Validity::Current), false),
        ("expired", ours.issue(&[HOST], Validity::Expired), false),
        ("of another authority", foreign.issue(&[HOST], Validity::Current), false),
    ];
    for (name, identity, good) in cases {
        server.set_tls(Some(Tls { identity, forced: false }));
        for encryption in [EncryptionLevel::Off, EncryptionLevel::On] {
            let connected = connect_as(verifying(encryption, &ours), server.connect()).await;
            match connected {
                Ok(_) => assert!(good, "{name}, {encryption:?}"),
                Err(error) => {
                    assert!(!good, "{name}, {encryption:?}: {error}");
                    assert!(matches!(error, tiberius::error::Error::Tls(_)), "{name}: {error:?}");
                }
            }
        }
    }
    server.set_tls(None);
    let refused = connect_as(verifying(EncryptionLevel::Required, &ours), server.connect()).await;
    assert!(refused.is_err(), "a server without a certificate cannot do what the client insists on");
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    const NO_KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let authority = Authority::new();
    let without = Identity::from_pem(&authority.pem(), "").unwrap_err();
    assert!(matches!(without, IdentityError::Pem { part: "key", .. }), "{without}");
    let unusable = Identity::from_pem(&authority.pem(), NO_KEY).unwrap_err();
    assert!(matches!(unusable, IdentityError::Unusable(_)), "{unusable}");
}

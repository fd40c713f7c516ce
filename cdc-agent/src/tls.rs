//! TLS for both sides: chain and host name are always verified.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// The line cannot be protected.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file of authorities is missing or not PEM.
    #[error("{}: no certificates can be read from this ca_file", path.display())]
    AuthorityFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate that rustls does not take as an authority.
    #[error("an authority's certificate is not usable")]
    Authority(#[source] rustls::Error),
    /// No authority to trust at all.
    #[error("{origin} has no certificate authorities to trust; name the server's authority in ca_file")]
    NoAuthorities {
        /// The system's store or a file.
        origin: String,
    },
    /// The provider offers no protocol version.
    #[error("no TLS version is available")]
    Protocol(#[source] rustls::Error),
}

/// A client's configuration that trusts the authorities of `ca_file`, or the system's.
///
/// # Errors
/// No authorities, or unreadable ones.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let roots = match ca_file {
        Some(path) => roots_of_file(path)?,
        None => roots_of_system()?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Protocol)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn roots_of_file(path: &Path) -> Result<RootCertStore, TlsError> {
    let unreadable = |source| TlsError::AuthorityFile { path: path.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?).map_err(TlsError::Authority)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities { origin: path.display().to_string() });
    }
    Ok(roots)
}

/// Single certificates of the system's store that cannot be parsed are left out, as every client does.
fn roots_of_system() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities { origin: "the system".to_owned() });
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::client_config;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConnection, ServerConfig, ServerConnection};
    use std::io::Write;
    use std::sync::Arc;

    const HOST: &str = "sql.warehouse.example";

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn authority() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// A server whose certificate `authority` signed for `host`, valid until the end of `last_year`.
    fn server(authority: &Authority, host: &str, last_year: i32) -> ServerConnection {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_after = date_time_ymd(last_year, 12, 31);
        let certificate = params.signed_by(&key, authority).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        ServerConnection::new(Arc::new(config)).unwrap()
    }

    /// A handshake in memory; the client trusts `trusted` only and wants [`HOST`].
    fn handshake(trusted: &Authority, mut server: ServerConnection) -> Result<(), rustls::Error> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(trusted.pem().as_bytes()).unwrap();
        let config = client_config(Some(file.path())).unwrap();
        let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(HOST).unwrap())?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut line = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut line).unwrap();
            }
            server.read_tls(&mut line.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut line = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut line).unwrap();
            }
            client.read_tls(&mut line.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn only_a_valid_certificate_of_the_right_host_by_a_trusted_authority_is_taken() {
        let (ours, another) = (authority(), authority());
        handshake(&ours, server(&ours, HOST, 2999)).unwrap();
        for (name, server) in [
            ("another authority", server(&another, HOST, 2999)),
            ("another host", server(&ours, "other.example", 2999)),
            ("expired", server(&ours, HOST, 2020)),
        ] {
            let refused = handshake(&ours, server);
            assert!(matches!(refused, Err(rustls::Error::InvalidCertificate(_))), "{name}: {refused:?}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = client_config(Some(file.path())).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
    }
}

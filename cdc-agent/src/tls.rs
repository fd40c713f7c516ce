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

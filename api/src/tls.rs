//! TLS to PostgreSQL: the certificate chain and the host's name are always verified.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Why no trusted roots could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of authorities cannot be read.
    #[error("{} cannot be read as PEM certificates: {reason}", .file.display())]
    CaFile {
        /// The file.
        file: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The system has no certificates.
    #[error("the system has no certificate authorities; name a file in [database] ca_file")]
    NoRoots,
    /// The library refuses the settings.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// A connector that trusts the authorities of `ca_file`, or the system's where there is none.
pub(crate) fn verifying(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(file) => add_file(&mut roots, file)?,
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    connector(roots)
}

/// A connector for a line on which TLS is never asked for.
pub(crate) fn unused() -> Result<MakeRustlsConnect, TlsError> {
    connector(RootCertStore::empty())
}

fn connector(roots: RootCertStore) -> Result<MakeRustlsConnect, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn add_file(roots: &mut RootCertStore, file: &Path) -> Result<(), TlsError> {
    let unreadable = |reason: String| TlsError::CaFile { file: file.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    Ok(())
}

//! Certificates: an authority of our own, what it issues, and what a user brings along.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use uuid::Uuid;

/// A certificate authority that lives as long as this value; its key is never written down.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Whether a certificate is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// For longer than any test runs.
    Current,
    /// Until the year 2020.
    Expired,
}

/// A server's certificate with its key, ready for handshakes.
#[derive(Clone, Debug)]
pub struct Identity(Arc<ServerConfig>);

/// Why a certificate that a user brings along cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No PEM, or none with a certificate or key in it.
    #[error("the {part} cannot be read: {source}")]
    Pem {
        /// Which of the two.
        part: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// The key does not belong to the certificate, or is of a kind that TLS does not know.
    #[error("the certificate and the key cannot be used together: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Authority {
    /// A new authority with a new key.
    #[expect(clippy::new_without_default, reason = "no two authorities are alike")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        // Named apart, so that a client that trusts another one says so.
        let name = format!("mssql-sim authority {}", Uuid::new_v4());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, new_key()).expect("a fresh key can sign"))
    }

    /// The authority's own certificate in PEM, for clients to trust.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server that clients know by `hosts`: DNS names or IP addresses, one at least.
    ///
    /// # Panics
    /// If a host is no ASCII name.
    pub fn issue(&self, hosts: &[&str], validity: Validity) -> Identity {
        let names: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("a host is an ASCII name");
        params.distinguished_name.push(DnType::CommonName, hosts[0]);
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if validity == Validity::Expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = new_key();
        let certificate = params.signed_by(&key, &self.0).expect("the authority's key can sign");
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Identity::new(vec![certificate.der().clone()], key).expect("the certificate was made for this key")
    }
}

impl Identity {
    /// A certificate chain, the server's own first, and its private key, both in PEM.
    ///
    /// # Errors
    /// [`IdentityError`]
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| IdentityError::Pem { part: "certificate", source })?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|source| IdentityError::Pem { part: "key", source })?;
        Ok(Self::new(chain, key)?)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.0.clone()
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has random numbers")
}

//! How the mock is reached by TLS: with a certificate of its own authority, made when it starts, or with one that exists.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The certificate and key by which the mock is reached.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    authority: Option<String>,
}

/// Why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be made.
    #[error("failed to make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// What should hold certificates holds none.
    #[error("failed to read certificates: {0}")]
    Certificate(String),
    /// What should hold a private key holds none.
    #[error("failed to read the private key: {0}")]
    Key(String),
    /// Certificate and key do not belong together.
    #[error("{}", match .0 {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".to_owned(),
        other => format!("certificate and key cannot be used: {other}"),
    })]
    Unfit(#[from] rustls::Error),
}

impl Tls {
    /// A certificate for these host names and addresses, by an authority that signs nothing else. `localhost`, `127.0.0.1` and `::1` are
    /// always among them.
    ///
    /// # Errors
    /// [`TlsError::Make`] for a name that cannot stand in a certificate.
    pub fn generate(names: impl IntoIterator<Item = String>) -> Result<Self, TlsError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        all.extend(names);
        all.sort_unstable();
        all.dedup();
        let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(all)?;
        leaf.distinguished_name.push(DnType::CommonName, "oauthspec mock");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &authority)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self::new(vec![certificate.der().clone()], private, Some(authority.pem()))
    }

    /// A certificate, with those that lead to its authority behind it, and its key; both in PEM.
    ///
    /// # Errors
    /// [`TlsError::Certificate`], [`TlsError::Key`] and [`TlsError::Unfit`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| TlsError::Certificate(in_words(&error, "CERTIFICATE")))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate("there is no CERTIFICATE block in it".into()));
        }
        let encrypted = String::from_utf8_lossy(key).contains("ENCRYPTED");
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            let help = "it is encrypted; `openssl pkey -in KEY -out PLAIN` takes the passphrase off";
            TlsError::Key(if encrypted { help.to_owned() } else { in_words(&error, "PRIVATE KEY") })
        })?;
        Self::new(chain, key, None)
    }

    /// The certificate of the authority in PEM, where it was made: what clients have to trust.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authority: Option<String>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), authority })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// What is wrong with a PEM file (RFC 7468).
fn in_words(error: &pem::Error, label: &str) -> String {
    match error {
        pem::Error::NoItemsFound => format!("there is no {label} block in it"),
        pem::Error::MissingSectionEnd { .. } => format!("it is cut short: a {label} block has no end"),
        pem::Error::Base64Decode(_) => format!("what stands in a {label} block is no Base64"),
        other => other.to_string(),
    }
}

fn authority() -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "oauthspec mock: authority for tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

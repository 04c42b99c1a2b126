//! Which certificates are trusted. Made once a run, when the first https URL is met.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::WireError;

/// What is trusted.
#[derive(Debug)]
pub(super) enum Roots {
    /// The platform's certificates, and these.
    Platform(Vec<CertificateDer<'static>>),
    /// Whatever is shown.
    Anything,
}

impl Roots {
    /// Reads the file now, so that a mistake in it is told before anything is sent.
    pub(super) fn load(ca_file: Option<PathBuf>, insecure: bool) -> Result<Self, WireError> {
        if insecure {
            return Ok(Self::Anything);
        }
        let Some(path) = ca_file else { return Ok(Self::Platform(Vec::new())) };
        let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match read {
            Ok(certificates) if certificates.is_empty() => {
                Err(WireError::CaFile { path, reason: "there is no CERTIFICATE block in it".into() })
            }
            Ok(certificates) => Ok(Self::Platform(certificates)),
            Err(error) => Err(WireError::CaFile { path, reason: error.to_string() }),
        }
    }

    /// The configuration that both ways out use.
    pub(super) fn client_config(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let extra = match self {
            Self::Anything => return Ok(Arc::new(TrustAnything(Arc::clone(provider)))),
            Self::Platform(extra) => extra,
        };
        let platform = rustls_platform_verifier::Verifier::new_with_extra_roots(extra.iter().cloned(), Arc::clone(provider));
        match platform {
            Ok(verifier) => Ok(Arc::new(verifier)),
            // A container without a certificate store can still reach a server by the given file.
            Err(_) if !extra.is_empty() => only(extra, provider),
            Err(error) => Err(format!("no trusted certificates on this machine: {error}")),
        }
    }
}

fn only(certificates: &[CertificateDer<'static>], provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).map_err(|error| error.to_string())?;
    }
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = builder.build().map_err(|error| error.to_string())?;
    Ok(verifier)
}

/// For `--insecure-tls`: the connection is encrypted, and nobody knows to whom.
#[derive(Debug)]
struct TrustAnything(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

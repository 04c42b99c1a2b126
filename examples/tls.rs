//! TLS: the server makes a certificate for the occasion, and the client trusts the authority that signed it.
//!
//! `cargo run --example tls`

mod support;

use std::error::Error;
use std::sync::Arc;

use oauthspec::mock::{MockServer, Tls};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use support::{connect, exchange};

fn main() -> Result<(), Box<dyn Error>> {
    // It is good for `localhost` and the loopback addresses, and for further names that are given.
    let tls = Tls::generate(["as.test.internal".to_owned()])?;
    let authority = tls.authority().ok_or("it was made here")?.to_owned();
    let mock = MockServer::builder().tls(tls).start_blocking()?;
    let url = format!("{}/jwks", mock.issuer());

    // A client that reads its authorities from a file is given this one in a file.
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = builder.with_safe_default_protocol_versions()?.with_root_certificates(trusted).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1")?)?;
    let (status, keys) = exchange(StreamOwned::new(connection, connect(&url)?), "GET", &url, "", "")?;
    println!("{url}: {status} {keys}");
    assert_eq!(status, 200);
    Ok(())
}

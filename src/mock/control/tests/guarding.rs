//! Who may use the control paths.

use std::net::{Ipv4Addr, SocketAddr};

use super::{send, start};
use crate::mock::MockServer;

#[test]
fn a_token_is_asked_for_where_one_was_given() {
    let server = MockServer::builder().control_token("right-token").start_blocking().unwrap();
    let status = |fields: &[(&str, &str)]| send(&server, "GET", "/realms", fields, "").status;
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("Authorization", "Bearer wrong")]), 401);
    assert_eq!(status(&[("Authorization", "Basic right-token")]), 401);
    assert_eq!(status(&[("Authorization", "Bearer right-token")]), 200);
    assert_eq!(status(&[("Authorization", "bearer right-token"), ("Host", "anything.example")]), 200);
    let got = send(&server, "GET", "/realms", &[], "");
    assert!(got.head.to_ascii_lowercase().contains("www-authenticate: bearer"), "{got:?}");
    assert_eq!(send(&server, "GET", "/health", &[], "").body, "ok");
}

#[test]
fn without_a_token_only_this_machine_and_no_foreign_page_is_let_in() {
    let server = start();
    let status = |fields: &[(&str, &str)]| send(&server, "POST", "/realms", fields, "{}").status;
    let host = server.address().to_string();
    for own in [&[][..], &[("Host", "localhost:1")], &[("Host", "[::1]:1")], &[("Origin", server.base_url())]] {
        assert_eq!(status(own), 201, "{own:?}");
    }
    assert_eq!(status(&[("Sec-Fetch-Site", "same-origin"), ("Host", &host)]), 201);
    for foreign in [
        &[("Host", "rebound.example")][..],
        &[("Host", "127.0.0.1.rebound.example")],
        &[("Origin", "https://elsewhere.example")],
        &[("Origin", "null")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
    ] {
        assert_eq!(status(foreign), 403, "{foreign:?}");
    }
}

#[test]
fn beyond_the_loopback_interface_nothing_goes_without_a_token() {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let server = MockServer::builder().listen(any).start_blocking().unwrap();
    let got = send(&server, "GET", "/realms", &[("Host", "localhost")], "");
    assert_eq!(got.status, 403, "{got:?}");
    assert_eq!(send(&server, "GET", "/health", &[], "").status, 200);
}

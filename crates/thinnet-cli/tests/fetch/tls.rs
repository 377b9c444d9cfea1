//! https, and whom it trusts.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use predicates::str::contains;
use rcgen::CertifiedKey;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::common::names;
use crate::setting::{ARCHIVE, Setting, archive};

/// A server for `localhost` that sends the archive whatever it is asked for, and the certificate that it signed itself.
fn server() -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let mut request = Vec::new();
            let mut byte = [0];
            // It ends early when the client does not trust the certificate.
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                request.push(byte[0]);
            }
            let body = archive();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (port, cert.pem())
}

#[test]
fn only_certificates_that_are_trusted_will_do() {
    let (port, certificate) = server();
    let setting = Setting::new(&[format!("https://localhost:{port}/")]);
    let sentence = setting.fails_and_keeps_nothing();
    assert!(sentence.contains("invalid peer certificate"), "{sentence}");

    let file = setting.path().join("certificates.pem");
    fs::write(&file, certificate).unwrap();
    let trusting = |file: &str| {
        let mut command = setting.fetch("cifar10");
        command.env("SSL_CERT_FILE", file);
        command.assert()
    };
    trusting("nowhere.pem").code(2).stderr(contains("SSL_CERT_FILE nowhere.pem: it cannot be read"));
    trusting("catalogue").code(2).stderr(contains("SSL_CERT_FILE catalogue: there is no certificate in it"));
    trusting("certificates.pem").success();
    assert_eq!(names(&setting.data()), [ARCHIVE]);
    assert!(fs::read(setting.archive()).unwrap() == archive());

    // It is for localhost, not for what else this machine is called.
    fs::remove_file(setting.archive()).unwrap();
    let other = format!("https://127.0.0.1:{port}/");
    let mut command = setting.fetch("cifar10");
    command.env("SSL_CERT_FILE", &file).args(["--url", &other]);
    command.assert().code(2).stderr(contains("not valid for name"));
}

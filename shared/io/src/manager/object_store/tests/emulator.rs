//! The same tests on S3: `tests/with/emulator COMMAND` sets the address of the emulator.

use std::{
    cell::Cell,
    env,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process,
    time::SystemTime,
};

use super::*;

/// Creates a bucket for this test, and returns its name.
fn create_bucket() -> String {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("PRECIP_TEST_AWS_ENDPOINT names the emulator: run this by `tests/with/emulator`");
    let host = endpoint.trim_start_matches("http://");
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let name = format!("precip-io-{}-{since}", process::id());
    // `object_store` cannot create buckets: the emulator takes this one request unsigned.
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("PUT /{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n");
    write!(stream, "{head}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    name
}

#[tokio::test]
async fn a_bucket_conforms() {
    let (bucket, next) = (create_bucket(), Cell::new(0));
    let make = || {
        let n = next.replace(next.get() + 1);
        ObjectStoreIoManager::open(&format!("s3://{bucket}/some/folder {n}")).unwrap()
    };
    check_all(make, &[]).await;
}

#[tokio::test]
async fn a_bucket_in_the_hive_layout_conforms() {
    let (bucket, next) = (create_bucket(), Cell::new(0));
    let make = || {
        let n = next.replace(next.get() + 1);
        ObjectStoreIoManager::open(&format!("s3://{bucket}/{n}"))
            .unwrap()
            .with_hive_layout(HiveLayout::by(["date"]))
    };
    check_all(make, super::hive::OF_HIVE).await;
}

#[test]
fn a_killed_writer_leaves_whole_files() {
    let test = "manager::object_store::tests::emulator::a_killed_writer_leaves_whole_files";
    let location = format!("s3://{}/killed", create_bucket());
    killed_writer(test, Path::new(&location), |location| {
        ObjectStoreIoManager::open(location.to_str().unwrap()).unwrap()
    });
}

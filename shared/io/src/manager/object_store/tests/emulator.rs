//! The same on S3: `tests/emulator COMMAND` says where it is.

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

/// A bucket of this test's own. Managers of AWS programs find it as the environment says.
fn bucket() -> String {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("PRECIP_TEST_AWS_ENDPOINT names the emulator: run this by `tests/emulator`");
    let host = endpoint.trim_start_matches("http://");
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let name = format!("precip-io-{}-{since}", process::id());
    // Object stores are used, not made: creating a bucket is one request that the emulator takes unsigned.
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
    let (bucket, next) = (bucket(), Cell::new(0));
    let make = || {
        let n = next.replace(next.get() + 1);
        ObjectStoreIoManager::open(&format!("s3://{bucket}/some/folder {n}")).unwrap()
    };
    check_all(make, &[]).await;
}

#[tokio::test]
async fn a_bucket_in_the_hive_layout_conforms() {
    let (bucket, next) = (bucket(), Cell::new(0));
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
    let place = format!("s3://{}/killed", bucket());
    killed_writer(test, Path::new(&place), |place| {
        ObjectStoreIoManager::open(place.to_str().unwrap()).unwrap()
    });
}

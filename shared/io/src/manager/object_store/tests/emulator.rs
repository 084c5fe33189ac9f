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

#[tokio::test]
async fn a_damaged_object_is_refused() {
    let location = format!("s3://{}/data", create_bucket());
    for (format, streamed) in [
        (TableFormat::Parquet, false),
        (TableFormat::Parquet, true),
        (TableFormat::Csv, false),
    ] {
        let manager = ObjectStoreIoManager::open(&location).unwrap();
        let manager = manager.with_format(format);
        let rows: Vec<i64> = (0..1_000).collect();
        let value = Table::from_rows(&rows).unwrap().into_asset().unwrap();
        let address = flights_address("p");
        let pointer = manager.store(&address, value).await.unwrap().pointer;
        let path = manager.resolve_pointer(&pointer).unwrap();
        let object = manager.store.get(&path).await.unwrap();
        let mut content = object.bytes().await.unwrap().to_vec();
        content[200] ^= 4;
        manager.store.put(&path, content.into()).await.unwrap();
        let request = LoadRequest {
            streamed,
            ..LoadRequest::everything()
        };
        let message = match manager.load(&address, &pointer, &request).await {
            Ok(value) => {
                let rows = value.downcast::<TableStream>().unwrap();
                rows.collect().await.unwrap_err().to_string()
            }
            Err(error) => error.to_string(),
        };
        let expected = format!("`{pointer}` in `{location}` is damaged; make it again with ");
        assert!(message.contains(&expected), "{message}");
    }
}

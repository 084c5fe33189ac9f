//! Files whose content changes after they were written.

use std::path::PathBuf;

use super::*;

struct StoredFile {
    folder: TempDir,
    manager: ObjectStoreIoManager,
    address: Address,
    pointer: String,
}

impl StoredFile {
    async fn store(
        value: AssetValue,
        set: impl Fn(ObjectStoreIoManager) -> ObjectStoreIoManager,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let manager = set(ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap());
        let address = flights_address("2013-01-01|EWR");
        let pointer = manager.store(&address, value).await.unwrap().pointer;
        Self {
            folder,
            manager,
            address,
            pointer,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(&self.pointer)
    }

    async fn load(&self, request: &LoadRequest) -> Result<Value, String> {
        let loaded = self
            .manager
            .load(&self.address, &self.pointer, request)
            .await;
        let value = loaded.map_err(|error| error.to_string())?;
        match value.downcast::<TableStream>() {
            Ok(stream) => {
                let table = stream.collect().await;
                table.map(Value::Table).map_err(|error| error.to_string())
            }
            Err(value) => Ok(value.downcast::<Value>().unwrap()),
        }
    }

    /// Flips bits of the file, and asserts that each is refused or gives the same data. Returns the number of
    /// refused ones.
    async fn flip_bits(&self, bits: impl Iterator<Item = usize>, request: &LoadRequest) -> usize {
        let content = std::fs::read(self.file()).unwrap();
        let value = self.load(request).await.unwrap();
        let (partition, pointer) = ("2013-01-01|EWR", &self.pointer);
        let expected = format!(
            "asset `raw/flights`, partition `{partition}`: `{pointer}` in `{}` is damaged; make it again with \
             `materialize --select raw/flights --partitions '{partition}'`",
            self.folder.path().display()
        );
        let mut refused = 0;
        for bit in bits.take_while(|bit| *bit < content.len() * 8) {
            let mut flipped = content.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(self.file(), &flipped).unwrap();
            match self.load(request).await {
                Ok(read) => assert_eq!(read, value, "bit {bit}"),
                Err(message) => {
                    assert_eq!(message, expected, "bit {bit}");
                    refused += 1;
                }
            }
        }
        std::fs::write(self.file(), content).unwrap();
        refused
    }
}

fn sample_rows() -> Vec<(i64, String)> {
    (0..60).map(|n| (n, format!("name {n}"))).collect()
}

#[tokio::test]
async fn a_flipped_bit_of_a_text_format_is_refused() {
    for gzip in [false, true] {
        for format in [TableFormat::Csv, TableFormat::JsonLines] {
            let value = Table::from_rows(&sample_rows())
                .unwrap()
                .into_asset()
                .unwrap();
            let set = |manager: ObjectStoreIoManager| manager.with_format(format).with_gzip(gzip);
            let stored = StoredFile::store(value, set).await;
            let bits = std::fs::read(stored.file()).unwrap().len() * 8;
            let everything = LoadRequest::everything();
            let refused = stored.flip_bits((0..).step_by(5), &everything).await;
            assert_eq!(refused, bits.div_ceil(5), "{format:?} {gzip}");
        }
    }
    let bytes = bytes::Bytes::from_static(b"any bytes");
    let json = crate::Json(serde_json::json!({"flights": 842}));
    for value in [
        String::from("a text").into_asset().unwrap(),
        bytes.into_asset().unwrap(),
        json.into_asset().unwrap(),
    ] {
        let stored = StoredFile::store(value, |manager| manager).await;
        let bits = std::fs::read(stored.file()).unwrap().len() * 8;
        assert_eq!(
            stored.flip_bits(0.., &LoadRequest::everything()).await,
            bits
        );
    }
}

#[tokio::test]
async fn a_flipped_bit_of_a_parquet_file_is_refused_however_it_is_written_and_read() {
    let table = || Table::from_rows(&sample_rows()).unwrap();
    let options = ParquetOptions::new()
        .rows_per_group(25)
        .compression(ParquetCompression::None);
    let plain = |manager: ObjectStoreIoManager| manager.with_parquet(options);
    let hive =
        |manager: ObjectStoreIoManager| plain(manager).with_hive_layout(HiveLayout::by(["key"]));
    let streamed = LoadRequest {
        streamed: true,
        ..LoadRequest::everything()
    };
    for request in [LoadRequest::everything(), streamed] {
        for stored in [
            StoredFile::store(table().into_asset().unwrap(), plain).await,
            StoredFile::store(table().into_asset().unwrap(), hive).await,
            StoredFile::store(TableStream::from(table()).into_asset().unwrap(), plain).await,
        ] {
            let bits = std::fs::read(stored.file()).unwrap().len() * 8;
            let refused = stored.flip_bits((0..).step_by(29), &request).await;
            assert!(refused > bits / 29 / 2, "{refused} of {}", bits / 29);
        }
    }
}

#[tokio::test]
async fn a_file_of_an_older_version_has_no_checksum_in_its_name_and_is_read() {
    let value = String::from("older").into_asset().unwrap();
    let mut stored = StoredFile::store(value, |manager| manager).await;
    let older = layout::attempt_path(&stored.address, "txt");
    assert_ne!(older, stored.pointer);
    std::fs::rename(stored.file(), stored.folder.path().join(&older)).unwrap();
    stored.pointer = older;
    let loaded = stored.load(&LoadRequest::everything()).await.unwrap();
    assert_eq!(loaded, Value::Text("older".to_owned()));
    let listed = stored.manager.list(&stored.address.asset).await.unwrap();
    assert_eq!(listed[0].pointer, stored.pointer);
}

#[tokio::test]
async fn a_file_with_a_checksum_in_its_name_is_listed_by_its_attempt() {
    let stored =
        StoredFile::store(String::from("x").into_asset().unwrap(), |manager| manager).await;
    let listed = stored.manager.list(&stored.address.asset).await.unwrap();
    assert_eq!(listed[0].pointer, stored.pointer);
    assert_eq!(listed[0].address, stored.address);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files_of_a_private_folder() {
    use std::os::unix::{ffi::OsStrExt, fs::PermissionsExt};

    fn assert_private(path: &std::path::Path) {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", path.display());
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                assert_private(&entry.unwrap().path());
            }
        }
    }

    let above = TempDir::new().unwrap();
    // A name that is not UTF-8 is used as it is.
    let folder = above
        .path()
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9"))
        .join("data");
    let open = || ObjectStoreIoManager::open_private_folder(&folder).unwrap();
    let table = || Table::from_rows(&sample_rows()).unwrap();
    let manager = open();
    let address = flights_address("text");
    let text = manager.store(&address, String::from("x").into_asset().unwrap());
    let pointer = text.await.unwrap().pointer;
    let rows = TableStream::from(table()).into_asset().unwrap();
    open()
        .store(&flights_address("streamed"), rows)
        .await
        .unwrap();
    let hive = open().with_hive_layout(HiveLayout::by(["key"]));
    let table = table().into_asset().unwrap();
    hive.store(&flights_address("hive"), table).await.unwrap();
    assert_private(&folder);
    open()
        .make_durable(std::slice::from_ref(&pointer))
        .await
        .unwrap();
    let everything = LoadRequest::everything();
    open()
        .load(&flights_address("text"), &pointer, &everything)
        .await
        .unwrap();
    assert!(std::fs::read_dir(above.path()).unwrap().count() == 1);
}

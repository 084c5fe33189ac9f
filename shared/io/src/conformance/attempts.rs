//! Checks that attempts and partitions stay apart, whatever happens to their writers.

use super::support::{Row, load_value, rows_of, store_value, test_address, writer_of};
use futures::future::join_all;
use precip_engine::{
    asset::AssetValue,
    io::{IoError, IoManager, LoadRequest},
};

pub(super) async fn partitions_stay_apart(manager: &dyn IoManager) {
    let keys = [
        None,
        Some("a"),
        Some("a/b"),
        Some("a%2Fb"),
        Some("a b"),
        Some("a+b"),
        Some(".."),
        Some("."),
        Some("../a"),
        Some("a|b"),
        Some("日本"),
        Some("all"),
        Some(""),
        Some("~"),
        Some("a\\b"),
        Some("a'b\"c"),
        Some("2013-01-01T00:00:00+05:30"),
        Some("100%"),
        Some("A"),
    ];
    keys_stay_apart(manager, &keys).await;
}

pub(super) async fn long_keys(manager: &dyn IoManager) {
    let long = "k".repeat(700);
    let longer = format!("{long}k");
    keys_stay_apart(manager, &[Some(&long), Some(&longer)]).await;
}

async fn keys_stay_apart(manager: &dyn IoManager, keys: &[Option<&str>]) {
    let mut pointers = Vec::new();
    for (writer, &key) in (0u32..).zip(keys) {
        let stored = store_value(manager, &test_address(key, 1), rows_of(writer)).await;
        pointers.push(stored.pointer);
    }
    // Read only after all are written, so that one that replaced another is found.
    for ((writer, &key), pointer) in (0u32..).zip(keys).zip(pointers) {
        let back: Vec<Row> = load_value(manager, &test_address(key, 1), &pointer).await;
        assert_eq!(writer_of(&back), writer, "partition {key:?}");
    }
}

pub(super) async fn attempts_stay_apart(manager: &dyn IoManager) {
    let (first, second) = (test_address(Some("p"), 1), test_address(Some("p"), 2));
    let older = store_value(manager, &first, rows_of(1)).await;
    let newer = store_value(manager, &second, rows_of(2)).await;
    assert_ne!(older.pointer, newer.pointer);
    assert_eq!(
        writer_of(&load_value::<Vec<Row>>(manager, &first, &older.pointer).await),
        1
    );
    assert_eq!(
        writer_of(&load_value::<Vec<Row>>(manager, &second, &newer.pointer).await),
        2
    );
}

pub(super) async fn store_again(manager: &dyn IoManager) {
    let address = test_address(Some("p"), 1);
    store_value(manager, &address, rows_of(1)).await;
    let again = store_value(manager, &address, rows_of(2)).await;
    assert_eq!(
        writer_of(&load_value::<Vec<Row>>(manager, &address, &again.pointer).await),
        2
    );
}

pub(super) async fn late_attempt(manager: &dyn IoManager) {
    let (late, newer) = (test_address(Some("p"), 1), test_address(Some("p"), 2));
    // The newer attempt is stored first.
    let kept = store_value(manager, &newer, rows_of(2)).await;
    store_value(manager, &late, rows_of(1)).await;
    let back: Vec<Row> = load_value(manager, &newer, &kept.pointer).await;
    assert_eq!(
        writer_of(&back),
        2,
        "an older attempt replaced a newer one's"
    );
}

pub(super) async fn make_durable(manager: &dyn IoManager) {
    let addresses: Vec<_> = [None, Some("a"), Some("b/c"), Some("d")]
        .into_iter()
        .zip(1..)
        .map(|(key, attempt)| test_address(key, attempt))
        .collect();
    let mut pointers = Vec::new();
    for (writer, address) in (0u32..).zip(&addresses) {
        pointers.push(store_value(manager, address, rows_of(writer)).await.pointer);
    }
    let durable = |pointers: &[String]| {
        let pointers = pointers.to_vec();
        async move {
            let result = manager.make_durable(&pointers).await;
            result.expect("the manager makes it durable");
        }
    };
    // None, one, several at the same time, and all again.
    durable(&[]).await;
    durable(&pointers[..1]).await;
    join_all(pointers.chunks(2).map(durable)).await;
    durable(&pointers).await;
    for ((writer, address), pointer) in (0u32..).zip(&addresses).zip(&pointers) {
        let back: Vec<Row> = load_value(manager, address, pointer).await;
        assert_eq!(writer_of(&back), writer);
    }
}

pub(super) async fn nothing_there(manager: &dyn IoManager) {
    let address = test_address(Some("p"), 1);
    let stored = store_value(manager, &address, rows_of(1)).await;
    if manager.remove(&stored.pointer).await.is_err() {
        // A manager that cannot remove data cannot have a pointer to missing data either.
        return;
    }
    match manager
        .load(&address, &stored.pointer, &LoadRequest::everything())
        .await
    {
        Err(IoError::NotFound { pointer }) => assert_eq!(pointer, stored.pointer),
        other => panic!("a pointer to nothing gives {other:?}"),
    }
}

pub(super) async fn foreign_pointer(manager: &dyn IoManager) {
    for pointer in [
        "",
        "/etc/passwd",
        "../outside.json",
        "a/../../b.json",
        "a//b.csv",
    ] {
        let loaded = manager
            .load(
                &test_address(Some("p"), 1),
                pointer,
                &LoadRequest::everything(),
            )
            .await;
        assert!(loaded.is_err(), "`{pointer}` was loaded");
    }
}

pub(super) async fn foreign_value(manager: &dyn IoManager) {
    struct Model;
    let refused = manager
        .store(&test_address(Some("p"), 1), AssetValue::new(Model))
        .await;
    match refused {
        Err(IoError::Unsupported { message }) => {
            assert!(message.contains("Model"), "{message}");
            assert!(message.contains("checked/asset"), "{message}");
        }
        other => panic!("an unknown value gives {other:?}"),
    }
}

pub(super) async fn list_and_remove(manager: &dyn IoManager) {
    let asset = test_address(None, 1).asset;
    let (mut stored, mut newest) = (Vec::new(), Vec::new());
    for key in [None, Some("a"), Some("b/c"), Some("|"), Some("日")] {
        for attempt in [1, 2] {
            let address = test_address(key, attempt);
            stored.push((
                store_value(manager, &address, rows_of(attempt))
                    .await
                    .pointer,
                address,
            ));
        }
        newest.extend(stored.last().cloned());
    }
    let listed = || async {
        let mut attempts = manager.list(&asset).await.expect("the manager lists");
        attempts.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        attempts
    };
    // A manager may keep the newest attempt of a partition only.
    let all = listed().await;
    let is_listed = |pointer: &String| all.iter().any(|attempt| attempt.pointer == *pointer);
    for (pointer, address) in &newest {
        assert!(is_listed(pointer), "`{pointer}` of {address:?} is missing");
    }
    for attempt in &all {
        let known = stored
            .iter()
            .rfind(|(pointer, _)| *pointer == attempt.pointer);
        let (_, address) = known.expect("only what was stored is listed");
        assert_eq!(attempt.address, *address);
    }
    // The key of the other asset is a prefix of this one's.
    let other = "checked".parse().expect("a key");
    let of_other = manager.list(&other).await.expect("the manager lists");
    assert!(
        of_other.is_empty(),
        "another asset's attempts: {of_other:?}"
    );
    // Removing twice is fine, and leaves the others.
    let gone = &all[0].pointer;
    manager.remove(gone).await.expect("the manager removes");
    manager
        .remove(gone)
        .await
        .expect("removing nothing is fine");
    assert_eq!(listed().await, all[1..]);
}

//! That attempts and partitions stay apart, whatever happens to their writers.

use super::support::{Row, address, load, rows_of, store, writer_of};
use futures::future::join_all;
use precip_engine::{
    asset::AssetValue,
    io::{IoError, IoManager, LoadRequest},
};

pub(super) async fn partitions(manager: &dyn IoManager) {
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
    stay_apart(manager, &keys).await;
}

pub(super) async fn long_keys(manager: &dyn IoManager) {
    let long = "k".repeat(700);
    let longer = format!("{long}k");
    stay_apart(manager, &[Some(&long), Some(&longer)]).await;
}

async fn stay_apart(manager: &dyn IoManager, keys: &[Option<&str>]) {
    let mut pointers = Vec::new();
    for (writer, &key) in (0u32..).zip(keys) {
        let stored = store(manager, &address(key, 1), rows_of(writer)).await;
        pointers.push(stored.pointer);
    }
    for ((writer, &key), pointer) in (0u32..).zip(keys).zip(pointers) {
        let back: Vec<Row> = load(manager, &address(key, 1), &pointer).await;
        assert_eq!(writer_of(&back), writer, "partition {key:?}");
    }
}

pub(super) async fn attempts(manager: &dyn IoManager) {
    let (first, second) = (address(Some("p"), 1), address(Some("p"), 2));
    let older = store(manager, &first, rows_of(1)).await;
    let newer = store(manager, &second, rows_of(2)).await;
    assert_ne!(older.pointer, newer.pointer);
    assert_eq!(
        writer_of(&load::<Vec<Row>>(manager, &first, &older.pointer).await),
        1
    );
    assert_eq!(
        writer_of(&load::<Vec<Row>>(manager, &second, &newer.pointer).await),
        2
    );
}

pub(super) async fn store_again(manager: &dyn IoManager) {
    let address = address(Some("p"), 1);
    store(manager, &address, rows_of(1)).await;
    let again = store(manager, &address, rows_of(2)).await;
    assert_eq!(
        writer_of(&load::<Vec<Row>>(manager, &address, &again.pointer).await),
        2
    );
}

pub(super) async fn late_attempt(manager: &dyn IoManager) {
    let (late, newer) = (address(Some("p"), 1), address(Some("p"), 2));
    let kept = store(manager, &newer, rows_of(2)).await;
    store(manager, &late, rows_of(1)).await;
    let back: Vec<Row> = load(manager, &newer, &kept.pointer).await;
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
        .map(|(key, attempt)| address(key, attempt))
        .collect();
    let mut pointers = Vec::new();
    for (writer, address) in (0u32..).zip(&addresses) {
        pointers.push(store(manager, address, rows_of(writer)).await.pointer);
    }
    let durable = |pointers: &[String]| {
        let pointers = pointers.to_vec();
        async move {
            let made = manager.make_durable(&pointers).await;
            made.expect("the manager makes it durable");
        }
    };
    durable(&[]).await;
    durable(&pointers[..1]).await;
    join_all(pointers.chunks(2).map(durable)).await;
    durable(&pointers).await;
    for ((writer, address), pointer) in (0u32..).zip(&addresses).zip(&pointers) {
        let back: Vec<Row> = load(manager, address, pointer).await;
        assert_eq!(writer_of(&back), writer);
    }
}

pub(super) async fn nothing_there(manager: &dyn IoManager) {
    let address = address(Some("p"), 1);
    let stored = store(manager, &address, rows_of(1)).await;
    if manager.remove(&stored.pointer).await.is_err() {
        // A manager that removes nothing has no pointer of its own to nothing.
        return;
    }
    match manager
        .load(&address, &stored.pointer, &LoadRequest::everything())
        .await
    {
        Err(IoError::NotFound { pointer }) => assert_eq!(pointer, stored.pointer),
        other => panic!("a pointer to nothing answers {other:?}"),
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
            .load(&address(Some("p"), 1), pointer, &LoadRequest::everything())
            .await;
        assert!(loaded.is_err(), "`{pointer}` was loaded");
    }
}

pub(super) async fn foreign_value(manager: &dyn IoManager) {
    struct Model;
    let refused = manager
        .store(&address(Some("p"), 1), AssetValue::new(Model))
        .await;
    match refused {
        Err(IoError::Unsupported { message }) => {
            assert!(message.contains("Model"), "{message}");
            assert!(message.contains("checked/asset"), "{message}");
        }
        other => panic!("an unknown value answers {other:?}"),
    }
}

pub(super) async fn list_and_remove(manager: &dyn IoManager) {
    let asset = address(None, 1).asset;
    let (mut stored, mut newest) = (Vec::new(), Vec::new());
    for key in [None, Some("a"), Some("b/c"), Some("|"), Some("日")] {
        for attempt in [1, 2] {
            let address = address(key, attempt);
            stored.push((
                store(manager, &address, rows_of(attempt)).await.pointer,
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
    let other = "checked".parse().expect("a key");
    let of_other = manager.list(&other).await.expect("the manager lists");
    assert!(
        of_other.is_empty(),
        "another asset's attempts: {of_other:?}"
    );
    let gone = &all[0].pointer;
    manager.remove(gone).await.expect("the manager removes");
    manager
        .remove(gone)
        .await
        .expect("removing nothing is fine");
    assert_eq!(listed().await, all[1..]);
}

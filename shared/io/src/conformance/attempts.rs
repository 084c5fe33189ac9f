//! That attempts and partitions stay apart, whatever happens to their writers.

use std::task::{Context, Poll, Waker};

use futures::future::join_all;
use precip_engine::{
    asset::AssetValue,
    io::{IoError, IoManager, LoadRequest},
};
use serde::{Deserialize, Serialize};

use super::support::{address, load, store};
use crate::IntoAsset;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    writer: u32,
    n: u32,
}

/// Rows that tell who wrote them, and whether any are missing.
fn rows_of(writer: u32) -> Vec<Row> {
    (0..5_000).map(|n| Row { writer, n }).collect()
}

pub(super) async fn partitions(manager: &dyn IoManager) {
    let long = "k".repeat(700);
    let longer = format!("{long}k");
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
        Some("2013-01-01T00:00:00+05:30"),
        Some("100%"),
        Some(&long),
        Some(&longer),
    ];
    let mut pointers = Vec::new();
    for (writer, key) in (0u32..).zip(keys) {
        let rows = vec![Row { writer, n: 0 }];
        pointers.push(store(manager, &address(key, 1), rows).await.pointer);
    }
    for ((writer, key), pointer) in (0u32..).zip(keys).zip(pointers) {
        let back: Vec<Row> = load(manager, &address(key, 1), &pointer).await;
        assert_eq!(back, [Row { writer, n: 0 }], "partition {key:?}");
    }
}

pub(super) async fn attempts(manager: &dyn IoManager) {
    let (first, second) = (address(Some("p"), 1), address(Some("p"), 2));
    let older = store(manager, &first, rows_of(1)).await;
    let newer = store(manager, &second, rows_of(2)).await;
    assert_ne!(older.pointer, newer.pointer);
    assert_eq!(
        load::<Vec<Row>>(manager, &first, &older.pointer).await,
        rows_of(1)
    );
    assert_eq!(
        load::<Vec<Row>>(manager, &second, &newer.pointer).await,
        rows_of(2)
    );
}

pub(super) async fn store_again(manager: &dyn IoManager) {
    let address = address(Some("p"), 1);
    store(manager, &address, rows_of(1)).await;
    let again = store(manager, &address, rows_of(2)).await;
    assert_eq!(
        load::<Vec<Row>>(manager, &address, &again.pointer).await,
        rows_of(2)
    );
}

pub(super) async fn concurrent_writers(manager: &dyn IoManager) {
    // Eight writers: four at one address, four at addresses of their own.
    let addresses = [1, 1, 1, 1, 2, 3, 4, 5].map(|attempt| address(Some("p"), attempt));
    let writers = (0u32..)
        .zip(&addresses)
        .map(|(writer, address)| store(manager, address, rows_of(writer)));
    let stored = join_all(writers).await;
    for ((writer, address), stored) in (0u32..).zip(&addresses).zip(stored) {
        let back: Vec<Row> = load(manager, address, &stored.pointer).await;
        let by = back[0].writer;
        assert_eq!(back, rows_of(by), "a mix of writers");
        assert!(
            by == writer || (address.attempt == 1 && by < 4),
            "{by} for {writer}"
        );
    }
}

pub(super) async fn stopped_writer(manager: &dyn IoManager) {
    for polls in 0..6 {
        let before = address(Some("p"), 2 * polls + 1);
        let kept = store(manager, &before, rows_of(polls)).await;
        // Where the stopped writer's value would be: another address's pointer tells.
        let stopped = address(Some("p"), 2 * polls + 2);
        {
            let value = rows_of(100 + polls)
                .into_asset()
                .expect("the value converts");
            let mut writing = manager.store(&stopped, value);
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if let Poll::Ready(done) = writing.as_mut().poll(&mut context) {
                    let pointer = done.expect("the manager stores it").pointer;
                    let back: Vec<Row> = load(manager, &stopped, &pointer).await;
                    assert_eq!(back, rows_of(100 + polls));
                    break;
                }
            }
        }
        assert_eq!(
            load::<Vec<Row>>(manager, &before, &kept.pointer).await,
            rows_of(polls)
        );
        // Whatever can be seen of the asset is whole.
        match manager.list(&stopped.asset).await {
            Ok(visible) => {
                for attempt in visible {
                    let back: Vec<Row> = load(manager, &stopped, &attempt.pointer).await;
                    assert_eq!(back, rows_of(back[0].writer));
                }
            }
            Err(IoError::Unsupported { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        let again = store(manager, &stopped, rows_of(200 + polls)).await;
        let back: Vec<Row> = load(manager, &stopped, &again.pointer).await;
        assert!(back == rows_of(200 + polls) || back == rows_of(100 + polls));
    }
}

pub(super) async fn make_durable(manager: &dyn IoManager) {
    let addresses: Vec<_> = [None, Some("a"), Some("b/c"), Some("a")]
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
        assert_eq!(back, rows_of(writer));
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
    let mut stored = Vec::new();
    for key in [None, Some("a"), Some("b/c"), Some("|"), Some("日")] {
        for attempt in [1, 2] {
            let rows = vec![Row { writer: 0, n: 0 }];
            stored.push(store(manager, &address(key, attempt), rows).await.pointer);
        }
    }
    let listed = || async {
        let attempts = manager.list(&asset).await.expect("the manager lists");
        let mut pointers: Vec<String> = attempts.into_iter().map(|a| a.pointer).collect();
        pointers.sort();
        pointers
    };
    stored.sort();
    assert_eq!(listed().await, stored);
    let other = "checked".parse().expect("a key");
    let of_other = manager.list(&other).await.expect("the manager lists");
    assert!(
        of_other.is_empty(),
        "another asset's attempts: {of_other:?}"
    );
    let gone = stored.remove(0);
    manager.remove(&gone).await.expect("the manager removes");
    manager
        .remove(&gone)
        .await
        .expect("removing nothing is fine");
    assert_eq!(listed().await, stored);
}

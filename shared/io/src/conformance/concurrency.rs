//! Checks that concurrent or canceled writers and readers find and leave whole values.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures::future::{join, join_all};
use precip_engine::io::{IoError, IoManager};

use super::support::{Row, load_value, rows_of, store_value, test_address, writer_of};
use crate::IntoAsset;

/// Largest number of steps of one store: more means that it never ends.
const MAX_STEPS: u32 = 10_000;

pub(super) async fn concurrent_writers(manager: &dyn IoManager) {
    // Eight writers: four at one address, four at addresses of their own.
    let addresses = [1, 1, 1, 1, 2, 3, 4, 5].map(|attempt| test_address(Some("p"), attempt));
    let writers = (0u32..)
        .zip(&addresses)
        .map(|(writer, address)| store_value(manager, address, rows_of(writer)));
    let stored = join_all(writers).await;
    for (address, stored_here) in addresses.iter().zip(&stored) {
        let back: Vec<Row> = load_value(manager, address, &stored_here.pointer).await;
        let by = writer_of(&back);
        // Of attempts that share a pointer, the newest stays.
        let newest = addresses
            .iter()
            .zip(&stored)
            .filter(|(_, other)| other.pointer == stored_here.pointer)
            .map(|(address, _)| address.attempt)
            .max();
        assert_eq!(Some(addresses[by as usize].attempt), newest, "by {by}");
    }
}

pub(super) async fn concurrent_partitions(manager: &dyn IoManager) {
    let keys = ["a", "b", "c", "d", "e", "f"];
    let writers = (0u32..).zip(keys).map(|(n, key)| async move {
        let mut last = None;
        for attempt in 1..=3 {
            let address = test_address(Some(key), attempt);
            let stored = store_value(manager, &address, rows_of(10 * n + attempt)).await;
            last = Some((address, stored.pointer));
        }
        last.expect("three attempts")
    });
    for (n, (address, pointer)) in (0u32..).zip(join_all(writers).await) {
        let back: Vec<Row> = load_value(manager, &address, &pointer).await;
        assert_eq!(writer_of(&back), 10 * n + 3, "{:?}", address.partition);
    }
}

pub(super) async fn reader_among_writers(manager: &dyn IoManager) {
    let first = store_value(manager, &test_address(Some("p"), 1), rows_of(1)).await;
    // The attempt that was published last, and its pointer.
    let published = RefCell::new((1, first.pointer));
    let write = async {
        for attempt in 2..=8 {
            let stored =
                store_value(manager, &test_address(Some("p"), attempt), rows_of(attempt)).await;
            *published.borrow_mut() = (attempt, stored.pointer);
        }
    };
    let read = async {
        loop {
            let (attempt, pointer) = published.borrow().clone();
            let back: Vec<Row> =
                load_value(manager, &test_address(Some("p"), attempt), &pointer).await;
            let by = writer_of(&back);
            // A manager with one attempt per partition may already have the next.
            assert!(by >= attempt, "{by} is older than the published {attempt}");
            if attempt == 8 {
                break;
            }
            yield_once().await;
        }
    };
    join(write, read).await;
}

/// Yields to other futures once.
async fn yield_once() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) async fn stopped_writer(manager: &dyn IoManager) {
    let (asset, mut steps) = (test_address(None, 1).asset, 0);
    // Cancels the writer after one more step each time, until it completes.
    loop {
        let key = format!("stopped-{steps}");
        let before = test_address(Some(&key), 1);
        let kept = store_value(manager, &before, rows_of(1)).await;
        let stopped = test_address(Some(&key), 2);
        // The second attempt is canceled after `steps` polls.
        let value = rows_of(2).into_asset().expect("the value converts");
        let ended = poll_at_most(steps, manager.store(&stopped, value)).await;
        let back: Vec<Row> = load_value(manager, &before, &kept.pointer).await;
        assert!(
            back == rows_of(1) || back == rows_of(2),
            "after {steps} steps"
        );
        // Every visible attempt of the asset is whole.
        match manager.list(&asset).await {
            Ok(visible) => {
                for attempt in visible {
                    let back: Vec<Row> = load_value(manager, &stopped, &attempt.pointer).await;
                    writer_of(&back);
                }
            }
            Err(IoError::Unsupported { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        // A canceled writer must not block the next one, for instance by a lock.
        let after = test_address(Some(&key), 3);
        let again = store_value(manager, &after, rows_of(3)).await;
        let back: Vec<Row> = load_value(manager, &after, &again.pointer).await;
        assert_eq!(writer_of(&back), 3, "after {steps} steps");
        if let Some(stored) = ended {
            stored.expect("the manager stores it");
            return;
        }
        steps += 1;
        assert!(steps < MAX_STEPS, "storing never ends");
    }
}

/// Polls a future for some steps, and drops it; `None` when it has not completed by then.
async fn poll_at_most<F: Future>(steps: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), steps);
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last step ends without waiting.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

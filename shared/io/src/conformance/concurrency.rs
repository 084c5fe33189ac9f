//! That whoever writes or reads at the same time, or stops on the way, finds and leaves whole values.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures::future::{join, join_all};
use precip_engine::io::{IoError, IoManager};

use super::support::{Row, address, load, rows_of, store, writer_of};
use crate::IntoAsset;

/// A store never waits this often: longer means that it never ends.
const MOST_STEPS: u32 = 10_000;

pub(super) async fn writers(manager: &dyn IoManager) {
    // Eight writers: four at one address, four at addresses of their own.
    let addresses = [1, 1, 1, 1, 2, 3, 4, 5].map(|attempt| address(Some("p"), attempt));
    let writers = (0u32..)
        .zip(&addresses)
        .map(|(writer, address)| store(manager, address, rows_of(writer)));
    let stored = join_all(writers).await;
    for (address, stored_here) in addresses.iter().zip(&stored) {
        let back: Vec<Row> = load(manager, address, &stored_here.pointer).await;
        let by = writer_of(&back);
        // Where attempts share a pointer, the newest is there.
        let here = addresses.iter().zip(&stored);
        let here = here.filter(|(_, other)| other.pointer == stored_here.pointer);
        let newest = here.map(|(address, _)| address.attempt).max();
        assert_eq!(Some(addresses[by as usize].attempt), newest, "by {by}");
    }
}

pub(super) async fn partitions(manager: &dyn IoManager) {
    let keys = ["a", "b", "c", "d", "e", "f"];
    let writers = (0u32..).zip(keys).map(|(n, key)| async move {
        let mut last = None;
        for attempt in 1..=3 {
            let address = address(Some(key), attempt);
            let stored = store(manager, &address, rows_of(10 * n + attempt)).await;
            last = Some((address, stored.pointer));
        }
        last.expect("three attempts")
    });
    for (n, (address, pointer)) in (0u32..).zip(join_all(writers).await) {
        let back: Vec<Row> = load(manager, &address, &pointer).await;
        assert_eq!(writer_of(&back), 10 * n + 3, "{:?}", address.partition);
    }
}

pub(super) async fn reader(manager: &dyn IoManager) {
    let first = store(manager, &address(Some("p"), 1), rows_of(1)).await;
    // What has been published, and how far the writer is with the next.
    let published = RefCell::new((1, first.pointer));
    let write = async {
        for attempt in 2..=8 {
            let stored = store(manager, &address(Some("p"), attempt), rows_of(attempt)).await;
            *published.borrow_mut() = (attempt, stored.pointer);
        }
    };
    let read = async {
        loop {
            let (attempt, pointer) = published.borrow().clone();
            let back: Vec<Row> = load(manager, &address(Some("p"), attempt), &pointer).await;
            let by = writer_of(&back);
            assert!(by >= attempt, "{by} is older than the published {attempt}");
            if attempt == 8 {
                break;
            }
            breathe().await;
        }
    };
    join(write, read).await;
}

/// Lets others go on.
async fn breathe() {
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
    let (asset, mut steps) = (address(None, 1).asset, 0);
    loop {
        let key = format!("stopped-{steps}");
        let before = address(Some(&key), 1);
        let kept = store(manager, &before, rows_of(1)).await;
        let stopped = address(Some(&key), 2);
        let value = rows_of(2).into_asset().expect("the value converts");
        let ended = at_most(steps, manager.store(&stopped, value)).await;
        let back: Vec<Row> = load(manager, &before, &kept.pointer).await;
        assert!(
            back == rows_of(1) || back == rows_of(2),
            "after {steps} steps"
        );
        // Whatever can be seen of the asset is whole.
        match manager.list(&asset).await {
            Ok(visible) => {
                for attempt in visible {
                    let back: Vec<Row> = load(manager, &stopped, &attempt.pointer).await;
                    writer_of(&back);
                }
            }
            Err(IoError::Unsupported { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        let after = address(Some(&key), 3);
        let again = store(manager, &after, rows_of(3)).await;
        let back: Vec<Row> = load(manager, &after, &again.pointer).await;
        assert_eq!(writer_of(&back), 3, "after {steps} steps");
        if let Some(stored) = ended {
            stored.expect("the manager stores it");
            return;
        }
        steps += 1;
        assert!(steps < MOST_STEPS, "storing never ends");
    }
}

/// Follows a future for some steps, each as long as it waits for something; `None` when it is not
/// there by then. It is dropped.
async fn at_most<F: Future>(steps: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), steps);
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // Where the last step ends, nothing is waited for any more.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

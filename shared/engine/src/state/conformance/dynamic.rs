//! Rules of [`DynamicPartitionStore`](crate::state::DynamicPartitionStore).

use std::collections::BTreeSet;

use precip_core::partitions::PartitionKey;

use super::{Harness, run_at_once};
use crate::state::{StateErrorKind, StateResult};

fn partition_keys(keys: &[&str]) -> Vec<PartitionKey> {
    keys.iter().map(|key| PartitionKey::from(*key)).collect()
}

/// Ordinals follow the order of addition, and known keys keep theirs.
pub async fn adding_again_returns_the_same_ordinals(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    assert_eq!(
        store
            .add_dynamic_keys("files", &partition_keys(&["b", "a"]))
            .await?,
        [0, 1]
    );
    assert_eq!(
        store
            .add_dynamic_keys("files", &partition_keys(&["a", "c", "b", "c"]))
            .await?,
        [1, 2, 0, 2]
    );
    let listed = store.dynamic_keys("files").await?;
    let listed: Vec<_> = listed.iter().map(|(n, key)| (n, key.as_str())).collect();
    assert_eq!(listed, [(0, "b"), (1, "a"), (2, "c")]);
    assert_eq!(store.dynamic_keys("none").await?.iter().count(), 0);
    Ok(())
}

/// A removed key leaves a gap, whose key is still known.
pub async fn ordinals_stay_when_keys_are_removed(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .add_dynamic_keys("files", &partition_keys(&["a", "b", "c"]))
        .await?;
    assert_eq!(
        store
            .remove_dynamic_keys("files", &partition_keys(&["b", "x"]))
            .await?,
        1
    );
    assert_eq!(
        store
            .remove_dynamic_keys("files", &partition_keys(&["b"]))
            .await?,
        0
    );
    let listed = store.dynamic_keys("files").await?;
    assert_eq!(listed.ordinal("a"), Some(0));
    assert_eq!(listed.ordinal("b"), None);
    assert_eq!(listed.key(1), None);
    assert_eq!(listed.removed_key(1), Some(&"b".into()));
    assert_eq!(listed.removed_key(0), None);
    assert_eq!(listed.ordinal("c"), Some(2));
    assert_eq!(
        store
            .add_dynamic_keys("files", &partition_keys(&["d"]))
            .await?,
        [3]
    );
    // The last ordinal is not reused either.
    store
        .remove_dynamic_keys("files", &partition_keys(&["d"]))
        .await?;
    assert_eq!(
        store
            .add_dynamic_keys("files", &partition_keys(&["e"]))
            .await?,
        [4]
    );
    Ok(())
}

/// A key that is added again gets its old ordinal, and with it its records.
pub async fn a_key_that_comes_back_has_its_old_ordinal(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .add_dynamic_keys("files", &partition_keys(&["a", "b", "c"]))
        .await?;
    store
        .remove_dynamic_keys("files", &partition_keys(&["a"]))
        .await?;
    assert_eq!(
        store
            .add_dynamic_keys("files", &partition_keys(&["d", "a"]))
            .await?,
        [3, 0]
    );
    let listed = store.dynamic_keys("files").await?;
    assert_eq!(listed.ordinal("a"), Some(0));
    assert_eq!(listed.removed_key(0), None);
    Ok(())
}

/// Concurrent additions of overlapping keys never share an ordinal.
pub async fn racing_additions_never_share_an_ordinal(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.open_peer().await];
    let mut additions = Vec::new();
    for n in 0..20_usize {
        let store = peers[n % 2].clone();
        // Neighbouring additions share two of their three keys.
        let wanted: Vec<_> = (n..n + 3)
            .map(|key| PartitionKey::from(format!("file-{key}")))
            .collect();
        additions.push(async move {
            let ordinals = store.add_dynamic_keys("files", &wanted).await?;
            StateResult::Ok(wanted.into_iter().zip(ordinals).collect::<Vec<_>>())
        });
    }
    let mut given = BTreeSet::new();
    for addition in run_at_once(additions).await {
        given.extend(addition?);
    }
    let listed = peers[0].dynamic_keys("files").await?;
    let listed: BTreeSet<_> = listed.iter().map(|(n, key)| (key.clone(), n)).collect();
    assert_eq!(given, listed);
    // Twenty additions of three overlapping keys make 22 keys, numbered without gaps.
    let ordinals: BTreeSet<_> = given.into_iter().map(|(_, ordinal)| ordinal).collect();
    assert_eq!(ordinals, (0..22).collect());
    Ok(())
}

/// Each set numbers its own keys.
pub async fn sets_do_not_share_keys(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .add_dynamic_keys("files", &partition_keys(&["a"]))
        .await?;
    assert_eq!(
        store
            .add_dynamic_keys("tables", &partition_keys(&["b", "a"]))
            .await?,
        [0, 1]
    );
    store
        .remove_dynamic_keys("tables", &partition_keys(&["a"]))
        .await?;
    assert_eq!(store.dynamic_keys("files").await?.ordinal("a"), Some(0));
    Ok(())
}

/// An empty key is an error, and nothing is added.
pub async fn empty_keys_are_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let error = store
        .add_dynamic_keys("files", &partition_keys(&["a", ""]))
        .await
        .expect_err("an empty key names nothing");
    assert_eq!(error.kind(), StateErrorKind::Conflict);
    assert!(error.to_string().contains("`files`"), "{error}");
    assert_eq!(store.dynamic_keys("files").await?.iter().count(), 0);
    Ok(())
}

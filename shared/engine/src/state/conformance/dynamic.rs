//! Rules of [`DynamicPartitionStore`](crate::state::DynamicPartitionStore).

use std::collections::BTreeSet;

use precip_core::partitions::PartitionKey;

use super::Harness;
use crate::state::{StateErrorKind, StateResult};

fn keys(keys: &[&str]) -> Vec<PartitionKey> {
    keys.iter().map(|key| PartitionKey::from(*key)).collect()
}

/// In the order of being added, whatever the order of asking.
pub async fn adding_again_answers_the_same_ordinals(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    assert_eq!(
        store.add_partitions("files", &keys(&["b", "a"])).await?,
        [0, 1]
    );
    assert_eq!(
        store
            .add_partitions("files", &keys(&["a", "c", "b", "c"]))
            .await?,
        [1, 2, 0, 2]
    );
    let listed = store.partitions("files").await?;
    let listed: Vec<_> = listed.iter().map(|(n, key)| (n, key.as_str())).collect();
    assert_eq!(listed, [(0, "b"), (1, "a"), (2, "c")]);
    assert_eq!(store.partitions("none").await?.iter().count(), 0);
    Ok(())
}

/// A removed key leaves a hole.
pub async fn ordinals_stay_when_keys_are_removed(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .add_partitions("files", &keys(&["a", "b", "c"]))
        .await?;
    assert_eq!(
        store.remove_partitions("files", &keys(&["b", "x"])).await?,
        1
    );
    assert_eq!(store.remove_partitions("files", &keys(&["b"])).await?, 0);
    let listed = store.partitions("files").await?;
    assert_eq!(listed.ordinal("a"), Some(0));
    assert_eq!(listed.ordinal("b"), None);
    assert_eq!(listed.key(1), None);
    assert_eq!(listed.ordinal("c"), Some(2));
    assert_eq!(store.add_partitions("files", &keys(&["d"])).await?, [3]);
    // The last key too: its ordinal is not given to another key.
    store.remove_partitions("files", &keys(&["d"])).await?;
    assert_eq!(store.add_partitions("files", &keys(&["e"])).await?, [4]);
    Ok(())
}

/// So what is recorded of it is found again.
pub async fn a_key_that_comes_back_has_its_old_ordinal(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .add_partitions("files", &keys(&["a", "b", "c"]))
        .await?;
    store.remove_partitions("files", &keys(&["a"])).await?;
    assert_eq!(
        store.add_partitions("files", &keys(&["d", "a"])).await?,
        [3, 0]
    );
    assert_eq!(store.partitions("files").await?.ordinal("a"), Some(0));
    Ok(())
}

/// Two processes add many keys, some of them the same.
pub async fn racing_additions_never_share_an_ordinal(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.peer().await];
    let mut additions = Vec::new();
    for n in 0..20_usize {
        let store = peers[n % 2].clone();
        let wanted: Vec<_> = (n..n + 3)
            .map(|key| PartitionKey::from(format!("file-{key}")))
            .collect();
        additions.push(tokio::spawn(async move {
            let ordinals = store.add_partitions("files", &wanted).await?;
            StateResult::Ok(wanted.into_iter().zip(ordinals).collect::<Vec<_>>())
        }));
    }
    let mut given = BTreeSet::new();
    for addition in additions {
        given.extend(addition.await.expect("the addition does not panic")?);
    }
    let listed = peers[0].partitions("files").await?;
    let listed: BTreeSet<_> = listed.iter().map(|(n, key)| (key.clone(), n)).collect();
    assert_eq!(given, listed);
    let ordinals: BTreeSet<_> = given.into_iter().map(|(_, ordinal)| ordinal).collect();
    assert_eq!(ordinals, (0..22).collect());
    Ok(())
}

/// Each set numbers its own keys.
pub async fn sets_do_not_share_keys(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.add_partitions("files", &keys(&["a"])).await?;
    assert_eq!(
        store.add_partitions("tables", &keys(&["b", "a"])).await?,
        [0, 1]
    );
    store.remove_partitions("tables", &keys(&["a"])).await?;
    assert_eq!(store.partitions("files").await?.ordinal("a"), Some(0));
    Ok(())
}

/// With a message, and without adding the others.
pub async fn empty_keys_are_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let error = store.add_partitions("files", &keys(&["a", ""])).await;
    let error = error.expect_err("an empty key names nothing");
    assert_eq!(error.kind(), StateErrorKind::Conflict);
    assert!(error.to_string().contains("`files`"), "{error}");
    assert_eq!(store.partitions("files").await?.iter().count(), 0);
    Ok(())
}

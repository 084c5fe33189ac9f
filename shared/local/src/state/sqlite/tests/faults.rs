//! Errors of a full disk, a damaged file, a missing folder and the like.

use std::{fs, path::Path, time::Duration};

use precip_engine::state::{
    MaterializationStore, ReadConsistency, RunStore, StateError, StateErrorKind,
    conformance::fixtures::{day_partition, materialization_of, new_run, run_id},
};
use rusqlite::Connection;

use crate::state::{SqliteOptions, SqliteStore};

fn assert_says(error: &StateError, kind: StateErrorKind, path: &Path, advice: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains(advice), "{message}");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_says_to_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let small = SqliteOptions {
        max_bytes: Some(400 * 1024),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open_with(&path, small).unwrap();
    let mut kept = 0;
    let error = loop {
        let batch = (kept..kept + 50)
            .map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
        match store.commit_materializations(batch.collect()).await {
            Ok(_) => kept += 50,
            Err(error) => break error,
        }
        assert!(kept < 100_000, "the limit on the size does not hold");
    };
    assert_says(&error, StateErrorKind::Full, &path, "make room on its disk");
    // A batch is stored as a whole or not at all, and reading still works.
    assert!(kept > 0);
    let asset = day_partition("flights", 0).asset;
    assert_eq!(
        store
            .partition_statuses(&asset)
            .await
            .unwrap()
            .materialized
            .len(),
        kept
    );
    drop(store);
    let roomy = SqliteStore::open(&path).unwrap();
    let next = materialization_of(&day_partition("flights", kept), run_id(1), 1);
    roomy.commit_materializations(vec![next]).await.unwrap();
    assert_eq!(
        roomy
            .partition_statuses(&asset)
            .await
            .unwrap()
            .materialized
            .len(),
        kept + 1
    );
}

#[tokio::test]
async fn a_locked_database_says_that_another_process_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    // Other writers are not waited for.
    let hasty = SqliteOptions {
        busy_timeout: Duration::from_millis(50),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open_with(&path, hasty).unwrap();
    store.create_run(new_run(1, None)).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.create_run(new_run(2, None)).await.unwrap_err();
    assert_says(
        &error,
        StateErrorKind::Locked,
        &path,
        "another process holds",
    );
    assert!(error.kind().is_retryable());
    // Readers do not wait for the writer.
    assert!(store.find_run(run_id(1)).await.unwrap().is_some());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.create_run(new_run(2, None)).await.unwrap().is_new());
}

#[test]
fn a_new_file_that_another_process_writes_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    // As another process that is about to switch the new file to a write-ahead log.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let hasty = SqliteOptions {
        busy_timeout: Duration::from_millis(50),
        ..SqliteOptions::default()
    };
    let error = SqliteStore::open_with(&path, hasty).unwrap_err();
    assert_says(
        &error,
        StateErrorKind::Locked,
        &path,
        "another process holds",
    );
    // With the default timeout, opening waits until the other process is done.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| {
            sender.send(()).unwrap();
            SqliteStore::open(&path)
        });
        receiver.recv().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("ROLLBACK").unwrap();
        opened.join().unwrap().unwrap();
    });
}

#[tokio::test]
async fn writes_of_two_stores_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let stores = [
        SqliteStore::open(&path).unwrap(),
        SqliteStore::open(&path).unwrap(),
    ];
    let writes: Vec<_> = (0..200_u64)
        .map(|n| {
            let store = stores[n as usize % 2].clone();
            tokio::spawn(async move {
                store
                    .commit_materializations(vec![materialization_of(
                        &day_partition("a", n),
                        run_id(1),
                        1,
                    )])
                    .await
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    let asset = day_partition("a", 0).asset;
    assert_eq!(
        stores[0]
            .partition_statuses(&asset)
            .await
            .unwrap()
            .materialized
            .len(),
        200
    );
}

#[test]
fn a_file_that_is_not_a_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let text = "these are somebody's notes, and not a database\n".repeat(200);
    fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_says(&error, StateErrorKind::Corrupt, &path, "move it away");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_database_says_to_restore_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).unwrap();
    store
        .commit_materializations(
            (0..500)
                .map(|n| materialization_of(&day_partition("a", n), run_id(1), 1))
                .collect(),
        )
        .await
        .unwrap();
    drop(store);
    // The last connection moves the log into the file when it closes, but the writing thread ends a
    // moment after the store: the checkpoint does it for certain.
    let checkpoint = Connection::open(&path).unwrap();
    checkpoint
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(checkpoint);
    let mut bytes = fs::read(&path).unwrap();
    // The first page, with the header, stays intact.
    bytes[4096..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let error = match SqliteStore::open(&path) {
        Err(error) => error,
        Ok(store) => store
            .latest_materialization(&day_partition("a", 3), ReadConsistency::Strong)
            .await
            .unwrap_err(),
    };
    assert_says(
        &error,
        StateErrorKind::Corrupt,
        &path,
        "restore it from a backup",
    );
}

#[tokio::test]
async fn an_undecodable_record_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).unwrap();
    store.create_run(new_run(1, None)).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute("UPDATE runs SET record = '{\"id\": 7}'", [])
        .unwrap();
    let error = store.find_run(run_id(1)).await.unwrap_err();
    assert_says(
        &error,
        StateErrorKind::Corrupt,
        &path,
        &format!("run {}", run_id(1)),
    );
}

#[test]
fn a_newer_schema_says_to_use_the_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(SqliteStore::open(&path).unwrap());
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    // The file claims a version that this program does not know.
    let error = SqliteStore::open(&path).unwrap_err();
    assert_says(
        &error,
        StateErrorKind::NewerSchema,
        &path,
        "schema 99, this one knows up to 3",
    );
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE songs (title TEXT)")
        .unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_says(
        &error,
        StateErrorKind::Unavailable,
        &path,
        "another program",
    );
    let tables: u32 = other
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/state.db");
    let error = SqliteStore::open(&path).unwrap_err();
    assert_says(
        &error,
        StateErrorKind::Unavailable,
        path.parent().unwrap(),
        "create it, or choose",
    );
}

/// Root may write everywhere, so the test opens the folder as an unprivileged user.
#[cfg(unix)]
#[test]
fn a_read_only_folder_is_named() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};

    if let Some(path) = std::env::var_os("PRECIP_TEST_CHILD_READ_ONLY") {
        let path = std::path::PathBuf::from(path);
        let error = SqliteStore::open(&path).unwrap_err();
        assert_says(
            &error,
            StateErrorKind::ReadOnly,
            &path,
            "the right to write in",
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The other user may lack access to the folder that the tests are built in.
    let program = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for name in ["empty", "used"] {
        // A folder without a database, and one with a database that was written before.
        let path = folder.path().join(name).join("state.db");
        fs::create_dir(path.parent().unwrap()).unwrap();
        if name == "used" {
            drop(SqliteStore::open(&path).unwrap());
        }
        let open = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        open(folder.path(), 0o755);
        open(path.parent().unwrap(), 0o555);
        let mut child = std::process::Command::new(&program);
        child
            .args([
                "--exact",
                "state::sqlite::tests::faults::a_read_only_folder_is_named",
            ])
            .env("PRECIP_TEST_CHILD_READ_ONLY", &path);
        // Only root can change to another user, and any other user may not write there anyway.
        let root = fs::metadata("/proc/self")
            .is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
        if root {
            child.uid(65534).gid(65534);
        }
        let output = child.output().unwrap();
        open(path.parent().unwrap(), 0o755);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

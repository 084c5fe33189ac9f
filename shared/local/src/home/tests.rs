use std::process::Command;

use chrono::{DateTime, Utc};
use precip_engine::{
    run_id::RunId,
    state::{
        OwnerId, RunChange, RunStatus, RunStore,
        conformance::fixtures::{at_second, new_run, run_id},
    },
};

use super::{Home, HomeError, Takeover, take_over};

fn temporary_home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::of_project(folder.path(), None);
    (folder, home)
}

fn owner_named(name: &str) -> OwnerId {
    OwnerId(name.to_owned())
}

#[test]
fn opening_the_state_creates_a_complete_home() {
    let (folder, home) = temporary_home();
    home.open_state().unwrap();
    let root = folder.path().join(".precip");
    assert_eq!(home.root(), root);
    for path in [
        home.state_db(),
        home.data_folder(),
        home.runs_folder(),
        home.locks_folder(),
    ] {
        assert!(
            path.starts_with(&root) && path.exists(),
            "{}",
            path.display()
        );
    }
    assert_eq!(
        std::fs::read_to_string(root.join(".gitignore")).unwrap(),
        "*\n"
    );
    let chosen = Home::of_project(folder.path(), Some("state/here".as_ref()));
    assert_eq!(chosen.root(), folder.path().join("state/here"));
}

#[test]
fn a_file_in_place_of_the_home_is_named() {
    let (folder, home) = temporary_home();
    std::fs::write(folder.path().join(".precip"), "").unwrap();
    let error = home.open_state().unwrap_err();
    assert!(matches!(error, HomeError::NotAFolder { .. }));
    assert!(
        error
            .to_string()
            .contains("is a file, and the home has to be a folder"),
        "{error}"
    );
}

#[test]
fn a_process_is_alive_as_long_as_it_holds_its_lock() {
    let (_folder, home) = temporary_home();
    assert!(!home.is_alive(&owner_named("a")).unwrap());
    let lock = home.lock_process(owner_named("a")).unwrap();
    assert!(home.is_alive(&owner_named("a")).unwrap());
    assert!(home.lock_process(owner_named("a")).is_err());
    // A process that ends drops its lock.
    drop(lock);
    assert!(!home.is_alive(&owner_named("a")).unwrap());
    assert!(!home.is_alive(&owner_named("../../../etc/passwd")).unwrap());
}

#[test]
fn the_lock_files_of_dead_processes_are_removed_by_the_next_start() {
    let (_folder, home) = temporary_home();
    let alive = home.lock_process(owner_named("alive")).unwrap();
    let file = |name: &str| home.locks_folder().join(name);
    std::fs::write(file("dead.lock"), "").unwrap();
    std::fs::write(file("starting.new"), "").unwrap();
    let old = std::fs::File::create(file("old.new")).unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7_200);
    old.set_modified(long_ago).unwrap();
    let next = home.lock_process(owner_named("next")).unwrap();
    let names = || {
        let entries = std::fs::read_dir(home.locks_folder()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["alive.lock", "next.lock", "starting.new"]);
    assert!(home.is_alive(&owner_named("alive")).unwrap());
    assert!(home.is_alive(&owner_named("next")).unwrap());
    drop((alive, next));
    assert_eq!(names(), ["starting.new"]);
}

#[cfg(unix)]
#[test]
fn too_many_open_files_are_named_in_errors_of_the_home() {
    let path = std::path::PathBuf::from("home/locks/a.lock");
    let source = || std::io::Error::from_raw_os_error(24);
    let advice = "too many files are open; raise the limit (`ulimit -n 4096`) or use a smaller `--concurrency`";
    let lock = HomeError::Lock {
        path: path.clone(),
        source: source(),
    };
    assert_eq!(
        lock.to_string(),
        format!("failed to lock `home/locks/a.lock`: {advice}")
    );
    let create = HomeError::Create {
        path,
        source: source(),
    };
    assert_eq!(
        create.to_string(),
        format!("failed to create `home/locks/a.lock`: {advice}")
    );
}

async fn run_owned_by(home: &Home, name: &str, at: DateTime<Utc>) -> RunId {
    let store = home.open_state().unwrap();
    store.create_run(new_run(1, None)).await.unwrap();
    let start = RunChange::new([RunStatus::Queued], RunStatus::Running, at);
    store.change_run(run_id(1), start).await.unwrap();
    store
        .claim_run(run_id(1), owner_named(name), at, at)
        .await
        .unwrap();
    run_id(1)
}

#[tokio::test]
async fn the_run_of_a_killed_process_is_taken_over_by_one() {
    // The test runs itself as the child process that is killed.
    if let Some(root) = std::env::var_os("PRECIP_TEST_CHILD_HOME") {
        let home = Home::of_project(root.as_ref(), None);
        let _lock = home.lock_process(owner_named("child")).unwrap();
        std::fs::write(home.root().join("ready"), "").unwrap();
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let (folder, home) = temporary_home();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "home::tests::the_run_of_a_killed_process_is_taken_over_by_one",
            "--nocapture",
        ])
        .env("PRECIP_TEST_CHILD_HOME", folder.path())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        // The child writes this file when it holds its lock.
        if home.root().join("ready").exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let id = run_owned_by(&home, "child", at_second(5)).await;
    let store = home.open_state().unwrap();
    let run = store.find_run(id).await.unwrap().unwrap();
    let (a, b) = (
        home.lock_process(owner_named("a")).unwrap(),
        home.lock_process(owner_named("b")).unwrap(),
    );
    let early = take_over(&home, &store, &run, &a, at_second(9))
        .await
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(early, Takeover::Alive(owner_named("child")));

    // Both callers read the dead owner; the second claim finds the first one's.
    let taken = take_over(&home, &store, &run, &a, at_second(9))
        .await
        .unwrap();
    assert!(
        matches!(&taken, Takeover::Taken(run) if run.owner.as_ref().unwrap().id == owner_named("a"))
    );
    let late = take_over(&home, &store, &run, &b, at_second(9))
        .await
        .unwrap();
    assert_eq!(late, Takeover::Alive(owner_named("a")));
}

#[tokio::test]
async fn a_finished_run_is_not_taken_over() {
    let (_folder, home) = temporary_home();
    let id = run_owned_by(&home, "gone", at_second(5)).await;
    let store = home.open_state().unwrap();
    let end = RunChange::new([RunStatus::Running], RunStatus::Succeeded, at_second(6));
    let run = store.change_run(id, end).await.unwrap();
    let me = home.lock_process(owner_named("me")).unwrap();
    let answer = take_over(&home, &store, run.run(), &me, at_second(9))
        .await
        .unwrap();
    assert_eq!(answer, Takeover::NotInterrupted(RunStatus::Succeeded));
}

#[test]
fn an_environment_has_a_record_of_its_own() {
    let (folder, home) = temporary_home();
    let other = home.of_environment("duckdb");
    home.open_state().unwrap();
    assert!(!other.state_db().exists());
    other.open_state().unwrap();
    let record = folder.path().join(".precip/environments/duckdb/state.db");
    assert_eq!(other.state_db(), record);
    assert!(record.exists());
}

#[cfg(unix)]
mod private {
    use std::{
        fs,
        os::unix::fs::PermissionsExt,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::home::create_private_file;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn entries_below(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(entries_below(&path));
            }
            found.push(path);
        }
        found
    }

    fn assert_private(home: &Home) {
        assert_eq!(mode_of(home.root()), 0o700);
        for path in entries_below(home.root()) {
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode_of(&path), expected, "{}", path.display());
        }
    }

    #[tokio::test]
    async fn only_the_owner_can_read_a_new_home() {
        let (folder, home) = temporary_home();
        let environment = home.of_environment("prod");
        // Open databases have their log and shared memory.
        let store = environment.open_state().unwrap();
        store.create_run(new_run(1, None)).await.unwrap();
        let _state = home.open_state().unwrap();
        let _lock = home.lock_process(owner_named("a")).unwrap();
        assert!(environment.root().join("state.db-wal").exists());
        assert_private(&home);
        assert_ne!(mode_of(folder.path().parent().unwrap()), 0o700);
    }

    #[tokio::test]
    async fn an_existing_home_is_closed_to_others_when_it_is_opened() {
        let (_folder, home) = temporary_home();
        let first = home.open_state().unwrap();
        first.create_run(new_run(1, None)).await.unwrap();
        let partition = home.data_folder().join("flights/2013-01-01");
        fs::create_dir_all(&partition).unwrap();
        fs::write(partition.join("1.csv"), "a").unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        set_mode(outside.path(), 0o644);
        std::os::unix::fs::symlink(outside.path(), partition.join("link")).unwrap();
        let _other = home.of_environment("prod").open_state().unwrap();
        for path in entries_below(home.root()) {
            if path.file_name().unwrap() != "link" {
                set_mode(&path, if path.is_dir() { 0o755 } else { 0o644 });
            }
        }
        set_mode(home.root(), 0o755);
        let _opened = home.open_existing_state().unwrap().unwrap();
        // The target of a link keeps its rights.
        assert_eq!(mode_of(outside.path()), 0o644);
        fs::remove_file(partition.join("link")).unwrap();
        assert_private(&home);
        // Of a closed home, the database alone is looked at.
        set_mode(&home.root().join("state.db-wal"), 0o666);
        let _again = home.open_state().unwrap();
        assert_private(&home);
    }

    #[test]
    fn a_folder_that_is_more_than_a_home_keeps_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        fs::create_dir(&source).unwrap();
        fs::write(folder.path().join(".gitignore"), "/target\n").unwrap();
        for path in [folder.path(), &source] {
            set_mode(path, 0o755);
        }
        let home = Home::of_project(folder.path(), Some("".as_ref()));
        let _state = home.open_state().unwrap();
        assert_eq!((mode_of(folder.path()), mode_of(&source)), (0o755, 0o755));
        assert_eq!(mode_of(&home.state_db()), 0o600);
        set_mode(&home.data_folder(), 0o755);
        let _again = home.open_state().unwrap();
        assert_eq!(mode_of(&home.data_folder()), 0o700);
    }

    #[test]
    fn an_existing_private_file_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        fs::write(&path, "old").unwrap();
        drop(create_private_file(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}

#[tokio::test]
async fn a_copy_of_a_state_holds_what_its_log_holds() {
    let (_folder, home) = temporary_home();
    let store = home.open_state().unwrap();
    store.create_run(new_run(1, None)).await.unwrap();
    // Copied while the database is in use, and from its files alone.
    let copied = crate::state::SqliteStore::open_copy(home.state_db()).unwrap();
    assert!(copied.is_copy());
    assert!(copied.find_run(run_id(1)).await.unwrap().is_some());
    let elsewhere = tempfile::tempdir().unwrap();
    for file in ["state.db", "state.db-wal"] {
        std::fs::copy(home.root().join(file), elsewhere.path().join(file)).unwrap();
    }
    let copied = crate::state::SqliteStore::open_copy(elsewhere.path().join("state.db")).unwrap();
    assert!(copied.find_run(run_id(1)).await.unwrap().is_some());
    // A copy can be written, and the original does not change.
    copied.create_run(new_run(2, None)).await.unwrap();
    assert!(store.find_run(run_id(2)).await.unwrap().is_none());
}

#[test]
fn a_damaged_state_that_cannot_be_written_is_named() {
    let (_folder, home) = temporary_home();
    home.create_folders().unwrap();
    std::fs::write(home.state_db(), "this was a database once".repeat(1_000)).unwrap();
    let error = crate::state::SqliteStore::open_copy(home.state_db()).unwrap_err();
    let path = format!("`{}` is damaged", home.state_db().display());
    assert!(error.to_string().starts_with(&path), "{error}");
}

#[test]
fn a_folder_without_a_state_has_nothing_to_read() {
    let (folder, home) = temporary_home();
    assert!(!home.find_root().unwrap());
    assert!(home.open_existing_state().unwrap().is_none());
    std::fs::create_dir(folder.path().join(".precip")).unwrap();
    assert!(home.open_existing_state().unwrap().is_none());
    assert!(!home.state_db().exists());
}

#[test]
fn a_home_that_cannot_be_looked_up_is_an_error() {
    let (folder, _) = temporary_home();
    // A file above the home: the system refuses to search it, as it refuses a folder of another user.
    std::fs::write(folder.path().join("file"), "").unwrap();
    let home = Home::of_project(folder.path(), Some("file/home".as_ref()));
    let error = home.open_existing_state().unwrap_err();
    assert!(matches!(error, HomeError::Unreadable { .. }));
    assert!(error.to_string().starts_with("failed to read `"), "{error}");
}

#[tokio::test]
async fn files_of_runs_that_ended_long_ago_are_found() {
    let (_folder, home) = temporary_home();
    let store = home.open_state().unwrap();
    for n in 1..=3 {
        store.create_run(new_run(n, None)).await.unwrap();
    }
    for (n, ended) in [(1, at_second(10)), (2, at_second(20))] {
        let end = RunChange::new([RunStatus::Queued], RunStatus::Canceled, ended);
        store.change_run(run_id(n), end).await.unwrap();
    }
    // Run 3 has not ended, and run 4 is not on record.
    for n in 1..=4 {
        let folder = home.runs_folder().join(run_id(n).to_string());
        crate::home::create_private_folder(&folder).unwrap();
        std::fs::write(folder.join("plan.json"), "{}").unwrap();
    }
    std::fs::create_dir(home.runs_folder().join("notes")).unwrap();
    let found = async |before| {
        let old = home.find_old_runs(&store, before).await.unwrap();
        old.into_iter().map(|old| old.id).collect::<Vec<_>>()
    };
    let of_run_4 = DateTime::<Utc>::from(run_id(4).as_ulid().datetime());
    let at_once = found(of_run_4.min(at_second(10))).await;
    assert!(!at_once.contains(&run_id(1)), "{at_once:?}");
    assert!(found(at_second(20)).await.contains(&run_id(1)));
    assert!(!found(at_second(20)).await.contains(&run_id(2)));
    let late = at_second(0) + chrono::TimeDelta::days(100_000);
    assert_eq!(found(late).await, [run_id(1), run_id(2), run_id(4)]);
    for old in home.find_old_runs(&store, late).await.unwrap() {
        assert_eq!(old.bytes, 2);
        home.remove_old_run(&old).unwrap();
        home.remove_old_run(&old).unwrap();
    }
    assert!(found(late).await.is_empty());
    assert!(home.runs_folder().join(run_id(3).to_string()).exists());
    assert!(home.runs_folder().join("notes").exists());
}

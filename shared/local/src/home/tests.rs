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

use std::sync::mpsc;

use futures::future::{join, join_all};
use tempfile::TempDir;

use super::*;

/// The synced paths. They are sorted by name, since threads share the work.
#[derive(Clone, Default)]
struct Synced(Arc<Mutex<Vec<PathBuf>>>);

impl Synced {
    fn new_durable(&self) -> Durable {
        let synced = self.clone();
        let sync = move |path: &Path| {
            synced.0.lock().unwrap().push(path.to_owned());
            Ok(())
        };
        Durable::with_sync("/home/data".into(), Arc::new(sync))
    }

    fn take_sorted(&self) -> Vec<PathBuf> {
        let mut synced = std::mem::take(&mut *self.0.lock().unwrap());
        synced.sort();
        synced
    }
}

fn data_file(path: &str) -> Vec<PathBuf> {
    vec![Path::new("/home/data").join(path)]
}

fn to_paths(expected: &[&str]) -> Vec<PathBuf> {
    expected.iter().map(PathBuf::from).collect()
}

#[tokio::test]
async fn a_file_is_synced_with_every_folder_that_leads_to_it() {
    let synced = Synced::default();
    let durable = synced.new_durable();
    durable
        .make_durable(data_file("raw/flights/2013-01-01/a.csv"))
        .await
        .unwrap();
    let expected = [
        "/home",
        "/home/data",
        "/home/data/raw",
        "/home/data/raw/flights",
        "/home/data/raw/flights/2013-01-01",
        "/home/data/raw/flights/2013-01-01/a.csv",
    ];
    assert_eq!(synced.take_sorted(), to_paths(&expected));
}

#[tokio::test]
async fn folders_that_are_on_the_disk_are_not_synced_again_unless_something_in_them_is_new() {
    let synced = Synced::default();
    let durable = synced.new_durable();
    durable
        .make_durable(data_file("raw/flights/2013-01-01/a.csv"))
        .await
        .unwrap();
    synced.take_sorted();
    durable
        .make_durable(data_file("raw/flights/2013-01-02/b.csv"))
        .await
        .unwrap();
    let expected = [
        "/home/data/raw/flights",
        "/home/data/raw/flights/2013-01-02",
        "/home/data/raw/flights/2013-01-02/b.csv",
    ];
    assert_eq!(synced.take_sorted(), to_paths(&expected));
    // A new asset is a new entry of `raw`.
    durable
        .make_durable(data_file("raw/weather/all-c.csv"))
        .await
        .unwrap();
    let expected = [
        "/home/data/raw",
        "/home/data/raw/weather",
        "/home/data/raw/weather/all-c.csv",
    ];
    assert_eq!(synced.take_sorted(), to_paths(&expected));
}

/// A disk that blocks at `first.csv` until it may proceed.
struct BusyDisk {
    begun: mpsc::Receiver<()>,
    proceed: mpsc::Sender<()>,
    synced: Synced,
    durable: Durable,
}

fn busy_disk() -> BusyDisk {
    let (begin, begun) = mpsc::channel();
    let (proceed, may_proceed) = mpsc::channel::<()>();
    // The sync of `first.csv` reports that it has begun, and waits.
    let gate = Mutex::new((begin, may_proceed));
    let synced = Synced::default();
    let inner = synced.clone();
    let sync = move |path: &Path| {
        if path.ends_with("first.csv") {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
        }
        inner.0.lock().unwrap().push(path.to_owned());
        Ok(())
    };
    BusyDisk {
        begun,
        proceed,
        synced,
        durable: Durable::with_sync("/home/data".into(), Arc::new(sync)),
    }
}

#[tokio::test]
async fn requests_during_a_sync_are_served_together() {
    let busy = busy_disk();
    let first = busy.durable.make_durable(data_file("a/0/first.csv"));
    let others = async {
        busy.begun.recv().unwrap();
        let names = ["a/1/second.csv", "a/2/third.csv", "a/2/fourth.csv"];
        let mut others = Box::pin(join_all(
            names.map(|name| busy.durable.make_durable(data_file(name))),
        ));
        // Polled once, all three have queued their files.
        assert!(futures::poll!(&mut others).is_pending());
        busy.proceed.send(()).unwrap();
        others.await
    };
    // `first` gets the disk and blocks; the others arrive meanwhile.
    let (first, others) = join(first, others).await;
    first.unwrap();
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    let all = busy.synced.take_sorted();
    let times = |path: &str| {
        all.iter()
            .filter(|synced| **synced == Path::new(path))
            .count()
    };
    assert_eq!(
        times("/home/data/a"),
        2,
        "once for the first, once for all others"
    );
    assert_eq!(times("/home/data/a/2"), 1);
    assert_eq!(times("/home/data/a/2/third.csv"), 1);
}

#[tokio::test]
async fn a_waiting_caller_is_served_after_the_active_one_is_canceled() {
    let busy = busy_disk();
    let mut first = Box::pin(busy.durable.make_durable(data_file("a/0/first.csv")));
    let mut second = Box::pin(busy.durable.make_durable(data_file("a/1/second.csv")));
    assert!(futures::poll!(&mut first).is_pending());
    busy.begun.recv().unwrap();
    assert!(futures::poll!(&mut second).is_pending());
    // The canceled caller never answers the jobs it took.
    drop(first);
    busy.proceed.send(()).unwrap();
    second.await.unwrap();
    let second = PathBuf::from("/home/data/a/1/second.csv");
    assert!(busy.synced.take_sorted().contains(&second));
}

#[tokio::test]
async fn only_the_caller_of_a_failed_file_gets_an_error() {
    let sync = |path: &Path| {
        if path.ends_with("bad.csv") {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        } else {
            Ok(())
        }
    };
    let durable = Durable::with_sync("/home/data".into(), Arc::new(sync));
    let (good, bad) = join(
        durable.make_durable(data_file("a/1/good.csv")),
        durable.make_durable(data_file("a/2/bad.csv")),
    )
    .await;
    good.unwrap();
    let error = bad.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(
        error.to_string(),
        "`/home/data/a/2/bad.csv` is not safe: no storage space"
    );
}

#[tokio::test]
async fn after_a_failure_every_folder_is_synced_again() {
    let synced = Synced::default();
    let inner = synced.clone();
    let sync = move |path: &Path| {
        inner.0.lock().unwrap().push(path.to_owned());
        if path.ends_with("bad.csv") {
            Err(io::Error::from(io::ErrorKind::NotFound))
        } else {
            Ok(())
        }
    };
    let durable = Durable::with_sync("/home/data".into(), Arc::new(sync));
    durable
        .make_durable(data_file("a/1/good.csv"))
        .await
        .unwrap();
    durable
        .make_durable(data_file("a/2/bad.csv"))
        .await
        .unwrap_err();
    synced.take_sorted();
    durable
        .make_durable(data_file("a/3/good.csv"))
        .await
        .unwrap();
    let above = PathBuf::from("/home");
    assert!(synced.take_sorted().contains(&above), "from the top again");
}

#[tokio::test]
async fn files_of_this_machine_are_synced() {
    let folder = TempDir::new().unwrap();
    let durable = Durable::for_root(folder.path().to_owned());
    let kept = folder.path().join("a/1/kept.csv");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(&kept, "kept").unwrap();
    durable.make_durable(vec![kept]).await.unwrap();
    let gone = folder.path().join("a/1/gone.csv");
    let error = durable.make_durable(vec![gone.clone()]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("gone.csv"), "{error}");
}

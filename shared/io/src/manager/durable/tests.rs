use std::sync::mpsc;

use futures::future::{join, join_all};
use tempfile::TempDir;

use super::*;

/// What was synced, in the order of their names: threads share the work.
#[derive(Clone, Default)]
struct Synced(Arc<Mutex<Vec<PathBuf>>>);

impl Synced {
    fn durable(&self) -> Durable {
        let synced = self.clone();
        let sync = move |path: &Path| {
            synced.0.lock().unwrap().push(path.to_owned());
            Ok(())
        };
        Durable::with("/home/data".into(), Arc::new(sync))
    }

    fn take(&self) -> Vec<PathBuf> {
        let mut synced = std::mem::take(&mut *self.0.lock().unwrap());
        synced.sort();
        synced
    }
}

fn file(path: &str) -> Vec<PathBuf> {
    vec![Path::new("/home/data").join(path)]
}

fn paths(expected: &[&str]) -> Vec<PathBuf> {
    expected.iter().map(PathBuf::from).collect()
}

#[tokio::test]
async fn a_file_is_synced_with_every_folder_that_leads_to_it() {
    let synced = Synced::default();
    let durable = synced.durable();
    durable
        .keep(file("raw/flights/2013-01-01/a.csv"))
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
    assert_eq!(synced.take(), paths(&expected));
}

#[tokio::test]
async fn folders_that_are_on_the_disk_are_not_synced_again_unless_something_in_them_is_new() {
    let synced = Synced::default();
    let durable = synced.durable();
    durable
        .keep(file("raw/flights/2013-01-01/a.csv"))
        .await
        .unwrap();
    synced.take();
    durable
        .keep(file("raw/flights/2013-01-02/b.csv"))
        .await
        .unwrap();
    let expected = [
        "/home/data/raw/flights",
        "/home/data/raw/flights/2013-01-02",
        "/home/data/raw/flights/2013-01-02/b.csv",
    ];
    assert_eq!(synced.take(), paths(&expected));
    durable.keep(file("raw/weather/all-c.csv")).await.unwrap();
    let expected = [
        "/home/data/raw",
        "/home/data/raw/weather",
        "/home/data/raw/weather/all-c.csv",
    ];
    assert_eq!(synced.take(), paths(&expected));
}

/// A disk that stops at `first.csv` until it is told to go on.
struct Busy {
    begun: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
    synced: Synced,
    durable: Durable,
}

fn busy() -> Busy {
    let (begin, begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let gate = Mutex::new((begin, may_go_on));
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
    Busy {
        begun,
        go_on,
        synced,
        durable: Durable::with("/home/data".into(), Arc::new(sync)),
    }
}

#[tokio::test]
async fn what_is_asked_for_while_the_disk_is_busy_is_done_together() {
    let busy = busy();
    let first = busy.durable.keep(file("a/0/first.csv"));
    let others = async {
        busy.begun.recv().unwrap();
        let names = ["a/1/second.csv", "a/2/third.csv", "a/2/fourth.csv"];
        let mut others = Box::pin(join_all(names.map(|name| busy.durable.keep(file(name)))));
        // Polled once, all three are on their way.
        assert!(futures::poll!(&mut others).is_pending());
        busy.go_on.send(()).unwrap();
        others.await
    };
    let (first, others) = join(first, others).await;
    first.unwrap();
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    let all = busy.synced.take();
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
async fn who_waits_for_somebody_who_is_canceled_is_served_all_the_same() {
    let busy = busy();
    let mut first = Box::pin(busy.durable.keep(file("a/0/first.csv")));
    let mut second = Box::pin(busy.durable.keep(file("a/1/second.csv")));
    assert!(futures::poll!(&mut first).is_pending());
    busy.begun.recv().unwrap();
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    busy.go_on.send(()).unwrap();
    second.await.unwrap();
    let second = PathBuf::from("/home/data/a/1/second.csv");
    assert!(busy.synced.take().contains(&second));
}

#[tokio::test]
async fn who_asked_for_what_failed_is_told_and_nobody_else() {
    let sync = |path: &Path| match path.ends_with("bad.csv") {
        true => Err(io::Error::from(io::ErrorKind::StorageFull)),
        false => Ok(()),
    };
    let durable = Durable::with("/home/data".into(), Arc::new(sync));
    let (good, bad) = join(
        durable.keep(file("a/1/good.csv")),
        durable.keep(file("a/2/bad.csv")),
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
async fn after_a_failure_no_folder_is_taken_for_safe() {
    let synced = Synced::default();
    let inner = synced.clone();
    let sync = move |path: &Path| {
        inner.0.lock().unwrap().push(path.to_owned());
        match path.ends_with("bad.csv") {
            true => Err(io::Error::from(io::ErrorKind::NotFound)),
            false => Ok(()),
        }
    };
    let durable = Durable::with("/home/data".into(), Arc::new(sync));
    durable.keep(file("a/1/good.csv")).await.unwrap();
    durable.keep(file("a/2/bad.csv")).await.unwrap_err();
    synced.take();
    durable.keep(file("a/3/good.csv")).await.unwrap();
    let above = PathBuf::from("/home");
    assert!(synced.take().contains(&above), "from the top again");
}

#[tokio::test]
async fn files_of_this_machine_are_synced() {
    let folder = TempDir::new().unwrap();
    let durable = Durable::below(folder.path().to_owned());
    let kept = folder.path().join("a/1/kept.csv");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(&kept, "kept").unwrap();
    durable.keep(vec![kept]).await.unwrap();
    let gone = folder.path().join("a/1/gone.csv");
    let error = durable.keep(vec![gone.clone()]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("gone.csv"), "{error}");
}

use std::{fs, path::Path};

use precip_engine::trigger::ObjectListing;
use tokio_util::sync::CancellationToken;

use super::{BucketFolder, Watch};

#[tokio::test]
async fn files_are_objects_by_their_paths() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = BucketFolder::new(folder.path());
    for (name, text) in [
        ("in/b c.csv", "1"),
        ("in/a/ü.csv", "22"),
        ("out/d.csv", "3"),
        ("in/.part", ""),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let page = bucket.list_objects("any", "in/", None).await.unwrap();
    let listed: Vec<(String, u64)> = page
        .objects
        .into_iter()
        .map(|object| (object.key, object.size))
        .collect();
    assert_eq!(
        listed,
        [("in/a/ü.csv".to_owned(), 2), ("in/b c.csv".to_owned(), 1)]
    );
    let page = bucket
        .list_objects("any", "in/", Some("in/a/ü.csv"))
        .await
        .unwrap();
    assert_eq!(page.objects.len(), 1);
    // A new folder is reported by its files, whether it is watched already or not.
    let within = folder.path().join("in");
    let events = bucket.created_events("b", vec![within]).await.unwrap();
    let keys: Vec<&str> = events.iter().map(|event| event.key.as_str()).collect();
    assert_eq!(keys, ["in/a/ü.csv", "in/b c.csv"]);
    let one = vec![folder.path().join("in/b c.csv")];
    assert_eq!(bucket.created_events("b", one).await.unwrap().len(), 1);
    let missing = BucketFolder::new(folder.path().join("none"));
    assert_eq!(
        missing.list_objects("any", "", None).await.unwrap().objects,
        []
    );
}

#[tokio::test]
async fn a_file_that_is_written_again_is_another_object() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = BucketFolder::new(folder.path());
    let path = folder.path().join("a.csv");
    fs::write(&path, "1").unwrap();
    let first = bucket.created_event("b", &path).unwrap();
    fs::write(&path, "22").unwrap();
    // Another size and time give another identity, so the change is a new event.
    let second = bucket.created_event("b", &path).unwrap();
    assert_ne!(first.identity(), second.identity());
    assert!(second.at >= first.at);
    assert_eq!(bucket.created_event("b", folder.path()), None);
}

#[tokio::test]
async fn new_files_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(folder.path()).unwrap();
    // The path may be reported through a symbolic link, so both sides are canonicalized.
    let path = folder.path().join("a.csv");
    fs::write(&path, "1").unwrap();
    let wanted = fs::canonicalize(&path).unwrap();
    loop {
        let files = watch.next().await;
        if files
            .iter()
            .any(|file| fs::canonicalize(file).is_ok_and(|path| path == wanted))
        {
            break;
        }
    }
}

#[test]
fn a_missing_folder_cannot_be_watched() {
    let error = Watch::new(std::path::Path::new("not/there")).unwrap_err();
    assert!(error.to_string().contains("`not/there`"), "{error}");
}

/// Lists all pages, and returns the keys and the messages about what was left out.
async fn list_all(bucket: &BucketFolder, prefix: &str) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut refused, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = bucket.list_objects("b", prefix, after.as_deref()).await;
        let page = page.unwrap();
        keys.extend(page.objects.into_iter().map(|object| object.key));
        refused.extend(page.refused);
        after = page.next;
        if after.is_none() {
            return (keys, refused);
        }
    }
}

fn write_files(folder: &Path, names: &[&str]) {
    for name in names {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "1").unwrap();
    }
}

#[tokio::test]
async fn pages_of_any_size_list_each_object_once_in_order() {
    let folder = tempfile::tempdir().unwrap();
    // `-` and `.` sort before `/`, `0` after it.
    let names = [
        "a-b.csv",
        "a.csv",
        "a/b/c.csv",
        "a/b/d.csv",
        "a/z.csv",
        "a0.csv",
        "b/a.csv",
        "c.csv",
    ];
    write_files(folder.path(), &names);
    for size in 1..=names.len() + 1 {
        let bucket = BucketFolder::new(folder.path()).with_page_size(size);
        assert_eq!(list_all(&bucket, "").await.0, names, "{size}");
        assert_eq!(list_all(&bucket, "a/").await.0, names[2..5], "{size}");
        assert_eq!(list_all(&bucket, "a").await.0, names[..6], "{size}");
        assert_eq!(list_all(&bucket, "a/b/d").await.0, names[3..4], "{size}");
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    use super::*;

    #[tokio::test]
    async fn each_real_file_is_listed_once_and_links_that_lead_elsewhere_are_named() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = fs::canonicalize(folder.path()).unwrap();
        write_files(&root, &["in/a.csv", "in/.hidden/b.csv"]);
        write_files(outside.path(), &["c.csv"]);
        let elsewhere = fs::canonicalize(outside.path()).unwrap();
        // Two links to the folder itself have two to the power of forty paths.
        symlink(&root, root.join("in/self")).unwrap();
        symlink("..", root.join("in/up")).unwrap();
        symlink("a.csv", root.join("in/again.csv")).unwrap();
        symlink(".hidden/b.csv", root.join("in/b.csv")).unwrap();
        symlink(&elsewhere, root.join("in/other")).unwrap();
        symlink("nowhere", root.join("in/lost.csv")).unwrap();
        symlink("loop", root.join("in/loop")).unwrap();
        for size in [1, 100] {
            let bucket = BucketFolder::new(&root).with_page_size(size);
            let (keys, refused) = list_all(&bucket, "in/").await;
            assert_eq!(keys, ["in/a.csv"]);
            let shown = refused.join("\n");
            let shown = shown.replace(root.to_str().unwrap(), "ROOT");
            assert_eq!(
                shown.replace(elsewhere.to_str().unwrap(), "ELSEWHERE"),
                "`ROOT/in/b.csv` is left out: it is a link to the hidden `ROOT/in/.hidden/b.csv`: copy the file into \
                 the folder\n\
                 `ROOT/in/loop` is left out: it is a link that leads nowhere\n\
                 `ROOT/in/lost.csv` is left out: it is a link that leads nowhere\n\
                 `ROOT/in/other` is left out: it is a link to `ELSEWHERE`, outside of the folder: copy the files into \
                 the folder"
            );
        }
        // Events of the same paths are no objects either.
        let bucket = BucketFolder::new(&root);
        let paths = [
            "in/self/in/a.csv",
            "in/again.csv",
            "in/other/c.csv",
            "in/other",
            "in/up",
        ];
        let paths = paths.iter().map(|path| root.join(path)).collect();
        assert_eq!(bucket.created_events("b", paths).await.unwrap(), []);
        assert!(bucket.object_at(&root.join("in/a.csv")).is_some());
    }

    #[tokio::test]
    async fn a_name_that_is_not_utf8_is_named_and_the_others_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let bad = std::ffi::OsStr::from_bytes(b"bad-\xff.csv");
        if fs::write(folder.path().join(bad), "1").is_err() {
            // The file system takes no such name.
            return;
        }
        let worse = folder
            .path()
            .join(std::ffi::OsStr::from_bytes(b"worse-\xff"));
        write_files(&worse, &["a.csv"]);
        write_files(folder.path(), &["good.csv"]);
        let (keys, refused) = list_all(&BucketFolder::new(folder.path()), "").await;
        assert_eq!(keys, ["good.csv"]);
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused[0].contains("its name is not UTF-8"), "{refused:?}");
    }

    #[tokio::test]
    async fn links_in_a_watched_folder_are_not_followed() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(folder.path(), folder.path().join("one")).unwrap();
        symlink(folder.path(), folder.path().join("two")).unwrap();
        symlink(outside.path(), folder.path().join("other")).unwrap();
        // With links followed, this would watch the same folder for as long as there are paths to it.
        let mut watch = Watch::new(folder.path()).unwrap();
        write_files(outside.path(), &["c.csv"]);
        write_files(folder.path(), &["a.csv"]);
        let files = watch.next().await;
        assert!(
            files.iter().all(|file| file.ends_with("a.csv")),
            "{files:?}"
        );
    }
}

#[tokio::test]
async fn a_listing_stops_when_its_reader_does() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &["a.csv", "b/c.csv"]);
    let bucket = BucketFolder::new(folder.path());
    let stop = CancellationToken::new();
    assert_eq!(bucket.list_page("", None, &stop).unwrap().objects.len(), 2);
    stop.cancel();
    assert_eq!(bucket.list_page("", None, &stop).unwrap().objects.len(), 0);
}

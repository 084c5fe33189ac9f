use std::fs;

use precip_engine::trigger::ObjectListing;

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
    let below = bucket.files_below(&folder.path().join("in"));
    assert_eq!(below.len(), 2);
    assert_eq!(bucket.files_below(&below[0]), [below[0].clone()]);
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

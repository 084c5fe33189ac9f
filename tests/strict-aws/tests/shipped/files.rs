//! The run files, with the shipped adapter over the strict S3.

use precip_aws::{Aws, files::S3Files, objects::S3Objects};
use precip_engine::{
    machine::{FileError, RunFiles},
    trigger::ObjectListing,
};
use precip_simulator::bill::Unit;
use precip_strict_aws::{Faults, Options};

use crate::world::{BUCKET, World};

fn open_files(world: &World) -> S3Files {
    S3Files::new(Aws::new(world.aws.sdk_config()).s3(), BUCKET)
}

#[test]
fn a_file_is_created_once_and_read_back() {
    let mut world = World::new(1);
    let files = open_files(&world);
    world
        .kernel
        .run(async {
            assert_eq!(files.read_file("runs/1/plan.json").await?, None);
            assert!(
                files
                    .create_file("runs/1/plan.json", b"one".to_vec())
                    .await?
            );
            assert!(
                !files
                    .create_file("runs/1/plan.json", b"two".to_vec())
                    .await?
            );
            let read = files.read_file("runs/1/plan.json").await?;
            assert_eq!(read.as_deref(), Some(&b"one"[..]));
            files
                .write_file("runs/1/plan.json", b"three".to_vec())
                .await?;
            let read = files.read_file("runs/1/plan.json").await?;
            assert_eq!(read.as_deref(), Some(&b"three"[..]));
            Ok::<_, FileError>(())
        })
        .unwrap();
    // Every answer is charged, refused ones too.
    assert_eq!(world.bill.amount(Unit::S3Put), 3.0);
    assert_eq!(world.bill.amount(Unit::S3Get), 3.0);
    assert_eq!(world.aws.mistakes(), []);
}

#[test]
fn a_missing_bucket_is_named() {
    let mut world = World::new(1);
    let files = S3Files::new(Aws::new(world.aws.sdk_config()).s3(), "nowhere");
    let error = world.kernel.run(files.read_file("plan.json")).unwrap_err();
    assert!(
        error.message.contains("the bucket does not exist"),
        "{error}"
    );
    assert!(!error.retryable);
    assert_eq!(world.aws.mistakes()[0].code, "NoSuchBucket");
}

/// The SDK makes three attempts, with waits in virtual time.
#[test]
fn throttled_requests_are_repeated_by_the_client() {
    let mut world = World::with_options(Options {
        seed: 3,
        faults: Faults {
            throttled: 0.3,
            internal_errors: 0.1,
            ..Faults::default()
        },
        ..Options::default()
    });
    let files = open_files(&world);
    let written = world.kernel.run(async {
        let mut written = 0;
        for number in 0..50 {
            let file = files
                .write_file(&format!("runs/{number}"), vec![0; 10])
                .await;
            written += u32::from(file.is_ok());
        }
        written
    });
    // Three attempts fail together in about one of 20 cases.
    assert!((40..=50).contains(&written), "{written}");
    assert!(world.aws.calls()["PutObject"] > 55);
}

#[test]
fn objects_are_listed_in_pages() {
    let mut world = World::new(1);
    let files = open_files(&world);
    let listing = S3Objects::new(Aws::new(world.aws.sdk_config()).s3());
    let pages = world.kernel.run(async {
        for number in 0..2_010 {
            let key = format!("landing/{number:04} ü+&.csv");
            files.write_file(&key, b"a,b".to_vec()).await.unwrap();
        }
        files.write_file("other", Vec::new()).await.unwrap();
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = listing.list_objects(BUCKET, "landing/", after.as_deref());
            let page = page.await.unwrap();
            pages.push(page.objects);
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    });
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1_000, 1_000, 10]);
    let keys: Vec<&str> = pages
        .iter()
        .flatten()
        .map(|object| object.key.as_str())
        .collect();
    assert!(keys.is_sorted());
    assert_eq!(keys[7], "landing/0007 ü+&.csv");
    assert_eq!(pages[0][0].size, 3);
}

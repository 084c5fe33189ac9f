use std::collections::BTreeSet;

use aws_sdk_s3::{Client, primitives::ByteStream};
use chrono::Utc;
use precip_engine::{
    run::{SystemClock, SystemRandomness, new_run_id},
    trigger::{ListedObject, ObjectListing},
};

use crate::{objects::S3Objects, state::dynamo::harness::emulator_aws};

async fn emulator_client() -> Client {
    emulator_aws().await.s3()
}

/// Creates a bucket with an object of one byte under each key.
async fn create_bucket_with(client: &Client, keys: &[String]) -> String {
    let id = new_run_id(&SystemClock, &SystemRandomness).to_string();
    let bucket = format!("objects-{}", id.to_lowercase());
    client.create_bucket().bucket(&bucket).send().await.unwrap();
    for key in keys {
        let body = ByteStream::from_static(b"1");
        let put = client.put_object().bucket(&bucket).key(key).body(body);
        put.send().await.unwrap();
    }
    bucket
}

async fn list_all(objects: &S3Objects, bucket: &str, prefix: &str) -> (Vec<ListedObject>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut after: Option<String> = None;
    loop {
        let page = objects
            .list_objects(bucket, prefix, after.as_deref())
            .await
            .unwrap();
        pages += 1;
        found.extend(page.objects);
        match page.next {
            Some(next) => after = Some(next),
            None => return (found, pages),
        }
    }
}

fn keys_of(objects: &[ListedObject]) -> BTreeSet<&str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}

#[tokio::test]
async fn odd_keys_are_listed_as_they_are() {
    let keys = [
        "in/São Paulo +1 50%25 (neu).csv",
        "in/a b.csv",
        "in/a+b.csv",
        "in/a%2Bb.csv",
        "in/日本/1&2<3>\"'.csv",
        "in/bell\u{7}.csv",
        "out/other.csv",
    ];
    let odd = keys.map(str::to_owned);
    let client = emulator_client().await;
    let bucket = create_bucket_with(&client, &odd).await;
    let objects = S3Objects::new(client.clone());
    let (found, pages) = list_all(&objects, &bucket, "in/").await;
    let expected: BTreeSet<&str> = odd[..6].iter().map(String::as_str).collect();
    // All keys below the prefix, decoded, on one page.
    assert_eq!((keys_of(&found), pages), (expected, 1));
    // The entity tag is the same that an event of the object has, without quotes.
    let request = client.head_object().bucket(&bucket).key(&odd[0]);
    let head = request.send().await.unwrap();
    let first = found.iter().find(|object| object.key == odd[0]).unwrap();
    let etag = first.etag.as_deref().unwrap();
    assert_eq!(head.e_tag.unwrap(), format!("\"{etag}\""));
    assert_eq!(first.size, 1);
    let age = Utc::now() - first.last_modified;
    assert!(age.num_seconds() < 60, "{age}");
    // A prefix with such a character is not encoded by the caller.
    let (found, _) = list_all(&objects, &bucket, "in/a+").await;
    assert_eq!(keys_of(&found), BTreeSet::from(["in/a+b.csv"]));
}

#[tokio::test]
async fn every_object_is_on_one_page() {
    let written: Vec<String> = (0..25)
        .map(|number| format!("in/{number:02} ü.csv"))
        .collect();
    let client = emulator_client().await;
    let bucket = create_bucket_with(&client, &written).await;
    let objects = S3Objects::new(client).with_page_size(7);
    // 25 objects on pages of 7.
    let (found, pages) = list_all(&objects, &bucket, "in/").await;
    assert_eq!(pages, 4);
    let keys: Vec<String> = found.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, written);
    let (none, pages) = list_all(&objects, &bucket, "nothing/").await;
    assert_eq!((none, pages), (Vec::new(), 1));
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let objects = S3Objects::new(emulator_client().await);
    let error = objects
        .list_objects("precip-nowhere", "", None)
        .await
        .unwrap_err();
    assert!(
        error.contains("there is no bucket `precip-nowhere`"),
        "{error}"
    );
}

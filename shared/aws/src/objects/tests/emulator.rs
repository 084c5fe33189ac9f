use std::{collections::BTreeSet, env};

use aws_config::BehaviorVersion;
use aws_sdk_s3::{Client, primitives::ByteStream};
use chrono::Utc;
use precip_engine::{
    run::{SystemClock, SystemRandomness, new_run_id},
    trigger::{ListedObject, ObjectListing},
};

use crate::{Aws, objects::S3Objects};

async fn client() -> Client {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("these tests run under `tests/emulator cargo nextest run -p precip-aws`");
    let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
    Aws::new(config.load().await).s3()
}

/// A bucket with an object of one byte under each key.
async fn bucket(client: &Client, keys: &[String]) -> String {
    let id = new_run_id(&SystemClock, &SystemRandomness).to_string();
    let bucket = format!("objects-{}", id.to_lowercase());
    client.create_bucket().bucket(&bucket).send().await.unwrap();
    for key in keys {
        let put = client.put_object().bucket(&bucket).key(key);
        let put = put.body(ByteStream::from_static(b"1"));
        put.send().await.unwrap();
    }
    bucket
}

async fn all(objects: &S3Objects, bucket: &str, prefix: &str) -> (Vec<ListedObject>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut after: Option<String> = None;
    loop {
        let page = objects
            .list(bucket, prefix, after.as_deref())
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

fn keys(objects: &[ListedObject]) -> BTreeSet<&str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}

#[tokio::test]
async fn odd_keys_are_listed_as_they_are() {
    let odd = [
        "in/São Paulo +1 50%25 (neu).csv",
        "in/a b.csv",
        "in/a+b.csv",
        "in/a%2Bb.csv",
        "in/日本/1&2<3>\"'.csv",
        "in/bell\u{7}.csv",
        "out/other.csv",
    ];
    let odd = odd.map(str::to_owned);
    let client = client().await;
    let bucket = bucket(&client, &odd).await;
    let objects = S3Objects::new(client.clone());
    let (found, pages) = all(&objects, &bucket, "in/").await;
    let expected: BTreeSet<&str> = odd[..6].iter().map(String::as_str).collect();
    assert_eq!((keys(&found), pages), (expected, 1));
    // The entity tag is the same that an event of the object has, without quotes.
    let head = client.head_object().bucket(&bucket).key(&odd[0]);
    let head = head.send().await.unwrap();
    let first = found.iter().find(|object| object.key == odd[0]).unwrap();
    let etag = first.etag.as_deref().unwrap();
    assert_eq!(head.e_tag.unwrap(), format!("\"{etag}\""));
    assert_eq!(first.size, 1);
    let age = Utc::now() - first.last_modified;
    assert!(age.num_seconds() < 60, "{age}");
    // A prefix with such a character is given as it is as well.
    let (found, _) = all(&objects, &bucket, "in/a+").await;
    assert_eq!(keys(&found), BTreeSet::from(["in/a+b.csv"]));
}

#[tokio::test]
async fn every_object_stands_on_one_page() {
    let written: Vec<String> = (0..25)
        .map(|number| format!("in/{number:02} ü.csv"))
        .collect();
    let client = client().await;
    let bucket = bucket(&client, &written).await;
    let objects = S3Objects::new(client).with_page_size(7);
    let (found, pages) = all(&objects, &bucket, "in/").await;
    assert_eq!(pages, 4);
    let found: Vec<String> = found.into_iter().map(|object| object.key).collect();
    assert_eq!(found, written);
    let (none, pages) = all(&objects, &bucket, "nothing/").await;
    assert_eq!((none, pages), (Vec::new(), 1));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    let objects = S3Objects::new(client().await);
    let error = objects.list("precip-nowhere", "", None).await.unwrap_err();
    assert!(
        error.contains("there is no bucket `precip-nowhere`"),
        "{error}"
    );
}

use std::{collections::BTreeMap, time::Duration};

use chrono::DateTime;
use precip_simulator::{
    bill::{Bill, Unit},
    kernel::Kernel,
};

use super::{Request, S3, checksum::crc32};
use crate::{
    aws::{Options, StrictAws},
    dynamo::Moment,
    faults::{FaultCounts, Faults},
    http::Answer,
};

/// A bucket `b`.
struct Rig {
    kernel: Kernel,
    aws: StrictAws,
    s3: S3,
    faults: Faults,
    rng: fastrand::Rng,
    counts: FaultCounts,
}

impl Rig {
    fn new() -> Self {
        let kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let aws = StrictAws::new(kernel.time(), Bill::default(), Options::default());
        let mut s3 = S3::default();
        s3.create_bucket("b");
        Self {
            kernel,
            aws,
            s3,
            faults: Faults::default(),
            rng: fastrand::Rng::with_seed(1),
            counts: FaultCounts::new(),
        }
    }

    fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let headers: BTreeMap<String, String> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let uri = format!("https://b.s3.us-east-1.amazonaws.com/{path}");
        let request = Request::new(method, &uri, headers, body.to_vec());
        let mut moment = Moment {
            now: self.kernel.time().elapsed(),
            faults: &self.faults,
            rng: &mut self.rng,
            counts: &mut self.counts,
            transaction_time: Duration::ZERO,
        };
        self.s3.answer(&request, &mut moment, &self.aws.0)
    }

    fn put(&mut self, key: &str, body: &[u8]) -> String {
        let answer = self.call("PUT", key, &[], body);
        assert_eq!(answer.status, 200, "{answer:?}");
        header(&answer, "etag").unwrap()
    }

    fn get(&mut self, key: &str, headers: &[(&str, &str)]) -> Answer {
        self.call("GET", key, headers, &[])
    }
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    let mut headers = answer.headers.iter();
    headers
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.clone())
}

fn code(answer: &Answer) -> (u16, Option<String>) {
    let body = String::from_utf8(answer.body.clone()).unwrap();
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    (answer.status, code.map(|(code, _)| code.to_owned()))
}

fn refusal(status: u16, code: &str) -> (u16, Option<String>) {
    (status, Some(code.to_owned()))
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html and API_HeadObject.html
#[test]
fn an_object_is_put_and_read() {
    let mut rig = Rig::new();
    assert_eq!(code(&rig.get("k", &[])), refusal(404, "NoSuchKey"));
    // An answer to HEAD has no body, hence no code.
    let head = rig.call("HEAD", "k", &[], &[]);
    assert_eq!((head.status, head.body.len()), (404, 0));
    let etag = rig.put("a/b%20c", b"content");
    let read = rig.get("a/b%20c", &[("x-amz-checksum-mode", "ENABLED")]);
    assert_eq!((read.status, read.body.as_slice()), (200, &b"content"[..]));
    assert_eq!(header(&read, "etag").as_ref(), Some(&etag));
    assert_eq!(
        header(&read, "x-amz-checksum-crc32"),
        Some(crc32(b"content"))
    );
    let modified = header(&read, "last-modified");
    assert_eq!(modified.as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    let head = rig.call("HEAD", "a/b%20c", &[], &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(header(&head, "content-length").as_deref(), Some("7"));
    assert_eq!(rig.s3.keys("b"), ["a/b c"]);
    assert_ne!(rig.put("a/b%20c", b"other"), etag);
    assert_eq!(rig.call("DELETE", "a/b%20c", &[], &[]).status, 204);
    assert_eq!(
        rig.call("DELETE", "a/b%20c", &[], &[]).status,
        204,
        "no error"
    );
    assert!(rig.s3.keys("b").is_empty());
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html: one range, in bytes.
#[test]
fn a_range_of_an_object_is_read() {
    let mut rig = Rig::new();
    rig.put("k", b"0123456789");
    for (range, status, body, content_range) in [
        ("bytes=0-3", 206, "0123", Some("bytes 0-3/10")),
        ("bytes=8-", 206, "89", Some("bytes 8-9/10")),
        ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
        ("bytes=5-99", 206, "56789", Some("bytes 5-9/10")),
        // A malformed range is ignored.
        ("bytes=5-2", 200, "0123456789", None),
    ] {
        let read = rig.get("k", &[("range", range), ("x-amz-checksum-mode", "ENABLED")]);
        assert_eq!(
            (read.status, read.body.as_slice()),
            (status, body.as_bytes()),
            "{range}"
        );
        assert_eq!(header(&read, "content-range").as_deref(), content_range);
        // The checksum of the whole object would not fit a part of it.
        assert_eq!(
            header(&read, "x-amz-checksum-crc32").is_some(),
            status == 200
        );
    }
    let beyond = rig.get("k", &[("range", "bytes=10-")]);
    assert_eq!(code(&beyond), refusal(416, "InvalidRange"));
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-reads.html
#[test]
fn a_read_may_depend_on_the_etag() {
    let mut rig = Rig::new();
    let etag = rig.put("k", b"one");
    assert_eq!(rig.get("k", &[("if-match", &etag)]).status, 200);
    let unchanged = rig.get("k", &[("if-none-match", &etag)]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    rig.put("k", b"two");
    assert_eq!(
        code(&rig.get("k", &[("if-match", &etag)])),
        refusal(412, "PreconditionFailed")
    );
    assert_eq!(rig.get("k", &[("if-none-match", &etag)]).status, 200);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
#[test]
fn a_write_may_depend_on_the_object() {
    let mut rig = Rig::new();
    let create = |rig: &mut Rig| rig.call("PUT", "k", &[("if-none-match", "*")], b"one");
    let replace = |rig: &mut Rig, etag: &str| rig.call("PUT", "k", &[("if-match", etag)], b"two");
    assert_eq!(code(&replace(&mut rig, "\"x\"")), refusal(404, "NoSuchKey"));
    let created = create(&mut rig);
    assert_eq!(created.status, 200);
    assert_eq!(code(&create(&mut rig)), refusal(412, "PreconditionFailed"));
    assert_eq!(
        code(&replace(&mut rig, "\"x\"")),
        refusal(412, "PreconditionFailed")
    );
    let etag = header(&created, "etag").unwrap();
    assert_eq!(replace(&mut rig, &etag).status, 200);
    assert_eq!(rig.get("k", &[]).body, b"two");
    let odd = rig.call("PUT", "k", &[("if-none-match", "\"x\"")], b"");
    assert_eq!(code(&odd), refusal(501, "NotImplemented"));
    rig.faults.conflicts = 1.0;
    let etag = rig.put("k", b"three");
    let conflict = replace(&mut rig, &etag);
    assert_eq!(code(&conflict), refusal(409, "ConditionalRequestConflict"));
    assert_eq!(rig.get("k", &[]).body, b"three");
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html and
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
#[test]
fn content_is_checked_against_its_checksum() {
    let mut rig = Rig::new();
    let (right, wrong) = (crc32(b"content"), crc32(b"other"));
    let put = |rig: &mut Rig, checksum: &str| {
        rig.call(
            "PUT",
            "k",
            &[("x-amz-checksum-crc32", checksum)],
            b"content",
        )
    };
    assert_eq!(code(&put(&mut rig, &wrong)), refusal(400, "BadDigest"));
    assert!(rig.s3.keys("b").is_empty());
    assert_eq!(put(&mut rig, &right).status, 200);
    let chunks = |checksum: &str, length: &str| {
        let body = format!("4\r\ncont\r\n3\r\nent\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
        let headers = [
            ("content-encoding", "aws-chunked"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("x-amz-decoded-content-length", length),
        ];
        Rig::new().call("PUT", "k", &headers, body.as_bytes())
    };
    assert_eq!(chunks(&right, "7").status, 200);
    assert_eq!(code(&chunks(&wrong, "7")), refusal(400, "BadDigest"));
    assert_eq!(code(&chunks(&right, "8")), refusal(400, "IncompleteBody"));
}

fn list(rig: &mut Rig, query: &str) -> String {
    let answer = rig.call("GET", &format!("?list-type=2&{query}"), &[], &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    String::from_utf8(answer.body).unwrap()
}

fn texts(document: &str, name: &str) -> Vec<String> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    document
        .split(&start)
        .skip(1)
        .filter_map(|part| Some(part.split_once(&end)?.0.to_owned()))
        .collect()
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
#[test]
fn objects_are_listed_in_pages_by_prefix() {
    let mut rig = Rig::new();
    for key in ["a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "b", "%C3%BC"] {
        rig.put(key, b"xy");
    }
    let all = list(&mut rig, "");
    assert_eq!(
        texts(&all, "Key"),
        ["a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "b", "ü"]
    );
    assert_eq!(texts(&all, "Size")[0], "2");
    assert_eq!(texts(&all, "LastModified")[0], "1970-01-01T00:00:00.000Z");
    assert_eq!(texts(&all, "IsTruncated"), ["false"]);
    assert!(texts(&all, "NextContinuationToken").is_empty());
    let page = list(&mut rig, "prefix=a/&delimiter=/&max-keys=3");
    // Keys below a common prefix are one entry.
    assert_eq!(texts(&page, "Key"), ["a/1", "a/2"]);
    assert_eq!(texts(&page, "CommonPrefixes"), ["<Prefix>a/b/</Prefix>"]);
    assert_eq!(
        (
            texts(&page, "KeyCount")[0].as_str(),
            texts(&page, "IsTruncated")[0].as_str()
        ),
        ("3", "true")
    );
    let token = texts(&page, "NextContinuationToken").remove(0);
    let rest = list(
        &mut rig,
        &format!("prefix=a/&delimiter=/&continuation-token={token}"),
    );
    assert!(texts(&rest, "Key").is_empty());
    assert_eq!(texts(&rest, "CommonPrefixes"), ["<Prefix>a/c/</Prefix>"]);
    let after = list(&mut rig, "start-after=a/c&encoding-type=url");
    assert_eq!(texts(&after, "Key"), ["a/c/5", "b", "%C3%BC"]);
    let wrong = rig.call("GET", "?list-type=2&continuation-token=%3F", &[], &[]);
    assert_eq!(code(&wrong), refusal(400, "InvalidArgument"));
}

// The same page: at most 1,000 keys, whatever is asked for.
#[test]
fn a_page_has_at_most_a_thousand_keys() {
    let mut rig = Rig::new();
    for number in 0..1_001 {
        rig.put(&format!("{number:04}"), b"");
    }
    let page = list(&mut rig, "max-keys=5000");
    assert_eq!(
        (
            texts(&page, "Key").len(),
            texts(&page, "MaxKeys")[0].as_str()
        ),
        (1_000, "1000")
    );
    let token = texts(&page, "NextContinuationToken").remove(0);
    let rest = list(&mut rig, &format!("continuation-token={token}"));
    assert_eq!(texts(&rest, "Key"), ["1000"]);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
#[test]
fn a_bucket_takes_3500_writes_and_5500_reads_a_second() {
    let mut rig = Rig::new();
    for _ in 0..3_500 {
        rig.put("k", b"");
    }
    let refused = rig.call("PUT", "k", &[], b"");
    assert_eq!(code(&refused), refusal(503, "SlowDown"));
    assert!((0..5_500).all(|_| rig.get("k", &[]).status == 200));
    assert_eq!(code(&rig.get("k", &[])), refusal(503, "SlowDown"));
    let sleep = rig.kernel.time().sleep(Duration::from_secs(1));
    rig.kernel.run(sleep);
    rig.put("k", b"");
    // What is throttled is not charged.
    let bill = &rig.aws.0.bill;
    assert_eq!(
        (bill.amount(Unit::S3Put), bill.amount(Unit::S3Get)),
        (3_501.0, 5_500.0)
    );
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
#[test]
fn a_key_has_up_to_1024_bytes() {
    let mut rig = Rig::new();
    rig.put(&"k".repeat(1_024), b"");
    let long = rig.call("PUT", &"k".repeat(1_025), &[], b"");
    assert_eq!(code(&long), refusal(400, "KeyTooLongError"));
    assert!(long.mistake.is_some());
}

#[test]
#[should_panic(expected = "does not know the header x-amz-acl")]
fn an_unknown_header_panics() {
    Rig::new().call("PUT", "k", &[("x-amz-acl", "private")], b"");
}

#[test]
#[should_panic(expected = "does not know the call GET b/k {\"acl\": \"\"}")]
fn an_unknown_call_panics() {
    Rig::new().call("GET", "k?acl", &[], &[]);
}

#[test]
#[should_panic(expected = "does not know the service at sqs.us-east-1.amazonaws.com")]
fn an_unknown_service_panics() {
    Request::new(
        "POST",
        "https://sqs.us-east-1.amazonaws.com/",
        BTreeMap::new(),
        Vec::new(),
    );
}

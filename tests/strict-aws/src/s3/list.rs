//! `ListObjectsV2`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use std::{fmt::Write, ops::Bound};

use base64::{Engine, prelude::BASE64_URL_SAFE};
use chrono::SecondsFormat;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{bucket::Bucket, error::Failure, request::Request, xml};
use crate::http::Answer;

/// The most objects of a page, whatever is asked for.
const PAGE: usize = 1_000;
/// The characters that an encoded key keeps.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*');

const PARAMETERS: [&str; 9] = [
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "start-after",
    "continuation-token",
    "encoding-type",
    "fetch-owner",
    "x-id",
];

impl Bucket {
    /// # Panics
    /// For parameters that are not implemented.
    pub(super) fn list_objects(&self, request: &Request) -> Result<Answer, Failure> {
        for name in request.query.keys() {
            assert!(
                PARAMETERS.contains(&name.as_str()),
                "the strict AWS does not know the parameter {name} of ListObjectsV2"
            );
        }
        let parameter = |name: &str| request.query.get(name).map(String::as_str);
        let prefix = parameter("prefix").unwrap_or_default();
        let delimiter = parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
        let most = match parameter("max-keys") {
            Some(most) => most
                .parse::<usize>()
                .map_err(|_| Failure::invalid_argument("max-keys must be a number"))?
                .min(PAGE),
            None => PAGE,
        };
        let encode = |key: &str| match parameter("encoding-type") {
            Some(_) => utf8_percent_encode(key, ENCODED).to_string(),
            None => key.to_owned(),
        };
        let after = match parameter("continuation-token") {
            Some(token) => {
                let wrong =
                    || Failure::invalid_argument("The continuation token provided is incorrect");
                let key = BASE64_URL_SAFE.decode(token).map_err(|_| wrong())?;
                String::from_utf8(key).map_err(|_| wrong())?
            }
            None => parameter("start-after").unwrap_or_default().to_owned(),
        };
        let (mut entries, mut count, mut last) = (String::new(), 0, None);
        let mut common: Option<String> = None;
        let mut truncated = false;
        let begin = match after.as_str() < prefix {
            true => Bound::Included(prefix.to_owned()),
            false => Bound::Excluded(after.clone()),
        };
        let from = self.objects.range((begin, Bound::Unbounded));
        for (key, object) in from.take_while(|(key, _)| key.starts_with(prefix)) {
            let rolled = delimiter.and_then(|delimiter| {
                let end = key[prefix.len()..].find(delimiter)?;
                Some(key[..prefix.len() + end + delimiter.len()].to_owned())
            });
            // Every key below a common prefix is one entry, which the page before may have had.
            let seen = rolled.as_ref().is_some_and(|rolled| {
                common.as_ref() == Some(rolled) || after.starts_with(rolled.as_str())
            });
            if seen {
                last = Some(key);
                continue;
            }
            if count == most {
                truncated = true;
                break;
            }
            match &rolled {
                Some(rolled) => {
                    let content = xml::text("Prefix", encode(rolled));
                    entries.push_str(&xml::element("CommonPrefixes", &content));
                }
                None => {
                    let modified = object.modified.to_rfc3339_opts(SecondsFormat::Millis, true);
                    let content = [
                        xml::text("Key", encode(key)),
                        xml::text("LastModified", modified),
                        xml::text("ETag", &object.etag),
                        xml::text("Size", object.content.len()),
                        xml::text("StorageClass", "STANDARD"),
                    ];
                    entries.push_str(&xml::element("Contents", &content.concat()));
                }
            }
            count += 1;
            common = rolled;
            last = Some(key);
        }
        let mut head = String::new();
        let _ = write!(
            head,
            "{}{}{}{}{}",
            xml::text("Name", &request.bucket),
            xml::text("Prefix", encode(prefix)),
            xml::text("KeyCount", count),
            xml::text("MaxKeys", most),
            xml::text("IsTruncated", truncated),
        );
        if let Some(kind) = parameter("encoding-type") {
            head.push_str(&xml::text("EncodingType", kind));
        }
        if let Some(last) = last.filter(|_| truncated) {
            let token = BASE64_URL_SAFE.encode(last);
            head.push_str(&xml::text("NextContinuationToken", token));
        }
        let result = xml::element("ListBucketResult", &(head + &entries));
        Ok(Answer {
            status: 200,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: xml::document(&result),
            mistake: None,
        })
    }
}

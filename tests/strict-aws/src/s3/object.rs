//! `GetObject` and `HeadObject`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::{bucket::Bucket, checksum::crc32, error::Failure, request::Request};
use crate::http::Answer;

/// Returns a time as headers hold it.
fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Returns `true` if a condition on an ETag names this one.
pub(super) fn names_etag(condition: &str, etag: &str) -> bool {
    let plain = |text: &str| text.trim().trim_matches('"').to_owned();
    condition.trim() == "*" || condition.split(',').any(|one| plain(one) == plain(etag))
}

/// Returns the bytes that a `Range` header names; `None` if the header is to be ignored.
///
/// # Errors
/// `InvalidRange` when none of them exists.
fn parse_range(header: &str, length: usize) -> Result<Option<Range<usize>>, Failure> {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return Ok(None),
    };
    if range.start >= length || range.is_empty() {
        return Err(Failure::new(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        ));
    }
    Ok(Some(range))
}

impl Bucket {
    pub(super) fn get_object(&self, request: &Request) -> Result<Answer, Failure> {
        let object = self.objects.get(&request.key);
        let object = object.ok_or_else(Failure::no_such_key)?;
        if let Some(condition) = request.header("if-match")
            && !names_etag(condition, &object.etag)
        {
            return Err(Failure::precondition("If-Match"));
        }
        if let Some(condition) = request.header("if-none-match")
            && names_etag(condition, &object.etag)
        {
            return Err(Failure::new(304, "NotModified", "Not Modified"));
        }
        let length = object.content.len();
        let range = request
            .header("range")
            .map(|range| parse_range(range, length));
        let range = range.transpose()?.flatten();
        let mut headers = vec![
            ("etag", object.etag.clone()),
            ("last-modified", http_date(object.modified)),
            ("content-type", object.content_type.clone()),
            ("accept-ranges", "bytes".to_owned()),
        ];
        // The checksum is the whole object's.
        if request.header("x-amz-checksum-mode") == Some("ENABLED") && range.is_none() {
            headers.push(("x-amz-checksum-crc32", crc32(&object.content)));
            headers.push(("x-amz-checksum-type", "FULL_OBJECT".to_owned()));
        }
        let status = match &range {
            Some(range) => {
                let (first, last) = (range.start, range.end - 1);
                headers.push(("content-range", format!("bytes {first}-{last}/{length}")));
                206
            }
            None => 200,
        };
        let content = &object.content[range.unwrap_or(0..length)];
        headers.push(("content-length", content.len().to_string()));
        Ok(Answer {
            status,
            headers,
            body: match request.method.as_str() {
                "HEAD" => Vec::new(),
                _ => content.to_vec(),
            },
            mistake: None,
        })
    }
}

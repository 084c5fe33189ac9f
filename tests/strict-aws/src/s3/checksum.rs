//! Checksums of objects, and the chunks that carry one behind a body.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::{Engine, prelude::BASE64_STANDARD};

use super::error::Failure;

/// Returns the checksum of an object, as headers hold it.
pub(super) fn crc32(content: &[u8]) -> String {
    BASE64_STANDARD.encode(crc32fast::hash(content).to_be_bytes())
}

/// Refuses content that differs from its checksum.
pub(super) fn check_crc32(content: &[u8], expected: Option<&str>) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != crc32(content) => Err(Failure::bad_digest()),
        _ => Ok(()),
    }
}

/// A body that came in chunks, and the trailers behind it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
pub(super) struct Chunked {
    pub(super) content: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
}

/// Joins the chunks of a body; `None` if they are malformed.
pub(super) fn join_chunks(mut body: &[u8]) -> Option<Chunked> {
    let mut content = Vec::new();
    loop {
        let line = take_line(&mut body)?;
        let size = line.split(';').next()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            break;
        }
        content.extend_from_slice(body.get(..size)?);
        body = body.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    while !body.is_empty() {
        let line = take_line(&mut body)?;
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    Some(Chunked { content, trailers })
}

fn take_line<'a>(body: &mut &'a [u8]) -> Option<&'a str> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&body[..end]).ok()?;
    *body = &body[end + 2..];
    Some(line)
}

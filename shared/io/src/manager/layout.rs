//! Where in a store an attempt's file lies.
//!
//! `raw/flights/2013-01-01/{run}-{attempt}.parquet`, and `raw/carriers/all-{run}-{attempt}.parquet`
//! for an asset without partitions. No two attempts share a path, and no partition key leads out of
//! its asset's folder:
//! - in a key, every byte but ASCII letters, digits, `-` and `_` is `%` and two hexadecimal digits;
//! - so no folder has a `.` in its name, and every file has;
//! - a key too long for one folder name goes on in a folder below, and `~` at the end says so.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use precip_core::key::AssetKey;
use precip_engine::io::Address;

/// Kept as they are in a folder name, with letters and digits.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// File systems take 255 bytes.
const LONGEST_NAME: usize = 200;
/// Before the run in the name of a file that holds the whole asset.
const WHOLE: &str = "all-";

/// The path of an attempt's file.
pub(super) fn path(address: &Address, extension: &str) -> String {
    let Address {
        asset,
        partition,
        run,
        attempt,
    } = address;
    match partition {
        None => format!("{asset}/{WHOLE}{run}-{attempt}.{extension}"),
        Some(key) => format!(
            "{asset}/{}/{run}-{attempt}.{extension}",
            folder(key.as_str())
        ),
    }
}

/// The folder of a partition key: one name, or several for a long key.
fn folder(key: &str) -> String {
    let escaped = utf8_percent_encode(key, ESCAPED).to_string();
    if escaped.is_empty() {
        return "~/~".to_owned();
    }
    let mut folder = String::with_capacity(escaped.len());
    for (n, byte) in escaped.chars().enumerate() {
        if n > 0 && n % LONGEST_NAME == 0 {
            folder.push_str("~/");
        }
        folder.push(byte);
    }
    folder
}

/// Whose file a path is, if it is one of the asset, not of another whose key begins with the asset's.
pub(super) fn parse(asset: &AssetKey, path: &str) -> Option<Address> {
    let rest = path.strip_prefix(asset.as_str())?.strip_prefix('/')?;
    let (folder, file) = match rest.rsplit_once('/') {
        Some((folder, file)) => (Some(folder), file),
        None => (None, rest),
    };
    let (partition, file) = match folder {
        None => (None, file.strip_prefix(WHOLE)?),
        Some(folder) => (Some(key(folder)?.into()), file),
    };
    let (attempt, _extension) = file.split_once('.')?;
    let (run, attempt) = attempt.split_once('-')?;
    Some(Address {
        asset: asset.clone(),
        partition,
        run: run.parse().ok()?,
        attempt: attempt.parse().ok()?,
    })
}

/// The partition key of a folder.
fn key(folder: &str) -> Option<String> {
    if folder == "~/~" {
        return Some(String::new());
    }
    let (before, last) = match folder.rsplit_once('/') {
        Some((before, last)) => (Some(before), last),
        None => (None, folder),
    };
    let mut escaped = String::with_capacity(folder.len());
    for name in before.into_iter().flat_map(|before| before.split('/')) {
        escaped.push_str(name.strip_suffix('~')?);
    }
    escaped.push_str(last);
    let key = percent_decode_str(&escaped).decode_utf8().ok()?;
    // What this layout would not have written is somebody else's.
    (self::folder(&key) == folder).then(|| key.into_owned())
}

#[cfg(test)]
mod tests;

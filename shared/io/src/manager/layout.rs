//! Where in a store an attempt's file lies.
//!
//! `raw/flights/2013-01-01/{run}-{attempt}.parquet`, and `raw/carriers/all-{run}-{attempt}.parquet`
//! for an asset without partitions. No two attempts share a path, and no partition key leads out of
//! its asset's folder:
//! - in a key, every byte but ASCII letters, digits, `-` and `_` is `%` and two hexadecimal digits;
//! - so no folder has a `.` in its name, and every file has;
//! - a key too long for one folder name goes on in a folder below, and `~` at the end says so.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
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

/// Whether a path is that of a file of the asset, not of another whose key begins with the asset's.
pub(super) fn is_of(asset: &AssetKey, path: &str) -> bool {
    let Some(rest) = path
        .strip_prefix(asset.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return false;
    };
    let mut names: Vec<&str> = rest.split('/').collect();
    let Some(file) = names.pop() else {
        return false;
    };
    match names.split_last() {
        None => file.starts_with(WHOLE),
        Some((_, before)) => {
            !file.starts_with(WHOLE) && before.iter().all(|name| name.ends_with('~'))
        }
    }
}

#[cfg(test)]
mod tests;

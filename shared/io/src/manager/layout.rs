//! The versioned layout: paths of attempts' files in a store.
//!
//! `raw/flights/2013-01-01/{run}-{attempt}.parquet`, and `raw/carriers/all-{run}-{attempt}.parquet`
//! for an asset without partitions. A Parquet file contains checksums; the name of any other file holds the CRC-32 of
//! its content: `{run}-{attempt}.9ae1f0c2.csv`. No two attempts share a path, and no partition key leads out of its
//! asset's folder:
//! - in a key, every byte but ASCII letters, digits, `-` and `_` becomes `%` and two hexadecimal digits;
//! - so no folder has a `.` in its name, and every file has one;
//! - a key with capital letters ends in `~` and a number that tells which letters they are, such as `EWR~7`: some
//!   file systems do not tell `EWR` and `ewr` apart. Folders of older versions lack the number, and are still read;
//! - a key too long for one folder name continues in a folder below, which a `~` at the end of the name marks.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use precip_core::key::AssetKey;
use precip_engine::io::Address;

/// The characters to escape in a folder name: all but letters, digits, `-` and `_`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// Longest folder name, in bytes: file systems allow 255.
const LONGEST_NAME: usize = 200;
/// The separator before the number of a key's capital letters.
const CAPITALS: char = '~';
/// Prefix of the file names of an asset without partitions.
const UNPARTITIONED: &str = "all-";

/// Returns the path of an attempt's file.
pub(super) fn attempt_path(address: &Address, extension: &str) -> String {
    let Address {
        asset,
        partition,
        run,
        attempt,
    } = address;
    match partition {
        None => format!("{asset}/{UNPARTITIONED}{run}-{attempt}.{extension}"),
        Some(key) => format!(
            "{asset}/{}/{run}-{attempt}.{extension}",
            partition_folder(key.as_str())
        ),
    }
}

/// Returns the folder of a partition key: one name, or several for a long key.
fn partition_folder(key: &str) -> String {
    let escaped = utf8_percent_encode(key, ESCAPED).to_string();
    match capitals_of(key) {
        None => split_name(&escaped),
        Some(capitals) => split_name(&format!("{escaped}{CAPITALS}{capitals}")),
    }
}

/// Returns the folder that older versions gave a partition key: without the number of its capital letters.
fn older_partition_folder(key: &str) -> String {
    split_name(&utf8_percent_encode(key, ESCAPED).to_string())
}

/// Returns a hexadecimal number that tells which ASCII letters of a key are capital: four letters a digit, without the
/// zeros at the end; `None` without capital letters. All others are escaped, so that they differ in more than case.
fn capitals_of(key: &str) -> Option<String> {
    let letters: Vec<char> = key.chars().filter(char::is_ascii_alphabetic).collect();
    let digit = |letters: &[char]| {
        let bits = letters.iter().enumerate();
        let bits = bits.filter(|(_, letter)| letter.is_ascii_uppercase());
        bits.map(|(index, _)| 1 << index).sum::<u32>()
    };
    let digits: String = letters
        .chunks(4)
        .map(|letters| char::from_digit(digit(letters), 16).unwrap_or('0'))
        .collect();
    let digits = digits.trim_end_matches('0');
    (!digits.is_empty()).then(|| digits.to_owned())
}

/// Splits a name that is too long for a folder into several. An empty one gets a name that no other has.
fn split_name(name: &str) -> String {
    if name.is_empty() {
        return "~/~".to_owned();
    }
    let mut folder = String::with_capacity(name.len());
    for (index, byte) in name.chars().enumerate() {
        if index > 0 && index % LONGEST_NAME == 0 {
            folder.push_str("~/");
        }
        folder.push(byte);
    }
    folder
}

/// Returns the address of a file of the asset. Files of other assets, also of those whose keys extend the asset's,
/// and files that this layout did not write give `None`.
pub(super) fn parse_path(asset: &AssetKey, path: &str) -> Option<Address> {
    // The slash ends the asset's key: `raw` must not match `rawest`.
    let rest = path.strip_prefix(asset.as_str())?.strip_prefix('/')?;
    let (folder, file) = match rest.rsplit_once('/') {
        Some((folder, file)) => (Some(folder), file),
        None => (None, rest),
    };
    let (partition, name) = match folder {
        None => (None, file.strip_prefix(UNPARTITIONED)?),
        Some(folder) => (Some(key_of_folder(folder)?.into()), file),
    };
    let (attempt, _extension) = name.split_once('.')?;
    let (run, number) = attempt.split_once('-')?;
    Some(Address {
        asset: asset.clone(),
        partition,
        run: run.parse().ok()?,
        attempt: number.parse().ok()?,
    })
}

/// Returns the extension of a file that holds content in a format, with the CRC-32 of the content:
/// `9ae1f0c2.csv`.
pub(super) fn checked_extension(extension: &str, content: &[u8]) -> String {
    format!("{:08x}.{extension}", crc32fast::hash(content))
}

/// Returns the CRC-32 of a file's content, if its name holds one. Files of older versions have none.
pub(super) fn checksum_of(path: &str) -> Option<u32> {
    let (_, name) = path.rsplit_once('/')?;
    let (_attempt, extensions) = name.split_once('.')?;
    let (digits, _extension) = extensions.split_once('.')?;
    (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Returns whether a path is of an older version that did not mark the capital letters of its partition key.
pub(super) fn has_unmarked_capitals(address: &Address, path: &str) -> bool {
    let key = address.partition.as_ref().map(|key| key.as_str());
    key.is_some_and(|key| {
        let folder = format!("{}/{}/", address.asset, partition_folder(key));
        capitals_of(key).is_some() && !path.starts_with(&folder)
    })
}

/// Returns the partition key of a folder, if this layout wrote it.
fn key_of_folder(folder: &str) -> Option<String> {
    if folder == "~/~" {
        return Some(String::new());
    }
    let (before, last) = match folder.rsplit_once('/') {
        Some((before, last)) => (Some(before), last),
        None => (None, folder),
    };
    let mut escaped = String::with_capacity(folder.len());
    // All names but the last end with the mark of a key that continues.
    for name in before.into_iter().flat_map(|before| before.split('/')) {
        escaped.push_str(name.strip_suffix('~')?);
    }
    escaped.push_str(last);
    let key_only = escaped
        .split_once(CAPITALS)
        .map_or(escaped.as_str(), |(key, _)| key);
    let key = percent_decode_str(key_only).decode_utf8().ok()?;
    // A folder that this layout would have written differently is from another program.
    let is_own = partition_folder(&key) == folder || older_partition_folder(&key) == folder;
    is_own.then(|| key.into_owned())
}

#[cfg(test)]
mod tests;

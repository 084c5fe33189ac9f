//! Files compressed with gzip.

use std::io::{Read, Write};

use flate2::{Compression, GzBuilder, read::MultiGzDecoder};

/// The suffix of the names of compressed files.
pub(super) const EXTENSION: &str = ".gz";

/// Compresses content. The header has neither time nor name, so equal content gives equal bytes.
pub(super) fn compress(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    writer.write_all(content)?;
    writer.finish()
}

/// Decompresses a file.
pub(super) fn decompress(file: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    MultiGzDecoder::new(file).read_to_end(&mut content)?;
    Ok(content)
}

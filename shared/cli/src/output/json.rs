//! JSON output.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a value as indented JSON, followed by a line break.
///
/// # Errors
/// When the stream is closed.
pub(crate) fn write_json(to: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, value)?;
    writeln!(to)
}

//! JSON for machines.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a value as JSON with a line break at its end.
///
/// # Errors
/// When the stream is closed.
pub fn json(to: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, value)?;
    writeln!(to)
}

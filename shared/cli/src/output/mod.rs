//! Formats of printed answers. Data goes to stdout, everything else to stderr.

mod clean;
mod count;
mod json;
mod metadata;
mod size;
mod stderr;
mod table;
mod time;

pub(crate) use clean::{CleanWriter, clean_line, clean_text};
pub(crate) use count::format_count;
pub(crate) use json::write_json;
pub(crate) use metadata::format_metadata;
pub(crate) use size::format_bytes;
pub(crate) use stderr::{clean_panics, has_failed, is_closed, note_failure, print_stderr};
pub(crate) use table::Table;
pub(crate) use time::{format_ago, format_duration, format_time};

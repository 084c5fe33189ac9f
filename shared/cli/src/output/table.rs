//! Aligned columns for people.

use std::{fmt, io, io::Write};

use anstyle::Style;
use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};

use super::clean_line;
use crate::answers;

/// The style of headings on a terminal.
pub(super) const HEADINGS: Style = Style::new().bold();

/// Rows under headings, without borders, so that each row is one line that `grep` finds.
pub(crate) struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// Creates a table with these headings. A heading that ends in ` #` makes a column of numbers.
    pub(crate) fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        let mut header = Vec::new();
        // Indexes of the columns to align right.
        let mut numbers = Vec::new();
        for (index, heading) in headings.into_iter().enumerate() {
            let text = heading.strip_suffix(" #");
            if text.is_some() {
                numbers.push(index);
            }
            header.push(Cell::new(clean_line(text.unwrap_or(heading))));
        }
        inner.set_header(header);
        for index in 0..inner.column_count() {
            if let Some(column) = inner.column_mut(index) {
                column.set_padding((0, 2));
                if numbers.contains(&index) {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Self { inner }
    }

    /// Adds a row. Line breaks become spaces, and control characters escapes, so that each row is one line.
    pub(crate) fn add_row<T: fmt::Display>(&mut self, cells: impl IntoIterator<Item = T>) {
        let one_line = cells
            .into_iter()
            .map(|cell| clean_line(&cell.to_string()).into_owned());
        self.inner
            .add_row(one_line.map(Cell::new).collect::<Vec<_>>());
    }

    /// Writes the table.
    ///
    /// # Errors
    /// When the stream is closed.
    pub(crate) fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        let bold = if answers::is_terminal() {
            HEADINGS
        } else {
            Style::new()
        };
        let text = self.inner.to_string();
        // The padding of the last column would be trailing spaces.
        let mut lines = text.lines().map(str::trim_end);
        if let Some(headings) = lines.next() {
            writeln!(to, "{bold}{headings}{bold:#}")?;
        }
        for line in lines {
            writeln!(to, "{line}")?;
        }
        Ok(())
    }
}

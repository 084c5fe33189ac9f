//! Aligned columns for people.

use std::{fmt, io, io::Write};

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, presets};

use crate::answers;

/// Rows under headings, without borders, so that each row is one line that `grep` finds.
pub(crate) struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// Creates a table with these headings. A heading that ends in ` #` makes a column of numbers.
    pub(crate) fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut inner = comfy_table::Table::new();
        if !answers::is_terminal() {
            inner.force_no_tty();
        }
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
            header.push(Cell::new(text.unwrap_or(heading)).add_attribute(Attribute::Bold));
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

    /// Adds a row. Line breaks become spaces.
    pub(crate) fn add_row<T: fmt::Display>(&mut self, cells: impl IntoIterator<Item = T>) {
        let one_line = cells
            .into_iter()
            .map(|cell| cell.to_string().replace(['\n', '\r'], " "));
        self.inner
            .add_row(one_line.map(Cell::new).collect::<Vec<_>>());
    }

    /// Writes the table.
    ///
    /// # Errors
    /// When the stream is closed.
    pub(crate) fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        // The padding of the last column would be trailing spaces.
        for line in self.inner.to_string().lines() {
            writeln!(to, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

//! Text files split into pieces that all processors read at the same time.

use std::{num::NonZero, sync::Arc, thread};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, Fields};

/// Smallest piece, in bytes: a smaller one is not worth a thread.
const SMALLEST: usize = 1024 * 1024;

/// Splits a file into about as many pieces as there are processors, at the ends of rows. `quote` encloses texts
/// that may contain line ends.
pub(super) fn split_rows(file: &[u8], quote: Option<u8>) -> Vec<&[u8]> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    split_into(file, quote, processors.min(file.len() / SMALLEST))
}

fn split_into(file: &[u8], quote: Option<u8>, count: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(count.max(1));
    let (mut rest, mut left) = (file, count);
    while left > 1 {
        let end = end_of_row(rest, quote, rest.len() / left);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
        left -= 1;
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Returns the end of the first row that ends at or after `least`. A line end within quotes ends no row.
fn end_of_row(file: &[u8], quote: Option<u8>, least: usize) -> usize {
    let is_quote = |byte: &&u8| Some(**byte) == quote;
    // An odd number of quotes before `least` means that it is within quotes. A doubled quote counts twice.
    let mut is_quoted = file[..least].iter().filter(is_quote).count() % 2 == 1;
    for (index, byte) in file.iter().enumerate().skip(least) {
        if is_quote(&byte) {
            is_quoted = !is_quoted;
        } else if *byte == b'\n' && !is_quoted {
            return index + 1;
        }
    }
    file.len()
}

/// Guesses the columns of a file from its pieces. Where these disagree, or one is malformed, the whole file is read
/// at once, so that an error refers to the file. `guess` receives the index of its piece: 0 has the header.
pub(super) fn guess_fields(
    file: &[u8],
    pieces: &[&[u8]],
    guess: impl Fn(usize, &[u8]) -> Result<Fields, ArrowError> + Sync,
) -> Result<Fields, ArrowError> {
    let guesses = map_pieces(pieces, &guess);
    match guesses.and_then(|guesses| merge_fields(&guesses)) {
        Some(fields) => Ok(fields),
        None => guess(0, file),
    }
}

/// Reads the rows of a file from its pieces. Where one is malformed, the whole file is read at once, so that an
/// error refers to the file. `read` receives the index of its piece, as for [`guess_fields`].
pub(super) fn read_batches(
    file: &[u8],
    pieces: &[&[u8]],
    read: impl Fn(usize, &[u8]) -> Result<Vec<RecordBatch>, ArrowError> + Sync,
) -> Result<Vec<RecordBatch>, ArrowError> {
    match map_pieces(pieces, &read) {
        Some(batches) => Ok(batches.concat()),
        None => read(0, file),
    }
}

/// Applies a function to every piece at the same time, and returns the results in order; `None` if one fails, or if
/// there are fewer than two pieces.
fn map_pieces<T: Send>(
    pieces: &[&[u8]],
    work: &(impl Fn(usize, &[u8]) -> Result<T, ArrowError> + Sync),
) -> Option<Vec<T>> {
    if pieces.len() < 2 {
        return None;
    }
    thread::scope(|scope| {
        // All threads are started before the first is joined.
        let spawn = |(n, piece)| scope.spawn(move || work(n, piece).ok());
        let threads: Vec<_> = pieces.iter().copied().enumerate().map(spawn).collect();
        let results = threads.into_iter().map(|thread| {
            let joined = thread.join();
            joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        results.collect()
    })
}

/// Merges the columns that were guessed from parts of the rows; `None` when they can only be guessed from all rows
/// together.
fn merge_fields(guesses: &[Fields]) -> Option<Fields> {
    let (first, others) = guesses.split_first()?;
    others.iter().try_fold(first.clone(), |all, fields| {
        (all.len() == fields.len()).then_some(())?;
        let merged = all.iter().zip(fields).map(|(one, other)| {
            (one.name() == other.name()).then_some(())?;
            let data_type = merge_types(one.data_type(), other.data_type())?;
            let nullable = one.is_nullable() || other.is_nullable();
            Some(Arc::new(Field::new(one.name(), data_type, nullable)))
        });
        merged.collect()
    })
}

/// Merges two guesses as Arrow would have guessed from both: a missing value says nothing, and integers are floats.
fn merge_types(one: &DataType, other: &DataType) -> Option<DataType> {
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (DataType::Null, some) | (some, DataType::Null) => Some(some.clone()),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => {
            Some(DataType::Float64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use precip_engine::io::LoadRequest;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Table,
        format::{FormatError, csv, json_lines},
    };

    type Decode = fn(&[u8], &[&[u8]], &LoadRequest) -> Result<Table, FormatError>;

    /// Asserts that any number of pieces is read as the whole file is.
    fn assert_reads_alike(file: &[u8], quote: Option<u8>, decode: Decode) {
        let everything = LoadRequest::everything();
        let whole = decode(file, &[file], &everything).map_err(|error| error.to_string());
        for count in 2..6 {
            let pieces = split_into(file, quote, count);
            let read = decode(file, &pieces, &everything).map_err(|error| error.to_string());
            assert_eq!(read, whole, "{count} pieces");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn pieces_of_a_csv_file_are_read_as_the_whole_is(
            rows in prop::collection::vec(
                // Values whose guessed types differ between pieces, quotes and line ends.
                prop::collection::vec("|-?[0-9]{1,3}|1\\.5|true|2013-01-0[1-9]|2013-01-01T05:00:00|\"[a\n]{0,3}(\"\"\n)?\"", 2),
                0..12,
            ),
        ) {
            let lines = rows.iter().map(|row| row.join(",") + "\n");
            let file: String = std::iter::once("a,b\n".to_owned()).chain(lines).collect();
            assert_reads_alike(file.as_bytes(), csv::QUOTE, csv::decode_pieces);
        }

        #[test]
        fn pieces_of_json_lines_are_read_as_the_whole_is(
            rows in prop::collection::vec(("null|-?[1-9][0-9]?|1\\.5|\"x\"|\\[\\]|\\[1\\]|\\{\"c\":1\\}", any::<bool>()), 0..12),
        ) {
            let line = |(value, has_b): &(String, bool)| {
                if *has_b {
                    format!("{{\"a\":{value},\"b\":1}}\n")
                } else {
                    format!("{{\"a\":{value}}}\n")
                }
            };
            let file: String = rows.iter().map(line).collect();
            assert_reads_alike(file.as_bytes(), None, json_lines::decode_pieces);
        }
    }

    #[test]
    fn rows_are_never_split() {
        let file = b"a,b\n1,\"x\ny\"\n2,\"\"\"\n\"\"\"\n3,z\n";
        for count in 0..20 {
            let pieces = split_into(file, Some(b'"'), count);
            assert_eq!(pieces.concat(), file);
            assert!(pieces.len() <= count.max(1), "{count}: {pieces:?}");
            for piece in pieces {
                let quotes = piece.iter().filter(|byte| **byte == b'"').count();
                assert!(piece.ends_with(b"\n") && quotes.is_multiple_of(2));
            }
        }
        assert_eq!(split_into(b"1\n2", None, 2), [&b"1\n"[..], b"2"]);
        assert!(split_into(b"", None, 2).is_empty());
    }

    #[test]
    fn guesses_that_agree_are_merged() {
        let fields = |types: &[DataType]| -> Fields {
            let field = |data_type: &DataType| Field::new("a", data_type.clone(), true);
            types.iter().map(field).collect()
        };
        let some = fields(&[DataType::Int64, DataType::Null, DataType::Utf8]);
        let others = fields(&[DataType::Float64, DataType::Date32, DataType::Utf8]);
        let all = fields(&[DataType::Float64, DataType::Date32, DataType::Utf8]);
        assert_eq!(merge_fields(&[some.clone(), others]), Some(all));
        let unlike = fields(&[DataType::Boolean, DataType::Null, DataType::Utf8]);
        assert_eq!(merge_fields(&[some.clone(), unlike]), None);
        assert_eq!(merge_fields(&[some, fields(&[])]), None);
    }
}

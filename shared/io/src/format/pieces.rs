//! Files of text in pieces, which all processors read at once.

use std::{num::NonZero, sync::Arc, thread};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, Fields};

/// Below it a piece is not worth a thread.
const SMALLEST: usize = 1024 * 1024;

/// The file in about as many pieces as there are processors, each of whole rows: what is written with commas and
/// quotes, or without quotes at all.
pub(super) fn split(file: &[u8], quote: Option<u8>) -> Vec<&[u8]> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    split_into(file, quote, processors.min(file.len() / SMALLEST))
}

fn split_into(file: &[u8], quote: Option<u8>, count: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(count.max(1));
    let (mut rest, mut count) = (file, count);
    while count > 1 {
        let end = end_of_row(rest, quote, rest.len() / count);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
        count -= 1;
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Where the first row ends that ends behind a place: a line within quotes does not end one.
fn end_of_row(file: &[u8], quote: Option<u8>, least: usize) -> usize {
    let is_quote = |byte: &&u8| Some(**byte) == quote;
    let mut is_quoted = file[..least].iter().filter(is_quote).count() % 2 == 1;
    for (at, byte) in file.iter().enumerate().skip(least) {
        if is_quote(&byte) {
            is_quoted = !is_quoted;
        } else if *byte == b'\n' && !is_quoted {
            return at + 1;
        }
    }
    file.len()
}

/// The columns of a file, guessed from its pieces; where those do not agree, or one is wrong, from the whole file at
/// once, so that what is wrong is said of the file. `guess` is given the place of what it looks at: 0 has the beginning.
pub(super) fn guess(
    file: &[u8],
    pieces: &[&[u8]],
    guess: impl Fn(usize, &[u8]) -> Result<Fields, ArrowError> + Sync,
) -> Result<Fields, ArrowError> {
    let guesses = each(pieces, &guess);
    match guesses.and_then(|guesses| merge(&guesses)) {
        Some(fields) => Ok(fields),
        None => guess(0, file),
    }
}

/// The rows of a file, read from its pieces; where one is wrong, from the whole file at once. `read` is given the
/// place of what it reads, as for [`guess`].
pub(super) fn read(
    file: &[u8],
    pieces: &[&[u8]],
    read: impl Fn(usize, &[u8]) -> Result<Vec<RecordBatch>, ArrowError> + Sync,
) -> Result<Vec<RecordBatch>, ArrowError> {
    match each(pieces, &read) {
        Some(batches) => Ok(batches.concat()),
        None => read(0, file),
    }
}

/// Does something with every piece at once, and answers in their order; `None` where one fails, and where there are
/// no two.
fn each<T: Send>(
    pieces: &[&[u8]],
    work: &(impl Fn(usize, &[u8]) -> Result<T, ArrowError> + Sync),
) -> Option<Vec<T>> {
    if pieces.len() < 2 {
        return None;
    }
    thread::scope(|scope| {
        let spawn = |(n, piece)| scope.spawn(move || work(n, piece).ok());
        let threads: Vec<_> = pieces.iter().copied().enumerate().map(spawn).collect();
        let done = threads.into_iter().map(|thread| {
            let done = thread.join();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        done.collect()
    })
}

/// The columns of all rows, out of those that were guessed from some of them each; `None` where one has to look at
/// all rows together.
fn merge(guesses: &[Fields]) -> Option<Fields> {
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

    /// Whether the pieces of a file, however many, are read as the whole of it is.
    fn reads_alike(file: &[u8], quote: Option<u8>, decode: Decode) {
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
                // What is guessed to be of one type here and of another there, quotes and line ends.
                prop::collection::vec("|-?[0-9]{1,3}|1\\.5|true|2013-01-0[1-9]|2013-01-01T05:00:00|\"[a\n]{0,3}(\"\"\n)?\"", 2),
                0..12,
            ),
        ) {
            let lines = rows.iter().map(|row| row.join(",") + "\n");
            let file: String = std::iter::once("a,b\n".to_owned()).chain(lines).collect();
            reads_alike(file.as_bytes(), csv::QUOTE, csv::decode_pieces);
        }

        #[test]
        fn pieces_of_json_lines_are_read_as_the_whole_is(
            rows in prop::collection::vec(("null|-?[1-9][0-9]?|1\\.5|\"x\"|\\[\\]|\\[1\\]|\\{\"c\":1\\}", any::<bool>()), 0..12),
        ) {
            let line = |(value, both): &(String, bool)| match both {
                true => format!("{{\"a\":{value},\"b\":1}}\n"),
                false => format!("{{\"a\":{value}}}\n"),
            };
            let file: String = rows.iter().map(line).collect();
            reads_alike(file.as_bytes(), None, json_lines::decode_pieces);
        }
    }

    #[test]
    fn rows_stay_whole() {
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
    fn what_pieces_agree_on_is_taken() {
        let fields = |types: &[DataType]| -> Fields {
            let field = |data_type: &DataType| Field::new("a", data_type.clone(), true);
            types.iter().map(field).collect()
        };
        let some = fields(&[DataType::Int64, DataType::Null, DataType::Utf8]);
        let others = fields(&[DataType::Float64, DataType::Date32, DataType::Utf8]);
        let all = fields(&[DataType::Float64, DataType::Date32, DataType::Utf8]);
        assert_eq!(merge(&[some.clone(), others]), Some(all));
        let unlike = fields(&[DataType::Boolean, DataType::Null, DataType::Utf8]);
        assert_eq!(merge(&[some.clone(), unlike]), None);
        assert_eq!(merge(&[some, fields(&[])]), None);
    }
}

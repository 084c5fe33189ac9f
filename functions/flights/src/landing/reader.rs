//! Reading CSV: every row, or an error with the line and the column.

use std::io::{self, Read};

use csv::{ReaderBuilder, StringRecord};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;

/// A row of a landing file as written.
pub trait LandingRecord: DeserializeOwned {
    /// The row of the table that it becomes.
    type Row;
    /// The columns that a file must have, in any order. Others are ignored.
    const COLUMNS: &'static [&'static str];
    /// The columns in which `NA` is no value.
    const OPTIONAL: &'static [&'static str] = &[];

    /// Converts it to a row of the table.
    ///
    /// # Errors
    /// [`InvalidValue`] when values do not fit each other.
    fn into_row(self) -> Result<Self::Row, InvalidValue>;
}

/// The reason why a value is invalid together with others of its row.
#[derive(Debug, thiserror::Error)]
#[error("column `{column}`: {reason}")]
pub struct InvalidValue {
    pub column: &'static str,
    pub reason: String,
}

/// The reason why a file is invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidFile {
    /// The file has no header.
    #[error("it is empty; it must begin with a header that has the columns `{}`", expected.join("`, `"))]
    NoHeader { expected: &'static [&'static str] },
    /// The header lacks columns.
    #[error("its header has no column `{}`, only `{}`", missing.join("`, `"), found.join("`, `"))]
    MissingColumns {
        missing: Vec<&'static str>,
        found: Vec<String>,
    },
    /// The header names a column twice.
    #[error("its header has column `{column}` twice, so that its value is ambiguous")]
    RepeatedColumn { column: String },
    /// A row does not fit the header, or a value does not fit its column.
    #[error("line {line}, {reason}")]
    Row { line: u64, reason: String },
    /// The file ends early, or is not compressed by gzip.
    #[error("it cannot be decompressed to its end; it is truncated or damaged")]
    Damaged(#[source] io::Error),
    /// The content is not CSV.
    #[error(transparent)]
    Csv(csv::Error),
}

/// Reads the rows of a gzipped file, which may have several members.
pub fn read_gzipped_rows<R: LandingRecord>(file: &[u8]) -> Result<Vec<R::Row>, InvalidFile> {
    let mut content = Vec::new();
    // Concatenated members are one file (RFC 1952, 2.2): a decoder of one member would drop the others.
    MultiGzDecoder::new(file)
        .read_to_end(&mut content)
        .map_err(InvalidFile::Damaged)?;
    read_rows::<R>(&content[..])
}

/// Reads the rows of a file.
pub fn read_rows<R: LandingRecord>(file: impl Read) -> Result<Vec<R::Row>, InvalidFile> {
    let mut reader = ReaderBuilder::new().from_reader(file);
    let header = reader.headers().map_err(InvalidFile::Csv)?.clone();
    // Checked before the rows: a file of no rows must have a valid header too.
    check_header(&header, R::COLUMNS)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(row_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        let record = without_na(&record, &header, R::OPTIONAL);
        let parsed: R = record
            .deserialize(Some(&header))
            .map_err(|error| value_error(error, &record, &header))?;
        let row = parsed.into_row().map_err(|error| InvalidFile::Row {
            line,
            reason: error.to_string(),
        })?;
        rows.push(row);
    }
    Ok(rows)
}

fn check_header(
    header: &StringRecord,
    expected: &'static [&'static str],
) -> Result<(), InvalidFile> {
    if header.is_empty() {
        return Err(InvalidFile::NoHeader { expected });
    }
    let is_missing = |column: &&&str| !header.iter().any(|found| found == **column);
    let missing: Vec<&str> = expected.iter().filter(is_missing).copied().collect();
    if !missing.is_empty() {
        return Err(InvalidFile::MissingColumns {
            missing,
            found: header.iter().map(str::to_owned).collect(),
        });
    }
    for (index, column) in header.iter().enumerate() {
        if header.iter().take(index).any(|before| before == column) {
            return Err(InvalidFile::RepeatedColumn {
                column: column.to_owned(),
            });
        }
    }
    Ok(())
}

/// Empties the values `NA` of optional columns, which are then read as `None`.
fn without_na(record: &StringRecord, header: &StringRecord, optional: &[&str]) -> StringRecord {
    let values = record.iter().zip(header).map(|(value, column)| {
        let is_na = value == "NA" && optional.contains(&column);
        if is_na { "" } else { value }
    });
    let mut cleaned: StringRecord = values.collect();
    cleaned.set_position(record.position().cloned());
    cleaned
}

/// Returns the error for a row that has not as many values as the header has columns.
fn row_error(error: csv::Error) -> InvalidFile {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos: Some(position),
            expected_len,
            len,
        } => InvalidFile::Row {
            line: position.line(),
            reason: format!("which has {len} values, and the header has {expected_len} columns"),
        },
        _ => InvalidFile::Csv(error),
    }
}

/// Returns the error for a value that cannot be parsed.
fn value_error(error: csv::Error, record: &StringRecord, header: &StringRecord) -> InvalidFile {
    let csv::ErrorKind::Deserialize {
        pos: Some(position),
        err,
    } = error.kind()
    else {
        return InvalidFile::Csv(error);
    };
    let index = err.field().and_then(|index| usize::try_from(index).ok());
    let found = index.and_then(|index| Some((header.get(index)?, record.get(index)?)));
    InvalidFile::Row {
        line: position.line(),
        reason: match found {
            Some((column, value)) => format!("column `{column}`: `{value}`: {}", err.kind()),
            None => err.kind().to_string(),
        },
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::{
        landing::{AirlineRecord, FlightRecord},
        rows::Flight,
    };

    const HEADER: &str = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,\
                          carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n";

    fn flight_row(date: &str, flight: &str) -> String {
        format!(
            "{date},517,515,2,830,819,NA,UA,{flight},N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
        )
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read_flights(file: &str) -> Result<Vec<Flight>, String> {
        read_rows::<FlightRecord>(file.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_member_of_a_gzipped_file_is_read() {
        let rows: Vec<String> = (1..=4)
            .map(|n| flight_row("2013,1,1", &n.to_string()))
            .collect();
        // Members may end anywhere, even within a line, and may be empty.
        let text = HEADER.to_owned() + &rows.concat();
        for cuts in [vec![], vec![HEADER.len()], vec![3, 3, 200, 300]] {
            let mut file = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                file.extend(gzip(&text[from..cut]));
                from = cut;
            }
            let read = read_gzipped_rows::<FlightRecord>(&file).unwrap();
            let numbers: Vec<i32> = read.iter().map(|flight| flight.flight).collect();
            assert_eq!(numbers, [1, 2, 3, 4]);
        }
    }

    #[test]
    fn truncated_and_damaged_files_are_refused() {
        let text = HEADER.to_owned() + &flight_row("2013,1,1", "1");
        let first = gzip(&text);
        let second = gzip(&flight_row("2013,1,1", "2"));
        // Cut within the second member: the rows of the first alone would be a wrong answer.
        for kept in [1, 9, second.len() / 2, second.len() - 1] {
            let file = [&first[..], &second[..kept]].concat();
            let error = read_gzipped_rows::<FlightRecord>(&file).unwrap_err();
            assert!(matches!(error, InvalidFile::Damaged(_)), "{kept}: {error}");
        }
        for file in [&b""[..], b"not gzip", &[&first[..], b"trailing"].concat()] {
            let error = read_gzipped_rows::<FlightRecord>(file).unwrap_err();
            assert!(
                error.to_string().contains("truncated or damaged"),
                "{error}"
            );
        }
        let mut damaged = first.clone();
        // The checksum at the end.
        let end = damaged.len() - 8;
        damaged[end] ^= 1;
        read_gzipped_rows::<FlightRecord>(&damaged).unwrap_err();
    }

    #[test]
    fn a_date_that_does_not_exist_is_refused_with_its_line_and_column() {
        for (date, column) in [
            ("2013,1,32", "day"),
            ("2013,1,0", "day"),
            ("2013,2,29", "day"),
            ("2013,13,1", "month"),
            ("2013,0,1", "month"),
            ("999999,1,1", "year"),
        ] {
            let file = HEADER.to_owned() + &flight_row("2013,1,1", "1") + &flight_row(date, "2");
            let shown = date.replace(',', "-");
            assert_eq!(
                read_flights(&file).unwrap_err(),
                format!("line 3, column `{column}`: there is no date {shown}")
            );
        }
        let leap_day = HEADER.to_owned() + &flight_row("2012,2,29", "1");
        assert_eq!(
            read_flights(&leap_day).unwrap()[0].date.to_string(),
            "2012-02-29"
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_with_its_line_and_column() {
        let file = HEADER.to_owned() + &flight_row("2013,1,1", "n1");
        assert_eq!(
            read_flights(&file).unwrap_err(),
            "line 2, column `flight`: `n1`: invalid digit found in string"
        );
        let file = HEADER.to_owned() + &flight_row("2013,1,1", "1").replace("227", "22?");
        assert_eq!(
            read_flights(&file).unwrap_err(),
            "line 2, column `air_time`: `22?`: invalid digit found in string"
        );
        // `NA` is no value in columns that may lack one, and a text or an error elsewhere.
        let file = HEADER.to_owned() + &flight_row("2013,1,1", "NA");
        assert_eq!(
            read_flights(&file).unwrap_err(),
            "line 2, column `flight`: `NA`: invalid digit found in string"
        );
        let file = HEADER.to_owned() + &flight_row("2013,1,1", "1").replace("UA", "NA");
        let flight = &read_flights(&file).unwrap()[0];
        assert_eq!((flight.arr_delay, flight.carrier.as_str()), (None, "NA"));
    }

    #[test]
    fn a_file_must_have_its_header() {
        let error = read_flights("").unwrap_err();
        assert!(error.starts_with("it is empty; it must begin"), "{error}");
        // A header alone is a file of no rows.
        assert_eq!(read_flights(HEADER).unwrap(), []);
        // Without the header, the first row would be lost.
        let error = read_flights(&flight_row("2013,1,1", "1")).unwrap_err();
        assert!(error.contains("no column `year`, `month`"), "{error}");
        for (change, expected) in [
            (("tailnum,", ""), "its header has no column `tailnum`"),
            (("tailnum,", "tail,"), "its header has no column `tailnum`"),
            (
                ("tailnum,", "Tailnum,"),
                "its header has no column `tailnum`",
            ),
            (
                ("hour,minute", "day,minute"),
                "its header has column `day` twice",
            ),
            ((",time_hour", ""), "its header has no column `time_hour`"),
        ] {
            let header = HEADER.replacen(change.0, change.1, 1);
            let error = read_flights(&header).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_row_must_have_a_value_for_each_column() {
        let row = flight_row("2013,1,1", "1");
        let short = HEADER.to_owned() + &row.replace(",2013-01-01T10:00:00Z", "");
        assert_eq!(
            read_flights(&short).unwrap_err(),
            "line 2, which has 18 values, and the header has 19 columns"
        );
        let long = HEADER.to_owned() + &row.replace("\n", ",more\n");
        assert!(read_flights(&long).unwrap_err().contains("has 20 values"));
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let file = "name,carrier\nUnited,UA\n";
        let rows = read_rows::<AirlineRecord>(file.as_bytes()).unwrap();
        assert_eq!(
            (rows[0].carrier.as_str(), rows[0].name.as_str()),
            ("UA", "United")
        );
    }
}

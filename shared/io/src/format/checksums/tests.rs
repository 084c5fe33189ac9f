use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use precip_core::metadata::TableSchema;
use precip_engine::io::LoadRequest;

use super::*;
use crate::{
    ParquetCompression, ParquetOptions, Table,
    format::{FormatError, parquet},
};

fn sample_table() -> Table {
    let rows = 20;
    let numbers = Int64Array::from_iter_values(0..rows);
    let delays = Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 4.0));
    let names = StringArray::from_iter_values((0..rows).map(|n| format!("name {}", n % 7)));
    let batch = RecordBatch::try_from_iter([
        ("number", Arc::new(numbers) as _),
        ("delay", Arc::new(delays) as _),
        ("name", Arc::new(names) as _),
    ])
    .unwrap();
    Table::from(batch)
}

fn encode(options: ParquetOptions) -> Vec<u8> {
    // Several row groups, so that the checksums of each are used.
    let options = options.rows_per_group(12);
    parquet::encode_parquet(
        &sample_table(),
        &options,
        &[("precip.attempt", "x-1".to_owned())],
    )
    .unwrap()
}

fn decode(file: &[u8], request: &LoadRequest) -> Result<Table, FormatError> {
    parquet::decode_parquet(Bytes::copy_from_slice(file), request)
}

fn only_column(name: &str) -> LoadRequest {
    LoadRequest {
        columns: Some(TableSchema::from_iter([(name, "Int64", true)])),
        ..LoadRequest::default()
    }
}

#[test]
fn no_flipped_bit_gives_other_data() {
    for compression in [ParquetCompression::None, ParquetCompression::Zstd(3)] {
        let file = encode(ParquetOptions::new().compression(compression));
        let everything = LoadRequest::everything();
        let table = decode(&file, &everything).unwrap();
        let mut refused = 0;
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match decode(&flipped, &everything) {
                // A bit outside of columns and footer, which nothing reads.
                Ok(read) => assert_eq!(read, table, "bit {bit} of {}", file.len() * 8),
                Err(FormatError::Corrupt(_)) => refused += 1,
                Err(other) => panic!("bit {bit}: {other:?}"),
            }
        }
        assert!(refused > file.len() * 4, "{refused} of {}", file.len() * 8);
    }
}

#[test]
fn a_file_that_is_cut_off_is_damaged() {
    let file = encode(ParquetOptions::new());
    for length in 0..file.len() {
        let read = decode(&file[..length], &LoadRequest::everything());
        assert!(
            matches!(read, Err(FormatError::Corrupt(_))),
            "{length}: {read:?}"
        );
    }
}

#[test]
fn a_damaged_column_is_named_and_the_others_can_be_read() {
    let file = encode(ParquetOptions::new());
    let checked = CheckedMetadata::decode(&file[file.len() - footer_length(&file).unwrap()..]);
    let checked = checked.unwrap();
    let (_, name, range, _) = checked.chunks().nth(1).unwrap();
    assert_eq!(name, "delay");
    let mut flipped = file.clone();
    flipped[range.end as usize - 1] ^= 1;
    let error = decode(&flipped, &LoadRequest::everything()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `delay` does not match its checksum"
    );
    assert_eq!(
        decode(&flipped, &only_column("number")).unwrap().num_rows(),
        20
    );
}

#[test]
fn a_file_without_checksums_is_read() {
    let table = sample_table();
    let mut file = Vec::new();
    let mut writer =
        ::parquet::arrow::ArrowWriter::try_new(&mut file, Arc::clone(table.schema()), None)
            .unwrap();
    for batch in table.batches() {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
    assert_eq!(decode(&file, &LoadRequest::everything()).unwrap(), table);
}

#[test]
fn a_table_without_rows_or_columns_has_checksums_too() {
    let empty = Table::from(sample_table().batches()[0].slice(0, 0));
    let file = parquet::encode_parquet(&empty, &ParquetOptions::new(), &[]).unwrap();
    assert_eq!(
        decode(&file, &LoadRequest::everything())
            .unwrap()
            .num_rows(),
        0
    );
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = decode(&flipped, &LoadRequest::everything()) {
            assert_eq!(read.schema(), empty.schema(), "bit {bit}");
        }
    }
}

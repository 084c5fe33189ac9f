//! [`cast_column`]: casting a column by the table.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, ListArray, MapArray, StructArray, cast::AsArray, make_array, new_null_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_cast::{
    CastOptions, cast_with_options,
    display::{ArrayFormatter, FormatOptions},
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};

use super::{
    CastRule, cast_rule,
    error::{CastError, CastProblem},
    rule::list_item,
};

/// The treatment of fields that only one of two struct types has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// Fields of the stored type are left out, and so are fields of the other type: the row type decides whether it
    /// has a default.
    LeaveOut,
    /// They are an error.
    Refuse,
}

/// Casts a column to the type of a field.
///
/// With [`Unmatched::LeaveOut`], structs in the result may lack fields of `to` that the column does not have.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int64Array};
/// use arrow_schema::{DataType, Field};
/// use precip_io::cast::{Unmatched, cast_column};
///
/// let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 9_007_199_254_740_993]));
/// let refused = cast_column(&ids, &Field::new("id", DataType::Float64, false), Unmatched::Refuse);
/// assert_eq!(
///     refused.unwrap_err().to_string(),
///     "column `id` holds Int64, and the field is read from Float64, which cannot hold `9007199254740993` (row 1); \
///      declare the field as `i64`, or convert the column where it is made"
/// );
/// ```
///
/// # Errors
/// [`CastError`] when the table of casts refuses the types, a value would change, or a value is missing that the field
/// requires.
pub fn cast_column(
    column: &ArrayRef,
    to: &Field,
    unmatched: Unmatched,
) -> Result<ArrayRef, CastError> {
    cast_part(column, to, unmatched).map_err(|mut error| {
        error.column = format!("{}{}", to.name(), error.column);
        error
    })
}

/// Casts a column or a part of one. The path in an error begins below the part, and its row is an index of the part.
fn cast_part(column: &ArrayRef, to: &Field, unmatched: Unmatched) -> Result<ArrayRef, CastError> {
    let fail = |problem, row| CastError {
        column: String::new(),
        from: column.data_type().clone(),
        to: to.data_type().clone(),
        problem: Box::new(problem),
        row,
    };
    let missing = column.logical_null_count();
    if missing > 0 && !to.is_nullable() {
        let row = (0..column.len()).find(|&row| is_missing(column, row));
        return Err(fail(CastProblem::Missing(missing), row));
    }
    if column.data_type() == to.data_type() {
        return Ok(Arc::clone(column));
    }
    let failed = |error: ArrowError| fail(CastProblem::Other(error.to_string()), None);
    let from = column.data_type();
    match (from, to.data_type()) {
        (DataType::Null, data_type) => Ok(new_null_array(data_type, column.len())),
        // Encodings are undone, and done again where they are wanted.
        (DataType::Dictionary(_, values), _) => {
            let values = convert(column, values).map_err(failed)?;
            cast_part(&values, to, unmatched)
        }
        (DataType::RunEndEncoded(_, values), _) => {
            let values = convert(column, values.data_type()).map_err(failed)?;
            cast_part(&values, to, unmatched)
        }
        (_, encoded @ DataType::Dictionary(_, values)) => {
            let values = to.clone().with_data_type(values.as_ref().clone());
            let values = cast_part(column, &values, unmatched)?;
            convert(&values, encoded).map_err(failed)
        }
        (DataType::Struct(_), DataType::Struct(wanted)) => {
            cast_struct(column.as_struct(), wanted, unmatched, &fail)
        }
        (DataType::Map(..), DataType::Map(entries, false)) => {
            cast_map(column.as_map(), entries, unmatched, &fail)
        }
        (from, data_type) => match (list_item(from), list_item(data_type)) {
            (Some(stored), Some(item)) => {
                // Every list type is read as the plain one first.
                let plain = convert(column, &DataType::List(Arc::new(stored.clone())));
                let plain = plain.map_err(failed)?;
                let lists = cast_list(plain.as_list(), &Arc::new(item.clone()), unmatched, &fail)?;
                match data_type {
                    DataType::List(_) => Ok(lists),
                    other => convert(&lists, other).map_err(failed),
                }
            }
            _ => cast_leaf(column, data_type, &fail),
        },
    }
}

type Fail<'a> = dyn Fn(CastProblem, Option<usize>) -> CastError + 'a;

/// Casts with an error instead of a missing value.
fn convert(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &strict)
}

/// Casts numbers, texts or times.
fn cast_leaf(column: &ArrayRef, to: &DataType, fail: &Fail<'_>) -> Result<ArrayRef, CastError> {
    let failed = |error: ArrowError| fail(CastProblem::Other(error.to_string()), None);
    let from = column.data_type();
    match cast_rule(from, to) {
        CastRule::Refused => return Err(fail(CastProblem::NoCommonUnit, None)),
        CastRule::Lossless => return convert(column, to).map_err(failed),
        CastRule::Checked => {}
    }
    // A value that does not fit becomes missing here, or another one when it is cast back.
    let fitted = cast_with_options(column, to, &CastOptions::default()).map_err(failed)?;
    let back = cast_with_options(&fitted, from, &CastOptions::default()).map_err(failed)?;
    if back.as_ref() == column.as_ref() {
        return Ok(fitted);
    }
    let differs = |row: &usize| {
        !is_missing(column, *row)
            && (is_missing(&back, *row)
                || column.slice(*row, 1).as_ref() != back.slice(*row, 1).as_ref())
            && !(is_nan(column, *row) && is_nan(&fitted, *row))
    };
    match (0..column.len()).find(differs) {
        Some(row) => Err(fail(
            CastProblem::Value(format_value(column, row)),
            Some(row),
        )),
        // NaNs have several forms, of which a narrower float keeps one.
        None => Ok(fitted),
    }
}

fn is_missing(column: &ArrayRef, row: usize) -> bool {
    match column.data_type() {
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Null => column
            .logical_nulls()
            .is_some_and(|nulls| nulls.is_null(row)),
        _ => column.is_null(row),
    }
}

fn is_nan(column: &ArrayRef, row: usize) -> bool {
    use arrow_array::types::{Float16Type, Float32Type, Float64Type};
    match column.data_type() {
        DataType::Float16 => column.as_primitive::<Float16Type>().value(row).is_nan(),
        DataType::Float32 => column.as_primitive::<Float32Type>().value(row).is_nan(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).is_nan(),
        _ => false,
    }
}

/// Formats a value for a message, cut off after some characters.
fn format_value(column: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    let text = ArrayFormatter::try_new(column.as_ref(), &options)
        .map(|format| format.value(row).to_string())
        .unwrap_or_default();
    shorten(&text)
}

/// Cuts a text off for a message.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}..")
}

fn cast_struct(
    column: &StructArray,
    wanted: &Fields,
    unmatched: Unmatched,
    fail: &Fail<'_>,
) -> Result<ArrayRef, CastError> {
    let stored = column.fields();
    let only_in = |one: &Fields, other: &Fields| -> Vec<String> {
        let only = one
            .iter()
            .filter(|field| other.find(field.name()).is_none());
        only.map(|field| field.name().clone()).collect()
    };
    let (extra, missing) = (only_in(stored, wanted), only_in(wanted, stored));
    // A struct of which nothing is read is a mistake, not an older version of the type.
    let nothing_matches = !wanted.is_empty() && missing.len() == wanted.len();
    if nothing_matches || (unmatched == Unmatched::Refuse && extra.len() + missing.len() > 0) {
        return Err(fail(CastProblem::Fields(extra, missing), None));
    }
    let mut fields: Vec<FieldRef> = Vec::with_capacity(wanted.len());
    let mut columns = Vec::with_capacity(wanted.len());
    for field in wanted {
        let Some((index, _)) = stored.find(field.name()) else {
            continue;
        };
        // Values below a missing struct are not values.
        let below = below_nulls(column.column(index), column)
            .map_err(|error| fail(CastProblem::Other(error.to_string()), None))?;
        // There, a required value may be missing.
        let required_only = field.as_ref().clone().with_nullable(true);
        let cast = if field.is_nullable() || column.null_count() == 0 {
            cast_part(&below, field, unmatched)
        } else {
            let missing = below.logical_null_count() - column.null_count();
            if missing > 0 {
                let row =
                    (0..below.len()).find(|&row| column.is_valid(row) && is_missing(&below, row));
                Err(CastError {
                    column: String::new(),
                    from: below.data_type().clone(),
                    to: field.data_type().clone(),
                    problem: Box::new(CastProblem::Missing(missing)),
                    row,
                })
            } else {
                cast_part(&below, &required_only, unmatched)
            }
        };
        let cast =
            cast.map_err(|error| below_path(error, &format!(".{}", field.name()), |row| row))?;
        fields.push(Arc::new(
            field
                .as_ref()
                .clone()
                .with_data_type(cast.data_type().clone()),
        ));
        columns.push(cast);
    }
    let array = if fields.is_empty() {
        Ok(StructArray::new_empty_fields(
            column.len(),
            column.nulls().cloned(),
        ))
    } else {
        StructArray::try_new(fields.into(), columns, column.nulls().cloned())
    };
    let array = array.map_err(|error| fail(CastProblem::Other(error.to_string()), None))?;
    Ok(Arc::new(array))
}

/// Returns the values of a struct's field, missing where the struct is.
pub(crate) fn below_nulls(values: &ArrayRef, column: &StructArray) -> Result<ArrayRef, ArrowError> {
    if column.null_count() == 0 {
        return Ok(Arc::clone(values));
    }
    match values.data_type() {
        // These have no missing values of their own.
        DataType::Null | DataType::Union(..) => Ok(Arc::clone(values)),
        DataType::RunEndEncoded(_, field) => {
            below_nulls(&convert(values, field.data_type())?, column)
        }
        _ => {
            let nulls = NullBuffer::union(column.nulls(), values.nulls());
            let data = values.to_data().into_builder().nulls(nulls).build()?;
            Ok(make_array(data))
        }
    }
}

fn cast_list(
    column: &ListArray,
    item: &FieldRef,
    unmatched: Unmatched,
    fail: &Fail<'_>,
) -> Result<ArrayRef, CastError> {
    // A slice of a column has the items of the whole.
    let offsets = column.offsets();
    let (start, end) = (offsets[0] as usize, offsets[column.len()] as usize);
    let items = column.values().slice(start, end - start);
    let row_of =
        |index: usize| offsets.partition_point(|&offset| offset as usize <= start + index) - 1;
    let items =
        cast_part(&items, item, unmatched).map_err(|error| below_path(error, "[]", row_of))?;
    let field = Arc::new(
        item.as_ref()
            .clone()
            .with_data_type(items.data_type().clone()),
    );
    let offsets = OffsetBuffer::from_lengths(offsets.lengths());
    ListArray::try_new(field, offsets, items, column.nulls().cloned())
        .map(|lists| Arc::new(lists) as ArrayRef)
        .map_err(|error| fail(CastProblem::Other(error.to_string()), None))
}

fn cast_map(
    column: &MapArray,
    entries: &FieldRef,
    unmatched: Unmatched,
    fail: &Fail<'_>,
) -> Result<ArrayRef, CastError> {
    let failed = |error: ArrowError| fail(CastProblem::Other(error.to_string()), None);
    let DataType::Struct(wanted) = entries.data_type() else {
        return Err(fail(CastProblem::NoCommonUnit, None));
    };
    let [key, value] = wanted.as_ref() else {
        return Err(fail(CastProblem::NoCommonUnit, None));
    };
    let offsets = column.offsets();
    let (start, end) = (offsets[0] as usize, offsets[column.len()] as usize);
    let row_of =
        |index: usize| offsets.partition_point(|&offset| offset as usize <= start + index) - 1;
    // Keys and values are matched by position: their names differ between formats.
    let cast = |values: &ArrayRef, field: &FieldRef, path| {
        let values = values.slice(start, end - start);
        let values = cast_part(&values, field, unmatched)
            .map_err(|error| below_path(error, path, row_of))?;
        let field = field
            .as_ref()
            .clone()
            .with_data_type(values.data_type().clone());
        Ok((Arc::new(field), values))
    };
    let (key, keys) = cast(column.keys(), key, "{key}")?;
    let (value, values) = cast(column.values(), value, "{value}")?;
    let pairs = StructArray::try_new(vec![key, value].into(), vec![keys, values], None);
    let pairs = pairs.map_err(failed)?;
    let entries = entries
        .as_ref()
        .clone()
        .with_data_type(pairs.data_type().clone());
    let offsets = OffsetBuffer::from_lengths(offsets.lengths());
    MapArray::try_new(
        Arc::new(entries),
        offsets,
        pairs,
        column.nulls().cloned(),
        false,
    )
    .map(|maps| Arc::new(maps) as ArrayRef)
    .map_err(failed)
}

/// Adds the step to a part to an error of that part. `row_of` returns the row that an index of the part belongs to.
fn below_path(mut error: CastError, step: &str, row_of: impl Fn(usize) -> usize) -> CastError {
    error.column.insert_str(0, step);
    error.row = error.row.map(row_of);
    error
}

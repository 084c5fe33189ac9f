//! Values in JSON: which of them are values of a column's type, and which columns JSON can hold.

use std::{borrow::Cow, cell::RefCell, fmt};

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{Float16Type, Float32Type, Float64Type},
};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::cast::{below_nulls, is_text_of, shorten};

/// Checks that the values of JSON objects are values of the columns' types, each of its own kind: Arrow's reader
/// takes a string for a number, cuts the fraction off an integer and reads a number as a moment.
///
/// # Errors
/// [`ArrowError::CastError`] for the first value that is not.
pub(crate) fn check_objects(objects: &[u8], fields: &Fields) -> Result<(), ArrowError> {
    let objects = serde_json::Deserializer::from_slice(objects).into_iter::<&RawValue>();
    for (row, object) in objects.enumerate() {
        let object = object.map_err(|error| ArrowError::JsonError(error.to_string()))?;
        let problem = RefCell::new(None);
        let checker = Checker {
            problem: &problem,
            path: &|| String::new(),
        };
        let mut object = serde_json::Deserializer::from_str(object.get());
        let checked = checker.check_struct(fields, &mut object);
        if let Some(problem) = problem.into_inner() {
            return Err(ArrowError::CastError(format!("{problem} (row {row})")));
        }
        checked.map_err(|error| ArrowError::JsonError(error.to_string()))?;
    }
    Ok(())
}

/// Checks one value at a path.
#[derive(Clone, Copy)]
struct Checker<'a> {
    /// Where the first problem is written to, since an error of serde would add a position in the object.
    problem: &'a RefCell<Option<String>>,
    path: &'a dyn Fn() -> String,
}

impl Checker<'_> {
    fn refuse<E: Error>(&self, found: &str, data_type: &DataType) -> E {
        let path = (self.path)();
        let path = path.trim_start_matches('.');
        *self.problem.borrow_mut() = Some(format!(
            "column `{path}` is read from {data_type}, which cannot hold the JSON `{}`; declare the field as the type \
             that is stored, or convert the column where it is made",
            shorten(found)
        ));
        E::custom("another kind of value")
    }

    fn check_struct<'de, D: Deserializer<'de>>(
        &self,
        fields: &Fields,
        object: D,
    ) -> Result<(), D::Error> {
        let data_type = DataType::Struct(fields.clone());
        let parts = Parts {
            checker: *self,
            data_type: &data_type,
        };
        object.deserialize_any(parts)
    }

    fn check<'de, D: Deserializer<'de>>(
        &self,
        data_type: &DataType,
        value: D,
    ) -> Result<(), D::Error> {
        use DataType as T;
        match data_type {
            T::Dictionary(_, values) => return self.check(values, value),
            T::RunEndEncoded(_, values) => return self.check(values.data_type(), value),
            nested if nested.is_nested() => {
                let checker = *self;
                return value.deserialize_any(Parts { checker, data_type });
            }
            _ => {}
        }
        let raw = <&RawValue>::deserialize(value)?.get();
        let text = raw
            .starts_with('"')
            .then(|| serde_json::from_str::<Cow<'_, str>>(raw));
        let text = text.transpose().map_err(D::Error::custom)?;
        let fits = match (data_type, &text) {
            // The row type decides about missing values.
            (_, None) if raw == "null" => true,
            (T::Boolean, None) => matches!(raw, "true" | "false"),
            (number, None) if number.is_numeric() => is_text_of(raw, number),
            (decimal, Some(text)) if decimal.is_decimal() => is_text_of(text, decimal),
            (
                T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) | T::Timestamp(..),
                Some(text),
            ) => is_text_of(text, data_type),
            // Arrow writes ISO 8601 durations and hexadecimal bytes, and reads other texts as well.
            (T::Duration(_), Some(text)) => text.trim_start_matches('-').starts_with('P'),
            (T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_), Some(text)) => {
                text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            // Arrow's reader checks the rest.
            (other, Some(_)) => !(other.is_numeric() || matches!(other, T::Boolean | T::Null)),
            (_, None) => false,
        };
        if fits {
            Ok(())
        } else {
            Err(self.refuse(raw, data_type))
        }
    }
}

/// The items, fields or entries of a value.
struct Parts<'a> {
    checker: Checker<'a>,
    data_type: &'a DataType,
}

/// One of them.
struct Part<'a> {
    checker: Checker<'a>,
    data_type: &'a DataType,
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        self.checker.check(self.data_type, value)
    }
}

/// Defines `visit_*` methods for values without parts.
macro_rules! refused {
    ($($visit:ident($type:ty);)*) => {$(
        fn $visit<E: Error>(self, value: $type) -> Result<(), E> {
            Err(self.checker.refuse(&value.to_string(), self.data_type))
        }
    )*};
}

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of {}", self.data_type)
    }

    refused! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        // The row type decides about missing values.
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let (DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)) = self.data_type
        else {
            return Err(self.checker.refuse("[..]", self.data_type));
        };
        let path = || format!("{}[]", (self.checker.path)());
        let checker = Checker {
            path: &path,
            ..self.checker
        };
        let data_type = item.data_type();
        while items
            .next_element_seed(Part { checker, data_type })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        match self.data_type {
            DataType::Struct(fields) => {
                while let Some(name) = entries.next_key::<Cow<'_, str>>()? {
                    let Some((_, field)) = fields.find(&name) else {
                        entries.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let path = || format!("{}.{name}", (self.checker.path)());
                    let checker = Checker {
                        path: &path,
                        ..self.checker
                    };
                    let data_type = field.data_type();
                    entries.next_value_seed(Part { checker, data_type })?;
                }
                Ok(())
            }
            DataType::Map(pair, _) => {
                let DataType::Struct(pair) = pair.data_type() else {
                    return Ok(());
                };
                let [key_field, value_field] = pair.as_ref() else {
                    return Ok(());
                };
                while let Some(key) = entries.next_key::<Cow<'_, str>>()? {
                    // Keys of JSON are texts, whatever they were.
                    if !is_text_of(&key, key_field.data_type()) {
                        return Err(self.checker.refuse(&key, key_field.data_type()));
                    }
                    let path = || format!("{}{{value}}", (self.checker.path)());
                    let checker = Checker {
                        path: &path,
                        ..self.checker
                    };
                    let data_type = value_field.data_type();
                    entries.next_value_seed(Part { checker, data_type })?;
                }
                Ok(())
            }
            other => Err(self.checker.refuse("{..}", other)),
        }
    }
}

/// A number that JSON cannot hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotFinite {
    /// The column, with the path to the part of it.
    pub(crate) column: String,
    /// The row in the batch.
    pub(crate) row: usize,
    /// The number.
    pub(crate) number: String,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "column `{}` is {} in row {}, which JSON cannot hold; use the Parquet IO manager, or an `Option` without a value",
            self.column, self.number, self.row
        )
    }
}

/// Returns the first number of a batch that JSON cannot hold: NaN or an infinity.
///
/// # Errors
/// [`ArrowError`] when a column is damaged.
pub(crate) fn find_not_finite(batch: &RecordBatch) -> Result<Option<NotFinite>, ArrowError> {
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if let Some(found) = find_in_column(field.name(), column)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Returns the first number of a column that JSON cannot hold.
///
/// # Errors
/// [`ArrowError`] when the column is damaged.
pub(crate) fn find_in_column(
    name: &str,
    column: &ArrayRef,
) -> Result<Option<NotFinite>, ArrowError> {
    let found = |row: Option<usize>, number: &dyn Fn(usize) -> String| {
        row.map(|row| NotFinite {
            column: name.to_owned(),
            row,
            number: number(row),
        })
    };
    macro_rules! floats {
        ($type:ty) => {{
            let floats = column.as_primitive::<$type>();
            let odd = |row: &usize| floats.is_valid(*row) && !floats.value(*row).is_finite();
            Ok(found((0..floats.len()).find(odd), &|row| {
                floats.value(row).to_string()
            }))
        }};
    }
    match column.data_type() {
        DataType::Float16 => floats!(Float16Type),
        DataType::Float32 => floats!(Float32Type),
        DataType::Float64 => floats!(Float64Type),
        DataType::Dictionary(_, values) => find_in_column(name, &cast(column, values)?),
        DataType::RunEndEncoded(_, values) => {
            find_in_column(name, &cast(column, values.data_type())?)
        }
        DataType::Struct(fields) if holds_floats(fields) => {
            let structs = column.as_struct();
            for (field, values) in fields.iter().zip(structs.columns()) {
                let path = format!("{name}.{}", field.name());
                if let Some(found) = find_in_column(&path, &below_nulls(values, structs)?)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        }
        DataType::Map(entries, _) if holds_float(entries) => {
            let maps = column.as_map();
            let pairs: ArrayRef = std::sync::Arc::new(maps.entries().clone());
            Ok(find_in_items(name, &pairs, maps.offsets())?)
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
            if holds_float(item) =>
        {
            // Every list type is read as the plain one.
            let plain = cast(column, &DataType::List(FieldRef::clone(item)))?;
            let lists = plain.as_list::<i32>();
            find_in_items(&format!("{name}[]"), lists.values(), lists.offsets())
        }
        _ => Ok(None),
    }
}

/// Returns the first number in the items of lists, with the row of its list.
fn find_in_items(
    path: &str,
    items: &ArrayRef,
    offsets: &[i32],
) -> Result<Option<NotFinite>, ArrowError> {
    let at = |index: usize| usize::try_from(offsets[index]).unwrap_or_default();
    let start = at(0);
    let items = items.slice(start, at(offsets.len() - 1) - start);
    let found = find_in_column(path, &items)?;
    Ok(found.map(|found| {
        let index = i32::try_from(start + found.row).unwrap_or(i32::MAX);
        NotFinite {
            row: offsets.partition_point(|offset| *offset <= index) - 1,
            ..found
        }
    }))
}

fn holds_float(field: &FieldRef) -> bool {
    holds_floats(&Fields::from(vec![Field::clone(field)]))
}

/// Returns `true` if values of these fields contain floats, so that others need no look.
fn holds_floats(fields: &Fields) -> bool {
    fields.iter().any(|field| match field.data_type() {
        DataType::Struct(fields) => holds_floats(fields),
        DataType::Map(item, _)
        | DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => holds_float(item),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => true,
        other => other.is_floating(),
    })
}

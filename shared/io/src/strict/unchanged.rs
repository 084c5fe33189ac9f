//! [`check_finite`] and [`check_times`]: finding values that a format would change when it stores them.

use std::fmt::{self, Display};

use arrow_schema::{DataType, FieldRef, Fields};
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Checks that no number in a value is NaN or infinite, which `serde_json` would write as `null`.
///
/// # Errors
/// A message with the number and the path to it: `rows[2].mean is NaN`.
pub(crate) fn check_finite<T: Serialize + ?Sized>(value: &T) -> Result<(), String> {
    match find_in(value, Rule::Finite) {
        None => Ok(()),
        Some((path, number)) => Err(match path.as_str() {
            "" => format!("it is {number}"),
            path => format!("`{path}` is {number}"),
        }),
    }
}

/// Checks that the columns of times hold every digit of the times in a row: they are microseconds.
///
/// # Errors
/// The path to the time, which is empty for a row that is a time itself, and its text.
pub(crate) fn check_times<T: Serialize + ?Sized>(
    row: &T,
    columns: &DataType,
) -> Result<(), (String, String)> {
    match find_in(row, Rule::Micros(columns)) {
        None => Ok(()),
        Some(found) => Err(found),
    }
}

/// Returns `true` if values of a type contain times of microseconds, so that others need no look.
pub(crate) fn holds_micros(fields: &Fields) -> bool {
    fields
        .iter()
        .any(|field| is_micros_within(field.data_type()))
}

fn is_micros_within(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(..) | DataType::Time64(_) => true,
        DataType::List(item) | DataType::Map(item, _) => is_micros_within(item.data_type()),
        DataType::Struct(fields) => holds_micros(fields),
        _ => false,
    }
}

/// Returns the path of the first value that breaks a rule, and the value.
fn find_in<T: Serialize + ?Sized>(value: &T, rule: Rule<'_>) -> Option<(String, String)> {
    match value.serialize(Checker(rule)) {
        Err(Refusal::Found { path, value }) => {
            Some((path.trim_start_matches('.').to_owned(), value))
        }
        // The serializer that writes the value reports the other errors better.
        Ok(()) | Err(Refusal::Other) => None,
    }
}

/// A rule for a value and its parts.
#[derive(Clone, Copy)]
enum Rule<'a> {
    /// No number is NaN or infinite.
    Finite,
    /// No time in a value of this type is finer than a microsecond.
    Micros(&'a DataType),
    /// Every value is fine.
    Nothing,
}

impl<'a> Rule<'a> {
    /// Returns the rule for an item of a list or a tuple.
    fn of_item(self, index: usize) -> Self {
        match self {
            Self::Micros(DataType::List(item)) => Self::Micros(item.data_type()),
            Self::Micros(DataType::Struct(fields)) => Self::of_field(fields.get(index)),
            Self::Micros(_) => Self::Nothing,
            Self::Finite | Self::Nothing => self,
        }
    }

    /// Returns the rule for a named part.
    fn of_part(self, name: &str) -> Self {
        match self {
            Self::Micros(DataType::Struct(fields)) => {
                Self::of_field(fields.find(name).map(|(_, field)| field))
            }
            Self::Micros(DataType::Map(entry, _)) => match entry.data_type() {
                DataType::Struct(fields) => Self::of_field(fields.get(1)),
                _ => Self::Nothing,
            },
            Self::Micros(_) => Self::Nothing,
            Self::Finite | Self::Nothing => self,
        }
    }

    fn of_field(field: Option<&'a FieldRef>) -> Self {
        field.map_or(Self::Nothing, |field| Self::Micros(field.data_type()))
    }
}

/// Returns `true` if the text of a time has digits below a microsecond.
fn is_finer_than_micros(text: &str) -> bool {
    let Some((_, fraction)) = text.split_once('.') else {
        return false;
    };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(6).any(|digit| digit != b'0')
}

/// The reason why a value cannot be stored as it is.
#[derive(Debug)]
enum Refusal {
    Found { path: String, value: String },
    Other,
}

impl Refusal {
    /// Adds the step from the value around it.
    fn below(self, step: impl Display) -> Self {
        match self {
            Self::Found { path, value } => Self::Found {
                path: format!("{step}{path}"),
                value,
            },
            Self::Other => Self::Other,
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that would change")
    }
}

impl std::error::Error for Refusal {}

impl serde::ser::Error for Refusal {
    fn custom<T: Display>(_: T) -> Self {
        Self::Other
    }
}

/// Visits a value and writes nothing.
struct Checker<'a>(Rule<'a>);

/// The parts of a value, of which so many were visited.
struct Parts<'a> {
    rule: Rule<'a>,
    visited: usize,
    /// The key of the next value of a map.
    key: String,
}

impl<'a> Parts<'a> {
    fn begin(rule: Rule<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            rule,
            visited: 0,
            key: String::new(),
        })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let index = self.visited;
        self.visited += 1;
        let checked = value.serialize(Checker(self.rule.of_item(index)));
        checked.map_err(|refusal| refusal.below(format_args!("[{index}]")))
    }

    fn field<T: Serialize + ?Sized>(rule: Rule<'_>, name: &str, value: &T) -> Result<(), Refusal> {
        let checked = value.serialize(Checker(rule.of_part(name)));
        checked.map_err(|refusal| refusal.below(format_args!(".{name}")))
    }
}

/// Defines `serialize_*` methods for values that JSON holds.
macro_rules! held {
    ($($method:ident($($type:ty),*);)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<(), Refusal> {
            Ok(())
        }
    )*};
}

impl<'a> Serializer for Checker<'a> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    held! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_f32(self, number: f32) -> Result<(), Refusal> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Refusal> {
        if number.is_finite() || !matches!(self.0, Rule::Finite) {
            return Ok(());
        }
        Err(Refusal::Found {
            path: String::new(),
            value: number.to_string(),
        })
    }

    fn serialize_str(self, text: &str) -> Result<(), Refusal> {
        match self.0 {
            Rule::Micros(DataType::Timestamp(..) | DataType::Time64(_))
                if is_finer_than_micros(text) =>
            {
                Err(Refusal::Found {
                    path: String::new(),
                    value: text.to_owned(),
                })
            }
            Rule::Micros(_) | Rule::Finite | Rule::Nothing => Ok(()),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        Parts::field(self.0, variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Refusal> {
        Parts::begin(self.0)
    }
}

/// Implements the traits for parts that are numbered.
macro_rules! numbered {
    ($($trait:ident::$method:ident;)*) => {$(
        impl $trait for Parts<'_> {
            type Ok = ();
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                self.item(value)
            }

            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

numbered! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

/// Implements the traits for parts that are named.
macro_rules! named {
    ($($trait:ident)*) => {$(
        impl $trait for Parts<'_> {
            type Ok = ();
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Refusal> {
                Self::field(self.rule, name, value)
            }

            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

named!(SerializeStruct SerializeStructVariant);

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        // A key that is not finite is refused by `serde_json` itself.
        self.key = match serde_json::to_value(key) {
            Ok(serde_json::Value::String(key)) => key,
            Ok(key) => key.to_string(),
            Err(error) => return Err(Refusal::custom(error)),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        Self::field(self.rule, &self.key, value)
    }

    fn end(self) -> Result<(), Refusal> {
        Ok(())
    }
}

//! [`check_finite`]: finding numbers that JSON cannot hold.

use std::fmt::{self, Display};

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Checks that no number in a value is NaN or infinite, which `serde_json` would write as `null`.
///
/// # Errors
/// A message with the number and the path to it: `rows[2].mean is NaN`.
pub(crate) fn check_finite<T: Serialize + ?Sized>(value: &T) -> Result<(), String> {
    match value.serialize(Checker) {
        Ok(()) => Ok(()),
        Err(Refusal::NotFinite { path, number }) => Err(match path.as_str() {
            "" => format!("it is {number}"),
            path => format!("`{}` is {number}", path.trim_start_matches('.')),
        }),
        // The serializer that writes the value reports this better.
        Err(Refusal::Other) => Ok(()),
    }
}

/// The reason why a value cannot be written as JSON.
#[derive(Debug)]
enum Refusal {
    NotFinite { path: String, number: f64 },
    Other,
}

impl Refusal {
    /// Adds the step from the value around it.
    fn below(self, step: impl Display) -> Self {
        match self {
            Self::NotFinite { path, number } => Self::NotFinite {
                path: format!("{step}{path}"),
                number,
            },
            Self::Other => Self::Other,
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number that is not finite")
    }
}

impl std::error::Error for Refusal {}

impl serde::ser::Error for Refusal {
    fn custom<T: Display>(_: T) -> Self {
        Self::Other
    }
}

/// Visits a value and writes nothing.
struct Checker;

/// The parts of a value, of which so many were visited.
struct Parts {
    visited: usize,
    /// The key of the next value of a map.
    key: String,
}

impl Parts {
    fn begin() -> Result<Self, Refusal> {
        Ok(Self {
            visited: 0,
            key: String::new(),
        })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let index = self.visited;
        self.visited += 1;
        let checked = value.serialize(Checker);
        checked.map_err(|refusal| refusal.below(format_args!("[{index}]")))
    }

    fn field<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<(), Refusal> {
        let checked = value.serialize(Checker);
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

impl Serializer for Checker {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

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
        serialize_str(&str);
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
        if number.is_finite() {
            return Ok(());
        }
        let path = String::new();
        Err(Refusal::NotFinite { path, number })
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
        Parts::field(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Refusal> {
        Parts::begin()
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts, Refusal> {
        Parts::begin()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, Refusal> {
        Parts::begin()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, Refusal> {
        Parts::begin()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Refusal> {
        Parts::begin()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, Refusal> {
        Parts::begin()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, Refusal> {
        Parts::begin()
    }
}

/// Implements the traits for parts that are numbered.
macro_rules! numbered {
    ($($trait:ident::$method:ident;)*) => {$(
        impl $trait for Parts {
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
        impl $trait for Parts {
            type Ok = ();
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Refusal> {
                Self::field(name, value)
            }

            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

named!(SerializeStruct SerializeStructVariant);

impl SerializeMap for Parts {
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
        Self::field(&self.key, value)
    }

    fn end(self) -> Result<(), Refusal> {
        Ok(())
    }
}

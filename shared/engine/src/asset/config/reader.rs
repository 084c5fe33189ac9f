//! [`ConfigReader`]: a deserializer of config that refuses unknown fields.
//!
//! The crate `serde_ignored` reports unknown fields too, but without the fields that exist, so that no name could be
//! suggested, and it sees nothing of values that serde buffers (`flatten`, tagged and untagged enums).

use std::cell::RefCell;

use precip_core::prose::{and_list, did_you_mean};
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Map, Value};

/// Bytes that no text, number or container can be read from. JSON holds no bytes, so they cannot be given.
const NO_VALUE: &[u8] = &[0xff, 0xfe];

/// Notes about one reading of a config.
#[derive(Default)]
pub(super) struct ReadNotes<'de> {
    /// Values of object entries that were read without knowledge of their type. Serde may have buffered them, and
    /// whether the type uses them is not visible from here.
    pub(super) untyped_entries: RefCell<Vec<&'de Value>>,
    /// An entry that is replaced by [`NO_VALUE`], which is an error for every type that reads it.
    pub(super) replaced: Option<&'de Value>,
}

/// A deserializer of a part of a config.
#[derive(Clone, Copy)]
pub(super) struct ConfigReader<'r, 'de> {
    value: &'de Value,
    position: Position<'de>,
    notes: &'r ReadNotes<'de>,
}

/// The position of a value within the value that contains it.
#[derive(Clone, Copy)]
enum Position<'de> {
    /// The config itself, or an element of a sequence.
    Item,
    /// The value of a key, in an object that is read as a map.
    Entry,
    /// The value of a key, in an object that is read as a struct with these fields.
    Field(&'de str, &'static [&'static str]),
}

impl<'r, 'de> ConfigReader<'r, 'de> {
    pub(super) fn new(value: &'de Value, notes: &'r ReadNotes<'de>) -> Self {
        Self {
            value,
            position: Position::Item,
            notes,
        }
    }

    fn at(self, value: &'de Value, position: Position<'de>) -> Self {
        Self {
            value,
            position,
            notes: self.notes,
        }
    }

    fn is_replaced(self) -> bool {
        let replaced = self.notes.replaced;
        replaced.is_some_and(|replaced| std::ptr::eq(replaced, self.value))
    }

    /// Notes an entry that is read without its type.
    fn note_untyped(self) {
        if let Position::Entry = self.position {
            self.notes.untyped_entries.borrow_mut().push(self.value);
        }
    }

    /// Returns the value for typed reading.
    fn typed(self) -> Result<&'de Value, Error> {
        if self.is_replaced() {
            return Err(Error::custom("the value is replaced"));
        }
        Ok(self.value)
    }

    fn visit_array<V: Visitor<'de>>(
        self,
        items: &'de [Value],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut items_left = Items {
            reader: self,
            items: items.iter(),
        };
        let value = visitor.visit_seq(&mut items_left)?;
        if items_left.items.len() > 0 {
            return Err(Error::invalid_length(
                items.len(),
                &"fewer elements in array",
            ));
        }
        Ok(value)
    }

    fn visit_object<V: Visitor<'de>>(
        self,
        object: &'de Map<String, Value>,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut entries_left = Entries {
            reader: self,
            fields,
            entries: object.iter(),
            entry: None,
        };
        let value = visitor.visit_map(&mut entries_left)?;
        if entries_left.entries.len() > 0 {
            return Err(Error::invalid_length(
                object.len(),
                &"fewer elements in map",
            ));
        }
        Ok(value)
    }
}

/// Returns the reason to refuse an unknown field. `near` is the question "did you mean ..?", if a known name is near.
pub(super) fn unknown_field_reason(near: Option<String>, fields: &[&str]) -> String {
    let instead = near.unwrap_or_else(|| match fields {
        [] => "leave it out".to_owned(),
        [only] => format!("the only field is `{only}`"),
        fields => format!("the fields are {}", and_list(fields)),
    });
    format!("unknown field: {instead}")
}

macro_rules! deserialize_scalars {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.typed()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for ConfigReader<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_replaced() {
            return visitor.visit_bytes(NO_VALUE);
        }
        self.note_untyped();
        match self.value {
            Value::Array(items) => self.visit_array(items, visitor),
            Value::Object(object) => self.visit_object(object, None, visitor),
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.position {
            // A declared field may be of a type that ignores its value.
            Position::Field(name, fields) if !fields.contains(&name) => {
                let near = did_you_mean(name, fields.iter().copied());
                Err(Error::custom(unknown_field_reason(near, fields)))
            }
            _ => {
                self.note_untyped();
                visitor.visit_unit()
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.typed()? {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        // The name under which `serde_json` hands out a value as its text.
        if name == "$serde_json::private::RawValue" {
            return self.typed()?.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.typed()? {
            Value::Array(items) => self.visit_array(items, visitor),
            other => other.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.typed()? {
            Value::Object(object) => self.visit_object(object, None, visitor),
            other => other.deserialize_map(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.typed()? {
            Value::Array(items) => self.visit_array(items, visitor),
            Value::Object(object) => self.visit_object(object, Some(fields), visitor),
            other => other.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = self.typed()?;
        let object = value.as_object().filter(|object| object.len() == 1);
        match object.and_then(|object| object.iter().next()) {
            Some((variant, content)) => visitor.visit_enum(EnumEntry {
                variant,
                reader: self.at(content, Position::Item),
            }),
            // Also the errors of other shapes are those of `serde_json`.
            None => value.deserialize_enum(name, variants, visitor),
        }
    }

    deserialize_scalars! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_identifier
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.typed()?.deserialize_unit_struct(name, visitor)
    }
}

struct Items<'r, 'de> {
    reader: ConfigReader<'r, 'de>,
    items: std::slice::Iter<'de, Value>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let item = self.items.next();
        item.map(|item| seed.deserialize(self.reader.at(item, Position::Item)))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'r, 'de> {
    reader: ConfigReader<'r, 'de>,
    /// The fields of the struct; `None` when the object is read as a map.
    fields: Option<&'static [&'static str]>,
    entries: serde_json::map::Iter<'de>,
    /// The entry whose key was read last.
    entry: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.entry = self
            .entries
            .next()
            .map(|(key, value)| (key.as_str(), value));
        self.entry
            .map(|(key, _)| seed.deserialize(KeyReader(key)))
            .transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.entry.take() else {
            return Err(Error::custom("a value is read before its key"));
        };
        let position = match self.fields {
            Some(fields) => Position::Field(key, fields),
            None => Position::Entry,
        };
        seed.deserialize(self.reader.at(value, position))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The deserializer of an object's key. Numbers and booleans are read from its text, as `serde_json` does.
#[derive(Clone, Copy)]
struct KeyReader<'de>(&'de str);

macro_rules! deserialize_from_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let mut text = serde_json::Deserializer::from_str(self.0);
            let value = (&mut text).$method(visitor)?;
            text.end()?;
            Ok(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyReader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    deserialize_from_text! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0
            .into_deserializer()
            .deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// An enum's variant as an object with one entry.
struct EnumEntry<'r, 'de> {
    variant: &'de str,
    reader: ConfigReader<'r, 'de>,
}

impl<'de> EnumAccess<'de> for EnumEntry<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let variant = seed.deserialize(KeyReader(self.variant))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for EnumEntry<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        serde::Deserialize::deserialize(self.reader)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        match self.reader.typed()? {
            Value::Array(items) if items.is_empty() => visitor.visit_unit(),
            Value::Array(items) => self.reader.visit_array(items, visitor),
            other => Err(Error::invalid_type(shape_of(other), &"tuple variant")),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.reader.typed()? {
            Value::Object(object) => self.reader.visit_object(object, Some(fields), visitor),
            other => Err(Error::invalid_type(shape_of(other), &"struct variant")),
        }
    }
}

fn shape_of(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(flag) => Unexpected::Bool(*flag),
        Value::Number(_) => Unexpected::Other("number"),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

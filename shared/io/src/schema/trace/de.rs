//! The deserializer that gives samples.

use std::cell::{Cell, RefCell};
use std::fmt;

use arrow_schema::DataType;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
    value::{BorrowedStrDeserializer, StrDeserializer},
};

use super::node::{Kind, Node, TEXTS, TIMES};

/// Deeper than any honest row: a type that contains itself ends here.
const MAX_DEPTH: usize = 64;

/// The samples that `deserialize_any` tries before texts: a map.
const SELF_DESCRIBING: usize = 1;

/// Why a pass ended early.
#[derive(Debug)]
pub(super) struct TraceError(pub(super) String);

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TraceError {}

impl serde::de::Error for TraceError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// One pass over a type.
#[derive(Default)]
pub(super) struct Sampler {
    learned: Cell<bool>,
    /// The key that a struct was given last: the one that a "duplicate field" speaks of.
    last_key: RefCell<String>,
}

impl Sampler {
    pub(super) fn at<'a>(&'a self, node: &'a mut Node, depth: usize) -> Sample<'a> {
        Sample {
            sampler: self,
            node,
            depth,
        }
    }

    /// Gives a sample to what is inside another type.
    fn give<'de, S: DeserializeSeed<'de>>(
        &self,
        seed: S,
        node: &mut Node,
        depth: usize,
    ) -> Result<S::Value, TraceError> {
        let before = self.learned.replace(false);
        let given = seed.deserialize(self.at(node, depth));
        if given.is_err() && !self.learned.get() {
            refuse_taken(self, node);
        }
        self.learned.set(before || self.learned.get());
        given
    }

    /// Whether this pass found out anything that the ones before it did not know.
    pub(super) fn learned(&self) -> bool {
        self.learned.get()
    }

    fn learn(&self) {
        self.learned.set(true);
    }
}

/// A sample for one field.
pub(super) struct Sample<'a> {
    sampler: &'a Sampler,
    node: &'a mut Node,
    depth: usize,
}

impl Sample<'_> {
    /// Gives the one sample of a type that can be told at once.
    fn leaf<V>(
        self,
        data_type: DataType,
        visit: impl FnOnce() -> Result<V, TraceError>,
    ) -> Result<V, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Leaf(data_type);
            self.sampler.learn();
        }
        let visited = visit();
        if visited.is_err() {
            refuse(self.sampler, self.node);
        }
        visited
    }

    /// Says that the type here has no column type.
    fn problem<V>(self, problem: impl Into<String>) -> Result<V, TraceError> {
        if self.node.problem.is_none() {
            self.node.problem = Some(problem.into());
        }
        refuse(self.sampler, self.node);
        Err(TraceError::custom("no column type"))
    }
}

fn refuse(sampler: &Sampler, node: &mut Node) {
    if !node.refused {
        node.refused = true;
        sampler.learn();
    }
}

/// What was taken as a sample was refused by the type around it, such as a string with a rule of its
/// own. It is text then, not a date: only another text may help.
fn refuse_taken(sampler: &Sampler, node: &mut Node) {
    if matches!(node.kind, Kind::Text) && node.sample + 1 < TIMES {
        node.sample += 1;
        sampler.learn();
    } else {
        node.sample = node.sample.min(TIMES - 1);
        refuse(sampler, node);
    }
}

/// Makes `deserialize_*` of types that can be told at once.
macro_rules! leaves {
    ($($method:ident => $data_type:expr, $visit:ident($($sample:expr)?);)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
            self.leaf($data_type, || visitor.$visit($($sample)?))
        }
    )*};
}

impl<'de> Deserializer<'de> for Sample<'_> {
    type Error = TraceError;

    leaves! {
        deserialize_bool => DataType::Boolean, visit_bool(true);
        deserialize_i8 => DataType::Int8, visit_i8(1);
        deserialize_i16 => DataType::Int16, visit_i16(1);
        deserialize_i32 => DataType::Int32, visit_i32(1);
        deserialize_i64 => DataType::Int64, visit_i64(1);
        deserialize_u8 => DataType::UInt8, visit_u8(1);
        deserialize_u16 => DataType::UInt16, visit_u16(1);
        deserialize_u32 => DataType::UInt32, visit_u32(1);
        deserialize_u64 => DataType::UInt64, visit_u64(1);
        deserialize_f32 => DataType::Float32, visit_f32(1.0);
        deserialize_f64 => DataType::Float64, visit_f64(1.0);
        deserialize_char => DataType::Utf8, visit_char('a');
        deserialize_bytes => DataType::Binary, visit_borrowed_bytes(b"");
        deserialize_byte_buf => DataType::Binary, visit_byte_buf(Vec::new());
        deserialize_unit => DataType::Null, visit_unit();
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Text;
            self.sampler.learn();
        }
        let Some(text) = TEXTS.get(self.node.sample) else {
            return Err(TraceError::custom("every sample is refused"));
        };
        let visited = visitor.visit_borrowed_str(text);
        if visited.is_err() {
            self.node.sample += 1;
            self.sampler.learn();
            if self.node.sample == TEXTS.len() {
                refuse(self.sampler, self.node);
            }
        }
        visited
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_str(visitor)
    }

    /// A type that decides by what it is given. One that takes a map takes anything, and has no
    /// type; otherwise it takes texts (a decimal) or numbers.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        if self.node.sample == 0 {
            let visited = visitor.visit_map(NoEntries);
            if visited.is_ok() {
                return self.problem(
                    "takes values of any type (untyped JSON, an untagged enum, or `#[serde(flatten)]`); give it a type of its own, or keep its JSON as a `String`",
                );
            }
            self.node.sample += SELF_DESCRIBING;
            self.sampler.learn();
            return visited;
        }
        let nth = self.node.sample - SELF_DESCRIBING;
        let visited = match TEXTS.get(nth) {
            Some(text) => visitor.visit_borrowed_str(text),
            None if nth == TEXTS.len() => visitor.visit_i64(1),
            None if nth == TEXTS.len() + 1 => visitor.visit_f64(1.0),
            None if nth == TEXTS.len() + 2 => visitor.visit_bool(true),
            None => {
                return self
                    .problem("has no type that its `Deserialize` tells; use a plain type here");
            }
        };
        if visited.is_err() {
            self.node.sample += 1;
            self.sampler.learn();
        } else if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Leaf(match nth.checked_sub(TEXTS.len()) {
                None => DataType::Utf8,
                Some(0) => DataType::Int64,
                Some(1) => DataType::Float64,
                Some(_) => DataType::Boolean,
            });
            self.sampler.learn();
        }
        visited
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TraceError> {
        self.problem("is an `i128`, which no column holds; use `i64`, or a `String`")
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TraceError> {
        self.problem("is a `u128`, which no column holds; use `u64`, or a `String`")
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.node.nullable = true;
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::List(Box::default());
            self.sampler.learn();
        }
        self.within(|sampler, node, depth| match &mut node.kind {
            Kind::List(item) => visitor.visit_seq(Items {
                sampler,
                nodes: if item.refused {
                    None
                } else {
                    Some(&mut **item)
                }
                .into_iter(),
                depth,
            }),
            _ => Err(TraceError::custom("a type that is different each time")),
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            let items = (0..len).map(|n| (n.to_string(), Node::default())).collect();
            self.node.kind = Kind::Struct(items);
            self.sampler.learn();
        }
        self.within(|sampler, node, depth| match &mut node.kind {
            Kind::Struct(items) => visitor.visit_seq(Items {
                sampler,
                nodes: items.iter_mut().map(|(_, item)| item),
                depth,
            }),
            _ => Err(TraceError::custom("a type that is different each time")),
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        if self.depth == 0 {
            return self.problem(
                "is a map, or a struct with `#[serde(flatten)]`: its columns cannot be told; write the fields out in one struct",
            );
        }
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Map(Box::default(), Box::default());
            self.sampler.learn();
        }
        self.within(|sampler, node, depth| match &mut node.kind {
            Kind::Map(key, value) => visitor.visit_map(Entry {
                sampler,
                entry: (!key.refused && !value.refused).then_some((&mut **key, &mut **value)),
                value: None,
                depth,
            }),
            _ => Err(TraceError::custom("a type that is different each time")),
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            let fields = fields
                .iter()
                .map(|name| ((*name).to_owned(), Node::default()))
                .collect();
            self.node.kind = Kind::Struct(fields);
            self.sampler.learn();
        }
        self.within(|sampler, node, depth| match &mut node.kind {
            Kind::Struct(fields) => visitor.visit_map(Fields {
                sampler,
                fields: fields.iter_mut(),
                value: None,
                depth,
            }),
            _ => Err(TraceError::custom("a type that is different each time")),
        })
    }

    /// Only enums without data are text; which those are is known when every variant was seen.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Leaf(DataType::Utf8);
            self.sampler.learn();
        }
        let nth = self.node.sample.min(variants.len().saturating_sub(1));
        let Some(&variant) = variants.get(nth) else {
            return self.problem(format!("is the enum `{name}`, which has no variants"));
        };
        let mut data = false;
        let visited = visitor.visit_enum(Variant {
            variant,
            data: &mut data,
        });
        if data {
            return self.problem(format!(
                "is the enum `{name}`, whose variant `{variant}` has data; use an enum without data, a struct of `Option`s, or keep its JSON as a `String`"
            ));
        }
        if self.node.sample + 1 < variants.len() {
            self.node.sample += 1;
            self.sampler.learn();
        }
        visited
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        visitor.visit_unit()
    }
}

impl<'a> Sample<'a> {
    /// Visits what is inside. When that fails though nothing inside is new, the type itself refuses
    /// the samples.
    fn within<V>(
        self,
        visit: impl FnOnce(&'a Sampler, &mut Node, usize) -> Result<V, TraceError>,
    ) -> Result<V, TraceError> {
        if self.depth == MAX_DEPTH {
            return self.problem("contains itself, so it has no end; keep its JSON as a `String`");
        }
        let before = self.sampler.learned.replace(false);
        let visited = visit(self.sampler, self.node, self.depth + 1);
        let learned = self.sampler.learned.get();
        self.sampler.learned.set(before || learned);
        if let Err(error) = &visited
            && !learned
            && !drop_alias(self.sampler, self.node, error)
        {
            refuse(self.sampler, self.node);
        }
        visited
    }
}

/// A struct lists the aliases of its fields among them, and refuses to be given both. The canonical
/// name, which it is written under, is the one that the refusal names.
fn drop_alias(sampler: &Sampler, node: &mut Node, error: &TraceError) -> bool {
    let Kind::Struct(fields) = &mut node.kind else {
        return false;
    };
    let Some(name) = error
        .0
        .strip_prefix("duplicate field `")
        .and_then(|rest| rest.strip_suffix('`'))
    else {
        return false;
    };
    let last = sampler.last_key.borrow().clone();
    if last == name {
        // The alias came first: let the canonical name go before it, and find the alias next time.
        let Some(at) = fields.iter().position(|(field, _)| field == name) else {
            return false;
        };
        fields[..=at].rotate_right(1);
    } else {
        fields.retain(|(field, _)| *field != last);
    }
    sampler.learn();
    true
}

struct Items<'a, I> {
    sampler: &'a Sampler,
    nodes: I,
    depth: usize,
}

impl<'de, 'a: 'n, 'n, I: Iterator<Item = &'n mut Node>> SeqAccess<'de> for Items<'a, I> {
    type Error = TraceError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        match self.nodes.next() {
            Some(node) if !node.refused => self.sampler.give(seed, node, self.depth).map(Some),
            _ => Ok(None),
        }
    }
}

struct Fields<'a, I> {
    sampler: &'a Sampler,
    fields: I,
    value: Option<&'a mut Node>,
    depth: usize,
}

impl<'de, 'a, I: Iterator<Item = &'a mut (String, Node)>> MapAccess<'de> for Fields<'a, I> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        let Some((name, node)) = self.fields.find(|(_, node)| !node.refused) else {
            return Ok(None);
        };
        name.clone_into(&mut self.sampler.last_key.borrow_mut());
        self.value = Some(node);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        let node = self
            .value
            .take()
            .ok_or_else(|| TraceError::custom("a value without a key"))?;
        self.sampler.give(seed, node, self.depth)
    }
}

struct Entry<'a> {
    sampler: &'a Sampler,
    entry: Option<(&'a mut Node, &'a mut Node)>,
    value: Option<&'a mut Node>,
    depth: usize,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        let Some((key, value)) = self.entry.take() else {
            return Ok(None);
        };
        self.value = Some(value);
        self.sampler.give(seed, key, self.depth).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        let node = self
            .value
            .take()
            .ok_or_else(|| TraceError::custom("a value without a key"))?;
        self.sampler.give(seed, node, self.depth)
    }
}

struct NoEntries;

impl<'de> MapAccess<'de> for NoEntries {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        _: S,
    ) -> Result<Option<S::Value>, TraceError> {
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, _: S) -> Result<S::Value, TraceError> {
        Err(TraceError::custom("there are no entries"))
    }
}

struct Variant<'a> {
    variant: &'static str,
    data: &'a mut bool,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = TraceError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), TraceError> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.variant))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = TraceError;

    fn unit_variant(self) -> Result<(), TraceError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, TraceError> {
        *self.data = true;
        Err(TraceError::custom("a variant with data"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, TraceError> {
        *self.data = true;
        Err(TraceError::custom("a variant with data"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, TraceError> {
        *self.data = true;
        Err(TraceError::custom("a variant with data"))
    }
}

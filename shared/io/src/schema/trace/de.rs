//! The deserializer that gives samples.

use arrow_schema::DataType;
use serde::de::{Deserializer, Error as _, Visitor};

use super::{
    access::{Entry, Fields, Items, NoEntries, Variant},
    node::{Kind, Node, TEXTS},
    sampler::{Sampler, TraceError},
};

/// Deeper than any reasonable row: a type that contains itself is refused here.
const MAX_DEPTH: usize = 64;

/// Number of samples that `deserialize_any` tries before texts: a map.
const SELF_DESCRIBING: usize = 1;

/// A sample for one field.
pub(super) struct Sample<'a> {
    pub(super) sampler: &'a Sampler,
    pub(super) node: &'a mut Node,
    pub(super) depth: usize,
}

impl Sample<'_> {
    /// Gives the only sample of a type that determines its column type by itself.
    fn visit_leaf<V>(
        self,
        data_type: DataType,
        visit: impl FnOnce() -> Result<V, TraceError>,
    ) -> Result<V, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Leaf(data_type);
            self.sampler.mark_learned();
        }
        let visited = visit();
        if visited.is_err() {
            self.sampler.refuse_node(self.node);
        }
        visited
    }

    /// Records that the type has no column type, and refuses the node.
    fn refuse_type<V>(self, problem: impl Into<String>) -> Result<V, TraceError> {
        if self.node.problem.is_none() {
            self.node.problem = Some(problem.into());
        }
        self.sampler.refuse_node(self.node);
        Err(TraceError::custom("no column type"))
    }
}

/// Defines the `deserialize_*` methods of types that determine their column type by themselves.
macro_rules! leaves {
    ($($method:ident => $data_type:expr, $visit:ident($($sample:expr)?);)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
            self.visit_leaf($data_type, || visitor.$visit($($sample)?))
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
            self.sampler.mark_learned();
        }
        let Some(text) = TEXTS.get(self.node.sample) else {
            return Err(TraceError::custom("every sample is refused"));
        };
        let visited = visitor.visit_borrowed_str(text);
        // The next pass tries the next text.
        if visited.is_err() {
            self.node.sample += 1;
            self.sampler.mark_learned();
            if self.node.sample == TEXTS.len() {
                self.sampler.refuse_node(self.node);
            }
        }
        visited
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_str(visitor)
    }

    /// Samples a type that decides by its input. A type that accepts a map accepts anything and has no column
    /// type; otherwise it accepts texts (a decimal) or numbers.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        // The first sample is a map: only a type that accepts anything takes an empty one.
        if self.node.sample == 0 {
            let visited = visitor.visit_map(NoEntries);
            if visited.is_ok() {
                return self.refuse_type(
                    "takes values of any type (untyped JSON, an untagged enum, or `#[serde(flatten)]`); give it a type of its own, or keep its JSON as a `String`",
                );
            }
            self.node.sample += SELF_DESCRIBING;
            self.sampler.mark_learned();
            return visited;
        }
        // Then come the texts, and after these a number of each kind.
        let nth = self.node.sample - SELF_DESCRIBING;
        let visited = match TEXTS.get(nth) {
            Some(text) => visitor.visit_borrowed_str(text),
            None if nth == TEXTS.len() => visitor.visit_i64(1),
            None if nth == TEXTS.len() + 1 => visitor.visit_f64(1.0),
            None if nth == TEXTS.len() + 2 => visitor.visit_bool(true),
            None => {
                return self
                    .refuse_type("has a type that cannot be derived from its `Deserialize`; use a plain type here");
            }
        };
        if visited.is_err() {
            self.node.sample += 1;
            self.sampler.mark_learned();
        } else if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Leaf(match nth.checked_sub(TEXTS.len()) {
                None => DataType::Utf8,
                Some(0) => DataType::Int64,
                Some(1) => DataType::Float64,
                Some(_) => DataType::Boolean,
            });
            self.sampler.mark_learned();
        }
        visited
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TraceError> {
        self.refuse_type("is an `i128`, which no column holds; use `i64`, or a `String`")
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TraceError> {
        self.refuse_type("is a `u128`, which no column holds; use `u64`, or a `String`")
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
            self.sampler.mark_learned();
        }
        self.visit_within(|sampler, node, depth| match &mut node.kind {
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
            // A tuple is stored as a struct whose fields are named by position.
            let items = (0..len).map(|n| (n.to_string(), Node::default())).collect();
            self.node.kind = Kind::Struct(items);
            self.sampler.mark_learned();
        }
        self.visit_within(|sampler, node, depth| match &mut node.kind {
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
        // A struct with flattened fields asks for a map, so at the top a map has no known columns.
        if self.depth == 0 {
            return self.refuse_type(
                "is a map, or a struct with `#[serde(flatten)]`: its columns cannot be derived; write the fields out in one struct",
            );
        }
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Map(Box::default(), Box::default());
            self.sampler.mark_learned();
        }
        self.visit_within(|sampler, node, depth| match &mut node.kind {
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
            self.sampler.mark_learned();
        }
        self.visit_within(|sampler, node, depth| match &mut node.kind {
            Kind::Struct(fields) => visitor.visit_map(Fields {
                sampler,
                fields: fields.iter_mut(),
                value: None,
                depth,
            }),
            _ => Err(TraceError::custom("a type that is different each time")),
        })
    }

    /// Gives one variant per pass: an enum is text if none of its variants has data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        if matches!(self.node.kind, Kind::Unknown) {
            self.node.kind = Kind::Leaf(DataType::Utf8);
            self.sampler.mark_learned();
        }
        let index = self.node.sample.min(variants.len().saturating_sub(1));
        let Some(&variant) = variants.get(index) else {
            return self.refuse_type(format!("is the enum `{name}`, which has no variants"));
        };
        let mut has_data = false;
        let visited = visitor.visit_enum(Variant {
            variant,
            data: &mut has_data,
        });
        if has_data {
            return self.refuse_type(format!(
                "is the enum `{name}`, whose variant `{variant}` has data; use an enum without data, a struct of `Option`s, or keep its JSON as a `String`"
            ));
        }
        if self.node.sample + 1 < variants.len() {
            self.node.sample += 1;
            self.sampler.mark_learned();
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
    /// Visits the content of a type. When that fails though nothing new was found inside, the type itself refuses
    /// the samples.
    fn visit_within<V>(
        self,
        visit: impl FnOnce(&'a Sampler, &mut Node, usize) -> Result<V, TraceError>,
    ) -> Result<V, TraceError> {
        if self.depth == MAX_DEPTH {
            return self
                .refuse_type("contains itself, so it has no end; keep its JSON as a `String`");
        }
        // Tells what this visit finds apart from what the pass has found before.
        let before = self.sampler.learned.replace(false);
        let visited = visit(self.sampler, self.node, self.depth + 1);
        let learned = self.sampler.learned.get();
        self.sampler.learned.set(before || learned);
        if let Err(error) = &visited
            && !learned
            && !self.sampler.drop_alias(self.node, error)
        {
            self.sampler.refuse_node(self.node);
        }
        visited
    }
}

//! The access types that give samples of items, fields, entries and variants.

use serde::de::{
    DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::{BorrowedStrDeserializer, StrDeserializer},
};

use super::{
    node::Node,
    sampler::{Sampler, TraceError},
};

/// The items of a sequence or tuple.
pub(super) struct Items<'a, I> {
    pub(super) sampler: &'a Sampler,
    pub(super) nodes: I,
    pub(super) depth: usize,
}

impl<'de, 'a: 'n, 'n, I: Iterator<Item = &'n mut Node>> SeqAccess<'de> for Items<'a, I> {
    type Error = TraceError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceError> {
        match self.nodes.next() {
            Some(node) if !node.refused => {
                self.sampler.give_sample(seed, node, self.depth).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The fields of a struct.
pub(super) struct Fields<'a, I> {
    pub(super) sampler: &'a Sampler,
    pub(super) fields: I,
    pub(super) value: Option<&'a mut Node>,
    pub(super) depth: usize,
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
        self.sampler.give_sample(seed, node, self.depth)
    }
}

/// The single entry of a map.
pub(super) struct Entry<'a> {
    pub(super) sampler: &'a Sampler,
    pub(super) entry: Option<(&'a mut Node, &'a mut Node)>,
    pub(super) value: Option<&'a mut Node>,
    pub(super) depth: usize,
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
        self.sampler.give_sample(seed, key, self.depth).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        let node = self
            .value
            .take()
            .ok_or_else(|| TraceError::custom("a value without a key"))?;
        self.sampler.give_sample(seed, node, self.depth)
    }
}

/// A map without entries.
pub(super) struct NoEntries;

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

/// A variant of an enum, with a flag that is set when the variant has data.
pub(super) struct Variant<'a> {
    pub(super) variant: &'static str,
    pub(super) data: &'a mut bool,
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

//! The allowed values of one field of a cron expression.

/// The allowed values of one field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// Bit `n` is set when the value `n` is listed.
    pub(crate) bits: u64,
    /// Any value is allowed: the list contains `*`.
    pub(crate) any: bool,
    /// The field is just `*`, or lists every value.
    pub(crate) wildcard: bool,
    /// The last day of the month is allowed (`L`).
    pub(crate) last: bool,
}

impl Field {
    /// The field `*`.
    pub(crate) const WILDCARD: Self = Self {
        bits: 0,
        any: true,
        wildcard: true,
        last: false,
    };

    /// Returns true if a value is allowed, not counting `L`.
    pub(crate) fn allows(&self, value: u32) -> bool {
        self.any || self.bits & (1 << value) != 0
    }

    /// Returns the only allowed value, if the field is one number.
    pub(crate) fn single_value(&self) -> Option<u32> {
        (!self.any && !self.last && self.bits.count_ones() == 1).then(|| self.bits.trailing_zeros())
    }

    /// Returns true if the field lists only numbers.
    pub(crate) fn is_numbers(&self) -> bool {
        !self.any && !self.last && self.bits != 0
    }

    /// Returns the bits of all allowed values below `end`.
    pub(crate) fn value_mask(&self, end: u32) -> u64 {
        let all = (1u64 << end) - 1;
        if self.any { all } else { self.bits & all }
    }
}

/// Returns the positions of the set bits of a mask, lowest first.
pub(crate) fn set_bits(mut mask: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros();
            mask &= mask - 1;
            bit
        })
    })
}

//! The values one field of a cron expression allows.

/// The values one field allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// Bit `n` is set when the value `n` is listed.
    pub(crate) bits: u64,
    /// Any value is allowed: `*` stands in the list.
    pub(crate) any: bool,
    /// The field is `*` and nothing else, or lists all there is.
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

    /// Whether a value is allowed, `L` apart.
    pub(crate) fn allows(&self, value: u32) -> bool {
        self.any || self.bits & (1 << value) != 0
    }

    /// The one value that is allowed, if it is one number.
    pub(crate) fn single(&self) -> Option<u32> {
        (!self.any && !self.last && self.bits.count_ones() == 1).then(|| self.bits.trailing_zeros())
    }

    /// Whether the field lists numbers and nothing else.
    pub(crate) fn is_numbers(&self) -> bool {
        !self.any && !self.last && self.bits != 0
    }

    /// The bits of all values below `end` that are allowed.
    pub(crate) fn mask(&self, end: u32) -> u64 {
        let all = (1u64 << end) - 1;
        if self.any { all } else { self.bits & all }
    }
}

/// The set bits of a mask, lowest first.
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros();
            mask &= mask - 1;
            bit
        })
    })
}

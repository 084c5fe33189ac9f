//! Places in a graph: small numbers in the order of the names.

/// The place of an asset in its graph. Ids follow the order of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

/// The place of an op in its graph. Ids follow the order of the op names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u32);

/// The place of an asset check in its graph. Ids follow the order of the check keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub u32);

impl AssetId {
    /// The place as an index.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    /// The id at an index. A graph of more than `u32::MAX` assets does not fit in memory.
    pub(super) fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

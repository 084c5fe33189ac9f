//! Ids in a graph: small numbers in the order of the names.

/// The id of an asset in its graph. Ids follow the order of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

/// The id of an op in its graph. Ids follow the order of the op names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u32);

/// The id of an asset check in its graph. Ids follow the order of the check keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub u32);

impl AssetId {
    /// Returns the id as an index.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the id at an index. A graph of more than `u32::MAX` assets does not fit in memory.
    pub(super) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

//! [`PartitionSet`]: some of the partitions of one asset, by ordinal.

use std::ops::{BitAnd, BitOr, Range, Sub};

use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};

/// Some of the partitions of one asset, as a compressed bitmap over their ordinals.
///
/// The set of an unpartitioned asset holds ordinal 0 or nothing. A set says nothing about which
/// definition it belongs to: sets of different definitions must not be combined.
///
/// ```
/// use precip_core::partitions::PartitionSet;
///
/// let january = PartitionSet::from(0..31);
/// let done: PartitionSet = [0, 1, 30].into_iter().collect();
/// assert_eq!((&january - &done).len(), 28);
/// assert_eq!(january.ranges().collect::<Vec<_>>(), [0..31]);
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionSet(RoaringTreemap);

impl PartitionSet {
    /// The set that holds nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The set that holds one ordinal.
    pub fn single(ordinal: u64) -> Self {
        Self::from_iter([ordinal])
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many partitions it holds.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether it holds this ordinal.
    pub fn contains(&self, ordinal: u64) -> bool {
        self.0.contains(ordinal)
    }

    /// Adds one ordinal; answers whether it was new.
    pub fn insert(&mut self, ordinal: u64) -> bool {
        self.0.insert(ordinal)
    }

    /// Adds a run of ordinals.
    pub fn insert_range(&mut self, range: Range<u64>) {
        self.0.insert_range(range);
    }

    /// Takes one ordinal out; answers whether it was there.
    pub fn remove(&mut self, ordinal: u64) -> bool {
        self.0.remove(ordinal)
    }

    /// The ordinals, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.0.iter()
    }

    /// The lowest ordinal.
    pub fn first(&self) -> Option<u64> {
        self.0.min()
    }

    /// The highest ordinal.
    pub fn last(&self) -> Option<u64> {
        self.0.max()
    }

    /// The longest runs of neighbouring ordinals, lowest first.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut ordinals = self.0.iter().peekable();
        std::iter::from_fn(move || {
            let start = ordinals.next()?;
            let mut end = start + 1;
            while ordinals.next_if_eq(&end).is_some() {
                end += 1;
            }
            Some(start..end)
        })
    }

    /// Whether every partition of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether the sets share no partition.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }
}

impl std::fmt::Debug for PartitionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ranges()).finish()
    }
}

impl From<Range<u64>> for PartitionSet {
    fn from(range: Range<u64>) -> Self {
        let mut set = Self::default();
        set.insert_range(range);
        set
    }
}

impl FromIterator<u64> for PartitionSet {
    fn from_iter<I: IntoIterator<Item = u64>>(ordinals: I) -> Self {
        Self(ordinals.into_iter().collect())
    }
}

impl Extend<u64> for PartitionSet {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, ordinals: I) {
        self.0.extend(ordinals);
    }
}

impl BitOr for &PartitionSet {
    type Output = PartitionSet;

    fn bitor(self, other: Self) -> PartitionSet {
        PartitionSet(&self.0 | &other.0)
    }
}

impl BitAnd for &PartitionSet {
    type Output = PartitionSet;

    fn bitand(self, other: Self) -> PartitionSet {
        PartitionSet(&self.0 & &other.0)
    }
}

impl Sub for &PartitionSet {
    type Output = PartitionSet;

    fn sub(self, other: Self) -> PartitionSet {
        PartitionSet(&self.0 - &other.0)
    }
}

impl std::ops::BitOrAssign<&PartitionSet> for PartitionSet {
    fn bitor_assign(&mut self, other: &PartitionSet) {
        self.0 |= &other.0;
    }
}

impl std::ops::BitAndAssign<&PartitionSet> for PartitionSet {
    fn bitand_assign(&mut self, other: &PartitionSet) {
        self.0 &= &other.0;
    }
}

impl std::ops::SubAssign<&PartitionSet> for PartitionSet {
    fn sub_assign(&mut self, other: &PartitionSet) {
        self.0 -= &other.0;
    }
}

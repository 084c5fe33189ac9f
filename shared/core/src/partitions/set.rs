//! [`PartitionSet`]: a set of partitions of one asset, by ordinal.

mod algebra;
mod wire;

#[cfg(test)]
mod tests;

use std::ops::Range;

use roaring::RoaringTreemap;

/// A set of partitions of one asset, as a compressed bitmap over their ordinals.
///
/// The set of an unpartitioned asset holds ordinal 0 or nothing. A set does not know its
/// definition: sets of different definitions must not be combined. Runs of adjacent ordinals cost
/// almost nothing, whatever their length; scattered ordinals cost about two bytes each.
///
/// In JSON, a set is a string: a few runs are written as text (`"0-30,40"`, both ends inclusive),
/// more as `roaring:` and the portable bytes of the bitmap in base64. Equal sets have equal
/// strings.
///
/// ```
/// use precip_core::partitions::PartitionSet;
///
/// let january = PartitionSet::from(0..31);
/// let done: PartitionSet = [0, 1, 30].into_iter().collect();
/// assert_eq!((&january - &done).len(), 28);
/// assert_eq!(january.ranges().collect::<Vec<_>>(), [0..31]);
/// assert_eq!(serde_json::to_string(&done)?, r#""0-1,30""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct PartitionSet(RoaringTreemap);

impl Eq for PartitionSet {}

impl PartitionSet {
    /// Creates an empty set.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Creates the set of one ordinal.
    pub fn single(ordinal: u64) -> Self {
        Self::from_iter([ordinal])
    }

    /// Returns true if the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of partitions in the set.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Returns true if the set contains an ordinal.
    pub fn contains(&self, ordinal: u64) -> bool {
        self.0.contains(ordinal)
    }

    /// Returns true if the set contains every ordinal of a range.
    pub fn contains_range(&self, range: Range<u64>) -> bool {
        self.0.contains_range(range)
    }

    /// Returns the number of ordinals of a range in the set.
    pub fn count_in(&self, range: Range<u64>) -> u64 {
        self.0.range_cardinality(range)
    }

    /// Adds one ordinal. Returns true if it was not in the set.
    pub fn insert(&mut self, ordinal: u64) -> bool {
        self.0.insert(ordinal)
    }

    /// Adds a range of ordinals.
    pub fn insert_range(&mut self, range: Range<u64>) {
        self.0.insert_range(range);
    }

    /// Removes one ordinal. Returns true if it was in the set.
    pub fn remove(&mut self, ordinal: u64) -> bool {
        self.0.remove(ordinal)
    }

    /// Removes a range of ordinals.
    pub fn remove_range(&mut self, range: Range<u64>) {
        self.0.remove_range(range);
    }

    /// Iterates over the ordinals, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.0.iter()
    }

    /// Returns the lowest ordinal.
    pub fn first(&self) -> Option<u64> {
        self.0.min()
    }

    /// Returns the highest ordinal.
    pub fn last(&self) -> Option<u64> {
        self.0.max()
    }

    /// Returns the ordinal with `n` lower ordinals in the set.
    pub fn nth(&self, n: u64) -> Option<u64> {
        self.0.select(n)
    }

    /// Iterates over the longest runs of adjacent ordinals, lowest first, in time linear in their
    /// number, not in their lengths.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut runs = self
            .0
            .bitmaps()
            .flat_map(|(high, bitmap)| {
                let base = u64::from(high) << 32;
                let mut ordinals = bitmap.iter();
                std::iter::from_fn(move || ordinals.next_range()).map(move |run| {
                    base + u64::from(*run.start())..base + u64::from(*run.end()) + 1
                })
            })
            .peekable();
        // A run can continue in the next bitmap, which covers the next 2^32 ordinals.
        std::iter::from_fn(move || {
            let mut run = runs.next()?;
            while let Some(next) = runs.next_if(|next| next.start == run.end) {
                run.end = next.end;
            }
            Some(run)
        })
    }

    /// Returns true if every partition of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Returns true if the sets have no partition in common.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }
}

impl std::fmt::Debug for PartitionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.ranges()).finish()
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

impl FromIterator<Range<u64>> for PartitionSet {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut set = Self::default();
        set.extend(ranges);
        set
    }
}

impl Extend<u64> for PartitionSet {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, ordinals: I) {
        self.0.extend(ordinals);
    }
}

impl Extend<Range<u64>> for PartitionSet {
    fn extend<I: IntoIterator<Item = Range<u64>>>(&mut self, ranges: I) {
        for range in ranges {
            self.insert_range(range);
        }
    }
}

//! [`PartitionSet`]: some of the partitions of one asset, by ordinal.

mod algebra;
mod wire;

#[cfg(test)]
mod tests;

use std::ops::Range;

use roaring::RoaringTreemap;

/// Some of the partitions of one asset, as a compressed bitmap over their ordinals.
///
/// The set of an unpartitioned asset holds ordinal 0 or nothing. A set says nothing about which
/// definition it belongs to: sets of different definitions must not be combined. Runs of
/// neighbouring ordinals cost next to nothing, whatever their length; scattered ordinals cost about
/// two bytes each.
///
/// In JSON a set is a string: its runs while they are few (`"0-30,40"`, both ends inclusive), else
/// `roaring:` and the portable bytes of the bitmap in base64. Equal sets are written equally.
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

    /// Whether it holds every ordinal of a run.
    pub fn contains_range(&self, range: Range<u64>) -> bool {
        self.0.contains_range(range)
    }

    /// How many ordinals of a run it holds.
    pub fn count_in(&self, range: Range<u64>) -> u64 {
        self.0.range_cardinality(range)
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

    /// Takes a run of ordinals out.
    pub fn remove_range(&mut self, range: Range<u64>) {
        self.0.remove_range(range);
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

    /// The ordinal with `n` lower ones in the set.
    pub fn nth(&self, n: u64) -> Option<u64> {
        self.0.select(n)
    }

    /// The longest runs of neighbouring ordinals, lowest first; the work is linear in their number,
    /// not in their lengths.
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
        std::iter::from_fn(move || {
            let mut run = runs.next()?;
            while let Some(next) = runs.next_if(|next| next.start == run.end) {
                run.end = next.end;
            }
            Some(run)
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

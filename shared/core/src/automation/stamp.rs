//! [`Stamp`] and [`Stamped`]: the moments at which something became true of partitions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::partitions::PartitionSet;

/// A moment in the order of events: a time, and among events of one time their sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The time.
    pub at: DateTime<Utc>,
    /// The sequence number of the event; 0 for a moment that is not an event, which comes before
    /// all events of its time.
    pub sequence: u64,
}

/// Partitions, by the moments at which something became true of them.
///
/// A partition may have several moments until [`Self::latest_only`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Stamped(Vec<(Stamp, PartitionSet)>);

/// The number of moments that one node of a cursor keeps. More are merged into the later of
/// neighbouring moments: a trigger that appears later than it was may survive a reset, which costs
/// an extra run and loses nothing.
const KEPT: usize = 256;

impl Stamped {
    /// Creates an entry for partitions at one moment.
    pub(super) fn at(stamp: Stamp, partitions: PartitionSet) -> Self {
        let mut stamped = Self::default();
        stamped.push(stamp, partitions);
        stamped
    }

    /// Adds partitions at a moment.
    pub(super) fn push(&mut self, stamp: Stamp, partitions: PartitionSet) {
        if !partitions.is_empty() {
            self.0.push((stamp, partitions));
        }
    }

    /// Returns `true` if there is no partition.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the partitions of all moments.
    pub(super) fn partitions(&self) -> PartitionSet {
        let mut all = PartitionSet::empty();
        for (_, partitions) in &self.0 {
            all |= partitions;
        }
        all
    }

    /// Adds every moment of another.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Keeps only partitions in `set`.
    pub(super) fn restrict_to(&mut self, set: &PartitionSet) {
        for (_, partitions) in &mut self.0 {
            *partitions &= set;
        }
        self.0.retain(|(_, partitions)| !partitions.is_empty());
    }

    /// Moves moments after a time to that time.
    pub(super) fn not_after(&mut self, time: DateTime<Utc>) {
        for (stamp, _) in &mut self.0 {
            stamp.at = stamp.at.min(time);
        }
    }

    /// Returns the same moments with the partitions of each translated.
    pub(super) fn map<E>(
        &self,
        mut f: impl FnMut(&PartitionSet) -> Result<PartitionSet, E>,
    ) -> Result<Self, E> {
        let mut mapped = Self::default();
        for (stamp, partitions) in &self.0 {
            mapped.push(*stamp, f(partitions)?);
        }
        Ok(mapped)
    }

    /// Keeps only the latest moment of each partition.
    pub(super) fn latest_only(mut self) -> Self {
        self.0.sort_by_key(|(stamp, _)| std::cmp::Reverse(*stamp));
        // From the latest moment back: a partition that was seen has a later moment already.
        let mut seen = PartitionSet::empty();
        let mut latest: Vec<(Stamp, PartitionSet)> = Vec::new();
        for (stamp, mut partitions) in self.0 {
            partitions -= &seen;
            if partitions.is_empty() {
                continue;
            }
            seen |= &partitions;
            match latest.last_mut() {
                Some((last, joined)) if *last == stamp => *joined |= &partitions,
                _ => latest.push((stamp, partitions)),
            }
        }
        latest.reverse();
        Self(latest)
    }

    /// Removes each partition from moments that are not later than all of its moments in `resets`.
    pub(super) fn remove_reset(&mut self, resets: &Self) {
        self.0.sort_by_key(|(stamp, _)| *stamp);
        let mut resets: Vec<&(Stamp, PartitionSet)> = resets.0.iter().collect();
        resets.sort_by_key(|(stamp, _)| *stamp);
        // From the latest moment back, what was reset at that moment or later only grows.
        let mut reached = PartitionSet::empty();
        for (stamp, partitions) in self.0.iter_mut().rev() {
            while let Some((_, more)) = resets.pop_if(|(reset, _)| reset >= stamp) {
                reached |= more;
            }
            *partitions -= &reached;
        }
        self.0.retain(|(_, partitions)| !partitions.is_empty());
    }

    /// Merges the earliest moments until there are at most as many as a cursor keeps.
    pub(super) fn merge_surplus(mut self) -> Self {
        let surplus = self.0.len().saturating_sub(KEPT);
        if surplus > 0 {
            // The surplus is at the front, the earliest moments; it moves to the first that is
            // kept.
            let mut joined = PartitionSet::empty();
            for (_, partitions) in self.0.drain(..surplus) {
                joined |= &partitions;
            }
            if let Some((_, partitions)) = self.0.first_mut() {
                *partitions |= &joined;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn stamp_of(sequence: u64) -> Stamp {
        Stamp {
            at: DateTime::UNIX_EPOCH,
            sequence,
        }
    }

    fn set_of(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
        ordinals.into_iter().collect()
    }

    #[test]
    fn a_partition_keeps_its_latest_moment() {
        let mut stamped = Stamped::at(stamp_of(3), set_of([0, 1]));
        stamped.push(stamp_of(1), set_of([1, 2]));
        stamped.push(stamp_of(5), set_of([1]));
        let latest = stamped.latest_only();
        assert_eq!(
            latest,
            Stamped(vec![
                (stamp_of(1), set_of([2])),
                (stamp_of(3), set_of([0])),
                (stamp_of(5), set_of([1]))
            ])
        );
    }

    #[test]
    fn a_reset_removes_moments_that_are_not_later() {
        let mut triggers = Stamped::at(stamp_of(3), set_of([0, 1]));
        triggers.push(stamp_of(4), set_of([2]));
        triggers.remove_reset(&Stamped::at(stamp_of(3), set_of([0, 2])));
        assert_eq!(
            triggers,
            Stamped(vec![(stamp_of(3), set_of([1])), (stamp_of(4), set_of([2]))])
        );
    }

    #[test]
    fn merging_moments_loses_no_partition_and_makes_none_earlier() {
        let mut stamped = Stamped::default();
        for sequence in 0..1_000 {
            stamped.push(stamp_of(sequence), set_of([sequence]));
        }
        let bounded = stamped.clone().merge_surplus();
        assert_eq!(bounded.0.len(), KEPT);
        assert_eq!(bounded.partitions(), stamped.partitions());
        for (stamp, partitions) in &bounded.0 {
            assert!(
                partitions
                    .iter()
                    .all(|partition| partition <= stamp.sequence)
            );
        }
    }
}

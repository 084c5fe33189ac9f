//! When something became true, per partition: [`Stamp`] and [`Stamped`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::partitions::PartitionSet;

/// A moment in the order of events: a time, and among events of one time their sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// When.
    pub at: DateTime<Utc>,
    /// The sequence number of the event; 0 for a moment that is not an event, which comes before
    /// all events of its time.
    pub sequence: u64,
}

/// Partitions by the moments at which something became true of them, earliest moment first.
///
/// A partition may be under several moments until [`Self::latest_only`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Stamped(Vec<(Stamp, PartitionSet)>);

/// How many moments one node of a cursor keeps. Beyond it neighbouring moments are joined under the
/// later one: a trigger that seems later than it was outlives resets it need not outlive, which costs
/// a run and loses nothing.
const KEPT: usize = 256;

impl Stamped {
    /// Partitions of which something became true at one moment.
    pub(super) fn at(stamp: Stamp, partitions: PartitionSet) -> Self {
        let mut stamped = Self::default();
        stamped.push(stamp, partitions);
        stamped
    }

    pub(super) fn push(&mut self, stamp: Stamp, partitions: PartitionSet) {
        if !partitions.is_empty() {
            self.0.push((stamp, partitions));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All partitions under any moment.
    pub(super) fn partitions(&self) -> PartitionSet {
        let mut all = PartitionSet::empty();
        for (_, partitions) in &self.0 {
            all |= partitions;
        }
        all
    }

    /// Every moment of both.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// The moments of partitions in `set` only.
    pub(super) fn restrict(&mut self, set: &PartitionSet) {
        for (_, partitions) in &mut self.0 {
            *partitions &= set;
        }
        self.0.retain(|(_, partitions)| !partitions.is_empty());
    }

    /// The same moments of other partitions.
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

    /// Each partition under its latest moment alone.
    pub(super) fn latest_only(mut self) -> Self {
        self.0.sort_by_key(|(stamp, _)| std::cmp::Reverse(*stamp));
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

    /// Takes out what `resets` reach: a partition goes unless its moment here is later than all its
    /// moments there.
    pub(super) fn survive(&mut self, resets: &Self) {
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

    /// At most as many moments as a cursor keeps.
    pub(super) fn bounded(mut self) -> Self {
        let surplus = self.0.len().saturating_sub(KEPT);
        if surplus > 0 {
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

    fn stamp(sequence: u64) -> Stamp {
        Stamp {
            at: DateTime::UNIX_EPOCH,
            sequence,
        }
    }

    fn set(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
        ordinals.into_iter().collect()
    }

    #[test]
    fn a_partition_stays_under_its_latest_moment() {
        let mut stamped = Stamped::at(stamp(3), set([0, 1]));
        stamped.push(stamp(1), set([1, 2]));
        stamped.push(stamp(5), set([1]));
        let latest = stamped.latest_only();
        assert_eq!(
            latest,
            Stamped(vec![
                (stamp(1), set([2])),
                (stamp(3), set([0])),
                (stamp(5), set([1]))
            ])
        );
    }

    #[test]
    fn a_reset_reaches_what_is_not_later() {
        let mut triggers = Stamped::at(stamp(3), set([0, 1]));
        triggers.push(stamp(4), set([2]));
        triggers.survive(&Stamped::at(stamp(3), set([0, 2])));
        assert_eq!(
            triggers,
            Stamped(vec![(stamp(3), set([1])), (stamp(4), set([2]))])
        );
    }

    #[test]
    fn joining_surplus_moments_loses_no_partition_and_makes_none_earlier() {
        let mut stamped = Stamped::default();
        for place in 0..1_000 {
            stamped.push(stamp(place), set([place]));
        }
        let bounded = stamped.clone().bounded();
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

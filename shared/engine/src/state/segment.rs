//! [`Segment`]: the stored status of 4096 neighbouring partitions.

use precip_core::partitions::PartitionSet;

/// The number of partitions that one stored bitmap covers.
pub const SEGMENT_PARTITIONS: u64 = 4096;

const BYTES: usize = (SEGMENT_PARTITIONS / 8) as usize;

/// A bitmap over the 4096 partitions of one segment: partition `ordinal` is bit `ordinal % 4096` of
/// segment `ordinal / 4096`, lowest bit of the first byte first. Always 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment(Box<[u8; BYTES]>);

impl Default for Segment {
    fn default() -> Self {
        Self(Box::new([0; BYTES]))
    }
}

impl Segment {
    /// Returns the index of an ordinal's segment.
    pub fn index(ordinal: u64) -> u64 {
        ordinal / SEGMENT_PARTITIONS
    }

    /// Decodes a stored bitmap; `None` when it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        <[u8; BYTES]>::try_from(bytes).ok().map(Box::new).map(Self)
    }

    /// Returns the bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Sets or clears an ordinal's bit. Returns `true` if the bit changed.
    pub fn set_bit(&mut self, ordinal: u64, value: bool) -> bool {
        let bit = (ordinal % SEGMENT_PARTITIONS) as usize;
        let byte = &mut self.0[bit / 8];
        let before = *byte;
        if value {
            *byte |= 1 << (bit % 8);
        } else {
            *byte &= !(1 << (bit % 8));
        }
        *byte != before
    }

    /// Returns `true` if no bit is set; such a segment need not be stored.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Adds the segment's partitions to a set.
    pub fn add_to(&self, index: u64, set: &mut PartitionSet) {
        let first = index * SEGMENT_PARTITIONS;
        // A full segment is one range, which keeps large sets compact.
        if self.0.iter().all(|byte| *byte == u8::MAX) {
            set.insert_range(first..first + SEGMENT_PARTITIONS);
            return;
        }
        for (byte, base) in self.0.iter().zip((first..).step_by(8)) {
            set.extend(
                (0..8)
                    .filter(|bit| byte >> bit & 1 == 1)
                    .map(|bit| base + bit),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_ordinals_on_both_sides_of_a_border_apart() {
        let mut low = Segment::default();
        let mut high = Segment::default();
        assert!(low.set_bit(4095, true));
        assert!(high.set_bit(4096, true));
        assert!(!high.set_bit(4096, true));
        let mut set = PartitionSet::empty();
        low.add_to(Segment::index(4095), &mut set);
        high.add_to(Segment::index(4096), &mut set);
        assert_eq!(set, PartitionSet::from(4095..4097));
        assert!(high.set_bit(4096, false) && high.is_empty());
    }

    #[test]
    fn reads_back_what_it_stores() {
        let mut full = Segment::default();
        for ordinal in 0..SEGMENT_PARTITIONS {
            full.set_bit(ordinal, true);
        }
        let read = Segment::from_bytes(full.as_bytes()).unwrap();
        let mut set = PartitionSet::empty();
        read.add_to(3, &mut set);
        assert_eq!(set, PartitionSet::from(3 * 4096..4 * 4096));
        assert_eq!(Segment::from_bytes(&[0; 100]), None);
    }
}

//! [`AssetSet`]: a set of assets of one graph.

use std::{
    fmt,
    ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Sub, SubAssign},
};

use roaring::RoaringBitmap;

use crate::graph::AssetId;

/// A set of assets of one [`AssetGraph`](crate::graph::AssetGraph), in the order of their keys.
///
/// ```
/// use precip_core::graph::{AssetId, AssetSet};
///
/// let some = AssetSet::from_iter([AssetId(3), AssetId(1)]);
/// let one = AssetSet::from(AssetId(1));
/// assert_eq!((&some - &one).iter().collect::<Vec<_>>(), [AssetId(3)]);
/// assert!(one.is_subset(&some));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct AssetSet(RoaringBitmap);

impl AssetSet {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the first `count` assets: all assets of a graph of that size.
    pub(super) fn first_assets(count: u32) -> Self {
        let mut set = RoaringBitmap::new();
        set.insert_range(0..count);
        Self(set)
    }

    /// Adds an asset. Returns `false` if it was present already.
    pub fn insert(&mut self, asset: AssetId) -> bool {
        self.0.insert(asset.0)
    }

    /// Removes an asset. Returns `false` if it was not present.
    pub fn remove(&mut self, asset: AssetId) -> bool {
        self.0.remove(asset.0)
    }

    /// Returns `true` if the set contains an asset.
    pub fn contains(&self, asset: AssetId) -> bool {
        self.0.contains(asset.0)
    }

    /// Returns the number of assets.
    pub fn len(&self) -> usize {
        usize::try_from(self.0.len()).unwrap_or(usize::MAX)
    }

    /// Returns `true` if the set contains no asset.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if `other` contains every asset of the set.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Returns `true` if `other` contains no asset of the set.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    /// Iterates over the assets in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = AssetId> + '_ {
        self.0.iter().map(AssetId)
    }
}

impl From<AssetId> for AssetSet {
    fn from(asset: AssetId) -> Self {
        Self::from_iter([asset])
    }
}

impl FromIterator<AssetId> for AssetSet {
    fn from_iter<I: IntoIterator<Item = AssetId>>(assets: I) -> Self {
        Self(assets.into_iter().map(|asset| asset.0).collect())
    }
}

impl Extend<AssetId> for AssetSet {
    fn extend<I: IntoIterator<Item = AssetId>>(&mut self, assets: I) {
        self.0.extend(assets.into_iter().map(|asset| asset.0));
    }
}

impl IntoIterator for AssetSet {
    type Item = AssetId;
    type IntoIter = std::iter::Map<roaring::bitmap::IntoIter, fn(u32) -> AssetId>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(AssetId)
    }
}

impl fmt::Debug for AssetSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter()).finish()
    }
}

macro_rules! set_operator {
    ($(#[$doc:meta] $operator:ident $method:ident $assign:ident $assign_method:ident;)*) => {$(
        impl $operator for &AssetSet {
            type Output = AssetSet;

            #[$doc]
            fn $method(self, other: &AssetSet) -> AssetSet {
                AssetSet($operator::$method(&self.0, &other.0))
            }
        }

        impl $assign<&AssetSet> for AssetSet {
            #[$doc]
            fn $assign_method(&mut self, other: &AssetSet) {
                $assign::$assign_method(&mut self.0, &other.0);
            }
        }
    )*};
}

set_operator! {
    /// Returns the assets in either set.
    BitOr bitor BitOrAssign bitor_assign;
    /// Returns the assets in both sets.
    BitAnd bitand BitAndAssign bitand_assign;
    /// Returns the assets in the first set that are not in the second.
    Sub sub SubAssign sub_assign;
}

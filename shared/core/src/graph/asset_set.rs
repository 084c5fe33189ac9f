//! [`AssetSet`]: some of the assets of one graph.

use std::{
    fmt,
    ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Sub, SubAssign},
};

use roaring::RoaringBitmap;

use crate::graph::AssetId;

/// Some of the assets of one [`AssetGraph`](crate::graph::AssetGraph), in the order of their keys.
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
    /// No asset.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first `count` assets: all of them in a graph of that size.
    pub(super) fn first(count: u32) -> Self {
        let mut set = RoaringBitmap::new();
        set.insert_range(0..count);
        Self(set)
    }

    /// Puts an asset in. `false` when it was in already.
    pub fn insert(&mut self, asset: AssetId) -> bool {
        self.0.insert(asset.0)
    }

    /// Takes an asset out. `false` when it was not in.
    pub fn remove(&mut self, asset: AssetId) -> bool {
        self.0.remove(asset.0)
    }

    /// Whether an asset is in.
    pub fn contains(&self, asset: AssetId) -> bool {
        self.0.contains(asset.0)
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        usize::try_from(self.0.len()).unwrap_or(usize::MAX)
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of these are in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether none of these is in `other`.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    /// The assets in the order of their keys.
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
    /// What is in either.
    BitOr bitor BitOrAssign bitor_assign;
    /// What is in both.
    BitAnd bitand BitAndAssign bitand_assign;
    /// What is in the first and not in the second.
    Sub sub SubAssign sub_assign;
}

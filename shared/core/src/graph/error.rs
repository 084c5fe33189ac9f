//! Declarations that do not make a graph.

use crate::key::AssetKey;

/// Why declarations do not make a graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGraph {
    /// Two assets have one key.
    #[error("asset `{key}` is declared twice: rename one of them")]
    DuplicateAsset {
        /// The key.
        key: AssetKey,
    },
    /// An asset is made from one that is not declared.
    #[error("asset `{asset}` depends on `{upstream}`, which is not declared")]
    UnknownUpstream {
        /// The asset.
        asset: AssetKey,
        /// What it names.
        upstream: AssetKey,
    },
    /// Assets depend on each other in a circle.
    #[error("assets depend on each other in a circle: {}", path.iter().map(AssetKey::as_str).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The circle; the first key comes again at the end.
        path: Vec<AssetKey>,
    },
    /// A mapping does not fit the definitions on its two sides.
    #[error("asset `{asset}` cannot be made from `{upstream}`: {reason}")]
    Mapping {
        /// The downstream asset.
        asset: AssetKey,
        /// The upstream asset.
        upstream: AssetKey,
        /// Why not, and what to write instead.
        reason: String,
    },
}

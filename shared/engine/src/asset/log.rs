//! [`AssetLog`]: what a function has to say while it runs.

use std::fmt::Display;

use crate::asset::AssetContext;

/// Says something about a run in progress: `context.log().info("..")`.
///
/// Each message is a `tracing` event with the run, the assets and the partitions as fields, so it
/// appears wherever the project's logs do.
#[derive(Debug, Clone, Copy)]
pub struct AssetLog<'a>(pub(super) &'a AssetContext);

macro_rules! levels {
    ($($(#[$doc:meta])* $level:ident),*) => {$(
        $(#[$doc])*
        pub fn $level(self, message: impl Display) {
            let AssetLog(context) = self;
            tracing::$level!(
                target: "precip::asset",
                run = %context.run_id(),
                attempt = context.attempt(),
                assets = ?context.selected(),
                partitions = ?context.partition_keys().collect::<Vec<_>>(),
                "{message}"
            );
        }
    )*};
}

impl AssetLog<'_> {
    levels! {
        /// Something only a developer wants to know.
        debug,
        /// Something worth knowing.
        info,
        /// Something that may be wrong.
        warn,
        /// Something that is wrong.
        error
    }
}

//! [`AssetLog`]: log messages of an asset's function.

use std::fmt::Display;

use crate::asset::AssetContext;

/// A logger for messages about an invocation: `context.log().info("..")`.
///
/// Each message is a `tracing` event with the run, the assets and the partitions as fields, so it
/// appears in the project's logs.
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
        /// Logs a message for developers.
        debug,
        /// Logs an informational message.
        info,
        /// Logs a possible problem.
        warn,
        /// Logs an error.
        error
    }
}

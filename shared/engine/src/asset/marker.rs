//! [`Asset`]: assets as types, which let the compiler check references and data types.

use precip_core::key::AssetKey;

/// An asset as a type. `#[asset]` generates one next to each function, under the function's name.
///
/// The compiler learns from it that the asset exists and which data its function returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an asset",
    label = "not declared with `#[asset]`, `#[multi_asset]` or `#[external_asset]`",
    note = "a parameter is named after the upstream asset that it takes; a parameter that is \
            something else says so with `#[input(..)]`, `#[resource]` or `#[config]`"
)]
pub trait Asset {
    /// The data that the function returns and the IO manager stores; [`Unmanaged`] when the
    /// function stores it itself.
    type Data: 'static;

    /// The asset's key as a string.
    const KEY: &'static str;

    /// Returns the asset's key.
    ///
    /// # Panics
    /// If [`Self::KEY`] of a hand-written implementation is not a valid key. The macros reject such
    /// a key at its span.
    fn key() -> AssetKey {
        AssetKey::new(Self::KEY).expect("`Asset::KEY` is an asset key")
    }
}

/// The data of an asset whose function stores it itself. No IO manager can load it, so other assets
/// depend on it by `deps = [..]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmanaged;

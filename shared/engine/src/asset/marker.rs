//! [`Asset`]: an asset as a type, so that the compiler knows which there are and what each holds.

use precip_core::key::AssetKey;

/// An asset as a type. `#[asset]` puts one beside each function, with the function's name.
///
/// It carries what the compiler has to know of an asset: that it exists, and what its function makes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an asset",
    label = "not declared with `#[asset]`, `#[multi_asset]` or `#[external_asset]`",
    note = "a parameter is named after the upstream asset that it takes; a parameter that is \
            something else says so with `#[input(..)]`, `#[resource]` or `#[config]`"
)]
pub trait Asset {
    /// What the asset's function makes and its IO manager stores; [`Unmanaged`] when the function
    /// stores it itself.
    type Data: 'static;

    /// The asset's key, as it is written.
    const KEY: &'static str;

    /// The asset's key.
    ///
    /// # Panics
    /// If a hand-written implementation gives a [`Self::KEY`] that is not a key; the macros refuse
    /// such a key where it is written.
    fn key() -> AssetKey {
        AssetKey::new(Self::KEY).expect("`Asset::KEY` is an asset key")
    }
}

/// The data of an asset whose function stores it itself, so that there is nothing that an IO manager
/// could load: other assets depend on it by `deps = [..]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmanaged;

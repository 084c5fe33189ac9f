//! The registry that the macros add declarations to and [`discover`] reads.
//!
//! [`discover`]: super::DefinitionsBuilder::discover

use crate::definitions::Declaration;

/// A type that declares something: the marker type that `#[asset]` and the related macros generate
/// next to a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares nothing",
    label = "not declared with `#[asset]`, `#[asset_check]`, `#[sensor]` or a related macro"
)]
pub trait Declares {
    /// Returns its declaration.
    fn declare() -> Declaration;

    /// Returns the declarations attached to it: the data checks that are written at an asset.
    fn attached_declarations() -> Vec<Declaration> {
        Vec::new()
    }
}

/// Returns the declaration of a type and the declarations attached to it.
pub(super) fn declarations_of<D: Declares>() -> Vec<Declaration> {
    let mut all = D::attached_declarations();
    all.push(D::declare());
    all
}

/// The registration of a declared function.
#[derive(Debug, Clone, Copy)]
pub struct Registered(fn() -> Vec<Declaration>);

impl Registered {
    /// Registers the marker type of a function.
    pub const fn of<D: Declares>() -> Self {
        Self(declarations_of::<D>)
    }
}

inventory::collect!(Registered);

/// Returns everything registered by the crates linked into this binary, in no particular order.
pub(super) fn registered_declarations() -> impl Iterator<Item = Declaration> {
    inventory::iter::<Registered>().flat_map(|registered| (registered.0)())
}

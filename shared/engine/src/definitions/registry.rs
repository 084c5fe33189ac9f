//! The registry that `#[asset]` and its sisters write to and [`discover`] reads.
//!
//! [`discover`]: super::DefinitionsBuilder::discover

use crate::definitions::Declaration;

/// An item that declares something: the marker type that `#[asset]` and its sisters put beside a
/// function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares nothing",
    label = "not declared with `#[asset]` or one of its sisters"
)]
pub trait Declares {
    /// What it declares.
    fn declare() -> Declaration;

    /// What is declared with it: the checks over an asset's data that stand at the asset.
    fn along() -> Vec<Declaration> {
        Vec::new()
    }
}

/// What a type declares, and what is declared with it.
pub(super) fn declared<D: Declares>() -> Vec<Declaration> {
    let mut all = D::along();
    all.push(D::declare());
    all
}

/// One declared function, registered where it is declared.
#[derive(Debug, Clone, Copy)]
pub struct Registered(fn() -> Vec<Declaration>);

impl Registered {
    /// Registers the type beside a function.
    pub const fn of<D: Declares>() -> Self {
        Self(declared::<D>)
    }
}

inventory::collect!(Registered);

/// Everything registered in the crates that are linked into this binary, in no order.
pub(super) fn registered() -> impl Iterator<Item = Declaration> {
    inventory::iter::<Registered>().flat_map(|registered| (registered.0)())
}

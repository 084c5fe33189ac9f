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
}

/// One declared function, registered where it is declared.
#[derive(Debug, Clone, Copy)]
pub struct Registered(pub fn() -> Declaration);

inventory::collect!(Registered);

/// Everything registered in the crates that are linked into this binary, in no order.
pub(super) fn registered() -> impl Iterator<Item = Declaration> {
    inventory::iter::<Registered>().map(|registered| (registered.0)())
}

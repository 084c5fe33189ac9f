//! A project whose assets are described by a JSON document, so that the same graph can be run on a
//! laptop and on AWS, and a bench or a test can say what it is and what goes wrong in it.

mod body;
mod declare;
pub mod description;
mod life;
mod place;
mod random;
pub mod rights;
mod route;

pub use declare::declare;
pub use life::{LIFE, mortal};
pub use place::{DOCUMENT, command, definitions, document};
pub use random::{Trouble, components, random};
pub use route::call_through_proxy;

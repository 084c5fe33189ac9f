//! Looking for what is wrong with a deployment.

mod bucket;
mod deployment;
mod identity;
mod machine;
mod table;

pub use deployment::Deployment;

#[cfg(test)]
mod tests;

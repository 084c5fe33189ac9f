//! Examination of a deployment: finds what is missing or misconfigured.

mod bucket;
mod deployment;
mod identity;
mod machine;
mod table;

pub use deployment::Deployment;

#[cfg(test)]
mod tests;

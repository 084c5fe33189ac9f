//! [`CheckModel`]: the options of `#[asset_check(..)]`.

use proc_macro2::TokenStream;
use syn::{Error, Expr, Path, Result, ext::IdentExt};

use super::{Dep, Function, OpModel};
use crate::{
    errors::Errors,
    options::{Options, asset_path, string_literal},
};

/// A check, as declared.
pub(crate) struct CheckModel {
    /// The checked asset's marker type.
    pub(crate) asset: Path,
    pub(crate) name: String,
    pub(crate) blocking: bool,
    pub(crate) description: Option<String>,
    pub(crate) additional_deps: Vec<Dep>,
    pub(crate) op: OpModel,
}

impl CheckModel {
    /// Reads the options of a check; `None` when they name no asset.
    pub(crate) fn read(
        options: TokenStream,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        Options::read("`#[asset_check]`", options, errors, |options, errors| {
            if !options.contains("asset") {
                errors.push(Error::new(
                    options.span(),
                    "name the asset to check: `#[asset_check(asset = flights)]`",
                ));
            }
            let asset = options.take_value("asset", asset_path, errors);
            let name = options.take_value("name", check_name, errors);
            let blocking = options.take_flag("blocking", errors);
            let description = function.docs.read_description(options, errors);
            let additional_deps = options.take_value("additional_deps", Dep::parse_list, errors);
            // A check runs where its asset runs, so it has no partitions of its own.
            let op = OpModel::read_unpartitioned(options, errors);
            Some(Self {
                asset: asset?,
                name: name.unwrap_or_else(|| function.name().unraw().to_string()),
                blocking,
                description,
                additional_deps: additional_deps.unwrap_or_default(),
                op,
            })
        })
    }
}

/// Parses the name of a check.
fn check_name(value: &Expr) -> Result<String> {
    let text = string_literal(value)?;
    let name = text.value();
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits {
        Ok(name)
    } else {
        Err(Error::new(
            text.span(),
            format!("`{name}` is not a check's name: write ASCII letters, digits and `_`"),
        ))
    }
}

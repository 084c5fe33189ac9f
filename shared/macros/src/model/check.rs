//! What `#[asset_check(..)]` says.

use proc_macro2::TokenStream;
use syn::{Error, Expr, Path, Result, ext::IdentExt, spanned::Spanned};

use super::{Dep, Function, OpModel, op};
use crate::{
    errors::Errors,
    options::{Options, string},
};

/// A check, as written.
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
    /// Reads the options of a check; `None` when it does not say which asset it looks at.
    pub(crate) fn read(
        options: TokenStream,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let known: Vec<&str> = [
            "asset",
            "name",
            "blocking",
            "description",
            "additional_deps",
        ]
        .iter()
        .chain(op::OPTIONS)
        .filter(|name| !["partitions", "backfill_policy"].contains(name))
        .copied()
        .collect();
        let mut options = Options::parse("`#[asset_check]`", options, &known, errors);
        if !options.has("asset") {
            errors.push(Error::new(
                options.span(),
                "say which asset it looks at: `#[asset_check(asset = flights)]`",
            ));
        }
        let asset = options.value("asset", path, errors);
        let name = options.value("name", check_name, errors);
        let blocking = options.flag("blocking", errors);
        let description = options.value("description", string, errors);
        let additional_deps = options.value("additional_deps", Dep::parse_list, errors);
        let op = OpModel::read(&mut options, errors);
        Some(Self {
            asset: asset?,
            name: name.unwrap_or_else(|| function.name().unraw().to_string()),
            blocking,
            description: description
                .map(|text| text.value())
                .or_else(|| function.docs.text()),
            additional_deps: additional_deps.unwrap_or_default(),
            op,
        })
    }
}

fn path(value: &Expr) -> Result<Path> {
    match value {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(Error::new(
            other.span(),
            "write the asset's path, like `flights` or `crate::raw::flights`",
        )),
    }
}

fn check_name(value: &Expr) -> Result<String> {
    let text = string(value)?;
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

//! What `#[external_asset(..)]` says.

use proc_macro2::TokenStream;
use syn::{Error, Expr, Fields, ItemStruct};

use super::{AssetModel, Docs, asset};
use crate::{
    errors::Errors,
    options::{Options, expr},
};

/// Options of an asset that make sense only where a function makes it.
const MADE_HERE: &[&str] = &["io_manager", "checks", "code_version", "automation"];

/// An external asset, as written.
pub(crate) struct ExternalModel {
    pub(crate) item: ItemStruct,
    pub(crate) asset: AssetModel,
    pub(crate) partitions: Option<Expr>,
}

impl ExternalModel {
    /// Reads an external asset; `None` when the item is no empty struct.
    pub(crate) fn read(
        options: TokenStream,
        item: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let item: ItemStruct = match syn::parse2::<ItemStruct>(item.clone()) {
            Ok(item) if matches!(item.fields, Fields::Unit) && item.generics.params.is_empty() => {
                item
            }
            _ => {
                errors.push(Error::new_spanned(
                    item,
                    "`#[external_asset]` goes on a struct without fields, like `pub struct \
                     landing_files;`: it becomes the asset's marker type",
                ));
                return None;
            }
        };
        let known: Vec<&str> = asset::OPTIONS
            .iter()
            .filter(|name| !MADE_HERE.contains(name))
            .chain(&["partitions"])
            .copied()
            .collect();
        let mut options = Options::parse("`#[external_asset]`", options, &known, errors);
        let docs = Docs::of(&item.attrs);
        let partitions = options.value("partitions", expr, errors);
        let asset = AssetModel::read(item.ident.clone(), docs, &mut options, errors);
        Some(Self {
            item,
            asset,
            partitions,
        })
    }
}

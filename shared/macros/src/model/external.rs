//! [`ExternalAssetModel`]: the options of `#[external_asset(..)]`.

use proc_macro2::TokenStream;
use syn::{Error, Expr, Fields, ItemStruct};

use super::{AssetModel, Docs};
use crate::{
    errors::Errors,
    options::{Options, any_expr},
};

/// An external asset, as declared.
pub(crate) struct ExternalAssetModel {
    pub(crate) item: ItemStruct,
    pub(crate) asset: AssetModel,
    pub(crate) partitions: Option<Expr>,
}

impl ExternalAssetModel {
    /// Reads an external asset; `None` when the item is not a struct without fields.
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
                    "`#[external_asset]` belongs on a struct without fields, like `pub struct \
                     landing_files;`: it becomes the asset's marker type",
                ));
                return None;
            }
        };
        Options::read("`#[external_asset]`", options, errors, |options, errors| {
            let docs = Docs::from_attributes(&item.attrs);
            Some(Self {
                asset: AssetModel::read_external(item.ident.clone(), docs, options, errors),
                partitions: options.take_value("partitions", any_expr, errors),
                item,
            })
        })
    }
}

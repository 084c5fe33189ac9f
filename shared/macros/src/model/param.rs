//! Parameters: upstream data, resources, config, and the context.

use syn::{
    Attribute, Error, Expr, GenericArgument, Ident, Meta, Pat, PatType, Path, PathArguments,
    Result, Type, ext::IdentExt, spanned::Spanned,
};

use super::Dep;

/// One parameter.
pub(crate) struct Param {
    /// Its name, without `r#`.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Type,
    /// Its kind.
    pub(crate) kind: ParamKind,
}

/// The kind of a parameter.
pub(crate) enum ParamKind {
    /// The data of an upstream asset.
    Input {
        /// The asset's marker type.
        asset: Path,
        /// The mapping between the partitions of the two assets.
        mapping: Option<Box<Expr>>,
    },
    /// A resource.
    Resource(ResourceForm, Box<Type>),
    /// The op's config.
    Config,
    /// The context.
    Context {
        /// True if it is passed by reference.
        by_reference: bool,
    },
}

/// The form in which a resource is passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceForm {
    /// `&T`.
    Reference,
    /// `Arc<T>`.
    Shared,
}

impl Param {
    /// Parses a parameter, and removes the macro's attributes from it.
    pub(super) fn parse(arg: &mut PatType) -> Result<Self> {
        let own: Vec<Attribute> = arg.attrs.extract_if(.., |attr| is_own(attr)).collect();
        let Pat::Ident(pattern) = &*arg.pat else {
            return Err(Error::new(
                arg.pat.span(),
                "write a single name: a parameter's name is the asset or resource that it takes",
            ));
        };
        let ident = pattern.ident.clone();
        let name = ident.unraw().to_string();
        let ty = (*arg.ty).clone();
        // An attribute decides; without one the type, and then the name.
        let kind = match own.as_slice() {
            [] => kind_without_attribute(&ident, &ty)?,
            [only] => kind_by_attribute(only, &ident, &ty)?,
            [_, second, ..] => {
                return Err(Error::new(
                    second.span(),
                    "a parameter has one of `#[input(..)]`, `#[resource]` and `#[config]`: keep one",
                ));
            }
        };
        Ok(Self { name, ty, kind })
    }
}

/// Returns whether an attribute belongs to the macro.
fn is_own(attr: &Attribute) -> bool {
    ["input", "resource", "config"]
        .iter()
        .any(|name| attr.path().is_ident(name))
}

/// Returns the kind of a parameter without attribute: the context by its type, else an asset by its
/// name.
fn kind_without_attribute(ident: &Ident, ty: &Type) -> Result<ParamKind> {
    let (inner, by_reference) = match ty {
        Type::Reference(reference) => (&*reference.elem, true),
        plain => (plain, false),
    };
    let contexts = ["AssetContext", "SensorContext", "ScheduleContext"];
    if last_segment(inner).is_some_and(|segment| contexts.iter().any(|own| segment.ident == own)) {
        return Ok(ParamKind::Context { by_reference });
    }
    // Data is handed over by value; a reference is most likely a resource without its attribute.
    if by_reference {
        return Err(Error::new_spanned(
            ty,
            format!(
                "`{ident}` is a reference: mark it `#[resource]` if it is a resource, and \
                 take it by value if it is the data of asset `{ident}`"
            ),
        ));
    }
    Ok(ParamKind::Input {
        asset: ident.clone().into(),
        mapping: None,
    })
}

fn kind_by_attribute(attr: &Attribute, ident: &Ident, ty: &Type) -> Result<ParamKind> {
    if attr.path().is_ident("input") {
        if let Type::Reference(_) = ty {
            return Err(Error::new_spanned(
                ty,
                "the data of an asset is passed by value: leave out the `&`",
            ));
        }
        return match &attr.meta {
            Meta::List(list) => {
                let dep: Dep = list.parse_args_with(Dep::parse_input)?;
                Ok(ParamKind::Input {
                    asset: dep.asset.unwrap_or_else(|| ident.clone().into()),
                    mapping: dep.mapping.map(Box::new),
                })
            }
            other => Err(Error::new(
                other.span(),
                "name the asset or the mapping: `#[input(asset)]` or `#[input(mapping = ..)]`",
            )),
        };
    }
    if !matches!(attr.meta, Meta::Path(_)) {
        return Err(Error::new(
            attr.meta.span(),
            "this attribute has no arguments: the parameter's name is the resource's name, and its \
             type the config's type",
        ));
    }
    if attr.path().is_ident("config") {
        return Ok(ParamKind::Config);
    }
    match ty {
        // Resources are shared by all ops, so `&mut` is refused.
        Type::Reference(reference) if reference.mutability.is_none() => Ok(ParamKind::Resource(
            ResourceForm::Reference,
            reference.elem.clone(),
        )),
        other => match last_segment(other) {
            Some(segment) if segment.ident == "Arc" => first_type_argument(&segment.arguments)
                .map(|inner| ParamKind::Resource(ResourceForm::Shared, Box::new(inner)))
                .ok_or_else(|| not_shared(ty)),
            _ => Err(not_shared(ty)),
        },
    }
}

/// Returns the error for a resource that is taken by value.
fn not_shared(ty: &Type) -> Error {
    Error::new_spanned(ty, "a resource is shared: take it as `&T` or `Arc<T>`")
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn first_type_argument(arguments: &PathArguments) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}

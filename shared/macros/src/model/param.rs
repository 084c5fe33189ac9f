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
    /// What it takes.
    pub(crate) kind: ParamKind,
}

/// What a parameter takes.
pub(crate) enum ParamKind {
    /// The data of an upstream asset.
    Input {
        /// The asset's marker type.
        asset: Path,
        /// How partitions correspond.
        mapping: Option<Box<Expr>>,
    },
    /// A resource.
    Resource(ResourceForm, Box<Type>),
    /// The op's config.
    Config,
    /// The context.
    Context {
        /// Whether it is taken by reference.
        by_reference: bool,
    },
}

/// How a resource is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceForm {
    /// `&T`.
    Reference,
    /// `Arc<T>`.
    Shared,
}

impl Param {
    /// Reads a parameter and takes the macro's attributes off it.
    pub(super) fn parse(arg: &mut PatType) -> Result<Self> {
        let own: Vec<Attribute> = arg.attrs.extract_if(.., |attr| is_own(attr)).collect();
        let Pat::Ident(pattern) = &*arg.pat else {
            return Err(Error::new(
                arg.pat.span(),
                "a parameter is one name: its name says which asset or resource it takes",
            ));
        };
        let ident = pattern.ident.clone();
        let name = ident.unraw().to_string();
        let ty = (*arg.ty).clone();
        let kind = match own.as_slice() {
            [] => by_type_or_name(&ident, &ty)?,
            [only] => by_attribute(only, &ident, &ty)?,
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

fn is_own(attr: &Attribute) -> bool {
    ["input", "resource", "config"]
        .iter()
        .any(|name| attr.path().is_ident(name))
}

fn by_type_or_name(ident: &Ident, ty: &Type) -> Result<ParamKind> {
    let (inner, by_reference) = match ty {
        Type::Reference(reference) => (&*reference.elem, true),
        plain => (plain, false),
    };
    let contexts = ["AssetContext", "SensorContext", "ScheduleContext"];
    if last_segment(inner).is_some_and(|segment| contexts.iter().any(|own| segment.ident == own)) {
        return Ok(ParamKind::Context { by_reference });
    }
    if by_reference {
        return Err(Error::new_spanned(
            ty,
            format!(
                "`{ident}` is taken by reference: mark it `#[resource]` if it is a resource, and \
                 take it by value if it is the data of asset `{ident}`"
            ),
        ));
    }
    Ok(ParamKind::Input {
        asset: ident.clone().into(),
        mapping: None,
    })
}

fn by_attribute(attr: &Attribute, ident: &Ident, ty: &Type) -> Result<ParamKind> {
    if attr.path().is_ident("input") {
        if let Type::Reference(_) = ty {
            return Err(Error::new_spanned(
                ty,
                "the data of an asset is taken by value: leave out the `&`",
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
                "say which asset it takes: `#[input(asset)]` or `#[input(mapping = ..)]`",
            )),
        };
    }
    if !matches!(attr.meta, Meta::Path(_)) {
        return Err(Error::new(
            attr.meta.span(),
            "this attribute takes nothing: the parameter's name is the resource's name, and its \
             type the config's type",
        ));
    }
    if attr.path().is_ident("config") {
        return Ok(ParamKind::Config);
    }
    match ty {
        Type::Reference(reference) if reference.mutability.is_none() => Ok(ParamKind::Resource(
            ResourceForm::Reference,
            reference.elem.clone(),
        )),
        other => match last_segment(other) {
            Some(segment) if segment.ident == "Arc" => shared(&segment.arguments)
                .map(|inner| ParamKind::Resource(ResourceForm::Shared, Box::new(inner)))
                .ok_or_else(|| as_reference(ty)),
            _ => Err(as_reference(ty)),
        },
    }
}

fn as_reference(ty: &Type) -> Error {
    Error::new_spanned(ty, "a resource is shared: take it as `&T` or `Arc<T>`")
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn shared(arguments: &PathArguments) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}

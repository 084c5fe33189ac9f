//! The code that calls the function.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use crate::model::{Dep, Function, ParamKind, ResourceForm};

/// What makes the parameters: the statements that take them, and the arguments that are passed.
pub(super) fn parameters(function: &Function) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let mut taken = Vec::new();
    let mut passed = Vec::new();
    for (place, param) in function.params.iter().enumerate() {
        let arg = format_ident!("__arg{place}");
        let name = &param.name;
        let ty = &param.ty;
        match &param.kind {
            ParamKind::Input { .. } => {
                taken.push(quote!(let #arg = __p::take(&mut __inputs, #name)?;));
                passed.push(quote!(#arg));
            }
            ParamKind::Resource(form, inner) => {
                taken.push(quote_spanned! {inner.span()=>
                    let #arg = __resources.get::<#inner>(#name)?;
                });
                passed.push(match form {
                    ResourceForm::Reference => quote!(&**#arg),
                    ResourceForm::Shared => quote!(::std::sync::Arc::clone(#arg)),
                });
            }
            ParamKind::Config => {
                taken.push(quote_spanned!(ty.span()=> let #arg = __context.config::<#ty>()?;));
                passed.push(quote!(#arg));
            }
            ParamKind::Context { by_reference: true } => passed.push(quote!(&__context)),
            ParamKind::Context {
                by_reference: false,
            } => passed.push(quote!(__context.clone())),
        }
    }
    (taken, passed)
}

/// The function that the engine calls: it takes the arguments, calls the function, and gives what it
/// returned to `finish`, an expression that sees `__context` and `__returned`.
pub(super) fn run(function: &Function, finish: &TokenStream) -> TokenStream {
    let (taken, passed) = parameters(function);
    let name = function.name();
    let wait = function.is_async().then(|| quote!(.await));
    quote! {
        fn __run(
            __context: __p::AssetContext,
            mut __inputs: __p::Inputs,
            __resources: &__p::Resources,
        ) -> __p::RunFuture<'_> {
            ::std::boxed::Box::pin(async move {
                let _ = (&mut __inputs, __resources);
                #(#taken)*
                let __returned = #name(#(#passed),*) #wait;
                #finish
            })
        }
    }
}

/// How the function waits.
pub(super) fn execution(function: &Function) -> TokenStream {
    if function.is_async() {
        quote!(__p::Execution::Async)
    } else {
        quote!(__p::Execution::Blocking)
    }
}

/// The declaration's calls that say what the function takes.
pub(super) fn needs(function: &Function) -> TokenStream {
    let calls = function.params.iter().map(|param| {
        let name = &param.name;
        let ty = &param.ty;
        match &param.kind {
            ParamKind::Input { asset, mapping } => {
                let mapping = mapping_of(mapping.as_deref());
                quote_spanned!(ty.span()=> .input::<#asset, #ty>(#name, #mapping))
            }
            ParamKind::Resource(_, inner) => {
                quote_spanned!(inner.span()=> .resource::<#inner>(#name))
            }
            ParamKind::Config => quote_spanned! {ty.span()=>
                .config(__p::ConfigSpec::of::<#ty>(), {
                    #[allow(unused_imports)]
                    use __p::{WithSchema as _, WithoutSchema as _};
                    (&__p::SchemaOf::<#ty>::new()).schema()
                })
            },
            ParamKind::Context { .. } => TokenStream::new(),
        }
    });
    quote!(#(#calls)*)
}

/// The declaration's call for a dependency.
pub(super) fn dep(dep: &Dep) -> Option<TokenStream> {
    let asset = dep.asset.as_ref()?;
    let mapping = mapping_of(dep.mapping.as_ref());
    Some(quote_spanned!(asset.span()=> .dep::<#asset>(#mapping)))
}

fn mapping_of(mapping: Option<&Expr>) -> TokenStream {
    match mapping {
        Some(mapping) => quote_spanned!(mapping.span()=> ::core::option::Option::Some(#mapping)),
        None => quote!(::core::option::Option::None),
    }
}

//! The code that calls the function.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use crate::model::{Dep, Function, ParamKind, ResourceForm};

/// Returns the statements that obtain the arguments, and the arguments of the call.
pub(super) fn argument_tokens(function: &Function) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let mut statements = Vec::new();
    let mut arguments = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let arg = format_ident!("__arg{index}");
        let name = &param.name;
        let ty = &param.ty;
        match &param.kind {
            ParamKind::Input { .. } => {
                statements.push(quote!(let #arg = __p::take_input(&mut __inputs, #name)?;));
                arguments.push(quote!(#arg));
            }
            ParamKind::Resource(form, inner) => {
                statements.push(quote_spanned! {inner.span()=>
                    let #arg = __resources.get::<#inner>(#name)?;
                });
                arguments.push(match form {
                    ResourceForm::Reference => quote!(&**#arg),
                    ResourceForm::Shared => quote!(::std::sync::Arc::clone(#arg)),
                });
            }
            ParamKind::Config => {
                statements.push(quote_spanned!(ty.span()=> let #arg = __context.config::<#ty>()?;));
                arguments.push(quote!(#arg));
            }
            ParamKind::Context { by_reference: true } => arguments.push(quote!(&__context)),
            ParamKind::Context {
                by_reference: false,
            } => arguments.push(quote!(__context.clone())),
        }
    }
    (statements, arguments)
}

/// Returns the function that the engine calls. It obtains the arguments, calls the user's function
/// and evaluates `finish`, an expression over `__context` and `__returned`.
pub(super) fn run_fn(function: &Function, finish: &TokenStream) -> TokenStream {
    let (statements, arguments) = argument_tokens(function);
    let name = function.name();
    let wait = function.is_async().then(|| quote!(.await));
    quote! {
        fn __run(
            __context: __p::AssetContext,
            mut __inputs: __p::Inputs,
            __resources: &__p::Resources,
        ) -> __p::RunFuture<'_> {
            ::std::boxed::Box::pin(async move {
                // Not every function uses them.
                let _ = (&mut __inputs, __resources);
                #(#statements)*
                let __returned = #name(#(#arguments),*) #wait;
                #finish
            })
        }
    }
}

/// Returns the expression for the way the function waits.
pub(super) fn execution_expr(function: &Function) -> TokenStream {
    if function.is_async() {
        quote!(__p::Execution::Async)
    } else {
        quote!(__p::Execution::Blocking)
    }
}

/// Returns the declaration's calls for the function's parameters.
pub(super) fn input_calls(function: &Function) -> TokenStream {
    let calls = function.params.iter().map(|param| {
        let name = &param.name;
        let ty = &param.ty;
        match &param.kind {
            ParamKind::Input { asset, mapping } => {
                let mapping = mapping_expr(mapping.as_deref());
                quote_spanned!(ty.span()=> .add_input::<#asset, #ty>(#name, #mapping))
            }
            ParamKind::Resource(_, inner) => {
                quote_spanned!(inner.span()=> .add_resource::<#inner>(#name))
            }
            ParamKind::Config => quote_spanned! {ty.span()=>
                .config(
                    __p::ConfigSpec::for_shown_type::<#ty>({
                        #[allow(unused_imports)]
                        use __p::{WithDebug as _, WithoutDebug as _};
                        (&__p::DebugOf::<#ty>::new()).show()
                    }),
                    {
                        #[allow(unused_imports)]
                        use __p::{WithSchema as _, WithoutSchema as _};
                        (&__p::SchemaOf::<#ty>::new()).schema()
                    },
                )
            },
            ParamKind::Context { .. } => TokenStream::new(),
        }
    });
    quote!(#(#calls)*)
}

/// Returns the declaration's call for a dependency.
pub(super) fn dep_call(dep: &Dep) -> Option<TokenStream> {
    let asset = dep.asset.as_ref()?;
    let mapping = mapping_expr(dep.mapping.as_ref());
    Some(quote_spanned!(asset.span()=> .add_dep::<#asset>(#mapping)))
}

fn mapping_expr(mapping: Option<&Expr>) -> TokenStream {
    match mapping {
        Some(mapping) => quote_spanned!(mapping.span()=> ::core::option::Option::Some(#mapping)),
        None => quote!(::core::option::Option::None),
    }
}

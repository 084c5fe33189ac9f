//! The declarations in a project's sources.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, GenericArgument, Item, ItemFn, PathArguments, ReturnType, Type, spanned::Spanned,
};

/// Attributes that declare something, and its kind.
const ATTRIBUTES: [(&str, &str); 7] = [
    ("asset", "an asset"),
    ("sql_asset", "an asset"),
    ("external_asset", "an asset"),
    ("multi_asset", "a multi-asset"),
    ("asset_check", "a check"),
    ("sensor", "a sensor"),
    ("schedule", "a schedule"),
];

/// Something that a file declares by an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The kind, with its article: `an asset`.
    pub(super) kind: &'static str,
    /// The name of the function or struct.
    pub(super) name: String,
    /// The name in the project, where an option gives another one than the function's.
    pub(super) renamed: Option<String>,
    /// The line of its name, from 1.
    pub(super) line: usize,
    /// The type of the data that it returns, as written; `None` without data, and for a struct.
    pub(super) data: Option<String>,
    /// `true` for a declaration at the top level of its file.
    pub(super) is_top_level: bool,
}

/// Returns what a file declares.
pub(super) fn declarations(file: &syn::File, text: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    collect(&file.items, text, true, &mut found);
    found
}

fn collect(items: &[Item], text: &str, is_top_level: bool, found: &mut Vec<Declared>) {
    for item in items {
        let (attributes, ident, data) = match item {
            Item::Fn(function) => (
                &function.attrs,
                &function.sig.ident,
                data_type(function, text),
            ),
            Item::Struct(item) => (&item.attrs, &item.ident, None),
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, text, false, found);
                }
                continue;
            }
            _ => continue,
        };
        for attribute in attributes {
            let Some(kind) = declared_kind(attribute) else {
                continue;
            };
            let options = options_of(attribute);
            found.push(Declared {
                kind,
                name: ident.to_string(),
                renamed: renamed(options.clone()),
                line: ident.span().start().line,
                data: data.clone(),
                is_top_level,
            });
            for output in outputs(options) {
                found.push(Declared {
                    kind: "an asset",
                    line: output.span().start().line,
                    name: output.to_string(),
                    renamed: None,
                    data: None,
                    is_top_level,
                });
            }
        }
    }
}

fn declared_kind(attribute: &Attribute) -> Option<&'static str> {
    let last = attribute.path().segments.last()?;
    let known = ATTRIBUTES.iter().find(|(name, _)| last.ident == name)?;
    Some(known.1)
}

fn options_of(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// Returns the literal of `name = ".."`.
fn renamed(options: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = options.into_iter().collect();
    tokens.windows(3).find_map(|three| match three {
        [
            TokenTree::Ident(option),
            TokenTree::Punct(equals),
            TokenTree::Literal(literal),
        ] if option == "name" && equals.as_char() == '=' => {
            let literal: syn::LitStr = syn::parse2(TokenTree::from(literal.clone()).into()).ok()?;
            Some(literal.value())
        }
        _ => None,
    })
}

/// Returns the names in `outputs(..)` of a multi-asset.
fn outputs(options: TokenStream) -> Vec<proc_macro2::Ident> {
    let tokens: Vec<TokenTree> = options.into_iter().collect();
    let listed = tokens.windows(2).find_map(|two| match two {
        [TokenTree::Ident(option), TokenTree::Group(group)] if option == "outputs" => {
            Some(group.stream())
        }
        _ => None,
    });
    // Each name is followed by its options or a comma; attributes before it are groups in brackets.
    let listed = listed.into_iter().flatten();
    listed
        .filter_map(|token| match token {
            TokenTree::Ident(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// Returns the type of the data of an asset's function: within `Result`, `Output` and `Option`.
fn data_type(function: &ItemFn, text: &str) -> Option<String> {
    let ReturnType::Type(_, returned) = &function.sig.output else {
        return None;
    };
    let mut data: &Type = returned;
    while let Type::Path(path) = data {
        let last = path.path.segments.last()?;
        if last.ident == "MaterializeResult" {
            return None;
        }
        let wraps = ["Result", "Output", "Option"]
            .iter()
            .any(|name| last.ident == name);
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            break;
        };
        match arguments.args.first() {
            Some(GenericArgument::Type(inner)) if wraps => data = inner,
            _ => break,
        }
    }
    text.get(data.span().byte_range()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Vec<Declared> {
        declarations(&syn::parse_file(text).unwrap(), text)
    }

    #[test]
    fn functions_structs_and_outputs_are_found() {
        let found = declared(
            r#"
            #[asset(name = "all_orders", group = "raw")]
            pub fn orders() -> Vec<Order> { vec![] }
            #[precip::sensor(bucket = "b", name = "arrived")]
            pub struct landing;
            #[multi_asset(can_subset, outputs(
                /// Airlines.
                airlines(owners = ["team:a"]),
                #[doc = "x"]
                airports,
            ))]
            fn reference() -> (Vec<A>, Vec<B>) { todo!() }
            mod inner {
                #[schedule(cron = "0 6 * * *", target = "*")]
                struct morning;
            }
            fn helper() {}
            "#,
        );
        let names: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.kind,
                    one.name.as_str(),
                    one.renamed.as_deref(),
                    one.is_top_level,
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                ("an asset", "orders", Some("all_orders"), true),
                ("a sensor", "landing", Some("arrived"), true),
                ("a multi-asset", "reference", None, true),
                ("an asset", "airlines", None, true),
                ("an asset", "airports", None, true),
                ("a schedule", "morning", None, false),
            ]
        );
        assert_eq!(found[0].line, 3);
    }

    #[test]
    fn the_data_is_what_a_function_wraps() {
        for (returned, data) in [
            ("Vec<Order>", Some("Vec<Order>")),
            ("Result<Vec<Order>, AssetError>", Some("Vec<Order>")),
            (
                "Result<Output<Option<Json<i64>>>, AssetError>",
                Some("Json<i64>"),
            ),
            (
                "Option<std::vec::Vec< Order >>",
                Some("std::vec::Vec< Order >"),
            ),
            ("i64", Some("i64")),
            ("MaterializeResult", None),
            ("Result<MaterializeResult, AssetError>", None),
        ] {
            let text = format!("#[asset]\nasync fn a() -> {returned} {{ todo!() }}");
            assert_eq!(declared(&text)[0].data.as_deref(), data, "{returned}");
        }
        assert_eq!(declared("#[asset]\nfn a() {}")[0].data, None);
    }
}

//! The expansion of `#[sql_asset]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Pat, ReturnType, Stmt, Type};

/// The parameter of a query that holds the partition's key.
const PARTITION_PARAMETER: &str = "$partition";

/// Expands to an asset that takes the tables of its query and runs it.
pub(crate) fn expand_sql_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    match expand_query(&options, item.clone()) {
        Ok(code) => code,
        Err(error) => {
            // The function is emitted as well, so that items that name it have no error of their
            // own.
            let error = error.into_compile_error();
            quote!(#item #error)
        }
    }
}

/// Turns the query into the body of a function under `#[asset]`, with the query's tables as
/// parameters.
fn expand_query(options: &TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut item: ItemFn = syn::parse2(item)?;
    let literal = query_literal(&item)?;
    let (sql, names) = split_query(&literal)?;
    let returns: Type = match &item.sig.output {
        ReturnType::Type(_, declared) => (**declared).clone(),
        ReturnType::Default => {
            return Err(Error::new_spanned(
                &item.sig,
                "a query has rows: write their type, like `-> Vec<CarrierMonth>` or `-> Table`",
            ));
        }
    };
    // A table that is already a parameter keeps its type; every other is passed as a stream.
    let given: Vec<String> = item.sig.inputs.iter().filter_map(parameter_name).collect();
    for name in &names {
        if !given.contains(&name.to_string()) {
            item.sig
                .inputs
                .push(syn::parse_quote!(#name: ::precip_duckdb::__private::TableStream));
        }
    }
    let texts: Vec<String> = names.iter().map(Ident::to_string).collect();
    // The context is taken only by queries that name the partition.
    let partition = sql.contains(PARTITION_PARAMETER).then(|| {
        item.sig
            .inputs
            .push(syn::parse_quote!(__context: &::precip_duckdb::__private::AssetContext));
        quote!(.partition(__context.partition_key()?.as_str()))
    });
    // A query may fail, so the function returns a result.
    item.sig.output = syn::parse_quote! {
        -> ::core::result::Result<#returns, ::precip_duckdb::__private::AssetError>
    };
    item.block = syn::parse_quote!({
        ::precip_duckdb::Query::new(#sql)
            #(.table(#texts, #names))*
            #partition
            .run()
    });
    Ok(quote! {
        #[::precip::asset(#options)]
        #item
    })
}

/// Returns the name of a parameter.
fn parameter_name(arg: &FnArg) -> Option<String> {
    let FnArg::Typed(arg) = arg else { return None };
    let Pat::Ident(pattern) = &*arg.pat else {
        return None;
    };
    Some(pattern.ident.to_string())
}

/// Returns the string literal that is the function's whole body.
fn query_literal(item: &ItemFn) -> syn::Result<LitStr> {
    if let [
        Stmt::Expr(
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }),
            None,
        ),
    ] = item.block.stmts.as_slice()
    {
        return Ok(text.clone());
    }
    Err(Error::new_spanned(
        &item.block,
        "write the query as the function's whole body, one string: `{ \"SELECT carrier FROM {flights}\" }`",
    ))
}

/// Returns the query with its tables' names quoted, and the tables, each once.
fn split_query(literal: &LitStr) -> syn::Result<(String, Vec<Ident>)> {
    let text = literal.value();
    let span = literal.span();
    let (mut sql, mut names) = (String::with_capacity(text.len()), Vec::<Ident>::new());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        // Everything up to a brace is SQL and copied as it is.
        let (before, brace) = rest.split_at(at);
        sql.push_str(before);
        // A doubled brace is one of SQL's own.
        if brace.starts_with("{{") || brace.starts_with("}}") {
            sql.push_str(&brace[..1]);
            rest = &brace[2..];
            continue;
        }
        let named = brace
            .strip_prefix('{')
            .and_then(|brace| brace.split_once('}'));
        let Some((name, after)) = named else {
            return Err(Error::new(
                span,
                "a brace in a query belongs around the name of an upstream asset; write `{{` or `}}` for SQL's own",
            ));
        };
        let table = table_ident(name.trim(), span)?;
        sql.push_str(&format!("\"{table}\""));
        if !names.contains(&table) {
            names.push(table);
        }
        rest = after;
    }
    sql.push_str(rest);
    Ok((sql, names))
}

/// Parses the name of a table, at the span of the whole query.
fn table_ident(name: &str, span: Span) -> syn::Result<Ident> {
    let mut ident: Ident = syn::parse_str(name).map_err(|_| {
        Error::new(
            span,
            format!(
                "`{{{name}}}` in a query names an upstream asset by its function, like `{{flights}}`; write `{{{{` and `}}}}` for SQL's own braces"
            ),
        )
    })?;
    ident.set_span(span);
    Ok(ident)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(text: &str) -> Result<(String, Vec<String>), String> {
        let (sql, names) = split_query(&LitStr::new(text, Span::call_site()))
            .map_err(|error| error.to_string())?;
        Ok((sql, names.iter().map(Ident::to_string).collect()))
    }

    #[test]
    fn names_in_braces_are_the_tables() {
        let (sql, names) =
            split_text("SELECT {{'a': x}} FROM {flights} JOIN { airlines } USING (b), {flights}")
                .expect("it names tables");
        assert_eq!(
            sql,
            "SELECT {'a': x} FROM \"flights\" JOIN \"airlines\" USING (b), \"flights\""
        );
        assert_eq!(names, ["flights", "airlines"]);
    }

    #[test]
    fn a_brace_that_names_nothing_is_refused_with_what_to_write() {
        let wrong = split_text("SELECT {'a': 1}").expect_err("a brace that names nothing");
        assert!(wrong.contains("write `{{` and `}}`"), "{wrong}");
        assert!(split_text("SELECT {flights").is_err());
        assert!(split_text("SELECT 1}").is_err());
    }
}

//! [`plan_addition`]: the edits that add to a project, without any input or output.

use syn::{Attribute, File, Item, spanned::Spanned};

use super::{
    declared::{Declared, declarations},
    skeleton,
};
use crate::{args::AddArgs, failure::Failure};

/// A Rust file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The path within the package, with `/`: `src/assets.rs`.
    pub(super) path: String,
    /// The content.
    pub(super) text: String,
}

/// The edits of an addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    /// The new contents of files, in the order of writing.
    pub(super) edits: Vec<Source>,
    /// The file with the addition.
    pub(super) file: String,
    /// The line of the addition in its file, from 1.
    pub(super) line: usize,
    /// The call that registers it, for a project that does not discover its declarations.
    pub(super) registration: Option<String>,
}

/// A parsed file.
struct Parsed<'a> {
    source: &'a Source,
    file: File,
    declared: Vec<Declared>,
}

/// Plans an addition: where it goes, what it looks like, and which module is declared for it.
///
/// # Errors
/// [`Failure`] when the name is taken, the asset of a check is unknown, or a file is not valid Rust.
pub(super) fn plan_addition(addition: &AddArgs, sources: &[Source]) -> Result<Planned, Failure> {
    let files: Vec<Parsed<'_>> = sources.iter().map(parse).collect::<Result<_, _>>()?;
    let (name, _) = addition.name_and_kind();
    refuse_declared(name, &files)?;

    let (module, code, method) = match addition {
        AddArgs::Asset { name } => ("assets", skeleton::asset(name), "asset"),
        AddArgs::Sensor { name, target } => ("sensors", skeleton::sensor(name, target), "sensor"),
        AddArgs::Schedule { name, target } => {
            ("schedules", skeleton::schedule(name, target), "schedule")
        }
        AddArgs::Check { name, asset } => {
            let (file, checked) = find_asset(asset, &files)?;
            let code = skeleton::check(name, &checked.name, checked.data.as_deref());
            let module = module_path(&file.source.path);
            refuse_item(name, file)?;
            return Ok(append(
                file,
                &code,
                registration(sources, "check", &module, name),
            ));
        }
    };
    let registration = registration(sources, method, module, name);
    let in_module = |file: &&Parsed<'_>| module_path(&file.source.path) == module;
    if let Some(file) = files.iter().find(in_module) {
        refuse_item(name, file)?;
        if let AddArgs::Asset { name } = addition {
            refuse_item(&skeleton::row_name(name), file)?;
        }
        return Ok(append(file, &code, registration));
    }
    let root = find_root(&files)?;
    refuse_item(module, root)?;
    let header = format!("//! The {module}.\n\nuse precip::prelude::*;\n\n");
    let path = format!("src/{module}.rs");
    Ok(Planned {
        line: header.lines().count() + 1,
        file: path.clone(),
        // The file before the module that names it, so that the project compiles in between.
        edits: vec![
            Source {
                path,
                text: header + &code,
            },
            declare_module(root, module),
        ],
        registration,
    })
}

fn parse(source: &Source) -> Result<Parsed<'_>, Failure> {
    let file = syn::parse_file(&source.text).map_err(|error| {
        let line = error.span().start().line;
        Failure::usage(format!(
            "`{}` is not valid Rust, at line {line}: {error}",
            source.path
        ))
        .with_help("correct it first")
    })?;
    let declared = declarations(&file, &source.text);
    Ok(Parsed {
        source,
        file,
        declared,
    })
}

/// Refuses a name that the project has for an asset, a check, a sensor or a schedule.
fn refuse_declared(name: &str, files: &[Parsed<'_>]) -> Result<(), Failure> {
    for file in files {
        let has_name = |one: &&Declared| one.name == name || one.renamed.as_deref() == Some(name);
        if let Some(found) = file.declared.iter().find(has_name) {
            return Err(taken(name, found.kind, &file.source.path, found.line));
        }
    }
    Ok(())
}

/// Refuses a name that a file has for any item.
fn refuse_item(name: &str, file: &Parsed<'_>) -> Result<(), Failure> {
    let found = file
        .file
        .items
        .iter()
        .filter_map(item_name)
        .find(|ident| *ident == name);
    match found {
        Some(ident) => Err(taken(
            name,
            "an item",
            &file.source.path,
            ident.span().start().line,
        )),
        None => Ok(()),
    }
}

fn taken(name: &str, kind: &str, path: &str, line: usize) -> Failure {
    Failure::usage(format!("`{name}` is already {kind}: {path}:{line}"))
        .with_help("choose another name")
}

fn item_name(item: &Item) -> Option<&syn::Ident> {
    Some(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    })
}

/// Finds the declaration of an asset at the top level of a file.
fn find_asset<'a, 'b>(
    name: &str,
    files: &'b [Parsed<'a>],
) -> Result<(&'b Parsed<'a>, &'b Declared), Failure> {
    let assets = files
        .iter()
        .flat_map(|file| file.declared.iter().map(move |one| (file, one)));
    let mut assets = assets.filter(|(_, one)| one.kind == "an asset" && one.is_top_level);
    if let Some(found) = assets.clone().find(|(_, one)| one.name == name) {
        return Ok(found);
    }
    let known: Vec<String> = assets
        .by_ref()
        .map(|(_, one)| format!("`{}`", one.name))
        .collect();
    let failure = Failure::usage(format!("there is no asset `{name}` in `src`"));
    Err(if known.is_empty() {
        failure.with_help("add one first: `precip add asset NAME`")
    } else {
        failure.with_help(format!("the assets are {}", known.join(", ")))
    })
}

/// Returns the path of a file's module below the crate's root: `assets::raw`.
fn module_path(path: &str) -> String {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.strip_suffix("/mod").unwrap_or(path).replace('/', "::")
}

/// Finds the root of the library, or of the program in a package without a library.
fn find_root<'a, 'b>(files: &'b [Parsed<'a>]) -> Result<&'b Parsed<'a>, Failure> {
    let with_path = |path: &str| files.iter().find(|file| file.source.path == path);
    with_path("src/lib.rs")
        .or_else(|| with_path("src/main.rs"))
        .ok_or_else(|| {
            Failure::usage("the project has no `src/lib.rs`").with_help("create it first")
        })
}

fn registration(sources: &[Source], method: &str, module: &str, name: &str) -> Option<String> {
    let discovers = sources
        .iter()
        .any(|source| source.text.contains(".discover()"));
    (!discovers).then(|| format!(".{method}::<{module}::{name}>()"))
}

/// Adds code at the end of a file, before its tests.
fn append(parsed: &Parsed<'_>, code: &str, registration: Option<String>) -> Planned {
    let source = &parsed.source.text;
    let tests = parsed
        .file
        .items
        .iter()
        .find(|item| attributes(item).iter().any(is_test));
    let at = tests.map_or(source.len(), |item| item_start(item, source));
    let (before, after) = source.split_at(at);
    let before = before.trim_end();
    let after = if after.is_empty() {
        String::new()
    } else {
        format!("\n{after}")
    };
    let mut text = format!("{before}\n\n{code}{after}");
    let mut line = before.lines().count() + 2;

    if !parsed.file.items.iter().any(imports_prelude) {
        let first = parsed
            .file
            .items
            .first()
            .map_or(0, |item| item_start(item, &text));
        let import = "use precip::prelude::*;\n";
        text.insert_str(first, import);
        line += 1;
    }
    Planned {
        edits: vec![Source {
            path: parsed.source.path.clone(),
            text,
        }],
        file: parsed.source.path.clone(),
        line,
        registration,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attribute: &Attribute) -> bool {
    let is_cfg_test = |list: &syn::MetaList| list.tokens.to_string() == "test";
    attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(is_cfg_test)
}

/// Returns the offset of the line with which an item begins, its attributes and comments included.
fn item_start(item: &Item, text: &str) -> usize {
    let start = item.span().byte_range().start;
    let mut start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    // A comment that is no documentation is no part of the item for the parser.
    while let Some((above, line)) = line_above(text, start)
        && line.starts_with("//")
        && !line.starts_with("//!")
    {
        start = above;
    }
    start
}

/// Returns the line above an offset at which a line begins, with its own offset.
fn line_above(text: &str, start: usize) -> Option<(usize, &str)> {
    let before = text[..start].strip_suffix('\n')?;
    let above = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((above, &before[above..]))
}

fn imports_prelude(item: &Item) -> bool {
    let Item::Use(import) = item else {
        return false;
    };
    fn has_glob(tree: &syn::UseTree, below_prelude: bool) -> bool {
        match tree {
            syn::UseTree::Path(path) => has_glob(&path.tree, path.ident == "prelude"),
            syn::UseTree::Group(group) => {
                group.items.iter().any(|tree| has_glob(tree, below_prelude))
            }
            syn::UseTree::Glob(_) => below_prelude,
            _ => false,
        }
    }
    has_glob(&import.tree, false)
}

/// Declares a module, in the order of names if the others are.
fn declare_module(root: &Parsed<'_>, module: &str) -> Source {
    let text = &root.source.text;
    let modules = root.file.items.iter().filter_map(|item| match item {
        Item::Mod(found) if found.content.is_none() => Some((item, found.ident.to_string())),
        _ => None,
    });
    let modules: Vec<_> = modules.collect();
    let line = format!("pub mod {module};\n");
    let (at, line) = match (
        modules.iter().find(|(_, name)| name.as_str() > module),
        modules.last(),
    ) {
        (Some((next, _)), _) => (item_start(next, text), line),
        (None, Some((last, _))) => {
            let end = last.span().byte_range().end;
            (
                text[end..]
                    .find('\n')
                    .map_or(text.len(), |newline| end + newline + 1),
                line,
            )
        }
        (None, None) => match root.file.items.first() {
            Some(first) => (item_start(first, text), line + "\n"),
            None => (text.len(), line),
        },
    };
    let (before, after) = text.split_at(at);
    // The last line may end without a newline.
    let gap = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    Source {
        path: root.source.path.clone(),
        text: format!("{before}{gap}{line}{after}"),
    }
}

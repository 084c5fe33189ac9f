//! [`render_project`].

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, syntax::SyntaxConfig};

use super::{Deploy, Template, files::files_of};
use crate::name::ProjectName;

/// A file of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RenderedFile {
    /// The path in the project, with `/`.
    pub(crate) path: &'static str,
    /// The content.
    pub(crate) text: String,
}

/// Renders all files of a project. `nested` is whether a folder above it has a cargo package or workspace.
///
/// # Errors
/// When a template is invalid, which the tests exclude.
pub(crate) fn render_project(
    name: &ProjectName,
    template: Template,
    deploy: Deploy,
    nested: bool,
) -> Result<Vec<RenderedFile>, minijinja::Error> {
    let mut jinja = Environment::empty();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    jinja.set_auto_escape_callback(|_| AutoEscape::None);
    // A line with only a block leaves nothing behind.
    let lines = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    jinja.set_syntax(lines);
    let values = context! {
        name => name.as_str(),
        crate_name => name.to_crate_name(),
        template => template.name(),
        deploy => deploy.name(),
        aws => deploy.is_aws(),
        nested => nested,
        version => concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR")),
        rust_version => env!("CARGO_PKG_RUST_VERSION"),
    };
    let render = |file: super::files::TemplateFile| {
        Ok(match file.path.strip_suffix(".jinja") {
            Some(path) => RenderedFile {
                path,
                text: jinja.render_named_str(file.path, file.text, &values)?,
            },
            None => RenderedFile {
                path: file.path,
                text: file.text.to_owned(),
            },
        })
    };
    files_of(template, deploy).into_iter().map(render).collect()
}

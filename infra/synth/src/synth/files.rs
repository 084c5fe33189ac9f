//! [`synth`]: all generated files.

use precip_core::{graph::AssetGraph, manifest::Manifest};

use super::{
    SynthError, SynthOptions,
    access::Access,
    deployment::Deployment,
    machine::{Machine, Machines},
    materializer::Materializer,
    names::Placeholders,
    reactions::Reactions,
    settings::Settings,
    template::{Next, Template},
    triggers::Triggers,
};

/// CloudFormation's limits ("CloudFormation quotas" in its user guide).
const MOST_RESOURCES: usize = 500;
const MOST_PARAMETERS: usize = 200;
const MOST_BYTES: usize = 1_000_000;

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its path below the folder of generated files, with `/` between folders.
    pub path: String,
    /// Its contents.
    pub contents: String,
}

impl GeneratedFile {
    /// Creates a file.
    pub fn new(path: impl Into<String>, contents: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            contents: contents.into(),
        }
    }
}

/// The generated files: `template.yaml`, the state machines, `manifest.json`, and for the CDK
/// `deployment.json`.
pub type Synthesized = Vec<GeneratedFile>;

/// Generates a project's deployment. The same project gives the same files.
///
/// # Errors
/// [`SynthError`] when the project requires something that AWS does not offer; it says what to
/// change.
pub fn synth(manifest: &Manifest, options: &SynthOptions) -> Result<Synthesized, SynthError> {
    options.validate_project()?;
    let graph = manifest.to_graph()?;
    let machines = Machines::from_graph(&graph, &options.project)?;
    let template = build_template(manifest, &graph, &machines, options)?;
    let mut files = vec![
        GeneratedFile::new("template.yaml", render_template(&template)?),
        GeneratedFile::new("manifest.json", manifest_json(manifest)?),
        machines.run.clone(),
        machines.backfill.clone(),
    ];
    if options.cdk {
        let deployment = Deployment::from_template(&template).to_json()?;
        files.push(GeneratedFile::new("deployment.json", deployment));
    }
    // By path, for a stable order.
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Collects the values of the template.
fn build_template<'a>(
    manifest: &Manifest,
    graph: &AssetGraph,
    machines: &Machines,
    options: &'a SynthOptions,
) -> Result<Template<'a>, SynthError> {
    let materializers = Materializer::for_profiles(&manifest.ops)?;
    let placeholders = Placeholders::new(&materializers);
    let assets: usize = manifest.ops.iter().map(|op| op.spec.assets.len()).sum();
    let settings = Settings::from_manifest(manifest, options.environment.as_deref())?;
    let triggers = Triggers::from_manifest(manifest, graph, &settings)?;
    let reactions = Reactions::from_manifest(manifest, graph)?;
    Ok(Template {
        project: &options.project,
        description: format!(
            "{}: {assets} data assets, materialized by Precip.",
            options.project
        ),
        architecture: options.architecture,
        code_folder: &options.code,
        settings,
        triggers,
        reactions,
        run: Machine::new(&machines.run, &placeholders)?,
        backfill: Machine::new(&machines.backfill, &placeholders)?,
        materializers,
        access: Access::new(reactions),
        next: Next::COMMANDS,
    })
}

/// Renders the template, and checks it against CloudFormation's limits.
fn render_template(template: &Template<'_>) -> Result<String, SynthError> {
    // SAM adds resources to the written ones: an event source mapping for each queue, and a rule
    // and a permission for the call of the reactor after a deployment.
    let by_sam = template.triggers.sensors.len() + if template.reactions.ticks { 2 } else { 0 };
    let text = template.render_text()?;
    let share = "let ops with similar needs share a compute profile, or split the project";
    let less = "let resources and IO managers share settings, or read them from one secret";
    // Limits are checked here because a stack would fail only when it is deployed.
    check_limit("parameters", parameter_count(&text), MOST_PARAMETERS, less)?;
    check_limit(
        "resources",
        resource_count(&text) + by_sam,
        MOST_RESOURCES,
        share,
    )?;
    check_limit("bytes", text.len(), MOST_BYTES, share)?;
    Ok(text)
}

/// Returns the manifest without source locations, which change with every line that is added.
fn manifest_json(manifest: &Manifest) -> Result<String, SynthError> {
    let mut stable = manifest.clone();
    for op in &mut stable.ops {
        op.details.source = None;
    }
    let text = serde_json::to_string_pretty(&stable)
        .map_err(|error| SynthError::Template(error.to_string()))?;
    Ok(text + "\n")
}

/// Returns the number of resources in the deployed template: the written ones, and the rule, the
/// permission and the event source mapping that SAM creates from `Events`.
fn resource_count(text: &str) -> usize {
    const MADE_OF_EVENTS: usize = 3;
    entry_count(text, "Resources:") + MADE_OF_EVENTS
}

fn parameter_count(text: &str) -> usize {
    entry_count(text, "Parameters:")
}

/// Returns the number of entries of a section: each has its type on a line of its own.
fn entry_count(text: &str, heading: &str) -> usize {
    text.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#']))
        .filter(|line| line.starts_with("    Type: "))
        .count()
}

/// Returns an error when a number exceeds its limit.
fn check_limit(
    what: &'static str,
    found: usize,
    most: usize,
    instead: &'static str,
) -> Result<(), SynthError> {
    if found <= most {
        Ok(())
    } else {
        Err(SynthError::Limit {
            what,
            found,
            most,
            instead,
        })
    }
}

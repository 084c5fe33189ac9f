//! The files of each template.

use super::{Deploy, Template};

/// A file of a template. One that ends in `.jinja` is rendered; any other is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct TemplateFile {
    /// The path in the project, with `/`, and `.jinja` at the end of a file to render.
    pub(super) path: &'static str,
    /// The content.
    pub(super) text: &'static str,
}

/// Lists files of a folder of `templates`.
macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(TemplateFile {
            path: $path,
            text: include_str!(concat!("../../templates/", $folder, "/", $path)),
        }),+]
    };
}

const COMMON: &[TemplateFile] = files!("common":
    ".editorconfig",
    ".github/workflows/ci.yml.jinja",
    ".gitignore.jinja",
    ".vscode/extensions.json",
    ".vscode/settings.json",
    "AGENTS.md.jinja",
    "Cargo.toml.jinja",
    "README.md.jinja",
    "src/landing.rs",
    "src/main.rs.jinja",
);

/// One landing file, and a sensor for it.
const ORDERS: &[TemplateFile] = files!("orders":
    "landing/orders.csv",
    "src/sensors.rs",
);

/// Assets from that file, in Rust alone, and their tests.
const ORDER_ASSETS: &[TemplateFile] = files!("order-assets":
    "src/assets.rs",
    "tests/project.rs.jinja",
);

const MINIMAL: &[TemplateFile] = files!("minimal": "src/lib.rs.jinja");

const FILES: &[TemplateFile] = files!("files":
    "landing/orders/2026-01-04.csv",
    "landing/orders/2026-01-05.csv",
    "landing/orders/2026-01-06.csv",
    "landing/orders/2026-01-07.csv",
    "landing/orders/2026-01-08.csv",
    "landing/orders/2026-01-09.csv",
    "landing/orders/2026-01-10.csv",
    "src/assets.rs",
    "src/lib.rs.jinja",
    "src/partitions.rs",
    "src/schedules.rs",
    "src/sensors.rs",
    "tests/project.rs.jinja",
);

const DUCKDB: &[TemplateFile] = files!("duckdb":
    "src/assets.rs.jinja",
    "src/lib.rs.jinja",
    "tests/project.rs.jinja",
);

const SNOWFLAKE: &[TemplateFile] = files!("snowflake": "src/lib.rs.jinja");

const AWS: &[TemplateFile] = files!("aws":
    "build.rs",
    "src/bin/materializer.rs.jinja",
    "src/bin/planner.rs.jinja",
    "src/bin/reactor.rs.jinja",
    "src/bin/sensor.rs.jinja",
);

const DUCKDB_AWS: &[TemplateFile] = files!("duckdb-aws": "src/bin/materializer-sql.rs.jinja");

const SAM: &[TemplateFile] = files!("sam": "infra/samconfig.toml.jinja");

const CDK_TS: &[TemplateFile] = files!("cdk-ts":
    "infra/app.ts.jinja",
    "infra/cdk.json.jinja",
    "infra/package.json.jinja",
    "infra/tsconfig.json",
);

const CDK_PY: &[TemplateFile] = files!("cdk-py":
    "infra/app.py.jinja",
    "infra/cdk.json.jinja",
    "infra/requirements.txt",
);

/// Returns the files of a project.
pub(super) fn files_of(template: Template, deploy: Deploy) -> Vec<TemplateFile> {
    let mut layers = vec![COMMON];
    layers.extend_from_slice(match template {
        Template::Minimal => &[ORDERS, ORDER_ASSETS, MINIMAL],
        Template::Files => &[FILES],
        Template::Duckdb => &[ORDERS, DUCKDB],
        Template::Snowflake => &[ORDERS, ORDER_ASSETS, SNOWFLAKE],
    });
    if deploy.is_aws() {
        layers.push(AWS);
        if template == Template::Duckdb {
            layers.push(DUCKDB_AWS);
        }
    }
    layers.push(match deploy {
        Deploy::None => &[],
        Deploy::Sam => SAM,
        Deploy::CdkTs => CDK_TS,
        Deploy::CdkPy => CDK_PY,
    });
    layers.concat()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.insert(fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_in_a_template() {
        let mut stored = BTreeSet::new();
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"),
            &mut stored,
        );
        let mut listed = BTreeSet::new();
        for template in [
            Template::Minimal,
            Template::Files,
            Template::Duckdb,
            Template::Snowflake,
        ] {
            for deploy in [Deploy::None, Deploy::Sam, Deploy::CdkTs, Deploy::CdkPy] {
                let files = files_of(template, deploy);
                let paths: BTreeSet<&str> = files.iter().map(|file| file.path).collect();
                assert_eq!(
                    paths.len(),
                    files.len(),
                    "{template:?} {deploy:?}: a path is listed twice"
                );
                listed.extend(files.iter().map(|file| file.text.to_owned()));
            }
        }
        let missing: Vec<&String> = stored.difference(&listed).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn functions_are_linked_as_those_of_the_sample() {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/link.rs");
        let build = AWS.iter().find(|file| file.path == "build.rs").unwrap();
        assert_eq!(build.text, fs::read_to_string(sample).unwrap());
    }
}

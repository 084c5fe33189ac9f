mod reactions;
mod triggers;

use std::time::Duration;

use insta::assert_snapshot;
use precip_core::{
    graph::AssetGraph,
    manifest::{
        ComponentManifest, EnvironmentManifest, Manifest, OpDetails, SettingManifest,
        SettingSource, SourceManifest,
    },
    spec::{AssetSpec, ComputeProfile, OpSpec},
};
use rstest::rstest;

use super::{
    Architecture, GeneratedFile, SynthError, SynthOptions,
    machine::{Machine, Machines},
    materializer::Materializer,
    names::{LogicalIds, Placeholders},
    synth,
};
use crate::check::check_files;

fn op_spec(name: &str, compute: ComputeProfile) -> OpSpec {
    OpSpec {
        compute,
        ..OpSpec::single(AssetSpec::new(name.parse().unwrap()))
    }
}

fn setting_manifest(
    source: SettingSource,
    name: &str,
    optional: bool,
    secret: bool,
) -> SettingManifest {
    SettingManifest {
        source,
        name: name.to_owned(),
        optional,
        secret,
    }
}

fn environment_with(environment: &str, settings: Vec<SettingManifest>) -> EnvironmentManifest {
    EnvironmentManifest {
        name: environment.to_owned(),
        resources: vec![ComponentManifest {
            name: "warehouse".to_owned(),
            type_name: "Warehouse".to_owned(),
            settings,
        }],
        io_managers: Vec::new(),
    }
}

/// Returns a project with two ops of two profiles, and an environment that reads one setting of
/// each kind.
pub(crate) fn test_manifest() -> Manifest {
    let large = ComputeProfile {
        memory_mib: 3_008,
        timeout: Duration::from_millis(899_500),
        ephemeral_storage_mib: 2_048,
        binary: None,
    };
    let ops = vec![
        op_spec("flights", ComputeProfile::default()),
        op_spec("report", large),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let prod = environment_with(
        "prod",
        vec![
            setting_manifest(SettingSource::Variable, "WAREHOUSE_HOST", false, false),
            setting_manifest(SettingSource::Variable, "WAREHOUSE_PASSWORD", true, true),
            setting_manifest(SettingSource::Variable, "PRECIP_BUCKET", false, false),
            setting_manifest(
                SettingSource::SecretsManager,
                "warehouse/token",
                false,
                true,
            ),
        ],
    );
    let details = |_: &OpSpec| OpDetails {
        inputs: Vec::new(),
        source: Some(SourceManifest {
            file: "src/lib.rs".to_owned(),
            line: 1,
        }),
    };
    Manifest::new(
        &graph,
        details,
        vec![environment_with("local", vec![]), prod],
    )
}

fn test_options() -> SynthOptions {
    SynthOptions {
        environment: Some("prod".to_owned()),
        ..SynthOptions::new("trips")
    }
}

pub(crate) fn test_files() -> Vec<GeneratedFile> {
    synth(&test_manifest(), &test_options()).unwrap()
}

fn generated_template(manifest: &Manifest, options: &SynthOptions) -> String {
    let files = synth(manifest, options).unwrap();
    let template = files.into_iter().find(|file| file.path == "template.yaml");
    template.unwrap().contents
}

#[test]
fn the_template_is_readable() {
    let template = generated_template(&test_manifest(), &test_options());
    assert_snapshot!("template", template);
    assert!(
        template.lines().all(|line| line.trim_end() == line),
        "no line ends in spaces"
    );
}

#[test]
fn all_files_are_generated_without_findings() {
    let files = test_files();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "manifest.json",
            "statemachine/trips-backfill.asl.json",
            "statemachine/trips.asl.json",
            "template.yaml"
        ]
    );
    assert_eq!(check_files(&files), []);
}

#[test]
fn the_manifest_has_no_source_locations() {
    let files = test_files();
    let read = Manifest::from_json(&files[0].contents).unwrap();
    assert_eq!(read.to_graph(), test_manifest().to_graph());
    assert!(!files[0].contents.contains("src/lib.rs"));
}

#[test]
fn a_project_without_settings_has_no_parameters_for_them() {
    let mut plain = test_manifest();
    plain.environments.clear();
    let template = generated_template(&plain, &SynthOptions::new("trips"));
    assert!(!template.contains("PRECIP_ENV") && !template.contains("secretsmanager"));
}

#[test]
fn options_reach_the_template() {
    let options = SynthOptions {
        architecture: Architecture::Arm64,
        code: "my zips".to_owned(),
        ..test_options()
    };
    let template = generated_template(&test_manifest(), &options);
    assert!(template.contains("    Default: arm64\n"));
    assert!(template.contains("CodeUri: \"my zips/planner/bootstrap.zip\"\n"));
}

#[test]
fn profiles_that_are_the_same_for_lambda_share_a_function() {
    let with = |millis| ComputeProfile {
        timeout: Duration::from_millis(millis),
        ..ComputeProfile::default()
    };
    let ops = vec![
        op_spec("a", with(59_100)),
        op_spec("b", with(60_000)),
        op_spec("c", with(61_000)),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    let template = generated_template(&manifest, &SynthOptions::new("trips"));
    assert!(
        template.contains("# For a, b.\n  Materializer512MiB60s:\n"),
        "{template}"
    );
    assert!(template.contains("# For c.\n  Materializer512MiB61s:\n"));
}

#[rstest]
#[case::memory(
    64,
    60,
    512,
    "op `flights` requires 64 MiB of memory, but Lambda offers 128 to 10,240 MiB: change its compute profile"
)]
#[case::time(
    512,
    901,
    512,
    "op `flights` requires 901 s, but Lambda offers 1 to 900 s: change its compute profile"
)]
#[case::disk(
    512,
    60,
    20_000,
    "op `flights` requires 20000 MiB of disk, but Lambda offers 512 to 10,240 MiB: change its compute profile"
)]
fn profiles_beyond_the_limits_of_lambda_are_refused(
    #[case] memory_mib: u32,
    #[case] seconds: u64,
    #[case] ephemeral_storage_mib: u32,
    #[case] message: &str,
) {
    let compute = ComputeProfile {
        memory_mib,
        timeout: Duration::from_secs(seconds),
        ephemeral_storage_mib,
        binary: None,
    };
    let graph = AssetGraph::new(vec![op_spec("flights", compute)], vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    let error = synth(&manifest, &SynthOptions::new("trips")).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn each_binary_is_a_function_of_its_own() {
    let sql = ComputeProfile {
        binary: Some("materializer-sql".parse().unwrap()),
        ..ComputeProfile::default()
    };
    let ops = vec![
        op_spec("flights", ComputeProfile::default()),
        op_spec("ranking", sql),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    let template = generated_template(&manifest, &SynthOptions::new("trips"));
    let code = |id: &str| {
        let (_, function) = template.split_once(&format!("\n  {id}:\n")).unwrap();
        let line = function.lines().find(|line| line.contains("CodeUri: "));
        line.unwrap().rsplit_once("lambda/").unwrap().1
    };
    assert_eq!(code("Materializer512MiB60s"), "materializer/bootstrap.zip");
    assert_eq!(
        code("Materializer512MiB60sMaterializerSql"),
        "materializer-sql/bootstrap.zip"
    );
}

#[test]
fn binaries_whose_functions_have_the_same_name_are_refused() {
    let by = |binary: &str| ComputeProfile {
        binary: Some(binary.parse().unwrap()),
        ..ComputeProfile::default()
    };
    let ops = vec![op_spec("a", by("with-sql")), op_spec("b", by("with_sql"))];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    assert_eq!(
        synth(&manifest, &SynthOptions::new("trips"))
            .unwrap_err()
            .to_string(),
        "the functions of binaries `with-sql` and `with_sql` would have the same name, since `-` and \
         `_` are left out of it: rename one of them"
    );
}

#[test]
fn more_functions_than_a_role_can_name_are_refused() {
    let of = |count: u32| {
        let ops = (0..count).map(|n| {
            let compute = ComputeProfile {
                memory_mib: 512 + n,
                ..ComputeProfile::default()
            };
            op_spec(&format!("op{n}"), compute)
        });
        let graph = AssetGraph::new(ops.collect(), vec![]).unwrap();
        Manifest::new(&graph, |_| OpDetails::default(), vec![])
    };
    let options = SynthOptions::new("trips");
    assert!(synth(&of(60), &options).is_ok());
    assert_eq!(
        synth(&of(61), &options).unwrap_err().to_string(),
        "the ops have 61 different compute profiles, each with a function of its own, but a stack \
         holds at most 60: let ops with similar needs share a profile"
    );
}

#[test]
fn more_parameters_than_cloudformation_accepts_are_refused() {
    let mut manifest = test_manifest();
    let names = (0..200).map(|n| format!("SETTING_{n}"));
    let settings = names.map(|name| setting_manifest(SettingSource::Variable, &name, true, false));
    manifest.environments = vec![environment_with("prod", settings.collect())];
    assert_eq!(
        synth(&manifest, &test_options()).unwrap_err().to_string(),
        "the template has 212 parameters, but CloudFormation accepts 200: let resources and IO managers \
         share settings, or read them from one secret"
    );
}

#[rstest]
#[case("9lives")]
#[case("")]
#[case("a project")]
#[case("abcdefghijklmnopqrstuvwxyzabcdefghijklmno")]
fn an_invalid_project_name_is_refused(#[case] name: &str) {
    let error = synth(&test_manifest(), &SynthOptions::new(name)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{name}` cannot be part of resource names: write at most 40 letters, digits, `_` and `-`, a \
             letter first"
        )
    );
}

#[test]
fn a_missing_environment_is_refused() {
    let options = SynthOptions {
        environment: Some("staging".to_owned()),
        ..test_options()
    };
    let error = synth(&test_manifest(), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no environment `staging`: use `local` or `prod`"
    );
}

#[rstest]
#[case(
    SettingSource::Variable,
    "AWS_REGION",
    "resource warehouse reads environment variable `AWS_REGION`, which belongs to Lambda: read another one"
)]
#[case(
    SettingSource::Variable,
    "a-b",
    "resource warehouse reads environment variable `a-b`, which is not two or more letters, digits and `_` with a letter first: read another one"
)]
#[case(
    SettingSource::SecretsManager,
    "a${b}",
    "resource warehouse reads secret `a${b}`, which Secrets Manager cannot hold: write an ARN, or at most 512 letters, digits and `/_+=.@-`"
)]
fn settings_that_a_function_cannot_have_are_refused(
    #[case] source: SettingSource,
    #[case] name: &str,
    #[case] message: &str,
) {
    let mut manifest = test_manifest();
    manifest.environments = vec![environment_with(
        "prod",
        vec![setting_manifest(source, name, false, false)],
    )];
    let error = synth(&manifest, &test_options()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_placeholder_without_a_value_is_refused() {
    let manifest = test_manifest();
    let mut machines = Machines::from_graph(&manifest.to_graph().unwrap(), "trips").unwrap();
    let changed = machines.run.contents.replace("512MiB60s", "128MiB60s");
    machines.run.contents = changed;
    let known = Placeholders::new(&Materializer::for_profiles(&manifest.ops).unwrap());
    // The machine calls a function that no profile gives.
    let error = Machine::new(&machines.run, &known).unwrap_err();
    assert_eq!(
        error.to_string(),
        "state machine `statemachine/trips.asl.json` has the placeholder \
         `${Materializer128MiB60sArn}`, which has no value; known are \
         BackfillStateMachineArn, Bucket, Materializer3008MiB900sDisk2048MiBArn, \
         Materializer512MiB60sArn, Partition, PlannerArn"
    );
}

#[test]
fn a_project_without_ops_has_no_machines() {
    let manifest = Manifest::new(
        &AssetGraph::new(vec![], vec![]).unwrap(),
        |_| OpDetails::default(),
        vec![],
    );
    let error = synth(&manifest, &SynthOptions::new("trips")).unwrap_err();
    assert!(matches!(error, SynthError::Machines(_)), "{error}");
}

#[test]
fn names_become_logical_ids_each_once() {
    let mut ids = LogicalIds::with_reserved(["Stage"]);
    let given = [
        "FLIGHTS_LANDING",
        "flightsLanding",
        "flights.landing",
        "STAGE",
        "1st",
        "é",
    ];
    let named: Vec<String> = given.iter().map(|name| ids.id_for(name)).collect();
    assert_eq!(
        named,
        [
            "FlightsLanding",
            "FlightsLanding2",
            "FlightsLanding3",
            "Stage2",
            "Setting1st",
            "Setting"
        ]
    );
    assert!(ids.id_for(&"x".repeat(300)).len() <= 255);
}

#[test]
fn the_deployment_manifest_is_written_for_the_cdk_only() {
    let options = SynthOptions {
        cdk: true,
        ..test_options()
    };
    let without = synth(&test_manifest(), &test_options()).unwrap();
    let with = synth(&test_manifest(), &options).unwrap();
    let (deployment, rest): (Vec<_>, Vec<_>) = with
        .into_iter()
        .partition(|file| file.path == "deployment.json");
    assert_eq!(rest, without);
    assert_snapshot!("deployment", deployment[0].contents);
}

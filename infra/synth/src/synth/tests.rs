mod reactions;
mod triggers;

use std::time::Duration;

use insta::assert_snapshot;
use precip_core::{
    graph::AssetGraph,
    manifest::{
        EnvironmentManifest, MadeManifest, Manifest, OpDetails, SettingManifest, SettingSource,
        SourceManifest,
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
use crate::check::check;

fn op(name: &str, compute: ComputeProfile) -> OpSpec {
    OpSpec {
        compute,
        ..OpSpec::single(AssetSpec::new(name.parse().unwrap()))
    }
}

fn setting(source: SettingSource, name: &str, optional: bool, secret: bool) -> SettingManifest {
    SettingManifest {
        source,
        name: name.to_owned(),
        optional,
        secret,
    }
}

fn reads(environment: &str, settings: Vec<SettingManifest>) -> EnvironmentManifest {
    EnvironmentManifest {
        name: environment.to_owned(),
        resources: vec![MadeManifest {
            name: "warehouse".to_owned(),
            type_name: "Warehouse".to_owned(),
            settings,
        }],
        io_managers: Vec::new(),
    }
}

/// Two ops on two machines, and an environment that reads one setting of each kind.
pub(crate) fn manifest() -> Manifest {
    let large = ComputeProfile {
        memory_mib: 3_008,
        timeout: Duration::from_millis(899_500),
        ephemeral_storage_mib: 2_048,
        binary: None,
    };
    let ops = vec![
        op("flights", ComputeProfile::default()),
        op("report", large),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let prod = reads(
        "prod",
        vec![
            setting(SettingSource::Variable, "WAREHOUSE_HOST", false, false),
            setting(SettingSource::Variable, "WAREHOUSE_PASSWORD", true, true),
            setting(SettingSource::Variable, "PRECIP_BUCKET", false, false),
            setting(
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
    Manifest::new(&graph, details, vec![reads("local", vec![]), prod])
}

fn options() -> SynthOptions {
    SynthOptions {
        environment: Some("prod".to_owned()),
        ..SynthOptions::new("trips")
    }
}

pub(crate) fn files() -> Vec<GeneratedFile> {
    synth(&manifest(), &options()).unwrap()
}

fn template(manifest: &Manifest, options: &SynthOptions) -> String {
    let files = synth(manifest, options).unwrap();
    let template = files.into_iter().find(|file| file.path == "template.yaml");
    template.unwrap().contents
}

#[test]
fn the_template_reads_as_if_a_person_had_written_it() {
    let template = template(&manifest(), &options());
    assert_snapshot!("template", template);
    assert!(
        template.lines().all(|line| line.trim_end() == line),
        "no line ends in spaces"
    );
}

#[test]
fn everything_is_written_and_nothing_is_found_in_it() {
    let files = files();
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
    assert_eq!(check(&files), []);
}

#[test]
fn the_manifest_is_that_of_the_project_without_places_in_the_source() {
    let files = files();
    let read = Manifest::from_json(&files[0].contents).unwrap();
    assert_eq!(read.to_graph(), manifest().to_graph());
    assert!(!files[0].contents.contains("src/lib.rs"));
}

#[test]
fn a_project_without_settings_has_no_parameters_for_them() {
    let mut plain = manifest();
    plain.environments.clear();
    let template = template(&plain, &SynthOptions::new("trips"));
    assert!(!template.contains("PRECIP_ENV") && !template.contains("secretsmanager"));
}

#[test]
fn options_reach_the_template() {
    let options = SynthOptions {
        architecture: Architecture::Arm64,
        code: "my zips".to_owned(),
        ..options()
    };
    let template = template(&manifest(), &options);
    assert!(template.contains("    Default: arm64\n"));
    assert!(template.contains("CodeUri: \"my zips/planner/bootstrap.zip\"\n"));
}

#[test]
fn profiles_that_lambda_cannot_tell_apart_share_a_function() {
    let with = |millis| ComputeProfile {
        timeout: Duration::from_millis(millis),
        ..ComputeProfile::default()
    };
    let ops = vec![
        op("a", with(59_100)),
        op("b", with(60_000)),
        op("c", with(61_000)),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    let template = template(&manifest, &SynthOptions::new("trips"));
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
    "op `flights` asks for 64 MiB of memory, and Lambda has 128 to 10,240 MiB: change its compute profile"
)]
#[case::time(
    512,
    901,
    512,
    "op `flights` asks for 901 s, and Lambda has 1 to 900 s: change its compute profile"
)]
#[case::disk(
    512,
    60,
    20_000,
    "op `flights` asks for 20000 MiB of disk, and Lambda has 512 to 10,240 MiB: change its compute profile"
)]
fn machines_that_lambda_does_not_have_are_refused(
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
    let graph = AssetGraph::new(vec![op("flights", compute)], vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    let error = synth(&manifest, &SynthOptions::new("trips")).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_program_of_its_own_is_a_function_of_its_own() {
    let sql = ComputeProfile {
        binary: Some("materializer-sql".parse().unwrap()),
        ..ComputeProfile::default()
    };
    let ops = vec![op("flights", ComputeProfile::default()), op("ranking", sql)];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    let template = template(&manifest, &SynthOptions::new("trips"));
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
fn programs_whose_functions_have_one_name_are_refused() {
    let by = |binary: &str| ComputeProfile {
        binary: Some(binary.parse().unwrap()),
        ..ComputeProfile::default()
    };
    let ops = vec![op("a", by("with-sql")), op("b", by("with_sql"))];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
    assert_eq!(
        synth(&manifest, &SynthOptions::new("trips"))
            .unwrap_err()
            .to_string(),
        "the functions of binaries `with-sql` and `with_sql` would have one name, as what is deployed knows \
         no `-` and `_`: rename one of them"
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
            op(&format!("op{n}"), compute)
        });
        let graph = AssetGraph::new(ops.collect(), vec![]).unwrap();
        Manifest::new(&graph, |_| OpDetails::default(), vec![])
    };
    let options = SynthOptions::new("trips");
    assert!(synth(&of(60), &options).is_ok());
    assert_eq!(
        synth(&of(61), &options).unwrap_err().to_string(),
        "the ops have 61 different compute profiles, each a function of its own, and a stack holds \
         60: let ops that need about the same share a profile"
    );
}

#[test]
fn more_parameters_than_cloudformation_takes_are_refused() {
    let mut manifest = manifest();
    let names = (0..200).map(|n| format!("SETTING_{n}"));
    let settings = names.map(|name| setting(SettingSource::Variable, &name, true, false));
    manifest.environments = vec![reads("prod", settings.collect())];
    assert_eq!(
        synth(&manifest, &options()).unwrap_err().to_string(),
        "the template has 212 parameters, and CloudFormation takes 200: let resources and IO managers \
         share settings, or read them from one secret"
    );
}

#[rstest]
#[case("9lives")]
#[case("")]
#[case("a project")]
#[case("abcdefghijklmnopqrstuvwxyzabcdefghijklmno")]
fn a_project_name_that_does_not_fit_is_refused(#[case] name: &str) {
    let error = synth(&manifest(), &SynthOptions::new(name)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{name}` cannot name what is deployed: write at most 40 letters, digits, `_` and `-`, a \
             letter first"
        )
    );
}

#[test]
fn an_environment_that_is_not_there_is_refused() {
    let options = SynthOptions {
        environment: Some("staging".to_owned()),
        ..options()
    };
    let error = synth(&manifest(), &options).unwrap_err();
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
    let mut manifest = manifest();
    manifest.environments = vec![reads("prod", vec![setting(source, name, false, false)])];
    let error = synth(&manifest, &options()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_placeholder_that_nothing_stands_for_is_refused() {
    let manifest = manifest();
    let mut machines = Machines::of(&manifest.to_graph().unwrap(), "trips").unwrap();
    machines.run.contents = machines.run.contents.replace("512MiB60s", "128MiB60s");
    let known = Placeholders::new(&Materializer::all(&manifest.ops).unwrap());
    let error = Machine::new(&machines.run, &known).unwrap_err();
    assert_eq!(
        error.to_string(),
        "state machine `statemachine/trips.asl.json` has the placeholder \
         `${Materializer128MiB60sArn}`, and nothing stands for it; known are \
         BackfillStateMachineArn, Bucket, Materializer3008MiB900sDisk2048MiBArn, \
         Materializer512MiB60sArn, PlannerArn"
    );
}

#[test]
fn a_project_that_makes_nothing_has_no_machines() {
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
    let mut ids = LogicalIds::reserving(["Stage"]);
    let given = [
        "FLIGHTS_LANDING",
        "flightsLanding",
        "flights.landing",
        "STAGE",
        "1st",
        "é",
    ];
    let named: Vec<String> = given.iter().map(|name| ids.of(name)).collect();
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
    assert!(ids.of(&"x".repeat(300)).len() <= 255);
}

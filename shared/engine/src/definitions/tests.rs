//! Tests of [`Definitions`](super::Definitions).

use std::{collections::BTreeMap, sync::Arc};

use precip_core::{
    key::CheckKey,
    spec::{AssetSpec, CheckSpec, DepSpec, OpSpec},
};

use crate::{
    asset::{
        AssetContext, AssetError, FnBody, Inputs, OpOutputs, ResourceNeed, Resources, RunFuture,
    },
    definitions::{
        Declaration, Definitions, Environment, EnvironmentNeeds, OpDefinition, SourceLocation,
    },
    settings::{env, secret},
};

fn do_nothing(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}

fn at_line(line: u32) -> SourceLocation {
    SourceLocation {
        file: "src/assets.rs",
        line,
    }
}

fn asset_op(key: &str, deps: &[&str], line: u32) -> OpDefinition {
    let mut spec = AssetSpec::new(key.parse().unwrap());
    spec.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    OpDefinition {
        source: at_line(line),
        ..OpDefinition::new(OpSpec::single(spec), FnBody(do_nothing))
    }
}

fn problem_messages(builder: super::DefinitionsBuilder) -> Vec<String> {
    let invalid = builder.build().unwrap_err();
    invalid.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn all_problems_are_reported_at_once_with_their_locations() {
    let mut stored = asset_op("stored", &[], 40);
    stored.spec.assets[0].io_manager = Some("warehous".to_owned());
    let found = problem_messages(
        Definitions::builder()
            .op(asset_op("a", &["b"], 10))
            .op(asset_op("a", &[], 20))
            .op(asset_op("c", &["stred"], 30))
            .op(stored)
            .environment(Environment::new("local"))
            .environment(Environment::new("Prod"))
            .environment(Environment::new("local"))
            .declare([Declaration::Invalid {
                name: "d".to_owned(),
                reason: "its partitions definition is invalid".to_owned(),
                source: at_line(50),
            }]),
    );
    // Sorted by location; problems without one come first.
    assert_eq!(
        found,
        [
            "`Prod` cannot be the name of an environment: write lower-case ASCII letters, digits and `-`, like `prod`",
            "environment `local` has its name twice: keep one",
            "src/assets.rs:10: asset `a` depends on `b`, which is not declared: declare it, as an external asset if nothing here makes it",
            "src/assets.rs:20: asset `a` is declared already, at src/assets.rs:10: rename one of them",
            "src/assets.rs:30: asset `c` depends on `stred`, which is not declared: did you mean `stored`?",
            "src/assets.rs:40: asset `stored` is stored by IO manager `warehous`, which environment `local` does not have: give it with `.io_manager(\"warehous\", ..)`",
            "src/assets.rs:40: asset `stored` is stored by IO manager `warehous`, which environment `Prod` does not have: give it with `.io_manager(\"warehous\", ..)`",
            "src/assets.rs:40: asset `stored` is stored by IO manager `warehous`, which environment `local` does not have: give it with `.io_manager(\"warehous\", ..)`",
            "src/assets.rs:50: `d`: its partitions definition is invalid",
        ]
    );
}

#[test]
fn the_same_declaration_twice_is_one() {
    // The two ops have one source location, as when `discover` finds what is also added by hand.
    let definitions = Definitions::builder()
        .op(asset_op("a", &[], 10))
        .op(asset_op("a", &[], 10))
        .external_asset(AssetSpec::new("raw".parse().unwrap()))
        .build()
        .unwrap();
    assert_eq!(definitions.graph().len(), 2);
    assert_eq!(
        definitions.source_of(&"a".parse().unwrap()),
        Some(at_line(10))
    );
    assert!(definitions.op_of_key(&"raw".parse().unwrap()).is_none());
}

#[test]
fn a_check_is_an_op_without_assets() {
    let key = CheckKey {
        asset: "a".parse().unwrap(),
        name: "not_empty".to_owned(),
    };
    let check = OpDefinition::new(
        OpSpec::check(CheckSpec::new(key.clone())),
        FnBody(do_nothing),
    );
    let definitions = Definitions::builder()
        .op(asset_op("a", &[], 10))
        .op(check)
        .build()
        .unwrap();
    let id = definitions.graph().check_id(&key).unwrap();
    let op = definitions.op(definitions.graph().op_of_check(id));
    assert!(op.spec.assets.is_empty());
}

trait Greet: Send + Sync {
    fn greet(&self) -> String;
}

struct English;

impl Greet for English {
    fn greet(&self) -> String {
        "hello".to_owned()
    }
}

fn greeting_op(need: ResourceNeed) -> OpDefinition {
    OpDefinition {
        resources: vec![need],
        ..asset_op("greeting", &[], 10)
    }
}

#[tokio::test]
async fn a_trait_object_is_found_as_its_trait() {
    let shared: Arc<dyn Greet> = Arc::new(English);
    let definitions = Definitions::builder()
        .op(greeting_op(ResourceNeed::for_type::<dyn Greet>("greeter")))
        .resource("greeter", shared)
        .build()
        .unwrap();
    let op = definitions.op_named("greeting").unwrap();
    assert!(op.spec.required_resources.contains("greeter"));
    // The op asks for `dyn Greet`, and the environment holds an `Arc<dyn Greet>`.
    let mut wanted = EnvironmentNeeds::default();
    wanted.resources.insert("greeter".to_owned());
    let local = definitions.environment(None).unwrap();
    let open = local.open(&wanted, &BTreeMap::new(), None).await.unwrap();
    let greeter = open.resources.get::<dyn Greet>("greeter").unwrap();
    assert_eq!(greeter.greet(), "hello");
}

#[test]
fn every_environment_has_to_provide_the_resources_of_ops() {
    let shared: Arc<dyn Greet> = Arc::new(English);
    let found = problem_messages(
        Definitions::builder()
            .op(greeting_op(ResourceNeed::for_type::<dyn Greet>("greeter")))
            .environment(Environment::new("local").resource("greeter", shared.clone()))
            .environment(Environment::new("staging").resource("greeters", shared))
            .environment(Environment::new("prod").resource("greeter", 5u8)),
    );
    // `local` fits; `staging` has another name, and `prod` another type.
    assert_eq!(
        found,
        [
            "src/assets.rs:10: op `greeting` takes resource `greeter`, which environment `staging` does not provide: did you mean `greeters`?",
            "src/assets.rs:10: op `greeting` takes resource `greeter` as `dyn precip_engine::definitions::tests::Greet`, and environment `prod` provides a `u8`",
        ]
    );
}

#[tokio::test]
async fn an_environment_creates_requested_resources_from_settings() {
    let definitions = Definitions::builder()
        .op(greeting_op(ResourceNeed::for_type::<String>("greeter")))
        .resource_from(
            "greeter",
            (
                env("NAME"),
                env("TIMES").parse::<usize>().or(2usize),
                secret("prod/mark"),
            ),
            |(name, times, mark)| async move { Ok(name.repeat(times) + mark.expose()) },
        )
        .resource_from("broken", (), |()| async {
            Err::<u8, _>(AssetError::retryable("never made"))
        })
        .build()
        .unwrap();
    let local = definitions.environment(None).unwrap();
    // `broken` is not requested, so its failure does not matter.
    let mut wanted = EnvironmentNeeds::default();
    wanted.resources.insert("greeter".to_owned());
    let settings = [("NAME", "ho"), ("prod/mark", "!")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let open = local
        .open(&wanted, &BTreeMap::from(settings), None)
        .await
        .unwrap();
    assert_eq!(
        open.resources.get::<String>("greeter").unwrap().as_str(),
        "hoho!"
    );
}

#[tokio::test]
async fn settings_are_checked_before_anything_is_created() {
    let local = Environment::new("local").resource_from(
        "pool",
        (
            env("SIZE").parse::<u8>(),
            env("KEY").secret(),
            secret("token"),
        ),
        |_| async { Ok(1u8) },
    );
    let reader = BTreeMap::from([("SIZE".to_owned(), "many".to_owned())]);
    let problems: Vec<String> = local
        .check_settings(&reader)
        .await
        .iter()
        .map(|(by, problem)| format!("{by}: {problem}"))
        .collect();
    // All three problems are reported, and none shows a secret.
    assert_eq!(
        problems,
        [
            "resource `pool`: environment variable `SIZE` is `many`: invalid digit found in string",
            "resource `pool`: environment variable `KEY` is not set",
            "resource `pool`: secret `token` is not set",
        ]
    );
}

#[test]
fn an_unknown_environment_error_lists_the_known_ones() {
    let definitions = Definitions::builder()
        .environment(Environment::new("local"))
        .environment(Environment::new("prod"))
        .build()
        .unwrap();
    assert_eq!(definitions.environment(None).unwrap().name(), "local");
    assert_eq!(
        definitions
            .environment(Some("pord"))
            .unwrap_err()
            .to_string(),
        "there is no environment `pord`: the project has `local` and `prod`"
    );
}

mod triggers {
    use precip_core::trigger::{
        Bucket, CatchUp, DefaultStatus, ObjectFilter, ObjectSensor, Require, ScheduleSpec,
        ScheduleTiming, SensorSource, SensorSpec,
    };

    use super::*;
    use crate::{
        asset::ResourceNeed,
        trigger::{ScheduleDefinition, SensorDefinition},
    };

    fn sensor_definition(name: &str, source: SensorSource, target: &str) -> SensorDefinition {
        SensorDefinition::new(SensorSpec {
            name: name.parse().unwrap(),
            source,
            target: (!target.is_empty()).then(|| target.parse().unwrap()),
            default_status: DefaultStatus::Stopped,
            description: None,
            has_function: false,
        })
    }

    fn landing_objects(key: &str) -> SensorSource {
        SensorSource::Objects(ObjectSensor {
            bucket: Bucket::Named("landing".to_owned()),
            filter: ObjectFilter::Key(key.parse().unwrap()),
            min_size: 0,
            deletes: false,
        })
    }

    fn trigger_problems(declarations: impl IntoIterator<Item = Declaration>) -> Vec<String> {
        let flights = AssetSpec::new("flights".parse().unwrap());
        let do_nothing: crate::asset::RunFn =
            |_, _, _| Box::pin(async { Ok(crate::asset::OpOutputs::default()) });
        let flights = OpDefinition::new(OpSpec::single(flights), crate::asset::FnBody(do_nothing));
        let invalid = Definitions::builder()
            .op(flights)
            .external_asset(AssetSpec::new("landing".parse().unwrap()))
            .declare(declarations)
            .build()
            .unwrap_err();
        invalid.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_trigger_that_does_not_fit_the_project_is_reported_with_its_location() {
        let assets = |keys: &[&str]| SensorSource::Assets {
            assets: keys.iter().map(|key| key.parse().unwrap()).collect(),
            require: Require::All,
        };
        let mut twice = sensor_definition("twice", landing_objects("*"), "flights");
        twice.source.line += 1;
        let mut needing = sensor_definition("needing", landing_objects("*"), "flights");
        needing.resources = vec![ResourceNeed::for_type::<String>("mailer")];
        let schedule = ScheduleDefinition::new(ScheduleSpec {
            name: "derived".parse().unwrap(),
            timing: ScheduleTiming::Partitions {
                minute: None,
                hour: Some(6),
                weekday: None,
                day: None,
                timezone: None,
            },
            target: Some("flights".parse().unwrap()),
            catch_up: CatchUp::All,
            default_status: DefaultStatus::Stopped,
            description: None,
            has_function: false,
        });
        let found = trigger_problems([
            Declaration::from(sensor_definition(
                "unknown",
                landing_objects("*"),
                "fligths",
            )),
            sensor_definition("nothing", landing_objects("*"), "landing").into(),
            sensor_definition("aimless", landing_objects("*"), "").into(),
            sensor_definition("misfit", landing_objects("{date}.csv"), "flights").into(),
            sensor_definition("unwatched", assets(&["flights", "weather"]), "flights").into(),
            sensor_definition("blind", assets(&[]), "flights").into(),
            sensor_definition("twice", landing_objects("*"), "flights").into(),
            twice.into(),
            needing.into(),
            schedule.into(),
        ]);
        let here = concat!("shared/engine/", file!());
        let ends = [
            "sensor `unknown`: its target `fligths`: there is no asset `fligths`; did you mean `flights`?",
            "sensor `nothing`: its target `landing` selects no asset that is made here",
            "sensor `aimless`: it has neither a target nor a function",
            "sensor `misfit`: its key `{date}.csv` names `date`, and none of the assets it makes is partitioned: write `*` instead",
            "sensor `unwatched`: it watches asset `weather`, which the project does not declare",
            "sensor `blind`: it watches no asset",
            "sensor `twice` is declared already, at ",
            "sensor `needing` takes resource `mailer`, which environment `local` does not provide",
            "schedule `derived`: it follows the partitions of `flights`, and none of its assets has time windows",
        ];
        for end in ends {
            let problem = found
                .iter()
                .find(|problem| problem.contains(end))
                .unwrap_or_else(|| panic!("{end}:\n{}", found.join("\n")));
            let located = problem.contains("definitions/tests.rs:");
            assert!(located, "{problem} has a location, as in {here}");
        }
        assert_eq!(found.len(), ends.len(), "{}", found.join("\n"));
    }
}

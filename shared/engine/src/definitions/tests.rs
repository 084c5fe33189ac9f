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
    definitions::{Declaration, Definitions, Environment, OpDefinition, SourceLocation, Wanted},
    settings::{env, secret},
};

fn nothing(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}

fn at(line: u32) -> SourceLocation {
    SourceLocation {
        file: "src/assets.rs",
        line,
    }
}

fn asset(key: &str, deps: &[&str], line: u32) -> OpDefinition {
    let mut spec = AssetSpec::new(key.parse().unwrap());
    spec.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    OpDefinition {
        source: at(line),
        ..OpDefinition::new(OpSpec::single(spec), FnBody(nothing))
    }
}

fn messages(builder: super::DefinitionsBuilder) -> Vec<String> {
    let invalid = builder.build().unwrap_err();
    invalid.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn everything_wrong_is_reported_at_once_with_its_place() {
    let mut stored = asset("stored", &[], 40);
    stored.spec.assets[0].io_manager = Some("warehous".to_owned());
    let found = messages(
        Definitions::builder()
            .op(asset("a", &["b"], 10))
            .op(asset("a", &[], 20))
            .op(asset("c", &["stred"], 30))
            .op(stored)
            .environment(Environment::new("local"))
            .environment(Environment::new("Prod"))
            .environment(Environment::new("local"))
            .declare([Declaration::Invalid {
                name: "d".to_owned(),
                reason: "its partitions cannot be made".to_owned(),
                source: at(50),
            }]),
    );
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
            "src/assets.rs:50: `d`: its partitions cannot be made",
        ]
    );
}

#[test]
fn the_same_declaration_twice_is_one() {
    let definitions = Definitions::builder()
        .op(asset("a", &[], 10))
        .op(asset("a", &[], 10))
        .external_asset(AssetSpec::new("raw".parse().unwrap()))
        .build()
        .unwrap();
    assert_eq!(definitions.graph().len(), 2);
    assert_eq!(definitions.source_of(&"a".parse().unwrap()), Some(at(10)));
    assert!(definitions.op_of_key(&"raw".parse().unwrap()).is_none());
}

#[test]
fn a_check_is_an_op_that_makes_nothing() {
    let key = CheckKey {
        asset: "a".parse().unwrap(),
        name: "not_empty".to_owned(),
    };
    let check = OpDefinition::new(OpSpec::check(CheckSpec::new(key.clone())), FnBody(nothing));
    let definitions = Definitions::builder()
        .op(asset("a", &[], 10))
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

fn greeter(need: ResourceNeed) -> OpDefinition {
    OpDefinition {
        resources: vec![need],
        ..asset("greeting", &[], 10)
    }
}

#[tokio::test]
async fn a_trait_object_is_found_as_its_trait() {
    let shared: Arc<dyn Greet> = Arc::new(English);
    let definitions = Definitions::builder()
        .op(greeter(ResourceNeed::of::<dyn Greet>("greeter")))
        .resource("greeter", shared)
        .build()
        .unwrap();
    let op = definitions.op_named("greeting").unwrap();
    assert!(op.spec.required_resources.contains("greeter"));
    let mut wanted = Wanted::default();
    wanted.resources.insert("greeter".to_owned());
    let local = definitions.environment(None).unwrap();
    let open = local.open(&wanted, &BTreeMap::new(), None).await.unwrap();
    let greeter = open.resources.get::<dyn Greet>("greeter").unwrap();
    assert_eq!(greeter.greet(), "hello");
}

#[test]
fn every_environment_has_to_provide_what_is_taken() {
    let shared: Arc<dyn Greet> = Arc::new(English);
    let found = messages(
        Definitions::builder()
            .op(greeter(ResourceNeed::of::<dyn Greet>("greeter")))
            .environment(Environment::new("local").resource("greeter", shared.clone()))
            .environment(Environment::new("staging").resource("greeters", shared))
            .environment(Environment::new("prod").resource("greeter", 5u8)),
    );
    assert_eq!(
        found,
        [
            "src/assets.rs:10: op `greeting` takes resource `greeter`, which environment `staging` does not provide: did you mean `greeters`?",
            "src/assets.rs:10: op `greeting` takes resource `greeter` as `dyn precip_engine::definitions::tests::Greet`, and environment `prod` provides a `u8`",
        ]
    );
}

#[tokio::test]
async fn an_environment_makes_what_is_wanted_from_settings() {
    let definitions = Definitions::builder()
        .op(greeter(ResourceNeed::of::<String>("greeter")))
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
    let mut wanted = Wanted::default();
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
async fn settings_are_checked_before_anything_is_made() {
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
fn an_unknown_environment_is_answered_with_those_that_there_are() {
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

    fn sensor(name: &str, source: SensorSource, target: &str) -> SensorDefinition {
        SensorDefinition::new(SensorSpec {
            name: name.parse().unwrap(),
            source,
            target: (!target.is_empty()).then(|| target.parse().unwrap()),
            default_status: DefaultStatus::Stopped,
            description: None,
            has_function: false,
        })
    }

    fn objects(key: &str) -> SensorSource {
        SensorSource::Objects(ObjectSensor {
            bucket: Bucket::Named("landing".to_owned()),
            filter: ObjectFilter::Key(key.parse().unwrap()),
            min_size: 0,
            deletes: false,
        })
    }

    fn problems(declarations: impl IntoIterator<Item = Declaration>) -> Vec<String> {
        let flights = AssetSpec::new("flights".parse().unwrap());
        let nothing: crate::asset::RunFn =
            |_, _, _| Box::pin(async { Ok(crate::asset::OpOutputs::default()) });
        let flights = OpDefinition::new(OpSpec::single(flights), crate::asset::FnBody(nothing));
        let invalid = Definitions::builder()
            .op(flights)
            .external_asset(AssetSpec::new("landing".parse().unwrap()))
            .declare(declarations)
            .build()
            .unwrap_err();
        invalid.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_does_not_fit_the_project_is_told_with_its_place() {
        let assets = |keys: &[&str]| SensorSource::Assets {
            assets: keys.iter().map(|key| key.parse().unwrap()).collect(),
            require: Require::All,
        };
        let mut twice = sensor("twice", objects("*"), "flights");
        twice.source.line += 1;
        let mut needing = sensor("needing", objects("*"), "flights");
        needing.resources = vec![ResourceNeed::of::<String>("mailer")];
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
        let told = problems([
            Declaration::from(sensor("unknown", objects("*"), "fligths")),
            sensor("nothing", objects("*"), "landing").into(),
            sensor("aimless", objects("*"), "").into(),
            sensor("misfit", objects("{date}.csv"), "flights").into(),
            sensor("unwatched", assets(&["flights", "weather"]), "flights").into(),
            sensor("blind", assets(&[]), "flights").into(),
            sensor("twice", objects("*"), "flights").into(),
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
            "schedule `derived`: it follows the partitions of `flights`, and none of its assets is divided by time",
        ];
        for end in ends {
            let found = told.iter().find(|problem| problem.contains(end));
            let found = found.unwrap_or_else(|| panic!("{end}:\n{}", told.join("\n")));
            let placed = found.contains("definitions/tests.rs:");
            assert!(placed, "{found} says where, as in {here}");
        }
        assert_eq!(told.len(), ends.len(), "{}", told.join("\n"));
    }
}

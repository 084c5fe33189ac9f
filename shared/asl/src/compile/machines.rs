//! [`compile`].

use std::collections::BTreeSet;

use precip_core::{graph::AssetGraph, machine::Layout};
use serde_json::json;

use super::{
    CompileError, CompileOptions, call, comment,
    compiler::{Compiler, Mode, Part},
    substitution::{BACKFILL, placeholder, substitutions},
    wave::Frame,
};
use crate::model::{
    Choice, ChoiceRule, Comparison, State, StateMachine, StateName, States, Succeed, Task,
    Transition,
};

/// A project's two state machines. Both are of type STANDARD.
#[derive(Debug, Clone, PartialEq)]
pub struct Machines {
    /// What people start.
    pub run: StateMachine,
    /// What it starts when there is much to do.
    pub backfill: StateMachine,
    /// What has to be put in where they are deployed.
    pub substitutions: Substitutions,
}

/// The names of the substitutions, `${..}`, of two machines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Substitutions {
    /// Those of [`Machines::run`].
    pub run: BTreeSet<String>,
    /// Those of [`Machines::backfill`].
    pub backfill: BTreeSet<String>,
}

/// Compiles the machines of a graph. Equal graphs give equal machines.
///
/// ```
/// use precip_asl::compile::{CompileOptions, compile};
/// use precip_core::{graph::AssetGraph, machine::Layout, spec::{AssetSpec, OpSpec}};
///
/// let flights = OpSpec::single(AssetSpec::new("flights".parse()?));
/// let graph = AssetGraph::new(vec![flights], vec![])?;
/// let machines = compile(&graph, &Layout::of(&graph)?, &CompileOptions::new("delays"))?;
/// assert!(machines.run.to_json()?.contains(r#""StartAt": "flights""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompileError`]: there is nothing to run, or the layout is not the graph's.
pub fn compile(
    graph: &AssetGraph,
    layout: &Layout,
    options: &CompileOptions,
) -> Result<Machines, CompileError> {
    if layout.stages.is_empty() {
        return Err(CompileError::Empty);
    }
    let run = run(graph, layout, options)?;
    let backfill = backfill(graph, layout, options)?;
    let substitutions = Substitutions {
        run: substitutions(&run),
        backfill: substitutions(&backfill),
    };
    Ok(Machines {
        run,
        backfill,
        substitutions,
    })
}

fn run(
    graph: &AssetGraph,
    layout: &Layout,
    options: &CompileOptions,
) -> Result<StateMachine, CompileError> {
    let [plan, how_much, nothing, backfill] = ["Plan", "How much", "Nothing to do", "Backfill"];
    let reserved = [&[plan, how_much, nothing, backfill][..], &Frame::NAMES].concat();
    let mut compiler = Compiler::new(graph, layout, options, Mode::Inline, &reserved)?;
    let waves = compiler.waves()?;
    let [plan, how_much, nothing, backfill] = [
        StateName::new(plan)?,
        StateName::new(how_much)?,
        StateName::new(nothing)?,
        StateName::new(backfill)?,
    ];

    let payload = json!({"do": "plan", "input.$": "$", "execution": call::execution()});
    let ask = call::planner(
        options,
        "Resolves what was asked for. Input that cannot be right fails here, with what to write \
         instead.",
        payload,
        Transition::to(how_much.clone()),
    );
    let size = Choice {
        comment: Some(
            "Little is done here, in sight. Much is done by the backfill machine.".to_owned(),
        ),
        choices: vec![
            ChoiceRule {
                condition: Comparison::string_equals("$.mode", "nothing"),
                next: nothing.clone(),
            },
            ChoiceRule {
                condition: Comparison::string_equals("$.mode", "distributed"),
                next: backfill.clone(),
            },
        ],
        default: Some(waves.start),
    };
    let mut states = States::new();
    states.insert(plan.clone(), State::Task(ask));
    states.insert(how_much, State::Choice(size));
    states.insert(nothing, State::Succeed(Succeed::default()));
    states.insert(backfill, State::Task(start_backfill()));
    states.extend(waves.states);
    Ok(machine(comment::run(graph, options), plan, states))
}

fn backfill(
    graph: &AssetGraph,
    layout: &Layout,
    options: &CompileOptions,
) -> Result<StateMachine, CompileError> {
    let [started, resume] = ["Started again", "What is left"];
    let reserved = [&[started, resume][..], &Frame::NAMES].concat();
    let mut compiler = Compiler::new(graph, layout, options, Mode::Distributed, &reserved)?;
    let Part {
        start: next_wave,
        states: waves,
    } = compiler.waves()?;
    let [started, resume] = [StateName::new(started)?, StateName::new(resume)?];
    let again = Choice {
        comment: Some(
            "A redrive of the run starts this machine once more, with the old plan.".to_owned(),
        ),
        choices: vec![ChoiceRule {
            condition: Comparison::all(vec![
                Comparison::is_present("$.started_again"),
                Comparison::number_greater_than("$.started_again", 0),
            ]),
            next: resume.clone(),
        }],
        default: Some(next_wave.clone()),
    };
    let payload = json!({
        "do": "finish",
        "again": true,
        "run.$": "$.run",
        "mode.$": "$.mode",
        "redrive.$": "$.redrive",
        "execution": call::execution(),
    });
    let left = call::planner(
        options,
        "Plans what is left of the run, and only that.",
        payload,
        Transition::to(next_wave),
    );
    let mut states = States::new();
    states.insert(started.clone(), State::Choice(again));
    states.insert(resume, State::Task(left));
    states.extend(waves);
    Ok(machine(comment::backfill(options), started, states))
}

/// Starts the backfill machine, and waits. That it fails is this execution's failure as well.
fn start_backfill() -> Task {
    let parameters = json!({
        "StateMachineArn": placeholder(BACKFILL),
        "Input": {
            "run.$": "$.run",
            "mode.$": "$.mode",
            "wave.$": "$.wave",
            "redrive.$": "$.redrive",
            "max_concurrency.$": "$.max_concurrency",
            "stages.$": "$.stages",
            "started_again.$": "$$.Execution.RedriveCount",
            "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
        },
    });
    Task {
        comment: Some(
            "The backfill machine does it. Its execution shows how far it is.".to_owned(),
        ),
        resource: "arn:aws:states:::states:startExecution.sync:2".to_owned(),
        parameters: Some(parameters),
        result_selector: None,
        result_path: None,
        output_path: Some("$.Output".into()),
        timeout_seconds: None,
        heartbeat_seconds: None,
        retry: Vec::new(),
        catch: Vec::new(),
        transition: Transition::END,
    }
}

fn machine(comment: String, start_at: StateName, states: States) -> StateMachine {
    StateMachine {
        comment: Some(comment),
        query_language: Some("JSONPath".to_owned()),
        start_at,
        timeout_seconds: None,
        states,
    }
}

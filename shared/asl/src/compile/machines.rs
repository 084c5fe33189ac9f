//! [`compile`].

use std::collections::BTreeSet;

use precip_core::{graph::AssetGraph, machine::Layout};
use serde_json::json;

use super::{
    CompileError, CompileOptions, call, comment,
    compiler::{Compiler, Form, Mode, Part},
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

/// Compiles the machines of a graph. Equal graphs give equal machines. There is a state for each op,
/// named after it, as long as a definition can hold them all: about a thousand assets. More share
/// the states of a [loop](super::document#the-loop).
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
    let both = |form| -> Result<[StateMachine; 2], CompileError> {
        let project = Project {
            graph,
            layout,
            options,
            form,
        };
        Ok([project.run()?, project.backfill()?])
    };
    let mut machines = both(Form::Named)?;
    if !machines.iter().all(fits) {
        machines = both(Form::Loop)?;
    }
    let [run, backfill] = machines;
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

/// Whether Step Functions takes a definition of this size.
fn fits(machine: &StateMachine) -> bool {
    let bytes = machine.deployed_bytes();
    bytes.is_ok_and(|bytes| bytes <= StateMachine::MAX_BYTES)
}

/// What machines are made from.
struct Project<'a> {
    graph: &'a AssetGraph,
    layout: &'a Layout,
    options: &'a CompileOptions,
    form: Form,
}

impl Project<'_> {
    /// Everything from a document on to the end of the run.
    fn stages(&self, mode: Mode, own: &[&str]) -> Result<Part, CompileError> {
        let start = match self.form {
            Form::Named => "Next wave",
            Form::Loop => "Next stage",
        };
        let reserved = [own, &[start], &Frame::NAMES].concat();
        let how = (mode, self.form);
        let mut compiler = Compiler::new(self.graph, self.layout, self.options, how, &reserved)?;
        match self.form {
            Form::Named => compiler.waves(),
            Form::Loop => compiler.stage_loop(),
        }
    }

    fn run(&self) -> Result<StateMachine, CompileError> {
        let own = ["Plan", "How much", "Nothing to do", "Backfill"];
        let stages = self.stages(Mode::Inline, &own)?;
        let [plan, how_much, nothing, backfill] = [
            StateName::new(own[0])?,
            StateName::new(own[1])?,
            StateName::new(own[2])?,
            StateName::new(own[3])?,
        ];
        let mut payload = json!({"do": "plan", "input.$": "$", "execution": call::execution()});
        if self.form == Form::Loop {
            call::merge(&mut payload, json!({"loop": true}));
        }
        let comment = "Resolves what was asked for. Input that cannot be right fails here, with \
                       what to write instead.";
        let then = Transition::to(how_much.clone());
        let ask = call::planner(self.options, comment, payload, then);
        let rule = |mode, next: &StateName| ChoiceRule {
            condition: Comparison::string_equals("$.mode", mode),
            next: next.clone(),
        };
        let size = Choice {
            comment: Some(
                "Little is done here, in sight. Much is done by the backfill machine.".to_owned(),
            ),
            choices: vec![rule("nothing", &nothing), rule("distributed", &backfill)],
            default: Some(stages.start),
        };
        let mut states = States::new();
        states.insert(plan.clone(), State::Task(Box::new(ask)));
        states.insert(how_much, State::Choice(size));
        states.insert(nothing, State::Succeed(Succeed::default()));
        states.insert(backfill, State::Task(Box::new(self.start_backfill())));
        states.extend(stages.states);
        let comment = comment::run(self.graph, self.options);
        Ok(machine(comment, plan, states))
    }

    fn backfill(&self) -> Result<StateMachine, CompileError> {
        let own = ["Started again", "What is left"];
        let stages = self.stages(Mode::Distributed, &own)?;
        let [started, resume] = [StateName::new(own[0])?, StateName::new(own[1])?];
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
            default: Some(stages.start.clone()),
        };
        let mut payload = json!({
            "do": "finish",
            "again": true,
            "run.$": "$.run",
            "mode.$": "$.mode",
            "redrive.$": "$.started_again",
            "execution": call::execution(),
        });
        if self.form == Form::Loop {
            call::merge(&mut payload, json!({"loop": true}));
        }
        let comment = "Plans what is left of the run, and only that.";
        let left = call::planner(self.options, comment, payload, Transition::to(stages.start));
        let mut states = States::new();
        states.insert(started.clone(), State::Choice(again));
        states.insert(resume, State::Task(Box::new(left)));
        states.extend(stages.states);
        Ok(machine(comment::backfill(self.options), started, states))
    }

    /// Starts the backfill machine, and waits. That it fails is this execution's failure as well.
    fn start_backfill(&self) -> Task {
        let mut input = json!({
            "run.$": "$.run",
            "mode.$": "$.mode",
            "wave.$": "$.wave",
            "redrive.$": "$.redrive",
            "max_concurrency.$": "$.max_concurrency",
        });
        let stages = match self.form {
            Form::Named => json!({"stages.$": "$.stages"}),
            Form::Loop => json!({"stage.$": "$.stage"}),
        };
        call::merge(&mut input, stages);
        let about = json!({
            "started_again.$": "$$.Execution.RedriveCount",
            "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
        });
        call::merge(&mut input, about);
        Task {
            comment: Some(
                "The backfill machine does it. Its execution shows how far it is.".to_owned(),
            ),
            resource: "arn:aws:states:::states:startExecution.sync:2".to_owned(),
            parameters: Some(json!({
                "StateMachineArn": placeholder(BACKFILL),
                "Input": input,
            })),
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

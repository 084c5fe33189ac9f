//! [`compile_machines`].

use std::collections::BTreeSet;

use precip_core::{graph::AssetGraph, machine::Layout};
use serde_json::json;

use super::{
    CompileError, CompileOptions, call, comment,
    compiler::{Compiler, Form, Mode, Part},
    substitution::{BACKFILL, integration, placeholder, substitutions},
    wave::Frame,
};
use crate::model::{
    Catch, Choice, ChoiceRule, Comparison, STATES_ALL, State, StateMachine, StateName, States,
    Succeed, Task, Transition,
};

/// A project's two state machines. Both are of type STANDARD.
#[derive(Debug, Clone, PartialEq)]
pub struct Machines {
    /// The machine that people start.
    pub run: StateMachine,
    /// The machine that it starts when a run is large.
    pub backfill: StateMachine,
    /// The substitutions that both need when they are deployed.
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
/// Each op has a state of its own, named after it, as long as the definition fits: about a thousand
/// assets. Larger graphs share the states of a [loop](super::document#the-loop).
///
/// ```
/// use precip_asl::compile::{CompileOptions, compile_machines};
/// use precip_core::{graph::AssetGraph, machine::Layout, spec::{AssetSpec, OpSpec}};
///
/// let flights = OpSpec::single(AssetSpec::new("flights".parse()?));
/// let graph = AssetGraph::new(vec![flights], vec![])?;
/// let machines = compile_machines(&graph, &Layout::from_graph(&graph)?, &CompileOptions::new("delays"))?;
/// assert!(machines.run.to_json()?.contains(r#""StartAt": "flights""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompileError`] when there is nothing to run, or the layout is not the graph's.
pub fn compile_machines(
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
        Ok([project.run_machine()?, project.backfill_machine()?])
    };
    // A state per op shows most in the console; the loop is for graphs whose definition is too
    // large.
    let mut machines = both(Form::Named)?;
    if !machines.iter().all(fits_size_limit) {
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

/// Returns whether a definition is small enough for Step Functions.
fn fits_size_limit(machine: &StateMachine) -> bool {
    let bytes = machine.deployed_bytes();
    bytes.is_ok_and(|bytes| bytes <= StateMachine::MAX_BYTES)
}

/// The inputs of both machines.
struct Project<'a> {
    graph: &'a AssetGraph,
    layout: &'a Layout,
    options: &'a CompileOptions,
    form: Form,
}

impl Project<'_> {
    /// Returns all states from the first document to the end of the run.
    fn states_from_document(&self, mode: Mode, own: &[&str]) -> Result<Part, CompileError> {
        let start = match self.form {
            Form::Named => "Next wave",
            Form::Loop => "Next stage",
        };
        let reserved = [own, &[start], &Frame::NAMES].concat();
        let how = (mode, self.form);
        let mut compiler = Compiler::new(self.graph, self.layout, self.options, how, &reserved)?;
        match self.form {
            Form::Named => compiler.all_wave_states(),
            Form::Loop => compiler.stage_loop(),
        }
    }

    fn run_machine(&self) -> Result<StateMachine, CompileError> {
        // `own` reserves the names before any op can take one; the array below names the same
        // states.
        let own = ["Account", "Plan", "How much", "Nothing to do", "Backfill"];
        let stages = self.states_from_document(Mode::Inline, &own)?;
        let [account, plan, how_much, nothing, backfill] = [
            StateName::new(own[0])?,
            StateName::new(own[1])?,
            StateName::new(own[2])?,
            StateName::new(own[3])?,
            StateName::new(own[4])?,
        ];
        let mut payload = json!({
            "do": "plan",
            "input.$": "$$.Execution.Input",
            "account.$": "$",
            "execution": call::execution_fields(),
        });
        if self.form == Form::Loop {
            call::merge_fields(&mut payload, json!({"loop": true}));
        }
        let comment = "Resolves the request. Invalid input fails here, with an explanation of what to \
                       write instead.";
        let then = Transition::to(how_much.clone());
        let ask = call::planner_call(self.options, comment, payload, then);
        let rule = |mode, next: &StateName| ChoiceRule {
            condition: Comparison::string_equals("$.mode", mode),
            next: next.clone(),
        };
        let size = Choice {
            comment: Some("Small plans run here, large plans in the backfill machine.".to_owned()),
            choices: vec![rule("nothing", &nothing), rule("distributed", &backfill)],
            default: Some(stages.start),
        };
        let mut states = States::new();
        let ask_account = account_task(&plan);
        states.insert(account.clone(), State::Task(Box::new(ask_account)));
        states.insert(plan, State::Task(Box::new(ask)));
        states.insert(how_much, State::Choice(size));
        states.insert(nothing, State::Succeed(Succeed::default()));
        states.insert(backfill, State::Task(Box::new(self.start_backfill())));
        states.extend(stages.states);
        let machine_comment = comment::run_comment(self.graph, self.options);
        Ok(new_machine(machine_comment, account, states))
    }

    fn backfill_machine(&self) -> Result<StateMachine, CompileError> {
        let own = ["Started again", "What is left"];
        let stages = self.states_from_document(Mode::Distributed, &own)?;
        let [started, resume] = [StateName::new(own[0])?, StateName::new(own[1])?];
        let again = Choice {
            comment: Some(
                "A redrive of the run starts this machine again, with the old plan.".to_owned(),
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
            "functions_at_once.$": "$.functions_at_once",
            "execution": call::execution_fields(),
        });
        if self.form == Form::Loop {
            call::merge_fields(&mut payload, json!({"loop": true}));
        }
        let comment = "Plans only the work that is left of the run.";
        let left = call::planner_call(self.options, comment, payload, Transition::to(stages.start));
        let mut states = States::new();
        states.insert(started.clone(), State::Choice(again));
        states.insert(resume, State::Task(Box::new(left)));
        states.extend(stages.states);
        Ok(new_machine(
            comment::backfill_comment(self.options),
            started,
            states,
        ))
    }

    /// Starts the backfill machine and waits. If it fails, this execution fails too.
    fn start_backfill(&self) -> Task {
        let mut input = json!({
            "run.$": "$.run",
            "mode.$": "$.mode",
            "wave.$": "$.wave",
            "redrive.$": "$.redrive",
            "functions_at_once.$": "$.functions_at_once",
        });
        let stages = match self.form {
            Form::Named => json!({"stages.$": "$.stages"}),
            Form::Loop => json!({"stage.$": "$.stage"}),
        };
        call::merge_fields(&mut input, stages);
        let about = json!({
            "started_again.$": "$$.Execution.RedriveCount",
            "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
        });
        call::merge_fields(&mut input, about);
        Task {
            comment: Some(
                "Waits for the backfill machine. Its execution shows the progress.".to_owned(),
            ),
            resource: integration("states:startExecution.sync:2"),
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

/// Returns the task that asks Lambda for the account's concurrency, and leads to `then` with its answer. A
/// run goes on without one.
fn account_task(then: &StateName) -> Task {
    Task {
        comment: Some(
            "Asks how many functions the account runs at once: a new account may run ten."
                .to_owned(),
        ),
        resource: integration("aws-sdk:lambda:getAccountSettings"),
        parameters: Some(json!({})),
        result_selector: None,
        result_path: None,
        output_path: None,
        timeout_seconds: Some(10),
        heartbeat_seconds: None,
        retry: Vec::new(),
        catch: vec![Catch {
            error_equals: vec![STATES_ALL.to_owned()],
            result_path: None,
            next: then.clone(),
        }],
        transition: Transition::to(then.clone()),
    }
}

fn new_machine(comment: String, start_at: StateName, states: States) -> StateMachine {
    StateMachine {
        comment: Some(comment),
        query_language: Some("JSONPath".to_owned()),
        start_at,
        timeout_seconds: None,
        states,
    }
}

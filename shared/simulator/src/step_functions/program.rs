//! Machines, compiled: names resolved to indices, paths and conditions parsed.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use precip_asl::model::{
    self, Catch, ExecutionType, ProcessorMode, Retry, State, StateName, States,
};
use serde_json::{Value, json};

use super::{condition::Condition, history::EventKind, path::Path, template::Template};

/// A definition that Step Functions, or this simulator, refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the machine is refused: {0}")]
pub struct InvalidMachine(String);

impl InvalidMachine {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A machine.
#[derive(Debug)]
pub(super) struct Program {
    pub flow: Rc<Flow>,
    pub timeout: Option<Duration>,
}

/// States that lead to each other: a machine's, a branch's, or those of an item.
#[derive(Debug)]
pub(super) struct Flow {
    pub start: usize,
    pub states: Vec<Compiled>,
}

/// A state.
#[derive(Debug)]
pub(super) struct Compiled {
    pub name: Rc<str>,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A state that can fail, with what follows.
    Work(Box<Work>, Box<Ends>),
    Pass(Pass),
    Wait(Duration, Option<usize>),
    Choice(Vec<(Condition, usize)>, Option<usize>),
    Succeed(Output),
    Fail(Fail),
}

#[derive(Debug)]
pub(super) enum Work {
    Task(Task),
    Parallel(Vec<Rc<Flow>>),
    Inline(Map),
    Distributed(Map, Distribution),
}

#[derive(Debug)]
pub(super) struct Task {
    pub call: Call,
    pub parameters: Template,
    pub timeout: Option<Duration>,
}

/// The integration that a task calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `lambda:invoke`.
    Function,
    /// `aws-sdk:lambda:getAccountSettings`.
    AccountSettings,
    /// `states:startExecution.sync:2`.
    Execution,
}

#[derive(Debug)]
pub(super) struct Pass {
    pub value: Option<Template>,
    pub result: Place,
    pub next: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Fail {
    pub error: String,
    pub cause: String,
    pub error_path: Option<Template>,
    pub cause_path: Option<Template>,
}

#[derive(Debug)]
pub(super) struct Map {
    pub items: Items,
    pub selector: Option<Template>,
    pub concurrency: Concurrency,
    pub flow: Rc<Flow>,
}

#[derive(Debug)]
pub(super) enum Items {
    /// A list in the data.
    At(Path, String),
    /// The lines of an object, by a template of its bucket and key.
    Lines(Template),
}

#[derive(Debug)]
pub(super) enum Concurrency {
    /// As many as AWS allows if it is 0.
    Fixed(usize),
    At(Path, String),
}

/// The children of a distributed map.
#[derive(Debug)]
pub(super) struct Distribution {
    pub express: bool,
    pub tolerated_percent: f64,
    /// The bucket and prefix of the results.
    pub results: Option<Template>,
}

/// The end of a state: the place of its result, the next state, and the handling of errors.
#[derive(Debug)]
pub(super) struct Ends {
    pub selector: Option<Template>,
    pub result: Place,
    pub output: Output,
    pub retry: Vec<Retry>,
    pub catch: Vec<Catcher>,
    pub next: Option<usize>,
}

/// `ResultPath`.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// The result replaces the data.
    Whole,
    /// The result is dropped.
    Nowhere,
    /// The result is put at a path.
    At(Path),
}

/// `OutputPath`.
#[derive(Debug)]
pub(super) enum Output {
    Whole,
    Empty,
    At(Path, String),
}

#[derive(Debug)]
pub(super) struct Catcher {
    pub errors: Vec<String>,
    pub place: Place,
    pub next: usize,
}

type Substitutions = BTreeMap<String, String>;
type Result<T> = std::result::Result<T, InvalidMachine>;

impl Program {
    pub(super) fn compile(machine: &model::StateMachine, values: &Substitutions) -> Result<Self> {
        if machine.query_language.as_deref().unwrap_or("JSONPath") != "JSONPath" {
            return Err(InvalidMachine::new("its query language is not JSONPath"));
        }
        Ok(Self {
            flow: Rc::new(Flow::compile(&machine.start_at, &machine.states, values)?),
            timeout: seconds(machine.timeout_seconds),
        })
    }
}

impl Flow {
    fn compile(start: &StateName, states: &States, values: &Substitutions) -> Result<Self> {
        let compiler = Compiler { states, values };
        let compiled = states.iter().map(|(name, state)| {
            Ok(Compiled {
                name: Rc::from(name.as_str()),
                kind: compiler.compile_state(state)?,
            })
        });
        Ok(Self {
            start: compiler.find(start)?,
            states: compiled.collect::<Result<_>>()?,
        })
    }
}

struct Compiler<'a> {
    states: &'a States,
    values: &'a Substitutions,
}

impl Compiler<'_> {
    fn find(&self, name: &StateName) -> Result<usize> {
        let missing = || InvalidMachine::new(format!("there is no state `{}`", name.as_str()));
        self.states.get_index_of(name).ok_or_else(missing)
    }

    fn next(&self, transition: &model::Transition) -> Result<Option<usize>> {
        transition.next().map(|name| self.find(name)).transpose()
    }

    fn template(&self, value: &Value) -> Result<Template> {
        Template::parse(value, self.values)
    }

    fn templates(&self, value: Option<&Value>) -> Result<Option<Template>> {
        value.map(|value| self.template(value)).transpose()
    }

    fn compile_state(&self, state: &State) -> Result<Kind> {
        Ok(match state {
            State::Task(task) => self.compile_task(task)?,
            State::Pass(pass) => Kind::Pass(Pass {
                value: self.templates(pass.parameters.as_ref())?,
                result: place(pass.result_path.as_ref())?,
                next: self.next(&pass.transition)?,
            }),
            State::Wait(wait) => Kind::Wait(
                Duration::from_secs(wait.seconds.into()),
                self.next(&wait.transition)?,
            ),
            State::Choice(choice) => {
                let rule = |rule: &model::ChoiceRule| {
                    Ok((Condition::parse(&rule.condition.0)?, self.find(&rule.next)?))
                };
                let rules = choice.choices.iter().map(rule).collect::<Result<_>>()?;
                let default = choice.default.as_ref().map(|name| self.find(name));
                Kind::Choice(rules, default.transpose()?)
            }
            State::Succeed(end) => Kind::Succeed(output(end.output_path.as_ref())?),
            State::Fail(fail) => {
                let at = |path: &Option<String>| -> Result<Option<Template>> {
                    let template = |path: &String| self.template(&json!({"value.$": path}));
                    path.as_ref().map(template).transpose()
                };
                Kind::Fail(Fail {
                    error: fail.error.clone().unwrap_or_default(),
                    cause: fail.cause.clone().unwrap_or_default(),
                    error_path: at(&fail.error_path)?,
                    cause_path: at(&fail.cause_path)?,
                })
            }
            State::Parallel(parallel) => {
                let branch = |branch: &model::StateMachine| {
                    Flow::compile(&branch.start_at, &branch.states, self.values).map(Rc::new)
                };
                let branches = parallel.branches.iter().map(branch);
                let ends = Ends {
                    selector: None,
                    result: place(parallel.result_path.as_ref())?,
                    output: Output::Whole,
                    retry: parallel.retry.clone(),
                    catch: self.catchers(&parallel.catch)?,
                    next: self.next(&parallel.transition)?,
                };
                let work = Work::Parallel(branches.collect::<Result<_>>()?);
                Kind::Work(Box::new(work), Box::new(ends))
            }
            State::Map(map) => self.compile_map(map)?,
        })
    }

    fn compile_task(&self, task: &model::Task) -> Result<Kind> {
        // The partition of an ARN is any.
        let integration = task.resource.split(":states:::").nth(1);
        let call = match integration {
            Some("lambda:invoke") => Call::Function,
            Some("aws-sdk:lambda:getAccountSettings") => Call::AccountSettings,
            Some("states:startExecution.sync:2") => Call::Execution,
            _ => {
                return Err(InvalidMachine::new(format!(
                    "`{}` is no integration that is known here",
                    task.resource
                )));
            }
        };
        if task.heartbeat_seconds.is_some() {
            return Err(InvalidMachine::new("heartbeats are not known here"));
        }
        let ends = Ends {
            selector: self.templates(task.result_selector.as_ref())?,
            result: place(task.result_path.as_ref())?,
            output: output(task.output_path.as_ref())?,
            retry: task.retry.clone(),
            catch: self.catchers(&task.catch)?,
            next: self.next(&task.transition)?,
        };
        let task = Task {
            call,
            parameters: self.template(task.parameters.as_ref().unwrap_or(&Value::Null))?,
            timeout: seconds(task.timeout_seconds),
        };
        Ok(Kind::Work(Box::new(Work::Task(task)), Box::new(ends)))
    }

    fn compile_map(&self, map: &model::Map) -> Result<Kind> {
        let processor = &map.item_processor;
        let config = processor.processor_config;
        let items = match (&map.item_reader, &map.items_path) {
            (None, path) => {
                let path = path.as_deref().unwrap_or("$");
                Items::At(Path::parse(path)?, path.to_owned())
            }
            (Some(reader), None) => {
                let lines = json!({"InputType": "JSONL"});
                let known = reader.resource.ends_with(":states:::s3:getObject")
                    && reader.reader_config.as_ref() == Some(&lines);
                if !known {
                    return Err(InvalidMachine::new(
                        "only manifests of JSON lines are known here",
                    ));
                }
                Items::Lines(self.template(&reader.parameters)?)
            }
            (Some(_), Some(_)) => {
                return Err(InvalidMachine::new("a map has two sources of items"));
            }
        };
        let concurrency = match (map.max_concurrency, &map.max_concurrency_path) {
            (number, None) => Concurrency::Fixed(number.unwrap_or(0) as usize),
            (None, Some(path)) => Concurrency::At(Path::parse(path)?, path.clone()),
            (Some(_), Some(_)) => {
                return Err(InvalidMachine::new(
                    "a map has two limits of its concurrency",
                ));
            }
        };
        let compiled = Map {
            items,
            selector: self.templates(map.item_selector.as_ref())?,
            concurrency,
            flow: Rc::new(Flow::compile(
                &processor.start_at,
                &processor.states,
                self.values,
            )?),
        };
        let work = match config.mode {
            ProcessorMode::Inline if matches!(compiled.items, Items::Lines(_)) => {
                return Err(InvalidMachine::new("an inline map reads no object"));
            }
            ProcessorMode::Inline => Work::Inline(compiled),
            ProcessorMode::Distributed => {
                let results = map.result_writer.as_ref();
                let distribution = Distribution {
                    express: config.execution_type == Some(ExecutionType::Express),
                    tolerated_percent: f64::from(map.tolerated_failure_percentage.unwrap_or(0)),
                    results: self.templates(results.map(|writer| &writer.parameters))?,
                };
                Work::Distributed(compiled, distribution)
            }
        };
        let ends = Ends {
            selector: self.templates(map.result_selector.as_ref())?,
            result: place(map.result_path.as_ref())?,
            output: output(map.output_path.as_ref())?,
            retry: map.retry.clone(),
            catch: self.catchers(&map.catch)?,
            next: self.next(&map.transition)?,
        };
        Ok(Kind::Work(Box::new(work), Box::new(ends)))
    }

    fn catchers(&self, catch: &[Catch]) -> Result<Vec<Catcher>> {
        let catcher = |catch: &Catch| {
            Ok(Catcher {
                errors: catch.error_equals.clone(),
                place: match &catch.result_path {
                    None => Place::Whole,
                    Some(path) => place(Some(&Value::from(path.as_str())))?,
                },
                next: self.find(&catch.next)?,
            })
        };
        catch.iter().map(catcher).collect()
    }
}

fn place(path: Option<&Value>) -> Result<Place> {
    Ok(match path {
        None => Place::Whole,
        Some(Value::Null) => Place::Nowhere,
        Some(Value::String(path)) if path == "$" => Place::Whole,
        Some(Value::String(path)) => Place::At(Path::parse(path)?),
        Some(other) => return Err(InvalidMachine::new(format!("`{other}` is no path"))),
    })
}

fn output(path: Option<&Value>) -> Result<Output> {
    Ok(match path {
        None => Output::Whole,
        Some(Value::Null) => Output::Empty,
        Some(Value::String(path)) => Output::At(Path::parse(path)?, path.clone()),
        Some(other) => return Err(InvalidMachine::new(format!("`{other}` is no path"))),
    })
}

fn seconds(seconds: Option<u32>) -> Option<Duration> {
    seconds.map(|seconds| Duration::from_secs(seconds.into()))
}

impl Kind {
    /// Returns the events of entering and of leaving a state of this kind.
    pub(super) fn events(&self) -> (EventKind, EventKind) {
        match self {
            Self::Work(work, _) => match **work {
                Work::Task(_) => (EventKind::TaskStateEntered, EventKind::TaskStateExited),
                Work::Parallel(_) => (
                    EventKind::ParallelStateEntered,
                    EventKind::ParallelStateExited,
                ),
                Work::Inline(_) | Work::Distributed(..) => {
                    (EventKind::MapStateEntered, EventKind::MapStateExited)
                }
            },
            Self::Pass(_) => (EventKind::PassStateEntered, EventKind::PassStateExited),
            Self::Wait(..) => (EventKind::WaitStateEntered, EventKind::WaitStateExited),
            Self::Choice(..) => (EventKind::ChoiceStateEntered, EventKind::ChoiceStateExited),
            Self::Succeed(_) => (
                EventKind::SucceedStateEntered,
                EventKind::SucceedStateExited,
            ),
            // A state that fails is not left.
            Self::Fail(_) => (EventKind::FailStateEntered, EventKind::FailStateEntered),
        }
    }
}

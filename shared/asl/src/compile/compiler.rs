//! [`Compiler`]: what the parts of one machine share while it is made.

use std::collections::BTreeMap;

use precip_core::{
    graph::AssetGraph,
    machine::{Layout, LayoutStage, LayoutStep},
    spec::OpSpec,
};

use super::{
    CompileError, CompileOptions,
    name::{Names, title},
};
use crate::model::{State, StateName, States};

/// How a machine does its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the execution itself, whose document holds the items.
    Inline,
    /// In child executions, each with one row of a manifest in S3.
    Distributed,
}

/// Which states a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Those of every stage, with a task for each op, named after it.
    Named,
    /// Those of any stage, gone through again and again.
    Loop,
}

/// Makes one machine.
#[derive(Debug)]
pub(super) struct Compiler<'a> {
    pub(super) options: &'a CompileOptions,
    pub(super) layout: &'a Layout,
    pub(super) mode: Mode,
    pub(super) form: Form,
    ops: BTreeMap<&'a str, &'a OpSpec>,
    names: Names,
    /// The name of each step's task, by stage and step; none where tasks are not by step.
    tasks: Vec<Vec<StateName>>,
}

impl<'a> Compiler<'a> {
    /// Prepares a machine. `reserved` are the names that its own states must have: an op of the
    /// same name has to make way.
    pub(super) fn new(
        graph: &'a AssetGraph,
        layout: &'a Layout,
        options: &'a CompileOptions,
        (mode, form): (Mode, Form),
        reserved: &[&str],
    ) -> Result<Self, CompileError> {
        let ops = graph.ops().map(|(_, op)| (op.name.as_str(), op)).collect();
        let mut compiler = Self {
            options,
            layout,
            mode,
            form,
            ops,
            names: Names::default(),
            tasks: Vec::new(),
        };
        for name in reserved {
            compiler.name(name)?;
        }
        if form == Form::Loop {
            return Ok(compiler);
        }
        for stage in &layout.stages {
            let mut tasks = Vec::new();
            for step in &stage.steps {
                tasks.push(compiler.name(&title(compiler.op(step)?))?);
            }
            compiler.tasks.push(tasks);
        }
        Ok(compiler)
    }

    /// A name for a state.
    pub(super) fn name(&mut self, title: &str) -> Result<StateName, CompileError> {
        Ok(self.names.take(title)?)
    }

    /// The name of the task of a step.
    pub(super) fn task(&self, stage: usize, step: usize) -> &StateName {
        &self.tasks[stage][step]
    }

    /// The names of the tasks of a stage's steps.
    pub(super) fn tasks(&self, stage: usize) -> &[StateName] {
        &self.tasks[stage]
    }

    /// The op of a step.
    pub(super) fn op(&self, step: &LayoutStep) -> Result<&'a OpSpec, CompileError> {
        let unknown = || CompileError::UnknownOp {
            op: step.op.clone(),
        };
        self.ops.get(step.op.as_str()).copied().ok_or_else(unknown)
    }

    /// The op of a name.
    pub(super) fn op_named(&self, name: &str) -> Option<&'a OpSpec> {
        self.ops.get(name).copied()
    }

    /// A stage by its place.
    pub(super) fn stage(&self, place: usize) -> &'a LayoutStage {
        &self.layout.stages[place]
    }
}

/// States that hang together, and the first of them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) start: StateName,
    pub(super) states: States,
}

impl Part {
    /// One state.
    pub(super) fn new(name: StateName, state: State) -> Self {
        Self {
            start: name.clone(),
            states: States::from_iter([(name, state)]),
        }
    }
}

//! [`Compiler`]: the state shared by the parts of one machine while it is built.

use std::collections::BTreeMap;

use precip_core::{
    graph::AssetGraph,
    machine::{Layout, LayoutStage, LayoutStep},
    spec::OpSpec,
};

use super::{
    CompileError, CompileOptions,
    name::{NamePool, state_title},
};
use crate::model::{State, StateName, States};

/// The way a machine runs its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the execution itself, whose document holds the items.
    Inline,
    /// In child executions, each with one row of a manifest in S3.
    Distributed,
}

/// The kind of states that a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// States for every stage, with a task for each op, named after it.
    Named,
    /// One set of states, used for every stage in turn.
    Loop,
}

/// A builder of one machine.
#[derive(Debug)]
pub(super) struct Compiler<'a> {
    pub(super) options: &'a CompileOptions,
    pub(super) layout: &'a Layout,
    pub(super) mode: Mode,
    pub(super) form: Form,
    ops: BTreeMap<&'a str, &'a OpSpec>,
    names: NamePool,
    /// The name of each step's task, by stage and step; empty in the form of a loop.
    tasks: Vec<Vec<StateName>>,
}

impl<'a> Compiler<'a> {
    /// Prepares a machine. `reserved` are the fixed names of its own states: an op of the same name
    /// gets another.
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
            names: NamePool::default(),
            tasks: Vec::new(),
        };
        // Reserved names first, then tasks: both show in the console as they are, and everything
        // that is named later is numbered where it collides.
        for name in reserved {
            compiler.reserve_name(name)?;
        }
        // In a loop the tasks are named after kinds of steps, not after ops.
        if form == Form::Loop {
            return Ok(compiler);
        }
        for stage in &layout.stages {
            let mut tasks = Vec::new();
            for step in &stage.steps {
                tasks.push(compiler.reserve_name(&state_title(compiler.step_op(step)?))?);
            }
            compiler.tasks.push(tasks);
        }
        Ok(compiler)
    }

    /// Reserves a name for a state.
    pub(super) fn reserve_name(&mut self, title: &str) -> Result<StateName, CompileError> {
        Ok(self.names.reserve_name(title)?)
    }

    /// Returns the name of a step's task.
    pub(super) fn task_name(&self, stage: usize, step: usize) -> &StateName {
        &self.tasks[stage][step]
    }

    /// Returns the names of the tasks of a stage, one for each step.
    pub(super) fn task_names(&self, stage: usize) -> &[StateName] {
        &self.tasks[stage]
    }

    /// Returns the op of a step.
    pub(super) fn step_op(&self, step: &LayoutStep) -> Result<&'a OpSpec, CompileError> {
        let unknown = || CompileError::UnknownOp {
            op: step.op.clone(),
        };
        self.ops.get(step.op.as_str()).copied().ok_or_else(unknown)
    }

    /// Returns the op of a name.
    pub(super) fn op_named(&self, name: &str) -> Option<&'a OpSpec> {
        self.ops.get(name).copied()
    }

    /// Returns a stage by its index.
    pub(super) fn stage(&self, index: usize) -> &'a LayoutStage {
        &self.layout.stages[index]
    }
}

/// Connected states, and the first of them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) start: StateName,
    pub(super) states: States,
}

impl Part {
    /// Returns a part of one state.
    pub(super) fn new(name: StateName, state: State) -> Self {
        Self {
            start: name.clone(),
            states: States::from_iter([(name, state)]),
        }
    }
}

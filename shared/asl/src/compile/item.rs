//! What happens to one item of a stage.
//!
//! A step is one task, named after its op. Where a stage has several, a choice before each asks
//! whether the item (still) takes it. Whatever fails for good goes to the stage's one *record* task:
//! the planner writes the failure down and answers the item without what has been tried and without
//! what depends on the failure, and the item starts over with what is left of it.

use serde_json::{Value, json};

use super::{
    CompileError, call,
    compiler::{Compiler, Part},
    retry,
    substitution::{PLANNER, function_substitution},
};
use crate::model::{
    Catch, Choice, ChoiceRule, Comparison, STATES_ALL, State, StateName, States, Succeed, Task,
    Transition,
};

impl Compiler<'_> {
    /// The states for one item of a stage. They answer an empty object.
    pub(super) fn item(&mut self, place: usize) -> Result<Part, CompileError> {
        match self.stage(place).steps.len() {
            1 => self.one_step(place),
            _ => self.steps(place),
        }
    }

    fn one_step(&mut self, place: usize) -> Result<Part, CompileError> {
        let name = self.task(place, 0).clone();
        let record = self.name(&format!("{name} failed"))?;
        let task = self.step(place, 0, &record, Transition::END)?;
        let mut part = Part::new(name, State::Task(Box::new(task)));
        let mut recorder = self.record(place, Transition::END);
        recorder.output_path = Some(Value::Null);
        part.states.insert(record, State::Task(Box::new(recorder)));
        Ok(part)
    }

    fn steps(&mut self, place: usize) -> Result<Part, CompileError> {
        let stage = self.stage(place);
        let record = self.name(&format!("{} failed", stage.name))?;
        let done = self.name(&format!("{} done", stage.name))?;
        let tasks = self.tasks(place).to_vec();
        let mut choices = Vec::new();
        for task in &tasks {
            choices.push(self.name(&format!("if {task}"))?);
        }
        let mut states = States::new();
        for (step, data) in stage.steps.iter().enumerate() {
            let next = choices.get(step + 1).unwrap_or(&done);
            let taken = Comparison::is_present(&format!("$.item.steps.{}", data.name));
            let task = self.step(place, step, &record, Transition::to(next.clone()))?;
            let choice = Choice {
                comment: None,
                choices: vec![ChoiceRule {
                    condition: taken,
                    next: tasks[step].clone(),
                }],
                default: Some(next.clone()),
            };
            states.insert(choices[step].clone(), State::Choice(choice));
            states.insert(tasks[step].clone(), State::Task(Box::new(task)));
        }
        let start = choices[0].clone();
        let recorder = self.record(place, Transition::to(start.clone()));
        states.insert(record, State::Task(Box::new(recorder)));
        let end = Succeed {
            comment: None,
            output_path: Some(Value::Null),
        };
        states.insert(done, State::Succeed(end));
        Ok(Part { start, states })
    }

    /// The task of a step. What it answers is in the record, and goes nowhere from here.
    fn step(
        &self,
        place: usize,
        step: usize,
        record: &StateName,
        then: Transition,
    ) -> Result<Task, CompileError> {
        let stage = self.stage(place);
        let data = &stage.steps[step];
        let op = self.op(data)?;
        let payload = json!({
            "run.$": "$.run",
            "stage": stage.name,
            "step": data.name,
            "item.$": "$.item",
            "retry.$": "$$.State.RetryCount",
            "execution.$": "$$.Execution.Id",
            "redrive.$": "$.redrive",
        });
        let substitution = function_substitution(&op.compute);
        let mut task = call::function(&substitution, payload, op.compute.timeout_seconds());
        match then {
            Transition::End { .. } => task.output_path = Some(Value::Null),
            Transition::Next { .. } => task.result_path = Some(Value::Null),
        }
        task.retry = retry::of(op);
        task.catch = vec![Catch {
            error_equals: vec![STATES_ALL.to_owned()],
            result_path: Some(format!("$.failed.{}", data.name)),
            next: record.clone(),
        }];
        task.transition = then;
        Ok(task)
    }

    /// Writes down what failed.
    fn record(&self, place: usize, then: Transition) -> Task {
        let payload = json!({
            "do": "record",
            "run.$": "$.run",
            "stage": self.stage(place).name,
            "item.$": "$.item",
            "failed.$": "$.failed",
            "redrive.$": "$.redrive",
            "execution": call::execution(),
        });
        let mut task = call::function(PLANNER, payload, call::RECORD_SECONDS);
        task.output_path = Some(call::ANSWER.into());
        task.retry = retry::of_record();
        task.transition = then;
        task
    }
}

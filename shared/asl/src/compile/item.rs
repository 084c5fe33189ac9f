//! The states that one item of a stage goes through.
//!
//! A step is one task, named after its op. In a stage with several steps, a choice before each
//! checks whether the item still needs it. A step that fails for good leads to the stage's one
//! *record* task: the planner records the failure and answers the item without the steps that were
//! tried and those that depend on the failure, and the item starts over with the steps that are
//! left.

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
    /// Returns the states for one item of a stage. They answer an empty object.
    pub(super) fn item_states(&mut self, place: usize) -> Result<Part, CompileError> {
        match self.stage(place).steps.len() {
            1 => self.single_step_states(place),
            _ => self.several_step_states(place),
        }
    }

    fn single_step_states(&mut self, place: usize) -> Result<Part, CompileError> {
        let name = self.task_name(place, 0).clone();
        let record = self.reserve_name(&format!("{name} failed"))?;
        let task = self.step_task(place, 0, &record, Transition::END)?;
        let mut part = Part::new(name, State::Task(Box::new(task)));
        let mut recorder = self.record_task(place, Transition::END);
        recorder.output_path = Some(Value::Null);
        part.states.insert(record, State::Task(Box::new(recorder)));
        Ok(part)
    }

    fn several_step_states(&mut self, place: usize) -> Result<Part, CompileError> {
        let stage = self.stage(place);
        let record = self.reserve_name(&format!("{} failed", stage.name))?;
        let done = self.reserve_name(&format!("{} done", stage.name))?;
        let tasks = self.task_names(place).to_vec();
        let mut choices = Vec::new();
        for task in &tasks {
            choices.push(self.reserve_name(&format!("if {task}"))?);
        }
        let mut states = States::new();
        // Each choice leads to its task or past it, and each task to the next choice. The record
        // task leads back to the first choice, so that an item always passes through all of them.
        for (step, data) in stage.steps.iter().enumerate() {
            let next = choices.get(step + 1).unwrap_or(&done);
            let taken = Comparison::is_present(&format!("$.item.steps.{}", data.name));
            let task = self.step_task(place, step, &record, Transition::to(next.clone()))?;
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
        let recorder = self.record_task(place, Transition::to(start.clone()));
        states.insert(record, State::Task(Box::new(recorder)));
        let end = Succeed {
            comment: None,
            output_path: Some(Value::Null),
        };
        states.insert(done, State::Succeed(end));
        Ok(Part { start, states })
    }

    /// Returns the task of a step. Its result is recorded by the function, so the task answers
    /// nothing.
    fn step_task(
        &self,
        place: usize,
        step: usize,
        record: &StateName,
        then: Transition,
    ) -> Result<Task, CompileError> {
        let stage = self.stage(place);
        let data = &stage.steps[step];
        let op = self.step_op(data)?;
        let payload = json!({
            "run.$": "$.run",
            "stage": stage.name,
            "step": data.name,
            "item.$": "$.item",
            "retry.$": "$$.State.RetryCount",
        });
        let substitution = function_substitution(&op.compute);
        let mut task = call::function_call(&substitution, payload, op.compute.timeout_seconds());
        // Either way the answer is dropped: a last task answers nothing, any other passes on its
        // input.
        match then {
            Transition::End { .. } => task.output_path = Some(Value::Null),
            Transition::Next { .. } => task.result_path = Some(Value::Null),
        }
        task.retry = retry::op_retriers(op, self.patience(stage), stage.in_order || stage.batched);
        // The error is kept under the step's name, by which the planner knows what failed.
        task.catch = vec![Catch {
            error_equals: vec![STATES_ALL.to_owned()],
            result_path: Some(format!("$.failed.{}", data.name)),
            next: record.clone(),
        }];
        task.transition = then;
        Ok(task)
    }

    /// Returns the task that records a failed step.
    fn record_task(&self, place: usize, then: Transition) -> Task {
        let payload = json!({
            "do": "record",
            "run.$": "$.run",
            "stage": self.stage(place).name,
            "item.$": "$.item",
            "failed.$": "$.failed",
        });
        let mut task = call::function_call(PLANNER, payload, call::RECORD_SECONDS);
        task.output_path = Some(call::ANSWER.into());
        task.retry = retry::record_retriers();
        task.transition = then;
        task
    }
}

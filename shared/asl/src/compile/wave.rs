//! Waves: stages that run at the same time.

use serde_json::{Value, json};

use super::{
    CompileError, call,
    compiler::{Compiler, Form, Part},
};
use crate::model::{
    Choice, ChoiceRule, Comparison, Parallel, State, StateMachine, StateName, Succeed, Task,
    Transition,
};

/// The names of the states around the waves of both machines.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) next: StateName,
    pub(super) settle: StateName,
    pub(super) finish: StateName,
}

impl Frame {
    /// The fixed names of these states, which no other state of the machine may have.
    pub(super) const NAMES: [&'static str; 4] = ["Settle", "Finish", "Anything left", "Done"];

    /// Returns the names. `next` is the choice that every document goes to.
    pub(super) fn new(next: &str) -> Result<Self, CompileError> {
        Ok(Self {
            next: StateName::new(next)?,
            settle: StateName::new("Settle")?,
            finish: StateName::new("Finish")?,
        })
    }
}

impl Compiler<'_> {
    /// Returns all states from the first document to the end of the run, beginning with the choice
    /// of the wave.
    pub(super) fn all_wave_states(&mut self) -> Result<Part, CompileError> {
        let frame = Frame::new("Next wave")?;
        let count = self.layout.wave_count();
        // A placeholder keeps the choice at the front; it is replaced once all waves have their
        // names.
        let mut part = Part::new(frame.next.clone(), State::Succeed(Succeed::default()));
        let mut rules = Vec::new();
        for wave in 0..count {
            // After the last wave there is nothing to settle.
            let last = wave + 1 == count;
            let then = if last { &frame.finish } else { &frame.settle };
            let states = self.wave_states(wave, then)?;
            rules.push(ChoiceRule {
                condition: Comparison::number_equals("$.wave", wave.into()),
                next: states.start,
            });
            part.states.extend(states.states);
        }
        let choose = Choice {
            comment: Some("Goes to the wave that the planner has work for.".to_owned()),
            choices: rules,
            default: Some(frame.finish.clone()),
        };
        part.states
            .insert(frame.next.clone(), State::Choice(choose));
        // With a single wave there is nothing to plan between waves.
        if count > 1 {
            let settle = self.settle_task(&frame);
            part.states
                .insert(frame.settle.clone(), State::Task(Box::new(settle)));
        }
        self.add_finish_states(&frame, &mut part)?;
        Ok(part)
    }

    /// Returns the states of a wave: those of its only stage, or a parallel state with a branch for
    /// each.
    fn wave_states(&mut self, wave: u32, then: &StateName) -> Result<Part, CompileError> {
        // A copy of the reference, so that `self` is free for the names reserved below.
        let layout = self.layout;
        let places: Vec<usize> = layout
            .stages_of_wave(wave)
            .map(|(place, _)| place)
            .collect();
        // A single stage needs no parallel state around it.
        if let [only] = places[..] {
            return self.guarded_stage(only, then);
        }
        let mut branches = Vec::new();
        for place in places {
            branches.push(self.stage_branch(place)?);
        }
        let parallel = Parallel {
            comment: None,
            branches,
            result_path: Some(Value::Null),
            retry: Vec::new(),
            catch: Vec::new(),
            transition: Transition::to(then.clone()),
        };
        let name = self.reserve_name(&format!("wave {wave}"))?;
        Ok(Part::new(name, State::Parallel(parallel)))
    }

    /// Returns the states of a stage, behind a choice that skips it if the document does not hold
    /// it.
    fn guarded_stage(&mut self, place: usize, then: &StateName) -> Result<Part, CompileError> {
        let stage = &self.stage(place).name;
        // The document leaves out stages without work.
        let guard = self.reserve_name(&format!("any {stage}"))?;
        let states = self.stage_states(place, then)?;
        let choice = Choice {
            comment: None,
            choices: vec![ChoiceRule {
                condition: Comparison::is_present(&format!("$.stages.{stage}")),
                next: states.start,
            }],
            default: Some(then.clone()),
        };
        let mut part = Part::new(guard, State::Choice(choice));
        part.states.extend(states.states);
        Ok(part)
    }

    /// Returns a stage as a branch that runs in parallel with others. Its answer is dropped.
    fn stage_branch(&mut self, place: usize) -> Result<StateMachine, CompileError> {
        let stage = &self.stage(place).name;
        let end = self.reserve_name(&format!("after {stage}"))?;
        let mut part = self.guarded_stage(place, &end)?;
        let nothing = Succeed {
            comment: None,
            output_path: Some(Value::Null),
        };
        part.states.insert(end, State::Succeed(nothing));
        Ok(StateMachine {
            comment: None,
            query_language: None,
            start_at: part.start,
            timeout_seconds: None,
            states: part.states,
        })
    }

    /// Returns the task that asks the planner for the next wave that has work.
    pub(super) fn settle_task(&self, frame: &Frame) -> Task {
        let mut payload = self.planner_payload("settle", json!({"wave.$": "$.wave"}));
        if self.form == Form::Loop {
            call::merge_fields(&mut payload, json!({"stage.$": "$.stage.name"}));
        }
        let comment =
            "Drops everything that depends on a failure, and answers the next wave that has work.";
        let then = Transition::to(frame.next.clone());
        call::planner_call(self.options, comment, payload, then)
    }

    /// Adds the states that end the run, or continue with the work that is left of it.
    pub(super) fn add_finish_states(
        &self,
        frame: &Frame,
        part: &mut Part,
    ) -> Result<(), CompileError> {
        let payload = self.planner_payload("finish", json!({}));
        let comment = "Ends the run. It fails with Precip.RunFailed when something failed; redrive \
                       the execution to run only the work that is left.";
        // After a redrive the planner answers a document of the remaining work, and the waves start
        // again.
        let again = StateName::new("Anything left")?;
        let done = StateName::new("Done")?;
        let then = Transition::to(again.clone());
        let finish = call::planner_call(self.options, comment, payload, then);
        let decide = Choice {
            comment: None,
            choices: vec![ChoiceRule {
                condition: Comparison::all(vec![
                    Comparison::is_present("$.again"),
                    Comparison::boolean_equals("$.again", true),
                ]),
                next: frame.next.clone(),
            }],
            default: Some(done.clone()),
        };
        let states = &mut part.states;
        states.insert(frame.finish.clone(), State::Task(Box::new(finish)));
        states.insert(again, State::Choice(decide));
        states.insert(done, State::Succeed(Succeed::default()));
        Ok(())
    }
}

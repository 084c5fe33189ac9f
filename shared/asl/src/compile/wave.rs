//! Waves: stages that do not wait for each other.

use serde_json::{Value, json};

use super::{
    CompileError, call,
    compiler::{Compiler, Form, Part},
};
use crate::model::{
    Choice, ChoiceRule, Comparison, Parallel, State, StateMachine, StateName, Succeed, Task,
    Transition,
};

/// The states that the waves of both machines have around them.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) next: StateName,
    pub(super) settle: StateName,
    pub(super) finish: StateName,
}

impl Frame {
    /// Their names.
    pub(super) const NAMES: [&'static str; 4] = ["Settle", "Finish", "Anything left", "Done"];

    /// Their names, which no other state of the machine may have. The first is the choice that a
    /// document goes to.
    pub(super) fn new(next: &str) -> Result<Self, CompileError> {
        Ok(Self {
            next: StateName::new(next)?,
            settle: StateName::new("Settle")?,
            finish: StateName::new("Finish")?,
        })
    }
}

impl Compiler<'_> {
    /// Everything from a document on to the end of the run. It starts with the choice of the wave.
    pub(super) fn waves(&mut self) -> Result<Part, CompileError> {
        let frame = Frame::new("Next wave")?;
        let count = self.layout.waves();
        let mut part = Part::new(frame.next.clone(), State::Succeed(Succeed::default()));
        let mut rules = Vec::new();
        for wave in 0..count {
            // After the last wave there is nothing to settle.
            let last = wave + 1 == count;
            let then = if last { &frame.finish } else { &frame.settle };
            let states = self.wave(wave, then)?;
            rules.push(ChoiceRule {
                condition: Comparison::number_equals("$.wave", wave.into()),
                next: states.start,
            });
            part.states.extend(states.states);
        }
        let choose = Choice {
            comment: Some("Which wave the planner has work for.".to_owned()),
            choices: rules,
            default: Some(frame.finish.clone()),
        };
        part.states
            .insert(frame.next.clone(), State::Choice(choose));
        if count > 1 {
            let settle = self.settle(&frame);
            part.states
                .insert(frame.settle.clone(), State::Task(Box::new(settle)));
        }
        self.finish(&frame, &mut part)?;
        Ok(part)
    }

    fn wave(&mut self, wave: u32, then: &StateName) -> Result<Part, CompileError> {
        let layout = self.layout;
        let places: Vec<usize> = layout.wave(wave).map(|(place, _)| place).collect();
        if let [only] = places[..] {
            return self.guarded(only, then);
        }
        let mut branches = Vec::new();
        for place in places {
            branches.push(self.branch(place)?);
        }
        let parallel = Parallel {
            comment: None,
            branches,
            result_path: Some(Value::Null),
            retry: Vec::new(),
            catch: Vec::new(),
            transition: Transition::to(then.clone()),
        };
        let name = self.name(&format!("wave {wave}"))?;
        Ok(Part::new(name, State::Parallel(parallel)))
    }

    /// A stage, if the document has it.
    fn guarded(&mut self, place: usize, then: &StateName) -> Result<Part, CompileError> {
        let stage = &self.stage(place).name;
        let guard = self.name(&format!("any {stage}"))?;
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

    /// A stage that stands beside others. Its answer is thrown away.
    fn branch(&mut self, place: usize) -> Result<StateMachine, CompileError> {
        let stage = &self.stage(place).name;
        let end = self.name(&format!("after {stage}"))?;
        let mut part = self.guarded(place, &end)?;
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

    /// Looks at what failed, and goes on to what comes next.
    pub(super) fn settle(&self, frame: &Frame) -> Task {
        let mut payload = self.ask("settle", json!({"wave.$": "$.wave"}));
        if self.form == Form::Loop {
            call::merge(&mut payload, json!({"stage.$": "$.stage.name"}));
        }
        let comment = "Drops what depends on what failed, and answers the next wave that has work.";
        let then = Transition::to(frame.next.clone());
        call::planner(self.options, comment, payload, then)
    }

    /// Ends the run, or goes on with what is left of it.
    pub(super) fn finish(&self, frame: &Frame, part: &mut Part) -> Result<(), CompileError> {
        let payload = self.ask("finish", json!({}));
        let comment = "Ends the run. It fails with Precip.RunFailed when something failed; redrive \
                       the execution to do what is left, and only that.";
        let again = StateName::new("Anything left")?;
        let done = StateName::new("Done")?;
        let then = Transition::to(again.clone());
        let finish = call::planner(self.options, comment, payload, then);
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

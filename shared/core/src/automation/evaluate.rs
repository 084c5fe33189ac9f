//! One condition, evaluated for the asset that carries it.

use std::collections::BTreeMap;

use super::{
    EvaluationError, Explanation, Ordering,
    cursor::{AssetCursor, NodeId, NodeState},
    node::{Kind, Node, Target, Way},
    stamp::Stamped,
    tick::Tick,
};
use crate::{
    graph::{AssetGraph, AssetId},
    partitions::PartitionSet,
};

/// What a node was true of, and since when, as far as that is known.
pub(super) struct Outcome {
    pub(super) explanation: Explanation,
    /// With [`Ordering::Tick`], where Dagster knows of times at all; with [`Ordering::Sequence`], of
    /// the partitions that have any.
    pub(super) timing: Option<Stamped>,
}

impl Outcome {
    fn partitions(&self) -> &PartitionSet {
        &self.explanation.partitions
    }
}

/// Which moment of an update counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// When it landed: from then on others can be behind it.
    Landed,
    /// When its work began to read: it takes account of nothing later.
    Saw,
}

pub(super) struct Evaluator<'a> {
    pub(super) tick: &'a Tick<'a>,
    pub(super) root: AssetId,
    pub(super) previous: Option<&'a AssetCursor>,
    states: BTreeMap<NodeId, NodeState>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        tick: &'a Tick<'a>,
        root: AssetId,
        previous: Option<&'a AssetCursor>,
    ) -> Self {
        Self {
            tick,
            root,
            previous,
            states: BTreeMap::new(),
        }
    }

    pub(super) fn into_states(self) -> BTreeMap<NodeId, NodeState> {
        self.states
    }

    /// Evaluates the whole condition over all partitions.
    pub(super) fn root(&mut self, node: &Node) -> Result<Explanation, EvaluationError> {
        let all = self.tick.all(self.root);
        Ok(self.node(node, &all, Moment::Landed)?.explanation)
    }

    pub(super) fn graph(&self) -> &'a AssetGraph {
        self.tick.conditions.graph
    }

    pub(super) fn ordering(&self) -> Ordering {
        self.tick.conditions.ordering
    }

    fn node(
        &mut self,
        node: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<Outcome, EvaluationError> {
        let (partitions, timing, children) = match &node.kind {
            Kind::And(operands) => {
                let mut rest = candidates.clone();
                let mut outcomes = Vec::with_capacity(operands.len());
                for operand in operands {
                    let outcome = self.node(operand, &rest, moment)?;
                    rest &= outcome.partitions();
                    outcomes.push(outcome);
                }
                let timing = self.propagate(&outcomes, &rest);
                (rest, timing, explanations(outcomes))
            }
            Kind::Or(operands) => {
                let outcomes = self.each(operands, candidates, moment)?;
                let any = union(&outcomes);
                let timing = self.propagate(&outcomes, &any);
                (any, timing, explanations(outcomes))
            }
            Kind::Not(operand) => {
                let outcome = self.node(operand, candidates, moment)?;
                (
                    candidates - outcome.partitions(),
                    None,
                    vec![outcome.explanation],
                )
            }
            Kind::AnyOf(deps, children) => {
                let outcomes = self.each(children, candidates, moment)?;
                let any = &union(&outcomes) & candidates;
                let timing = match self.ordering() {
                    Ordering::Tick if *deps => merge(&outcomes),
                    _ => self.propagate(&outcomes, &any),
                };
                (any, timing, explanations(outcomes))
            }
            Kind::AllOf(children) => {
                let outcomes = self.each(children, candidates, moment)?;
                let mut all = candidates.clone();
                for outcome in &outcomes {
                    all &= outcome.partitions();
                }
                let timing = self.propagate(&outcomes, &all);
                (all, timing, explanations(outcomes))
            }
            Kind::Downstream(children) => {
                let outcomes = self.each(children, candidates, moment)?;
                let any = union(&outcomes);
                let timing = self.propagate(&outcomes, &any);
                (any, timing, explanations(outcomes))
            }
            Kind::DownstreamOf(child) => {
                let outcome = self.node(child, candidates, moment)?;
                let any = outcome.partitions().clone();
                let outcomes = vec![outcome];
                let timing = self.propagate(&outcomes, &any);
                (any, timing, explanations(outcomes))
            }
            Kind::Matches(way, child) => {
                self.matches(node.target, way, child, candidates, moment)?
            }
            Kind::Since(trigger, reset) => self.since(node, trigger, reset)?,
            Kind::NewlyTrue(child) => self.newly_true(node, child, candidates, moment)?,
            _ => {
                let (partitions, timing) = self.fact(node, candidates, moment);
                (partitions, timing, Vec::new())
            }
        };
        let explanation = Explanation {
            label: node.label.clone(),
            name: node.name.clone(),
            asset: self.graph().key(node.target.asset()).clone(),
            candidates: match node.kind {
                // It looks at all partitions, whatever is asked about.
                Kind::Since(..) => self.tick.all(node.target.asset()).len(),
                _ => candidates.len(),
            },
            partitions,
            children,
        };
        Ok(Outcome {
            explanation,
            timing,
        })
    }

    fn each(
        &mut self,
        nodes: &[Node],
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<Vec<Outcome>, EvaluationError> {
        nodes
            .iter()
            .map(|node| self.node(node, candidates, moment))
            .collect()
    }

    /// The moments at which an operator became true, from those of its parts: the latest. Dagster
    /// knows none here.
    fn propagate(&self, outcomes: &[Outcome], partitions: &PartitionSet) -> Option<Stamped> {
        match self.ordering() {
            Ordering::Tick => None,
            Ordering::Sequence => {
                let mut stamped = merge(outcomes)?;
                stamped.restrict(partitions);
                Some(stamped.latest_only())
            }
        }
    }

    fn matches(
        &mut self,
        target: Target,
        way: &Way,
        child: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<(PartitionSet, Option<Stamped>, Vec<Explanation>), EvaluationError> {
        let (here, there) = (target.asset(), child.target.asset());
        let asked = self.across(way, here, there, candidates)?;
        let outcome = self.node(child, &asked, moment)?;
        let partitions = self.back(way, here, there, outcome.partitions())?;
        let timing = match &outcome.timing {
            None => None,
            Some(timing) => Some(timing.map(|set| self.back(way, here, there, set))?),
        };
        Ok((partitions, timing, vec![outcome.explanation]))
    }

    fn since(
        &mut self,
        node: &Node,
        trigger: &Node,
        reset: &Node,
    ) -> Result<(PartitionSet, Option<Stamped>, Vec<Explanation>), EvaluationError> {
        // All partitions, whatever is asked about: no change may be missed.
        let all = self.tick.all(node.target.asset());
        let trigger = self.node(trigger, &all, Moment::Landed)?;
        let reset = self.node(reset, &all, Moment::Saw)?;
        let (mut untimed, mut timed) = match self.state(node) {
            Some(NodeState::Since { untimed, timed }) => (untimed.clone(), timed.clone()),
            _ => (PartitionSet::empty(), Stamped::default()),
        };
        let (partitions, timing) = match self.ordering() {
            Ordering::Tick => {
                untimed |= trigger.partitions();
                untimed -= reset.partitions();
                let mut both = trigger.timing.clone().unwrap_or_default();
                both.restrict(&(trigger.partitions() & reset.partitions()));
                if let Some(resets) = &reset.timing {
                    both.survive(resets);
                    untimed |= &both.partitions();
                }
                (untimed.clone(), trigger.timing.clone())
            }
            Ordering::Sequence => {
                let triggers = trigger.timing.clone().unwrap_or_default();
                let resets = reset.timing.clone().unwrap_or_default();
                untimed |= &(trigger.partitions() - &triggers.partitions());
                untimed -= reset.partitions();
                timed.extend(&triggers);
                timed = timed.latest_only();
                timed.survive(&resets);
                timed.restrict(&(&*all - &(reset.partitions() - &resets.partitions())));
                timed = timed.bounded();
                (&untimed | &timed.partitions(), Some(timed.clone()))
            }
        };
        self.states
            .insert(node.id, NodeState::Since { untimed, timed });
        Ok((
            partitions,
            timing,
            vec![trigger.explanation, reset.explanation],
        ))
    }

    fn newly_true(
        &mut self,
        node: &Node,
        child: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<(PartitionSet, Option<Stamped>, Vec<Explanation>), EvaluationError> {
        let all = self.tick.all(node.target.asset());
        let outcome = self.node(child, &all, moment)?;
        let mut partitions = outcome.partitions() & candidates;
        if let Some(NodeState::WasTrue(before)) = self.state(node) {
            partitions -= before;
        }
        self.states
            .insert(node.id, NodeState::WasTrue(outcome.partitions().clone()));
        let outcomes = vec![outcome];
        let timing = self.propagate(&outcomes, &partitions);
        Ok((partitions, timing, explanations(outcomes)))
    }

    /// What a node remembers, if the ordinals in it still mean what they did.
    pub(super) fn state(&self, node: &Node) -> Option<&'a NodeState> {
        let previous = self
            .previous
            .filter(|_| self.tick.same_shape(node.target.asset()))?;
        previous.nodes.get(&node.id)
    }

    pub(super) fn remember(&mut self, node: &Node, state: NodeState) {
        self.states.insert(node.id, state);
    }

    /// Partitions of the target here, as partitions of the target there.
    fn across(
        &self,
        way: &Way,
        here: AssetId,
        there: AssetId,
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        match way {
            Way::Same => Ok(partitions.clone()),
            Way::Up(mapping) => self.tick.up(self.root, mapping, here, there, partitions),
            Way::Down(mapping) => self.tick.down(self.root, mapping, here, there, partitions),
        }
    }

    /// Partitions of the target there, as partitions of the target here.
    fn back(
        &self,
        way: &Way,
        here: AssetId,
        there: AssetId,
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        match way {
            Way::Same => Ok(partitions.clone()),
            Way::Up(mapping) => self.tick.down(self.root, mapping, there, here, partitions),
            Way::Down(mapping) => self.tick.up(self.root, mapping, there, here, partitions),
        }
    }
}

fn union(outcomes: &[Outcome]) -> PartitionSet {
    let mut any = PartitionSet::empty();
    for outcome in outcomes {
        any |= outcome.partitions();
    }
    any
}

/// All moments of all parts; none where no part has any.
fn merge(outcomes: &[Outcome]) -> Option<Stamped> {
    let mut merged: Option<Stamped> = None;
    for timing in outcomes
        .iter()
        .filter_map(|outcome| outcome.timing.as_ref())
    {
        merged.get_or_insert_default().extend(timing);
    }
    merged
}

fn explanations(outcomes: Vec<Outcome>) -> Vec<Explanation> {
    outcomes
        .into_iter()
        .map(|outcome| outcome.explanation)
        .collect()
}

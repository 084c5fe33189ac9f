//! [`Evaluator`]: evaluating one condition for the asset that carries it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    EvaluationError, Explanation, Ordering,
    cursor::{AssetCursor, NodeId, NodeState},
    node::{Correspondence, Kind, Node, Target},
    stamp::Stamped,
    tick::Tick,
};
use crate::{
    graph::{AssetGraph, AssetId},
    partitions::PartitionSet,
};

/// The time by which a clock may be put back without ticks of a schedule being counted again.
const PUT_BACK: TimeDelta = TimeDelta::days(1);

/// The partitions that a node was true of, with the moments at which it became true, where known.
pub(super) struct Outcome {
    pub(super) explanation: Explanation,
    /// The moments: with [`Ordering::Tick`] only where Dagster has times; with
    /// [`Ordering::Sequence`] for all partitions that have one.
    pub(super) timing: Option<Stamped>,
}

impl Outcome {
    fn partitions(&self) -> &PartitionSet {
        &self.explanation.partitions
    }
}

/// The moment of an update that counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The time at which it landed: from then on, downstream partitions are behind it.
    Landed,
    /// The time at which its work began to read: it includes nothing later.
    Saw,
}

/// The evaluation of one condition in one tick.
pub(super) struct Evaluator<'a> {
    pub(super) tick: &'a Tick<'a>,
    /// The asset that carries the condition.
    pub(super) root: AssetId,
    /// The asset's cursor of the tick before; `None` in its first evaluation.
    pub(super) previous: Option<&'a AssetCursor>,
    /// Partitions that count as latest because they waited for upstream partitions.
    pub(super) waiting: &'a PartitionSet,
    /// The states of nodes to store.
    states: BTreeMap<NodeId, NodeState>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        tick: &'a Tick<'a>,
        root: AssetId,
        previous: Option<&'a AssetCursor>,
        waiting: &'a PartitionSet,
    ) -> Self {
        Self {
            tick,
            root,
            previous,
            waiting,
            states: BTreeMap::new(),
        }
    }

    pub(super) fn into_states(self) -> BTreeMap<NodeId, NodeState> {
        self.states
    }

    /// Evaluates the whole condition over all partitions.
    pub(super) fn evaluate_root(&mut self, node: &Node) -> Result<Explanation, EvaluationError> {
        let all = self.tick.all(self.root);
        Ok(self.evaluate_node(node, &all, Moment::Landed)?.explanation)
    }

    pub(super) fn graph(&self) -> &'a AssetGraph {
        self.tick.conditions.graph
    }

    pub(super) fn ordering(&self) -> Ordering {
        self.tick.conditions.ordering
    }

    /// Returns the time of this evaluation: not before the last one, even where the clock was put back
    /// or another machine evaluates, so that no tick of a schedule counts twice. A clock that is more
    /// than a day behind was set on purpose; schedules follow it.
    pub(super) fn evaluated_at(&self) -> DateTime<Utc> {
        let now = self.tick.context.now;
        match (self.ordering(), self.previous) {
            (Ordering::Sequence, Some(previous)) if previous.evaluated_at - now <= PUT_BACK => {
                now.max(previous.evaluated_at)
            }
            _ => now,
        }
    }

    /// Evaluates a node over some partitions.
    fn evaluate_node(
        &mut self,
        node: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<Outcome, EvaluationError> {
        let (partitions, timing, children) = match &node.kind {
            // Each operand is asked only about the partitions that the ones before left.
            Kind::And(operands) => {
                let mut rest = candidates.clone();
                let mut outcomes = Vec::with_capacity(operands.len());
                for operand in operands {
                    let outcome = self.evaluate_node(operand, &rest, moment)?;
                    rest &= outcome.partitions();
                    outcomes.push(outcome);
                }
                let timing = self.latest_moments(&outcomes, &rest);
                (rest, timing, into_explanations(outcomes))
            }
            Kind::Or(operands) => {
                let outcomes = self.evaluate_each(operands, candidates, moment)?;
                let any = union_of(&outcomes);
                let timing = self.latest_moments(&outcomes, &any);
                (any, timing, into_explanations(outcomes))
            }
            Kind::Not(operand) => {
                let outcome = self.evaluate_node(operand, candidates, moment)?;
                (
                    candidates - outcome.partitions(),
                    None,
                    vec![outcome.explanation],
                )
            }
            Kind::AnyOf(deps, children) => {
                let outcomes = self.evaluate_each(children, candidates, moment)?;
                let any = &union_of(&outcomes) & candidates;
                // Dagster keeps times through operators over dependencies, but not over checks.
                let timing = match self.ordering() {
                    Ordering::Tick if *deps => merge_moments(&outcomes),
                    _ => self.latest_moments(&outcomes, &any),
                };
                (any, timing, into_explanations(outcomes))
            }
            Kind::AllOf(children) => {
                let outcomes = self.evaluate_each(children, candidates, moment)?;
                let mut all = candidates.clone();
                for outcome in &outcomes {
                    all &= outcome.partitions();
                }
                let timing = self.latest_moments(&outcomes, &all);
                (all, timing, into_explanations(outcomes))
            }
            Kind::Downstream(children) => {
                let outcomes = self.evaluate_each(children, candidates, moment)?;
                let any = union_of(&outcomes);
                let timing = self.latest_moments(&outcomes, &any);
                (any, timing, into_explanations(outcomes))
            }
            Kind::DownstreamOf(child) => {
                let outcome = self.evaluate_node(child, candidates, moment)?;
                let any = outcome.partitions().clone();
                let outcomes = vec![outcome];
                let timing = self.latest_moments(&outcomes, &any);
                (any, timing, into_explanations(outcomes))
            }
            Kind::Matches(correspondence, child) => {
                self.evaluate_match(node.target, correspondence, child, candidates, moment)?
            }
            Kind::Since(trigger, reset) => self.evaluate_since(node, trigger, reset)?,
            Kind::NewlyTrue(child) => self.newly_true(node, child, candidates, moment)?,
            _ => {
                let (partitions, timing) = self.evaluate_fact(node, candidates, moment);
                (partitions, timing, Vec::new())
            }
        };
        let explanation = Explanation {
            label: node.label.clone(),
            name: node.name.clone(),
            asset: self.graph().key(node.target.asset()).clone(),
            candidates: match node.kind {
                // `since` always evaluates all partitions.
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

    /// Evaluates several nodes over the same partitions.
    fn evaluate_each(
        &mut self,
        nodes: &[Node],
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<Vec<Outcome>, EvaluationError> {
        nodes
            .iter()
            .map(|node| self.evaluate_node(node, candidates, moment))
            .collect()
    }

    /// Returns the moments at which an operator became true: the latest of its operands. Dagster
    /// has none here.
    fn latest_moments(&self, outcomes: &[Outcome], partitions: &PartitionSet) -> Option<Stamped> {
        match self.ordering() {
            Ordering::Tick => None,
            Ordering::Sequence => {
                let mut stamped = merge_moments(outcomes)?;
                stamped.restrict_to(partitions);
                Some(stamped.latest_only())
            }
        }
    }

    /// Evaluates a node of another target and maps the result back.
    fn evaluate_match(
        &mut self,
        target: Target,
        correspondence: &Correspondence,
        child: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<(PartitionSet, Option<Stamped>, Vec<Explanation>), EvaluationError> {
        // The candidates go to the other target, and its result and moments come back.
        let (here, there) = (target.asset(), child.target.asset());
        let asked = self.map_to_operand(correspondence, here, there, candidates)?;
        let outcome = self.evaluate_node(child, &asked, moment)?;
        let mut partitions =
            self.map_from_operand(correspondence, here, there, outcome.partitions())?;
        // An upstream partition that does not exist has no ordinal to evaluate, so its answer is
        // added here: it is missing, and no other fact is true of it.
        if self.ordering() == Ordering::Sequence
            && matches!(correspondence, Correspondence::Up(_))
            && is_true_of_nonexistent(child)
        {
            partitions |= &self
                .tick
                .without_upstream_of(self.root, (here, there), candidates)?;
        }
        let timing = match &outcome.timing {
            None => None,
            Some(timing) => {
                Some(timing.map(|set| self.map_from_operand(correspondence, here, there, set))?)
            }
        };
        Ok((partitions, timing, vec![outcome.explanation]))
    }

    /// Evaluates `since(trigger, reset)` and updates its state.
    fn evaluate_since(
        &mut self,
        node: &Node,
        trigger: &Node,
        reset: &Node,
    ) -> Result<(PartitionSet, Option<Stamped>, Vec<Explanation>), EvaluationError> {
        // All partitions, not only the candidates: the state must not miss a change.
        let all = self.tick.all(node.target.asset());
        let triggered = self.evaluate_node(trigger, &all, Moment::Landed)?;
        let resets = self.evaluate_node(reset, &all, Moment::Saw)?;
        let (mut untimed, mut timed) = match self.node_state(node) {
            Some(NodeState::Since { untimed, timed }) => (untimed.clone(), timed.clone()),
            _ => (PartitionSet::empty(), Stamped::default()),
        };
        if let Some(previous) = self.previous {
            // What an earlier tick has seen happened before that tick, by whatever clock.
            timed.not_after(previous.evaluated_at);
        }
        let (partitions, timing) = match self.ordering() {
            Ordering::Tick => {
                // The reset wins, except over a trigger that is known to be later.
                untimed |= triggered.partitions();
                untimed -= resets.partitions();
                let mut both = triggered.timing.clone().unwrap_or_default();
                both.restrict_to(&(triggered.partitions() & resets.partitions()));
                if let Some(reset_moments) = &resets.timing {
                    both.remove_reset(reset_moments);
                    untimed |= &both.partitions();
                }
                (untimed.clone(), triggered.timing.clone())
            }
            Ordering::Sequence => {
                // A trigger holds if it is later than every reset of its partition. A trigger or
                // reset without a moment cannot be compared: then the reset wins.
                let trigger_moments = triggered.timing.clone().unwrap_or_default();
                let reset_moments = resets.timing.clone().unwrap_or_default();
                untimed |= &(triggered.partitions() - &trigger_moments.partitions());
                untimed -= resets.partitions();
                timed.extend(&trigger_moments);
                timed = timed.latest_only();
                timed.remove_reset(&reset_moments);
                let mut kept = self
                    .tick
                    .windows_beyond(node.target.asset(), &timed.partitions());
                kept |= &all;
                timed.restrict_to(&(&kept - &(resets.partitions() - &reset_moments.partitions())));
                timed = timed.merge_surplus();
                let since = &untimed | &timed.partitions();
                (&since & &all, Some(timed.clone()))
            }
        };
        self.states
            .insert(node.id, NodeState::Since { untimed, timed });
        Ok((
            partitions,
            timing,
            vec![triggered.explanation, resets.explanation],
        ))
    }

    /// Evaluates `newly_true(child)` and updates its state.
    fn newly_true(
        &mut self,
        node: &Node,
        child: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Result<(PartitionSet, Option<Stamped>, Vec<Explanation>), EvaluationError> {
        let all = self.tick.all(node.target.asset());
        let outcome = self.evaluate_node(child, &all, moment)?;
        // The state covers all partitions, so that one outside the candidates is not new later.
        let mut partitions = outcome.partitions() & candidates;
        if let Some(NodeState::WasTrue(before)) = self.node_state(node) {
            partitions -= before;
        }
        let mut was_true = outcome.partitions().clone();
        if let Some(NodeState::WasTrue(before)) = self.node_state(node) {
            was_true |= &self.tick.windows_beyond(node.target.asset(), before);
        }
        self.states.insert(node.id, NodeState::WasTrue(was_true));
        let outcomes = vec![outcome];
        let timing = self.latest_moments(&outcomes, &partitions);
        Ok((partitions, timing, into_explanations(outcomes)))
    }

    /// Returns the state of a node, if its ordinals still mean the same keys.
    pub(super) fn node_state(&self, node: &Node) -> Option<&'a NodeState> {
        let previous = self
            .previous
            .filter(|_| self.tick.same_shape(node.target.asset()))?;
        previous.nodes.get(&node.id)
    }

    /// Stores the state of a node for the next tick.
    pub(super) fn store_state(&mut self, node: &Node, state: NodeState) {
        self.states.insert(node.id, state);
    }

    /// Translates partitions of the node's target into those of its operand's target.
    fn map_to_operand(
        &self,
        correspondence: &Correspondence,
        here: AssetId,
        there: AssetId,
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        match correspondence {
            Correspondence::Same => Ok(partitions.clone()),
            Correspondence::Up(mapping) => self
                .tick
                .map_upstream(self.root, mapping, here, there, partitions),
            Correspondence::Down(mapping) => self
                .tick
                .map_downstream(self.root, mapping, here, there, partitions),
        }
    }

    /// Translates partitions of the operand's target back into those of the node's target.
    fn map_from_operand(
        &self,
        correspondence: &Correspondence,
        here: AssetId,
        there: AssetId,
        partitions: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        match correspondence {
            Correspondence::Same => Ok(partitions.clone()),
            Correspondence::Up(mapping) => self
                .tick
                .map_downstream(self.root, mapping, there, here, partitions),
            Correspondence::Down(mapping) => self
                .tick
                .map_upstream(self.root, mapping, there, here, partitions),
        }
    }
}

/// Returns `true` if a condition is true of a partition that does not exist: it is missing, and no
/// other fact is true of it.
fn is_true_of_nonexistent(node: &Node) -> bool {
    match &node.kind {
        Kind::Missing => true,
        Kind::Not(operand) => !is_true_of_nonexistent(operand),
        Kind::And(operands) => operands.iter().all(is_true_of_nonexistent),
        Kind::Or(operands) => operands.iter().any(is_true_of_nonexistent),
        _ => false,
    }
}

/// Returns the partitions of any outcome.
fn union_of(outcomes: &[Outcome]) -> PartitionSet {
    let mut any = PartitionSet::empty();
    for outcome in outcomes {
        any |= outcome.partitions();
    }
    any
}

/// Returns all moments of all outcomes; `None` where no outcome has any.
fn merge_moments(outcomes: &[Outcome]) -> Option<Stamped> {
    let mut merged: Option<Stamped> = None;
    for timing in outcomes
        .iter()
        .filter_map(|outcome| outcome.timing.as_ref())
    {
        merged.get_or_insert_default().extend(timing);
    }
    merged
}

fn into_explanations(outcomes: Vec<Outcome>) -> Vec<Explanation> {
    outcomes
        .into_iter()
        .map(|outcome| outcome.explanation)
        .collect()
}

//! The mapping between time windows, run by run.
//!
//! The rule is Dagster's: a run of windows is one span of time, its ends are shifted, then moved
//! outward to the windows of the other side, then cut to those that exist.

#[cfg(test)]
mod tests;

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::{
    InvalidMapping, PartitionMapping, UpstreamPartitions,
    error::kind,
    lattice::{Lattice, Span},
};
use crate::partitions::{
    PartitionContext, PartitionSet, PartitionsDefinition, TimeWindow, TimeWindowPartitions,
};

type Sides<'d> = (&'d TimeWindowPartitions, &'d TimeWindowPartitions);

/// Upstream and downstream as time windows that can be mapped.
pub(super) fn sides<'d>(
    upstream: &'d PartitionsDefinition,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<Sides<'d>, InvalidMapping> {
    let (
        PartitionsDefinition::TimeWindow(upstream),
        Some(PartitionsDefinition::TimeWindow(downstream)),
    ) = (upstream, downstream)
    else {
        return Err(InvalidMapping::because(format!(
            "a mapping of time windows needs time windows on both sides, but the upstream is {} and \
             the downstream {}: write another mapping, such as `all` or `last`",
            kind(Some(upstream)),
            kind(downstream)
        )));
    };
    let (up, down) = (upstream.timezone(), downstream.timezone());
    if up == down {
        return Ok((upstream, downstream));
    }
    Err(InvalidMapping::because(format!(
        "time windows are mapped within one time zone, but the upstream is in {up} and the \
         downstream in {down}: give both the same time zone"
    )))
}

pub(super) fn to_upstream(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let (upstream, downstream) = sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Up, downstream, upstream, context);
    Ok(mapper.map(downstream_set).finish(mapper.to))
}

pub(super) fn to_downstream(
    mapping: &PartitionMapping,
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let (upstream, downstream) = sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Down, upstream, downstream, context);
    Ok(mapper.map(upstream_set).existing)
}

/// As [`to_upstream`], each window by itself: neighbours are not one run.
pub(super) fn to_upstream_one_by_one(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let (upstream, downstream) = some_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Up, downstream, upstream, context);
    Ok(mapper.map_one_by_one(downstream_set).finish(mapper.to))
}

/// As [`to_downstream`], each window by itself: neighbours are not one run.
pub(super) fn to_downstream_one_by_one(
    mapping: &PartitionMapping,
    upstream_set: &PartitionSet,
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let (upstream, downstream) = some_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Down, upstream, downstream, context);
    Ok(mapper.map_one_by_one(upstream_set).existing)
}

fn some_sides<'d>(
    upstream: Option<&'d PartitionsDefinition>,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<Sides<'d>, InvalidMapping> {
    match upstream {
        Some(upstream) => sides(upstream, downstream),
        None => Err(InvalidMapping::because(
            "a mapping of time windows needs an upstream of time windows: leave the mapping out",
        )),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From downstream windows to upstream windows.
    Up,
    /// From upstream windows to downstream windows.
    Down,
}

/// What has been mapped so far.
#[derive(Default)]
struct Mapped {
    existing: PartitionSet,
    /// Where windows are needed that the target does not hold.
    nonexistent: Vec<Span>,
}

impl Mapped {
    fn finish(self, upstream: Lattice<'_>) -> UpstreamPartitions {
        let missing = self.nonexistent.into_iter();
        let keys = missing
            .flat_map(|span| upstream.keys_beginning_in(span))
            .collect();
        UpstreamPartitions::new(self.existing, keys)
    }
}

struct Mapper<'d> {
    from: Lattice<'d>,
    to: Lattice<'d>,
    direction: Direction,
    start_offset: i64,
    end_offset: i64,
    lenient: bool,
    /// The first and the last window of the target that exist.
    bounds: Option<(TimeWindow, TimeWindow)>,
    /// Whether every boundary of the source is one of the target.
    aligned: bool,
    /// How many windows exist, where both sides are one definition whose ordinals count what is
    /// shifted by.
    shared: Option<u64>,
}

impl<'d> Mapper<'d> {
    fn new(
        mapping: &PartitionMapping,
        direction: Direction,
        from: &'d TimeWindowPartitions,
        to: &'d TimeWindowPartitions,
        context: &PartitionContext,
    ) -> Self {
        let (start_offset, end_offset, lenient) = match mapping {
            PartitionMapping::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            } => (
                *start_offset,
                *end_offset,
                *allow_nonexistent_upstream_partitions,
            ),
            _ => (0, 0, false),
        };
        let bounds = to
            .first_window(context.now)
            .zip(to.last_window(context.now));
        let (from, to) = (Lattice(from), Lattice(to));
        // Shifted hours are hours that pass, not windows.
        let counts = from.0.exclusions().is_empty() && !from.0.cron_expression().every_hour();
        let shared = (counts && from.0 == to.0).then(|| to.0.count(context.now));
        let aligned = from.has_schedule_of(to) || (from.is_basic_daily() && to.is_basic_hourly());
        Self {
            from,
            to,
            direction,
            start_offset,
            end_offset,
            lenient,
            bounds,
            aligned,
            shared,
        }
    }

    fn is_plain(&self) -> bool {
        self.start_offset == 0 && self.end_offset == 0
    }

    fn map(&self, set: &PartitionSet) -> Mapped {
        if set.is_empty() || (self.is_plain() && self.from.0 == self.to.0) {
            return Mapped {
                existing: set.clone(),
                nonexistent: Vec::new(),
            };
        }
        let mut mapped = Mapped::default();
        if let Some(before) = self.all_before_the_start(set) {
            mapped.nonexistent = before;
            return mapped;
        }
        let mut covered = DateTime::<Utc>::MIN_UTC;
        for run in set.ranges() {
            if let Some(shifted) = self.shifted_in_place(&run) {
                mapped.existing.insert_range(shifted);
                continue;
            }
            if self.can_overlap() {
                match self.from.span(run.clone()) {
                    // What is covered holds everything from an earlier run on.
                    Some(span) if span.end <= covered => continue,
                    Some(span) if self.is_within_bounds(&span) => {
                        let overlapping = self.to.0.overlapping(span);
                        let last = overlapping.last().and_then(|last| self.to.0.window(last));
                        covered = last.map_or(covered, |last| last.end);
                        mapped.existing |= &overlapping;
                        continue;
                    }
                    _ => {}
                }
            }
            if let Some(span) = self.target_span(run) {
                self.cut(span, &mut mapped);
            }
        }
        mapped
    }

    /// Whether a span within what exists of the target is mapped to the windows that overlap it, and
    /// to nothing else. Around windows that are excluded it is not; nor are hours, where the clock
    /// is put back by half of one.
    fn can_overlap(&self) -> bool {
        self.is_plain()
            && !self.aligned
            && self.to.0.exclusions().is_empty()
            && !self.to.0.cron_expression().every_hour()
    }

    fn is_within_bounds(&self, span: &Span) -> bool {
        self.bounds
            .is_some_and(|(first, last)| first.start <= span.start && span.end <= last.end)
    }

    /// Each window by itself; but where a whole run has windows on all sides of what it maps to, no
    /// end of it is treated otherwise, and the run gives the same answer at once.
    fn map_one_by_one(&self, set: &PartitionSet) -> Mapped {
        if set.is_empty() || (self.is_plain() && self.from.0 == self.to.0) {
            return Mapped {
                existing: set.clone(),
                nonexistent: Vec::new(),
            };
        }
        let mut mapped = Mapped::default();
        let mut runs: Vec<Range<u64>> = set.ranges().collect();
        while let Some(run) = runs.pop() {
            if run.end - run.start == 1 {
                let one = self.map(&PartitionSet::from(run));
                mapped.existing |= &one.existing;
                mapped.nonexistent.extend(one.nonexistent);
                continue;
            }
            match self.inner_span(run.clone()) {
                Some(span) => self.cut(span, &mut mapped),
                None => {
                    let middle = run.start + (run.end - run.start) / 2;
                    runs.extend([run.start..middle, middle..run.end]);
                }
            }
        }
        mapped
    }

    fn inner_span(&self, run: Range<u64>) -> Option<Span> {
        // A run of windows with excluded ones among them covers their time too.
        if self.start_offset > self.end_offset || !self.from.0.exclusions().is_empty() {
            return None;
        }
        let span = self.target_span(run)?;
        let (first, last) = self.bounds?;
        (span.start > first.start && span.end < last.end).then_some(span)
    }

    /// The span of target windows that a run of the source is mapped to, unless it is empty.
    fn target_span(&self, run: Range<u64>) -> Option<Span> {
        let shifted = match self.direction {
            Direction::Up => self.shifted_run(run)?,
            Direction::Down => self.from.span(run)?,
        };
        let outward = if self.aligned {
            shifted
        } else {
            self.to.outward(shifted)?
        };
        let target = match self.direction {
            Direction::Up => outward,
            Direction::Down => {
                self.shift(self.to, outward.start, -self.end_offset)?
                    ..self.shift(self.to, outward.end, -self.start_offset)?
            }
        };
        (target.start < target.end).then_some(target)
    }

    /// The ordinals that a run is shifted to where both sides are one definition, all of them exist
    /// and none is excluded.
    fn shifted_in_place(&self, run: &Range<u64>) -> Option<Range<u64>> {
        let (first, last) = match self.direction {
            Direction::Up => (self.start_offset, self.end_offset),
            Direction::Down => (
                self.end_offset.checked_neg()?,
                self.start_offset.checked_neg()?,
            ),
        };
        let first = run.start.checked_add_signed(first)?;
        let end = run.end.checked_add_signed(last)?;
        (first < end && end <= self.shared?).then_some(first..end)
    }

    /// The span of a run of the source, both ends shifted.
    fn shifted_run(&self, run: Range<u64>) -> Option<Span> {
        if let Some(span) = self.shifted_by_ordinals(&run) {
            return Some(span);
        }
        let span = self.from.span(run)?;
        Some(
            self.shift(self.from, span.start, self.start_offset)?
                ..self.shift(self.from, span.end, self.end_offset)?,
        )
    }

    /// The same where ordinals count the windows that are shifted by: none is excluded, and none
    /// before the definition's start is needed. Finds a window much faster than its schedule does.
    fn shifted_by_ordinals(&self, run: &Range<u64>) -> Option<Span> {
        if !self.from.0.exclusions().is_empty() || self.from.0.cron_expression().every_hour() {
            return None;
        }
        let first = run.start.checked_add_signed(self.start_offset)?;
        let last = run
            .end
            .checked_sub(1)?
            .checked_add_signed(self.end_offset)?;
        let (first, last) = (self.from.0.window(first)?, self.from.0.window(last)?);
        Some(self.bounded(first.start, self.start_offset)..self.bounded(last.end, self.end_offset))
    }

    /// A boundary moved by whole windows, but not out of what exists of the target.
    fn shift(&self, row: Lattice<'_>, moment: DateTime<Utc>, by: i64) -> Option<DateTime<Utc>> {
        Some(self.bounded(row.shift(moment, by)?, by))
    }

    fn bounded(&self, shifted: DateTime<Utc>, by: i64) -> DateTime<Utc> {
        match self.bounds {
            Some((first, _)) if by < 0 => shifted.max(first.start),
            Some((_, last)) if by > 0 => shifted.min(last.end),
            _ => shifted,
        }
    }

    /// Adds the part of a span that exists, and the part that does not.
    fn cut(&self, span: Span, mapped: &mut Mapped) {
        let Some((first, last)) = self.bounds else {
            self.miss(span, mapped);
            return;
        };
        if span.start <= last.start && span.end >= first.end {
            let existing = span.start.max(first.start)..span.end.min(last.end);
            mapped
                .existing
                .insert_range(self.to.ordinals_beginning_in(existing));
        }
        match (span.start < first.start, span.end > last.end) {
            (false, false) => {}
            // Dagster names the whole span here, with what exists in the middle of it.
            (true, true) => self.miss(span, mapped),
            (true, false) => self.miss(span.start..span.end.min(first.start), mapped),
            (false, true) => self.miss(span.start.max(last.end)..span.end, mapped),
        }
    }

    fn miss(&self, span: Span, mapped: &mut Mapped) {
        if !self.lenient && self.direction == Direction::Up {
            mapped.nonexistent.push(span);
        }
    }

    /// Where the whole set ends before the target's start, nothing exists, and what is missing are
    /// the target windows that begin in it (not those that overlap it): Dagster answers this case
    /// without looking at where windows lie.
    fn all_before_the_start(&self, set: &PartitionSet) -> Option<Vec<Span>> {
        if !self.is_plain() {
            return None;
        }
        let last = set.last()?;
        if self.from.span(last..last + 1)?.end > self.to.0.start() {
            return None;
        }
        if self.lenient || self.direction == Direction::Down {
            return Some(Vec::new());
        }
        Some(set.ranges().filter_map(|run| self.from.span(run)).collect())
    }
}

//! The mapping between time windows, run by run.
//!
//! The rule is Dagster's: a run of windows is one span of time; its ends are shifted, then widened
//! to windows of the other side, then clamped to the existing ones.

#[cfg(test)]
mod tests;

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::{
    InvalidMapping, PartitionMapping, UpstreamPartitions,
    error::describe_definition,
    lattice::{Lattice, Span},
};
use crate::partitions::{
    PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition, TimeWindow,
    TimeWindowPartitions,
};

/// Upstream and downstream.
type Sides<'d> = (&'d TimeWindowPartitions, &'d TimeWindowPartitions);

/// Returns upstream and downstream as time windows of one time zone.
pub(super) fn time_window_sides<'d>(
    upstream: &'d PartitionsDefinition,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<Sides<'d>, InvalidMapping> {
    let (
        PartitionsDefinition::TimeWindow(upstream),
        Some(PartitionsDefinition::TimeWindow(downstream)),
    ) = (upstream, downstream)
    else {
        return Err(InvalidMapping::with_reason(format!(
            "a mapping of time windows needs time windows on both sides, but the upstream is {} and \
             the downstream {}: write another mapping, such as `all` or `last`",
            describe_definition(Some(upstream)),
            describe_definition(downstream)
        )));
    };
    let (up, down) = (upstream.timezone(), downstream.timezone());
    if up == down {
        return Ok((upstream, downstream));
    }
    Err(InvalidMapping::with_reason(format!(
        "time windows are mapped within one time zone, but the upstream is in {up} and the \
         downstream in {down}: give both the same time zone"
    )))
}

/// Maps downstream windows to upstream windows.
pub(super) fn to_upstream(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let (upstream, downstream) = time_window_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Up, downstream, upstream, context);
    Ok(mapper.map_set(downstream_set).into_upstream(mapper.to))
}

/// Maps upstream windows to downstream windows.
pub(super) fn to_downstream(
    mapping: &PartitionMapping,
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let (upstream, downstream) = time_window_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Down, upstream, downstream, context);
    Ok(mapper.map_set(upstream_set).existing)
}

/// Maps downstream windows to upstream windows, each by itself: adjacent windows are not one run.
pub(super) fn to_upstream_one_by_one(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let (upstream, downstream) = require_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Up, downstream, upstream, context);
    Ok(mapper
        .map_one_by_one(downstream_set)
        .into_upstream(mapper.to))
}

/// Maps upstream windows to downstream windows, each by itself: adjacent windows are not one run.
pub(super) fn to_downstream_one_by_one(
    mapping: &PartitionMapping,
    upstream_set: &PartitionSet,
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let (upstream, downstream) = require_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Down, upstream, downstream, context);
    Ok(mapper.map_one_by_one(upstream_set).existing)
}

/// Returns the upstream windows that downstream windows need and that are to come: they do not exist
/// at the moment of the context, and will.
///
/// [`to_upstream`] clips a shifted span at the present, as Dagster does. Here the same span is
/// mapped at a moment when all of it exists, so that only the true ends of the upstream clip it.
pub(super) fn upstream_to_come(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<Vec<PartitionKey>, InvalidMapping> {
    let (upstream, downstream) = require_sides(upstream, downstream)?;
    let mapper = Mapper::new(mapping, Direction::Up, downstream, upstream, context);
    if mapper.lenient || (mapper.is_plain() && mapper.from.0 == mapper.to.0) {
        return Ok(Vec::new());
    }
    // Later windows need later upstream windows, so only the last of the set can lack any.
    let mut latest = downstream_set.clone();
    latest.remove_range(0..mapper.first_beyond_bounds(downstream_set.last()));
    let Some(last) = latest.last() else {
        return Ok(Vec::new());
    };
    let Some(later) = mapper.moment_of_all(last) else {
        return Ok(Vec::new());
    };
    let later_context = PartitionContext::at(later.max(context.now));
    let later_mapper = Mapper::new(mapping, Direction::Up, downstream, upstream, &later_context);
    let mut needed = later_mapper.map_one_by_one(&latest).existing;
    needed.remove_range(0..upstream.count(context.now));
    let starts = needed.iter().filter_map(|ordinal| upstream.window(ordinal));
    Ok(starts.map(|window| upstream.key_at(window.start)).collect())
}

fn require_sides<'d>(
    upstream: Option<&'d PartitionsDefinition>,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<Sides<'d>, InvalidMapping> {
    match upstream {
        Some(upstream) => time_window_sides(upstream, downstream),
        None => Err(InvalidMapping::with_reason(
            "a mapping of time windows needs an upstream of time windows: leave the mapping out",
        )),
    }
}

/// The direction of a mapping.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From downstream windows to upstream windows.
    Up,
    /// From upstream windows to downstream windows.
    Down,
}

/// The result of a mapping while it is computed.
#[derive(Default)]
struct Mapped {
    existing: PartitionSet,
    /// The spans in which the target lacks needed windows.
    nonexistent: Vec<Span>,
}

impl Mapped {
    fn into_upstream(self, upstream: Lattice<'_>) -> UpstreamPartitions {
        let missing = self.nonexistent.into_iter();
        let keys = missing
            .flat_map(|span| upstream.keys_beginning_in(span))
            .collect();
        UpstreamPartitions::new(self.existing, keys)
    }
}

/// One mapping in one direction, at one moment.
struct Mapper<'d> {
    from: Lattice<'d>,
    to: Lattice<'d>,
    direction: Direction,
    start_offset: i64,
    end_offset: i64,
    lenient: bool,
    /// The first and the last existing window of the target.
    bounds: Option<(TimeWindow, TimeWindow)>,
    /// True if every boundary of the source is one of the target.
    aligned: bool,
    /// The number of existing windows, if both sides are one definition in which an offset of n
    /// windows is a difference of n ordinals.
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
        // Every-hour schedules shift by elapsed hours, not by windows, so ordinals do not count
        // them.
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

    /// Returns the end of the span that a source window is shifted to, not clipped at the present.
    fn shifted_end(&self, ordinal: u64) -> Option<DateTime<Utc>> {
        let end = self.from.0.window(ordinal)?.end;
        self.from.shift_boundary(end, self.end_offset)
    }

    /// Returns the first source window, up to `last`, that may need a window behind the existing ones
    /// of the target.
    fn first_beyond_bounds(&self, last: Option<u64>) -> u64 {
        let (mut low, mut high) = (0, last.map_or(0, |last| last + 1));
        let Some((_, last_window)) = self.bounds else {
            return 0;
        };
        while low < high {
            let middle = low + (high - low) / 2;
            let within = self
                .shifted_end(middle)
                .is_some_and(|end| end <= last_window.end);
            if within {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Returns a moment at which every target window that the source window `last` needs exists.
    fn moment_of_all(&self, last: u64) -> Option<DateTime<Utc>> {
        let shifted = self.shifted_end(last)?;
        // A window with a negative offset exists only when later windows have ended.
        let behind = self.to.0.end_offset().min(0).unsigned_abs();
        let windows = usize::try_from(behind).ok()?.checked_add(1)?;
        Some(self.to.0.windows_from(shifted).nth(windows)?.end)
    }

    fn is_plain(&self) -> bool {
        self.start_offset == 0 && self.end_offset == 0
    }

    fn map_set(&self, set: &PartitionSet) -> Mapped {
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
        // Runs come in order, so `covered` only grows.
        let mut covered = DateTime::<Utc>::MIN_UTC;
        for run in set.ranges() {
            if let Some(shifted) = self.shifted_in_place(&run) {
                mapped.existing.insert_range(shifted);
                continue;
            }
            if self.can_overlap() {
                match self.from.span_of(run.clone()) {
                    // An earlier run already mapped to the windows that overlap this one.
                    Some(span) if span.end <= covered => continue,
                    Some(span) if self.is_within_bounds(&span) => {
                        let overlapping = self.to.0.overlapping_ordinals(span);
                        let last = overlapping.last().and_then(|last| self.to.0.window(last));
                        covered = last.map_or(covered, |last| last.end);
                        mapped.existing |= &overlapping;
                        continue;
                    }
                    _ => {}
                }
            }
            if let Some(span) = self.target_span(run) {
                self.add_span(span, &mut mapped);
            }
        }
        mapped
    }

    /// Returns true if a span within the existing windows of the target maps to exactly the windows
    /// that overlap it. This does not hold around excluded windows, nor for hours where the clock
    /// is put back by half an hour.
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

    /// Maps each window by itself. A run whose target lies strictly inside the existing windows is
    /// mapped as a whole: no end of it is clamped, so the result is the same.
    fn map_one_by_one(&self, set: &PartitionSet) -> Mapped {
        if set.is_empty() || (self.is_plain() && self.from.0 == self.to.0) {
            return Mapped {
                existing: set.clone(),
                nonexistent: Vec::new(),
            };
        }
        let mut mapped = Mapped::default();
        // Halve each run until it is a single window or strictly inside the bounds.
        let mut runs: Vec<Range<u64>> = set.ranges().collect();
        while let Some(run) = runs.pop() {
            if run.end - run.start == 1 {
                let one = self.map_set(&PartitionSet::from(run));
                mapped.existing |= &one.existing;
                mapped.nonexistent.extend(one.nonexistent);
                continue;
            }
            match self.inner_span(run.clone()) {
                Some(span) => self.add_span(span, &mut mapped),
                None => {
                    let middle = run.start + (run.end - run.start) / 2;
                    runs.extend([run.start..middle, middle..run.end]);
                }
            }
        }
        mapped
    }

    /// Returns the target span of a run, if it lies strictly inside the existing windows.
    fn inner_span(&self, run: Range<u64>) -> Option<Span> {
        // With exclusions, the span of a run also covers the excluded windows inside it.
        if self.start_offset > self.end_offset || !self.from.0.exclusions().is_empty() {
            return None;
        }
        let span = self.target_span(run)?;
        let (first, last) = self.bounds?;
        (span.start > first.start && span.end < last.end).then_some(span)
    }

    /// Returns the span of target windows that a run of the source maps to, unless it is empty.
    fn target_span(&self, run: Range<u64>) -> Option<Span> {
        let shifted = match self.direction {
            Direction::Up => self.shifted_run(run)?,
            Direction::Down => self.from.span_of(run)?,
        };
        let outward = if self.aligned {
            shifted
        } else {
            self.to.widen_to_windows(shifted)?
        };
        // Downstream, the offsets are undone: negated, with start and end swapped.
        let target = match self.direction {
            Direction::Up => outward,
            Direction::Down => {
                self.shift_clamped(self.to, outward.start, -self.end_offset)?
                    ..self.shift_clamped(self.to, outward.end, -self.start_offset)?
            }
        };
        (target.start < target.end).then_some(target)
    }

    /// Returns the ordinals that a run is shifted to, if both sides are one definition without
    /// exclusions and all of the ordinals exist.
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

    /// Returns the span of a run of the source, with both ends shifted.
    fn shifted_run(&self, run: Range<u64>) -> Option<Span> {
        if let Some(span) = self.shifted_by_ordinals(&run) {
            return Some(span);
        }
        let span = self.from.span_of(run)?;
        Some(
            self.shift_clamped(self.from, span.start, self.start_offset)?
                ..self.shift_clamped(self.from, span.end, self.end_offset)?,
        )
    }

    /// Computes [`Self::shifted_run`] by ordinals, much faster than along the schedule. `None` if
    /// windows are excluded, or if a window before the definition's start is needed.
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
        Some(
            self.clamp_shifted(first.start, self.start_offset)
                ..self.clamp_shifted(last.end, self.end_offset),
        )
    }

    /// Moves a boundary by whole windows, but not beyond the existing windows of the target.
    fn shift_clamped(
        &self,
        row: Lattice<'_>,
        moment: DateTime<Utc>,
        by: i64,
    ) -> Option<DateTime<Utc>> {
        Some(self.clamp_shifted(row.shift_boundary(moment, by)?, by))
    }

    fn clamp_shifted(&self, shifted: DateTime<Utc>, by: i64) -> DateTime<Utc> {
        match self.bounds {
            Some((first, _)) if by < 0 => shifted.max(first.start),
            Some((_, last)) if by > 0 => shifted.min(last.end),
            _ => shifted,
        }
    }

    /// Adds a span to the result: its existing part, and its nonexistent part.
    fn add_span(&self, span: Span, mapped: &mut Mapped) {
        let Some((first, last)) = self.bounds else {
            self.add_nonexistent(span, mapped);
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
            // As in Dagster, the whole span is reported here, including its existing middle.
            (true, true) => self.add_nonexistent(span, mapped),
            (true, false) => self.add_nonexistent(span.start..span.end.min(first.start), mapped),
            (false, true) => self.add_nonexistent(span.start.max(last.end)..span.end, mapped),
        }
    }

    fn add_nonexistent(&self, span: Span, mapped: &mut Mapped) {
        if !self.lenient && self.direction == Direction::Up {
            mapped.nonexistent.push(span);
        }
    }

    /// Returns the nonexistent spans, if the whole set ends before the target's start. Then the
    /// missing windows are the target windows that begin in the set, not those that overlap it:
    /// Dagster handles this case without aligning windows.
    fn all_before_the_start(&self, set: &PartitionSet) -> Option<Vec<Span>> {
        if !self.is_plain() {
            return None;
        }
        let last = set.last()?;
        if self.from.span_of(last..last + 1)?.end > self.to.0.start() {
            return None;
        }
        if self.lenient || self.direction == Direction::Down {
            return Some(Vec::new());
        }
        Some(
            set.ranges()
                .filter_map(|run| self.from.span_of(run))
                .collect(),
        )
    }
}

//! The course of a number over a simulation, in as many equal spans of time as fit a chart.

use std::time::Duration;

/// Number of spans, at most. When a simulation outlasts them, each becomes twice as long.
const SPANS: usize = 512;

/// The mean of a number in each span of time.
#[derive(Debug, Clone)]
pub struct Timeline {
    span: Duration,
    /// The integral of the number over each span, in units of the number times seconds.
    areas: Vec<f64>,
    value: f64,
    since: Duration,
    peak: f64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            span: Duration::from_millis(100),
            areas: Vec::new(),
            value: 0.0,
            since: Duration::ZERO,
            peak: 0.0,
        }
    }
}

impl Timeline {
    /// Records that the number has a value from now on.
    pub fn record(&mut self, now: Duration, value: f64) {
        self.advance(now);
        self.value = value;
        self.peak = self.peak.max(value);
    }

    /// Returns the greatest value.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// Returns the integral of the number up to `end`, in seconds times the number.
    pub fn area(&self, end: Duration) -> f64 {
        let mut copy = self.clone();
        copy.advance(end);
        copy.areas.iter().sum()
    }

    /// Returns the mean of the number in each of `count` equal parts of the time up to `end`.
    pub fn means(&self, end: Duration, count: usize) -> Vec<f64> {
        let mut copy = self.clone();
        copy.advance(end);
        let part = end.as_secs_f64() / count as f64;
        if part <= 0.0 {
            return vec![0.0; count];
        }
        let span = copy.span.as_secs_f64();
        // Each span is spread evenly over the parts that it overlaps.
        let mut means = vec![0.0; count];
        for (index, area) in copy.areas.iter().enumerate() {
            let start = index as f64 * span;
            let stop = (start + span).min(end.as_secs_f64());
            let density = area / (stop - start).max(f64::MIN_POSITIVE);
            for (number, mean) in means.iter_mut().enumerate() {
                let (from, to) = (number as f64 * part, (number + 1) as f64 * part);
                let overlap = stop.min(to) - start.max(from);
                if overlap > 0.0 {
                    *mean += density * overlap / part;
                }
            }
        }
        means
    }

    /// Adds the current value to every span up to now.
    fn advance(&mut self, now: Duration) {
        while now > self.since {
            let index = span_index(self.since, self.span);
            if index >= SPANS {
                self.merge_pairs();
                continue;
            }
            let end = (self.span * u32::try_from(index + 1).unwrap_or(u32::MAX)).min(now);
            if self.areas.len() <= index {
                self.areas.resize(index + 1, 0.0);
            }
            self.areas[index] += self.value * (end - self.since).as_secs_f64();
            self.since = end;
        }
    }

    fn merge_pairs(&mut self) {
        self.areas = self.areas.chunks(2).map(|pair| pair.iter().sum()).collect();
        self.span *= 2;
    }
}

fn span_index(at: Duration, span: Duration) -> usize {
    usize::try_from(at.as_nanos() / span.as_nanos()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timeline;

    #[test]
    fn means_are_those_of_the_value_over_time() {
        let mut line = Timeline::default();
        let seconds = Duration::from_secs;
        line.record(seconds(0), 10.0);
        line.record(seconds(50), 30.0);
        line.record(seconds(75), 0.0);
        let means = line.means(seconds(100), 4);
        for (mean, expected) in means.iter().zip([10.0, 10.0, 30.0, 0.0]) {
            assert!((mean - expected).abs() < 1e-6, "{means:?}");
        }
        assert!((line.area(seconds(100)) - 1250.0).abs() < 1e-6);
        assert_eq!(line.peak(), 30.0);
    }

    #[test]
    fn a_long_simulation_needs_no_more_spans() {
        let mut line = Timeline::default();
        for hour in 0..1_000 {
            line.record(Duration::from_secs(hour * 3600), 1.0);
        }
        assert!(line.areas.len() <= super::SPANS);
        assert!((line.area(Duration::from_secs(3_600_000)) - 3_600_000.0).abs() < 1.0);
    }
}

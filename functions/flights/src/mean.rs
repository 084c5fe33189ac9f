//! Means over the known values.

/// A mean of whole numbers, kept as sum and count: exact in any order and grouping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mean {
    sum: i64,
    count: i64,
}

impl Mean {
    /// Adds a value, if there is one.
    pub fn add(&mut self, value: Option<i32>) {
        if let Some(value) = value {
            self.sum += i64::from(value);
            self.count += 1;
        }
    }

    /// Returns the mean, or `None` without values.
    pub fn value(self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "minutes of a month are far below 2^52"
        )]
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

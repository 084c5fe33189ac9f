//! EventBridge's cron expressions: six fields, one of the two days a `?` ("Cron expressions" in its
//! user guides).

const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

/// The names of days; Sunday is 1.
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field: its name, its least and greatest number, the names of numbers (beginning with the
/// least), and its special values.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
    special: fn(&str) -> bool,
}

const FIELDS: [Field; 6] = [
    plain_field("minutes", 0, 59, &[]),
    plain_field("hours", 0, 23, &[]),
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        names: &[],
        // The last day of the month, or the weekday nearest to a day.
        special: |item| item == "L" || item.strip_suffix('W').is_some_and(|d| is_number(d, 1, 31)),
    },
    plain_field("month", 1, 12, MONTHS),
    Field {
        name: "day of the week",
        least: 1,
        most: 7,
        names: DAYS,
        // The last such day of the month, or the n-th.
        special: |item| match (item.strip_suffix('L'), item.split_once('#')) {
            (Some(day), _) => day.is_empty() || is_number(day, 1, 7),
            (_, Some((day, nth))) => {
                (is_number(day, 1, 7) || DAYS.contains(&day)) && is_number(nth, 1, 5)
            }
            _ => false,
        },
    },
    plain_field("year", 1970, 2199, &[]),
];

/// Returns a field without special values.
const fn plain_field(
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
) -> Field {
    Field {
        name,
        least,
        most,
        names,
        special: |_| false,
    }
}

/// Returns whether a text is a number between two bounds, both included.
fn is_number(text: &str, least: u32, most: u32) -> bool {
    text.parse().is_ok_and(|n: u32| (least..=most).contains(&n))
}

/// Returns what is wrong with the fields, and what to write instead.
pub(super) fn check_cron(fields: &str) -> Result<(), String> {
    let fields_given: Vec<&str> = fields.split_whitespace().collect();
    let Ok(given) = <[&str; 6]>::try_from(fields_given) else {
        return Err(format!(
            "has {} fields instead of six: write minutes, hours, day of the month, month, day of the \
             week, year, such as `cron(0 6 * * ? *)`",
            fields.split_whitespace().count()
        ));
    };
    // Exactly one of the two days is a `?`.
    match (given[2], given[4]) {
        ("?", "?") => return Err("names no day: write `*` for one of the two `?`".to_owned()),
        ("?", _) | (_, "?") => {}
        _ => {
            return Err(
                "names both days: write `?` for the day of the month or that of the week"
                    .to_owned(),
            );
        }
    }
    for (field, text) in FIELDS.iter().zip(given) {
        let no_day = text == "?" && field.name.starts_with("day");
        if !no_day && !text.split(',').all(|item| field.accepts_item(item)) {
            return Err(format!(
                "has `{text}` as {}: write numbers from {} to {}, `*`, `A-B`, `A/STEP` or a list",
                field.name, field.least, field.most
            ));
        }
    }
    Ok(())
}

impl Field {
    /// Returns whether an item of a list is valid: a number, a name, a range, or one of these with
    /// a step.
    fn accepts_item(&self, item: &str) -> bool {
        if item == "*" || (self.special)(item) {
            return true;
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let valid_step = step.is_none_or(|step| is_number(step, 1, self.most));
        let valid_range = match range.split_once('-') {
            Some((from, to)) => match (self.parse_value(from), self.parse_value(to)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            },
            // `*` on its own was accepted above; here it needs a step, as in `*/5`.
            None => (range == "*" && item != range) || self.parse_value(range).is_some(),
        };
        valid_step && valid_range
    }

    /// Returns the number of a value, which may be written as a name.
    fn parse_value(&self, text: &str) -> Option<u32> {
        let upper = text.to_ascii_uppercase();
        if let Some(index) = self.names.iter().position(|name| **name == upper) {
            return Some(self.least + u32::try_from(index).ok()?);
        }
        text.parse()
            .ok()
            .filter(|n| (self.least..=self.most).contains(n))
    }
}

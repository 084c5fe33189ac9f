//! EventBridge's cron expressions: six fields, one of the two days a `?` ("Cron expressions" in its
//! user guides).

const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

/// Sunday is 1.
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field: its name, its least and greatest number, the names that stand for numbers from the
/// least, and what else it takes.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
    special: fn(&str) -> bool,
}

const FIELDS: [Field; 6] = [
    plain("minutes", 0, 59, &[]),
    plain("hours", 0, 23, &[]),
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        names: &[],
        // The last day, or the weekday nearest to a day.
        special: |item| item == "L" || item.strip_suffix('W').is_some_and(|d| number(d, 1, 31)),
    },
    plain("month", 1, 12, MONTHS),
    Field {
        name: "day of the week",
        least: 1,
        most: 7,
        names: DAYS,
        // The last such day of the month, or the third.
        special: |item| match (item.strip_suffix('L'), item.split_once('#')) {
            (Some(day), _) => day.is_empty() || number(day, 1, 7),
            (_, Some((day, nth))) => {
                (number(day, 1, 7) || DAYS.contains(&day)) && number(nth, 1, 5)
            }
            _ => false,
        },
    },
    plain("year", 1970, 2199, &[]),
];

const fn plain(name: &'static str, least: u32, most: u32, names: &'static [&'static str]) -> Field {
    Field {
        name,
        least,
        most,
        names,
        special: |_| false,
    }
}

fn number(text: &str, least: u32, most: u32) -> bool {
    text.parse().is_ok_and(|n: u32| (least..=most).contains(&n))
}

/// What is wrong with the fields, and what to write instead.
pub(super) fn check(fields: &str) -> Result<(), String> {
    let given: Vec<&str> = fields.split_whitespace().collect();
    let Ok(given) = <[&str; 6]>::try_from(given) else {
        return Err(format!(
            "has {} fields and not six: write minutes, hours, day of the month, month, day of the \
             week, year, such as `cron(0 6 * * ? *)`",
            fields.split_whitespace().count()
        ));
    };
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
        if !no_day && !text.split(',').all(|item| field.takes(item)) {
            return Err(format!(
                "has `{text}` as {}: write numbers from {} to {}, `*`, `A-B`, `A/STEP` or a list",
                field.name, field.least, field.most
            ));
        }
    }
    Ok(())
}

impl Field {
    fn takes(&self, item: &str) -> bool {
        if item == "*" || (self.special)(item) {
            return true;
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let step = step.is_none_or(|step| number(step, 1, self.most));
        let range = match range.split_once('-') {
            Some((from, to)) => match (self.value(from), self.value(to)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            },
            None => (range == "*" && item != range) || self.value(range).is_some(),
        };
        step && range
    }

    fn value(&self, text: &str) -> Option<u32> {
        let upper = text.to_ascii_uppercase();
        if let Some(place) = self.names.iter().position(|name| **name == upper) {
            return Some(self.least + u32::try_from(place).ok()?);
        }
        text.parse()
            .ok()
            .filter(|n| (self.least..=self.most).contains(n))
    }
}

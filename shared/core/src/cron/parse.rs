//! The parser of cron expressions. The grammar is that of `croniter`, Dagster's cron parser.

use std::ops::{Range, RangeInclusive};

use super::{CronField, InvalidCron, expression::Fields, field::Field};

const ALIASES: [(&str, &str); 7] = [
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Parses the five fields of an expression, or of an alias like `@daily`.
pub(crate) fn parse_fields(expression: &str) -> Result<Fields, InvalidCron> {
    let lower = expression.to_ascii_lowercase();
    let alias = ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map(|(_, meaning)| *meaning);
    let text = alias.unwrap_or(&lower);
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = parts[..] else {
        return Err(InvalidCron::FieldCount {
            expression: expression.to_owned(),
            count: parts.len(),
        });
    };
    let reader = |field, part: &str| {
        // `part` borrows from `text`, so the difference of the addresses is its byte offset.
        let start = part.as_ptr().addr() - text.as_ptr().addr();
        FieldReader {
            expression,
            field,
            start,
            nth: [0; 7],
        }
    };
    let mut weekday_reader = reader(CronField::DayOfWeek, weekday);
    let mut fields = Fields {
        minute: reader(CronField::Minute, minute).parse_field(minute)?,
        hour: reader(CronField::Hour, hour).parse_field(hour)?,
        day: reader(CronField::DayOfMonth, day).parse_field(day)?,
        month: reader(CronField::Month, month).parse_field(month)?,
        weekday: weekday_reader.parse_field(weekday)?,
        nth: weekday_reader.nth,
    };
    // A list of every value counts as `*`; in a day field only if the other day field has a star.
    collapse_full_list(&mut fields.minute, 60);
    collapse_full_list(&mut fields.hour, 24);
    collapse_full_list(&mut fields.month, 12);
    if weekday.contains('*') {
        collapse_full_list(&mut fields.day, 31);
    }
    if day.contains('*') {
        collapse_full_list(&mut fields.weekday, 7);
    }
    // `croniter` refuses plain weekdays next to counted ones (`1,5#2`), except in a full list.
    let plain = (0..7).filter(|day| fields.weekday.bits & (1 << day) != 0);
    if fields.has_nth()
        && !fields.weekday.wildcard
        && fields.weekday.bits.count_ones() != 7
        && plain.into_iter().any(|day| fields.nth[day] == 0)
    {
        return Err(InvalidCron::MixedWeekdays {
            expression: expression.to_owned(),
        });
    }
    Ok(fields)
}

/// Turns a field that lists `all` entries into `*`.
fn collapse_full_list(field: &mut Field, all: u32) {
    let listed = field.bits.count_ones() + u32::from(field.any) + u32::from(field.last);
    if listed == all {
        *field = Field {
            bits: field.bits,
            ..Field::WILDCARD
        };
    }
}

/// The parser of one field.
struct FieldReader<'a> {
    expression: &'a str,
    field: CronField,
    start: usize,
    /// For each day of the week: bit n is set for the n-th of the month, bit 0 for the last.
    nth: [u8; 7],
}

impl FieldReader<'_> {
    fn parse_field(&mut self, text: &str) -> Result<Field, InvalidCron> {
        if text == "?" && matches!(self.field, CronField::DayOfMonth | CronField::DayOfWeek) {
            return Ok(Field::WILDCARD);
        }
        let mut field = Field::default();
        let mut start = 0;
        for part in text.split(',') {
            let span = self.start + start..self.start + start + part.len(); // Bytes of the text.
            start += part.len() + 1;
            self.parse_part(part, &span, &mut field)?;
        }
        field.wildcard = field.any && field.bits == 0 && !field.last;
        Ok(field)
    }

    fn parse_part(
        &mut self,
        part: &str,
        span: &Range<usize>,
        field: &mut Field,
    ) -> Result<(), InvalidCron> {
        let (part_without_nth, nth) = self.split_nth(part, span)?;
        if let Some((low, high, step)) = self.split_range(part_without_nth) {
            let low = self.parse_number(low, span)?;
            // `croniter` accepts `L` as the end of a range of days of the month, meaning 31.
            let high = match (self.field, high) {
                (CronField::DayOfMonth, "l") => 31,
                _ => self.parse_number(high, span)?,
            };
            let step = match step.map(str::parse::<u32>) {
                None => 1,
                Some(Ok(step)) if step > 0 => step,
                Some(_) => return Err(self.invalid_part(span, "has a step that is not 1 or more")),
            };
            for value in self.expand_range(low, high, step, span)? {
                self.add(value, nth, span, field)?;
            }
            return Ok(());
        }
        match (part_without_nth, self.field) {
            ("*", _) => field.any = true,
            ("l", CronField::DayOfMonth) => field.last = true,
            (text, _) => {
                let value = self.parse_number(text, span)?;
                self.add(value, nth, span, field)?;
            }
        }
        Ok(())
    }

    /// Splits `#2` or a leading `L` off a day of the week.
    fn split_nth<'p>(
        &self,
        part: &'p str,
        span: &Range<usize>,
    ) -> Result<(&'p str, Option<u32>), InvalidCron> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if self.field != CronField::DayOfWeek {
            return Ok((part, None));
        }
        if let Some(day) = part.strip_prefix('l').filter(|day| digits(day)) {
            return Ok((day, Some(0)));
        }
        match part.split_once('#') {
            // Before `#`, `croniter` accepts ranges of names but not of numbers.
            Some((day, nth))
                if digits(nth)
                    && !(day.contains('-') && day.contains(|c: char| c.is_ascii_digit())) =>
            {
                match nth.parse() {
                    Ok(nth @ 1..=5) => Ok((day, Some(nth))),
                    _ => Err(self.invalid_part(span, "counts past the fifth")),
                }
            }
            _ => Ok((part, None)),
        }
    }

    /// Splits `low-high/step`, `*/step` and `low/step`. Returns `None` for a single value.
    fn split_range<'p>(&self, part: &'p str) -> Option<(&'p str, &'p str, Option<&'p str>)> {
        let (body, step) = match part.rsplit_once('/') {
            Some((body, step)) if !step.is_empty() => (body, Some(step)),
            _ => (part, None),
        };
        let (first, last) = self.bound_texts();
        match body.split_once('-') {
            Some((low, high)) if !low.is_empty() && !high.is_empty() => Some((low, high, step)),
            None if step.is_some() => Some((if body == "*" { first } else { body }, last, step)),
            _ => None,
        }
    }

    /// Returns the values from `low` to `high`, wrapping around at the end of the field.
    fn expand_range(
        &self,
        low: u32,
        high: u32,
        step: u32,
        span: &Range<usize>,
    ) -> Result<Vec<u32>, InvalidCron> {
        let (first, last) = self.value_range().into_inner();
        if low.max(high) > last {
            return Err(self.invalid_part(span, "is out of range"));
        }
        let every = |range: RangeInclusive<u32>| range.step_by(step as usize);
        if low < high {
            return Ok(every(low..=high).collect());
        }
        // As in `croniter`, a range of one value covers the whole field.
        if low == high {
            return Ok(every(first..=last).collect());
        }
        let mut values: Vec<u32> = every(low..=last).collect();
        // The range wraps: the number of values that the step skips after the wrap, computed as
        // `croniter` does.
        let left = values.last().map_or(0, |value| last - value);
        let offset = values.last().map_or(0, |value| value - first);
        let skipped = if offset + step > last - first + 1 && left < step {
            step - left
        } else {
            0
        };
        values.extend(every(first + skipped..=high));
        Ok(values)
    }

    fn add(
        &mut self,
        value: u32,
        nth: Option<u32>,
        span: &Range<usize>,
        field: &mut Field,
    ) -> Result<(), InvalidCron> {
        if !self.value_range().contains(&value) {
            return Err(self.invalid_part(span, "is out of range"));
        }
        field.bits |= 1 << value;
        if let Some(nth) = nth {
            self.nth[value as usize] |= 1 << nth;
        }
        Ok(())
    }

    fn parse_number(&self, text: &str, span: &Range<usize>) -> Result<u32, InvalidCron> {
        let find_name = |names: &[&str], first: u32| {
            (first..)
                .zip(names)
                .find(|(_, name)| **name == text)
                .map(|(value, _)| value)
        };
        let name = match self.field {
            CronField::Month => find_name(&MONTHS, 1),
            CronField::DayOfWeek => find_name(&DAYS, 0),
            _ => None,
        };
        if let Some(value) = name {
            return Ok(value);
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.invalid_part(span, "cannot be read"));
        }
        // 7 is Sunday. Values up to 99 are numbers; `add` checks them against the field's range.
        match text.parse() {
            Ok(7) if self.field == CronField::DayOfWeek => Ok(0),
            Ok(value) if value <= 99 => Ok(value),
            _ => Err(self.invalid_part(span, "is out of range")),
        }
    }

    fn invalid_part(&self, span: &Range<usize>, reason: &'static str) -> InvalidCron {
        InvalidCron::Field {
            expression: self.expression.to_owned(),
            field: self.field,
            part: self
                .expression
                .get(span.clone())
                .unwrap_or_default()
                .to_owned(),
            span: span.clone(),
            reason,
        }
    }

    fn value_range(&self) -> RangeInclusive<u32> {
        match self.field {
            CronField::Minute => 0..=59,
            CronField::Hour => 0..=23,
            CronField::DayOfMonth => 1..=31,
            CronField::Month => 1..=12,
            CronField::DayOfWeek => 0..=6,
        }
    }

    fn bound_texts(&self) -> (&'static str, &'static str) {
        match self.field {
            CronField::Minute => ("0", "59"),
            CronField::Hour => ("0", "23"),
            CronField::DayOfMonth => ("1", "31"),
            CronField::Month => ("1", "12"),
            CronField::DayOfWeek => ("0", "6"),
        }
    }
}

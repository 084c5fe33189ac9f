//! [`parse_texts`]: reading the cells of a text file as columns of a type.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, PrimitiveArray, StringArray,
    cast::AsArray,
    new_null_array,
    types::{
        ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
        Decimal256Type, DecimalType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
        Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};
use arrow_cast::parse::{Parser, parse_decimal, string_to_time_nanoseconds};
use arrow_schema::{DataType, Field, TimeUnit};

use super::{Unmatched, cast_column, column::shorten, rule::digits_of_second};

/// A text that is not a value of the wanted type, or not one that the type holds exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    /// Index of the text.
    pub index: usize,
    /// The text.
    pub text: String,
}

impl TextError {
    fn new(index: usize, text: &str) -> Self {
        Self {
            index,
            text: text.to_owned(),
        }
    }

    /// Describes the error for a column, whose first text is in the row `first_row`.
    pub fn describe(&self, column: &str, data_type: &DataType, first_row: usize) -> String {
        let advice = match form_of(data_type) {
            Some(form) => format!("; {form} is read, or declare the field as `String`"),
            None => String::new(),
        };
        format!(
            "column `{column}` is read from {data_type}, which cannot hold `{}` (row {}){advice}",
            shorten(&self.text),
            first_row + self.index
        )
    }
}

/// Returns the form of the texts that are read as a type.
fn form_of(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Boolean => "`true` or `false`",
        number if number.is_integer() => {
            "a whole number in range without leading zeros or exponent"
        }
        number if number.is_numeric() => {
            "a number without leading zeros, with as many digits as the type keeps,"
        }
        DataType::Date32 | DataType::Date64 => "a date such as `2024-03-01`",
        DataType::Time32(_) | DataType::Time64(_) => "a time of day such as `09:30:00`",
        DataType::Timestamp(_, None) => {
            "a date and time without a zone, such as `2024-03-01T09:30:00`,"
        }
        DataType::Timestamp(_, Some(_)) => "a moment such as `2024-03-01T09:30:00Z`",
        _ => return None,
    })
}

/// Parses texts as values of a type, in the form in which the type is written. A text of any other form is an error:
/// `01067` is no number, `1` no boolean, and a moment no date.
///
/// Texts have no types of their own, so this is as strict as [`cast_rule`](super::cast_rule) can be: digits that any
/// number would have are read as any number that holds them.
///
/// # Errors
/// [`TextError`] for the first text that is not read.
pub fn parse_texts(texts: &StringArray, to: &DataType) -> Result<ArrayRef, TextError> {
    /// Calls a generic function for the Arrow type of numbers and times.
    macro_rules! primitives {
        ($($pattern:pat => $type:ty: $parse:expr;)*) => {
            match to {
                $($pattern => primitive_column::<$type>(texts, to, $parse),)*
                DataType::Boolean => {
                    let values = map_texts(texts, boolean)?;
                    Ok(Arc::new(BooleanArray::from(values)) as ArrayRef)
                }
                // A column without any value.
                DataType::Null => match texts.iter().position(|text| text.is_some()) {
                    None => Ok(new_null_array(to, texts.len())),
                    Some(index) => Err(TextError::new(index, texts.value(index))),
                },
                // A half is written as the single that it is.
                DataType::Float16 => {
                    let singles = parse_texts(texts, &DataType::Float32)?;
                    let half = Field::new("", DataType::Float16, true);
                    cast_column(&singles, &half, Unmatched::Refuse).map_err(|error| {
                        let index = error.row.unwrap_or_default();
                        TextError::new(index, texts.value(index))
                    })
                }
                // The other types are encodings of texts.
                _ => {
                    let texts: ArrayRef = Arc::new(texts.clone());
                    let encoded = Field::new("", to.clone(), true);
                    cast_column(&texts, &encoded, Unmatched::Refuse).map_err(|_| {
                        let index = texts.logical_nulls().map_or(0, |nulls| {
                            nulls.valid_indices().next().unwrap_or_default()
                        });
                        TextError::new(index, texts.as_string::<i32>().value(index))
                    })
                }
            }
        };
    }
    use DataType as T;
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    primitives! {
        T::Int8 => Int8Type: integer;
        T::Int16 => Int16Type: integer;
        T::Int32 => Int32Type: integer;
        T::Int64 => Int64Type: integer;
        T::UInt8 => UInt8Type: integer;
        T::UInt16 => UInt16Type: integer;
        T::UInt32 => UInt32Type: integer;
        T::UInt64 => UInt64Type: integer;
        T::Float32 => Float32Type: float;
        T::Float64 => Float64Type: float;
        T::Decimal32(p, s) => Decimal32Type: |text| decimal::<Decimal32Type>(text, *p, *s);
        T::Decimal64(p, s) => Decimal64Type: |text| decimal::<Decimal64Type>(text, *p, *s);
        T::Decimal128(p, s) => Decimal128Type: |text| decimal::<Decimal128Type>(text, *p, *s);
        T::Decimal256(p, s) => Decimal256Type: |text| decimal::<Decimal256Type>(text, *p, *s);
        T::Date32 => Date32Type: date;
        T::Date64 => Date64Type: date_in_millis;
        T::Time32(Second) => Time32SecondType: |text| time_of_day(text, Second)?.try_into().ok();
        T::Time32(unit) => Time32MillisecondType: |text| time_of_day(text, *unit)?.try_into().ok();
        T::Time64(Nanosecond) => Time64NanosecondType: |text| time_of_day(text, Nanosecond);
        T::Time64(unit) => Time64MicrosecondType: |text| time_of_day(text, *unit);
        T::Timestamp(Second, zone) => TimestampSecondType:
            |text| timestamp(text, Second, zone.is_some());
        T::Timestamp(Millisecond, zone) => TimestampMillisecondType:
            |text| timestamp(text, Millisecond, zone.is_some());
        T::Timestamp(Microsecond, zone) => TimestampMicrosecondType:
            |text| timestamp(text, Microsecond, zone.is_some());
        T::Timestamp(Nanosecond, zone) => TimestampNanosecondType:
            |text| timestamp(text, Nanosecond, zone.is_some());
    }
}

/// Returns `true` if [`parse_texts`] reads a text as a type.
pub(crate) fn is_text_of(text: &str, data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::Int8 => integer::<i8>(text).is_some(),
        T::Int16 => integer::<i16>(text).is_some(),
        T::Int32 => integer::<i32>(text).is_some(),
        T::Int64 => integer::<i64>(text).is_some(),
        T::UInt8 => integer::<u8>(text).is_some(),
        T::UInt16 => integer::<u16>(text).is_some(),
        T::UInt32 => integer::<u32>(text).is_some(),
        T::UInt64 => integer::<u64>(text).is_some(),
        T::Float32 => float::<f32>(text).is_some(),
        T::Float64 => float::<f64>(text).is_some(),
        T::Timestamp(unit, zone) => timestamp(text, *unit, zone.is_some()).is_some(),
        T::Date32 => date(text).is_some(),
        // The others are rare.
        other => parse_texts(&StringArray::from(vec![text]), other).is_ok(),
    }
}

fn map_texts<V>(
    texts: &StringArray,
    parse: impl Fn(&str) -> Option<V>,
) -> Result<Vec<Option<V>>, TextError> {
    let values = texts.iter().enumerate().map(|(index, text)| match text {
        None => Ok(None),
        Some(text) => parse(text)
            .map(Some)
            .ok_or_else(|| TextError::new(index, text)),
    });
    values.collect()
}

fn primitive_column<P: ArrowPrimitiveType>(
    texts: &StringArray,
    to: &DataType,
    parse: impl Fn(&str) -> Option<P::Native>,
) -> Result<ArrayRef, TextError> {
    let values = map_texts(texts, parse)?;
    let array: PrimitiveArray<P> = values.into_iter().collect();
    // Adds the zone of a timestamp, and the scale of a decimal.
    Ok(Arc::new(array.with_data_type(to.clone())))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The parts of a number in the form of JSON, so without leading zeros.
struct Digits<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: Option<i32>,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent.parse().ok()?)),
            None => (text, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let padded = whole.len() > 1 && whole.starts_with('0');
        (!whole.is_empty() && !padded && is_number(whole) && is_number(fraction)).then_some(Self {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// Returns the digits without zeros around them, and the power of ten of the first.
    fn significant(&self) -> (String, i32) {
        let all = format!("{}{}", self.whole, self.fraction);
        let zeros = all.bytes().take_while(|byte| *byte == b'0').count();
        let digits = all.trim_matches('0').to_owned();
        // A number has fewer digits than an `i32` counts.
        let whole = i32::try_from(self.whole.len()).unwrap_or(i32::MAX);
        let zeros = i32::try_from(zeros).unwrap_or(i32::MAX);
        let power = self.exponent.unwrap_or(0).saturating_add(whole - zeros);
        if digits.is_empty() {
            (digits, 0)
        } else {
            (digits, power)
        }
    }
}

/// Returns the integer that a text writes, which may have a fraction of zeros.
fn whole_number(text: &str) -> Option<i128> {
    let digits = Digits::of(text)?;
    let is_whole = digits.exponent.is_none() && digits.fraction.bytes().all(|byte| byte == b'0');
    let value: i128 = digits.whole.parse().ok()?;
    match (is_whole, digits.negative) {
        (false, _) => None,
        // No integer writes a negative zero.
        (true, true) => (value != 0).then_some(-value),
        (true, false) => Some(value),
    }
}

/// Returns the integer that a text writes, if it is in the range of the type.
fn integer<N: TryFrom<i128>>(text: &str) -> Option<N> {
    N::try_from(whole_number(text)?).ok()
}

/// Floats, as far as texts of them matter.
trait FloatText: std::str::FromStr + Copy + std::fmt::LowerExp + PartialEq {
    /// Numbers of so many digits, and of a common size, are always written as they were read.
    const SAFE_DIGITS: usize;
    const NAN: Self;
    const INFINITY: Self;
    const NEG_INFINITY: Self;
    fn is_common(self) -> bool;
    fn is_finite(self) -> bool;
}

macro_rules! float_texts {
    ($($float:ident: $digits:literal;)*) => {$(
        impl FloatText for $float {
            const SAFE_DIGITS: usize = $digits;
            const NAN: Self = $float::NAN;
            const INFINITY: Self = $float::INFINITY;
            const NEG_INFINITY: Self = $float::NEG_INFINITY;

            fn is_common(self) -> bool {
                self.is_normal()
            }

            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }
        }
    )*};
}

float_texts! {
    f32: 6;
    f64: 15;
}

/// Returns the float that a text writes, if the float has the digits of the text: written to as many digits, or as
/// briefly as possible, it is the same number.
fn float<F: FloatText>(text: &str) -> Option<F> {
    match text {
        "NaN" => return Some(F::NAN),
        "inf" | "Infinity" => return Some(F::INFINITY),
        "-inf" | "-Infinity" => return Some(F::NEG_INFINITY),
        _ => {}
    }
    let digits = Digits::of(text)?;
    let value: F = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let written = digits.whole.len() + digits.fraction.len();
    if written <= F::SAFE_DIGITS && value.is_common() {
        return Some(value);
    }
    let wanted = digits.significant();
    let has = |text: &str| Digits::of(text).is_some_and(|digits| digits.significant() == wanted);
    let precise = wanted.0.len().saturating_sub(1);
    (has(&format!("{value:e}")) || has(&format!("{value:.precise$e}"))).then_some(value)
}

/// Returns the decimal that a text writes, if its scale keeps all digits.
fn decimal<D: DecimalType>(text: &str, precision: u8, scale: i8) -> Option<D::Native> {
    let digits = Digits::of(text)?;
    let kept = usize::try_from(scale).unwrap_or(0);
    let dropped = digits.fraction.get(kept..).unwrap_or_default();
    let is_kept =
        digits.exponent.is_none() && scale >= 0 && dropped.bytes().all(|byte| byte == b'0');
    let text = &text[..text.len() - dropped.len()];
    is_kept
        .then(|| parse_decimal::<D>(text.trim_end_matches('.'), precision, scale).ok())
        .flatten()
}

/// Returns the days since 1970 of a date `2024-03-01`. Years of more than four digits have a sign.
fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let (year, rest) = bytes.split_at_checked(bytes.len().checked_sub(6)?)?;
    let is_number = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let year = match year {
        [b'+' | b'-', digits @ ..] if digits.len() >= 4 => digits,
        digits if digits.len() == 4 => digits,
        _ => return None,
    };
    let has_form = is_number(year)
        && matches!(rest, [b'-', m @ .., _, _, _] if is_number(m))
        && rest[3] == b'-'
        && is_number(&rest[4..]);
    if has_form {
        Date32Type::parse(text)
    } else {
        None
    }
}

/// Splits a time `09:30:00.250` from what follows it, and checks that its unit keeps all digits.
fn split_time(text: &str, unit: TimeUnit) -> Option<(&str, &str)> {
    let is_clock = |byte: u8| byte.is_ascii_digit() || byte == b':' || byte == b'.';
    let end = text.bytes().take_while(|byte| is_clock(*byte)).count();
    let (time, rest) = text.split_at(end);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let has_form = (2..=3).contains(&parts.len())
        && parts.iter().all(|part| part.len() == 2)
        // A leap second would become the next minute.
        && parts.get(2).is_none_or(|second| *second < "60")
        && (parts.len() == 3 || !time.contains('.'))
        && !fraction.is_empty()
        && !fraction.contains([':', '.']);
    let dropped = fraction.get(digits_of_second(unit)..).unwrap_or_default();
    (has_form && dropped.bytes().all(|byte| byte == b'0')).then_some((time, rest))
}

/// Returns the milliseconds since 1970 of a date, which Arrow writes as the date and time that it is.
fn date_in_millis(text: &str) -> Option<i64> {
    let day = text.strip_suffix("T00:00:00").unwrap_or(text);
    Some(i64::from(date(day)?) * 86_400_000)
}

/// Returns a time of day in a unit since midnight.
fn time_of_day(text: &str, unit: TimeUnit) -> Option<i64> {
    let (time, rest) = split_time(text, unit)?;
    let nanos = string_to_time_nanoseconds(time).ok()?;
    rest.is_empty().then_some(nanos / nanos_of(unit))
}

/// Returns a timestamp in a unit since 1970. A moment needs a zone, and a date-time must not have one.
fn timestamp(text: &str, unit: TimeUnit, zoned: bool) -> Option<i64> {
    let (day, rest) = text.split_at(text.find(['T', ' '])?);
    let (time, zone) = split_time(&rest[1..], unit)?;
    let offset = match zone {
        "" if !zoned => 0,
        zone if zoned => offset_in_seconds(zone)?,
        _ => return None,
    };
    // 128 bits hold every date that Arrow has.
    let nanos = i128::from(date(day)?) * 86_400_000_000_000
        + i128::from(string_to_time_nanoseconds(time).ok()?)
        - i128::from(offset) * 1_000_000_000;
    i64::try_from(nanos / i128::from(nanos_of(unit))).ok()
}

/// Returns the offset from UTC that `Z`, `+02:00`, `+0200` or `+02` writes. Names of zones are no offsets.
fn offset_in_seconds(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Returns the length of a unit in nanoseconds.
fn nanos_of(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

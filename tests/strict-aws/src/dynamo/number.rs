//! [`Number`]: decimals as DynamoDB stores them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>

use std::{cmp::Ordering, fmt};

/// The most significant digits of a number.
const DIGITS: usize = 38;
/// The powers of ten of the first digit of the greatest number and of the smallest.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// A decimal of up to 38 significant digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    /// The significant digits, without zeros at either end; none for zero.
    digits: Vec<u8>,
    /// The power of ten of the last digit.
    exponent: i64,
}

/// The reason why a text is not a number of DynamoDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidNumber {
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    Text(&'static str),
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooManyDigits,
    #[error(
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    )]
    Overflow,
    #[error(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    )]
    Underflow,
}

impl Number {
    fn new(negative: bool, mut digits: Vec<u8>, mut exponent: i64) -> Result<Self, InvalidNumber> {
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        if digits.is_empty() {
            return Ok(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let first = exponent + digits.len() as i64 - 1;
        if digits.len() > DIGITS {
            return Err(InvalidNumber::TooManyDigits);
        }
        if first > *EXPONENTS.end() {
            return Err(InvalidNumber::Overflow);
        }
        if first < *EXPONENTS.start() {
            return Err(InvalidNumber::Underflow);
        }
        Ok(Self {
            negative,
            digits,
            exponent,
        })
    }

    /// Parses the text of a number.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let invalid = InvalidNumber::Text("it is no decimal");
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| invalid)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(invalid);
        }
        let digits = digits.into_iter().map(|digit| digit - b'0').collect();
        Self::new(negative, digits, i64::from(power) - fraction.len() as i64)
    }

    /// Returns the sum, or the difference, of two numbers.
    pub(crate) fn add(&self, other: &Self, subtracts: bool) -> Result<Self, InvalidNumber> {
        let exponent = self.exponent.min(other.exponent);
        // The digits of a sum span both numbers.
        let aligned = |number: &Self| {
            let zeros = usize::try_from(number.exponent - exponent).unwrap_or_default();
            let mut digits = number.digits.clone();
            digits.extend(std::iter::repeat_n(0, zeros));
            digits.reverse();
            digits
        };
        let (a, b) = (aligned(self), aligned(other));
        let length = a.len().max(b.len()) + 1;
        let digit = |digits: &[u8], at: usize, negative: bool| {
            let digit = i16::from(digits.get(at).copied().unwrap_or_default());
            if negative { -digit } else { digit }
        };
        let other_negative = other.negative != subtracts;
        let sums: Vec<i16> = (0..length)
            .map(|at| digit(&a, at, self.negative) + digit(&b, at, other_negative))
            .collect();
        // Where signs differ, digits differ by at most 9: the first decides.
        let first = sums.iter().rev().find(|sum| **sum != 0);
        let negative = first.is_some_and(|sum| *sum < 0);
        let mut digits = Vec::with_capacity(length);
        let mut carry = 0;
        for sum in sums {
            let signed = if negative { -sum } else { sum } + carry;
            digits.push(signed.rem_euclid(10).unsigned_abs() as u8);
            carry = signed.div_euclid(10);
        }
        digits.reverse();
        Self::new(negative, digits, exponent)
    }

    /// Returns the size of the number in an item: a byte for two digits, one more, and one for a sign.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub(crate) fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }

    /// Returns the number as seconds since 1970, if it is a whole one.
    pub(crate) fn as_seconds(&self) -> Option<i64> {
        self.to_string().parse().ok()
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let first = |number: &Self| number.exponent + number.digits.len() as i64;
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => first(self)
                .cmp(&first(other))
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        let digits: String = self
            .digits
            .iter()
            .map(|digit| char::from(b'0' + digit))
            .collect();
        let sign = if self.negative { "-" } else { "" };
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
        let before = digits.len() as i64 + self.exponent;
        match self.exponent {
            0.. => write!(f, "{sign}{digits}{}", zeros(self.exponent)),
            _ if before <= 0 => write!(f, "{sign}0.{}{digits}", zeros(-before)),
            _ => {
                let (whole, fraction) =
                    digits.split_at(usize::try_from(before).unwrap_or_default());
                write!(f, "{sign}{whole}.{fraction}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidNumber, Number};

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html:
    // up to 38 digits of precision, exceeding it is an error; zeros at either end are trimmed.
    #[test]
    fn numbers_have_up_to_38_digits_and_are_trimmed() {
        let longest = "1".repeat(38);
        assert_eq!(number(&longest).to_string(), longest);
        let longer = Number::parse(&"1".repeat(39));
        assert_eq!(longer, Err(InvalidNumber::TooManyDigits));
        for (text, trimmed) in [
            ("007.50", "7.5"),
            ("-0.00", "0"),
            ("1e3", "1000"),
            ("12E-4", "0.0012"),
            ("-1000000", "-1000000"),
        ] {
            assert_eq!(number(text).to_string(), trimmed);
        }
        // The zeros at the end do not count.
        assert_eq!(number(&format!("1{}", "0".repeat(100))), number("1e100"));
        assert_eq!(Number::parse("1e126"), Err(InvalidNumber::Overflow));
        assert_eq!(Number::parse("1e-131"), Err(InvalidNumber::Underflow));
        for text in ["", "-", "one", "1.2.3", "0x10", "1e", " 1"] {
            assert!(Number::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_and_added_by_value() {
        let sorted = [
            "-20", "-3", "-0.5", "0", "0.05", "0.5", "1", "9", "10", "1e20",
        ];
        for pair in sorted.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        for (a, b, sum, difference) in [
            ("1", "2", "3", "-1"),
            ("99", "1", "100", "98"),
            ("0.1", "0.2", "0.3", "-0.1"),
            ("-5", "5", "0", "-10"),
            ("1e10", "1", "10000000001", "9999999999"),
        ] {
            assert_eq!(number(a).add(&number(b), false), Ok(number(sum)));
            assert_eq!(number(a).add(&number(b), true), Ok(number(difference)));
        }
        let precise = number("1e38").add(&number("1"), false);
        assert_eq!(precise, Err(InvalidNumber::TooManyDigits));
    }
}

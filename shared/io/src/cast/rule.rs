//! [`cast_rule`]: the table of allowed casts.

use arrow_schema::{DataType, Field, Fields, TimeUnit};

/// The answer of [`cast_rule`] for two column types, from the most to the least permissive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CastRule {
    /// The other type holds every value.
    Lossless,
    /// The other type holds some of the values: each is checked, and one that would change is refused.
    Checked,
    /// The types have no unit in common.
    Refused,
}

/// Returns the rule for reading a column of type `from` as type `to`.
///
/// Fields of structs are matched by name; a field that only one of the types has does not affect the rule.
///
/// ```
/// use arrow_schema::DataType::{Boolean, Float64, Int32, Int64, Utf8};
/// use precip_io::cast::{CastRule, cast_rule};
///
/// assert_eq!(cast_rule(&Int32, &Float64), CastRule::Lossless);
/// assert_eq!(cast_rule(&Int64, &Float64), CastRule::Checked);
/// assert_eq!(cast_rule(&Int32, &Boolean), CastRule::Refused);
/// assert_eq!(cast_rule(&Utf8, &Int32), CastRule::Refused);
/// ```
pub fn cast_rule(from: &DataType, to: &DataType) -> CastRule {
    use DataType as T;
    if from == to {
        return CastRule::Lossless;
    }
    match (from, to) {
        // A column without any value has no type.
        (T::Null, _) => CastRule::Lossless,
        // Encodings of the same values.
        (T::Dictionary(_, values), _) => cast_rule(values, to),
        (T::RunEndEncoded(_, values), _) => cast_rule(values.data_type(), to),
        (_, T::Dictionary(_, values)) => cast_rule(from, values),
        (T::Date32, T::Date64) => CastRule::Lossless,
        (T::Date64, T::Date32) => CastRule::Checked,
        (T::Time32(from) | T::Time64(from), T::Time32(to) | T::Time64(to)) => {
            unit_rule(*from, *to, CastRule::Lossless)
        }
        // A finer unit has a smaller range.
        (T::Timestamp(from, one), T::Timestamp(to, other)) if one.is_some() == other.is_some() => {
            unit_rule(*from, *to, CastRule::Checked)
        }
        (T::Duration(from), T::Duration(to)) => unit_rule(*from, *to, CastRule::Checked),
        (_, T::Utf8 | T::LargeUtf8 | T::Utf8View) if from.is_string() || is_decimal(from) => {
            CastRule::Lossless
        }
        (_, T::FixedSizeBinary(_)) if is_bytes(from) => CastRule::Checked,
        (_, _) if is_bytes(from) && is_bytes(to) => CastRule::Lossless,
        (T::Struct(from), T::Struct(to)) => struct_rule(from, to),
        (T::Map(from, _), T::Map(to, sorted)) if !sorted => map_rule(from, to),
        (_, _) => match (list_item(from), list_item(to)) {
            (Some(from), Some(to_item)) => {
                let items = cast_rule(from.data_type(), to_item.data_type());
                // A list of a fixed size holds lists of that size only.
                let size = match to {
                    T::FixedSizeList(..) => CastRule::Checked,
                    _ => CastRule::Lossless,
                };
                items.max(size)
            }
            _ => number_rule(from, to),
        },
    }
}

/// Returns the rule for two units of time. `finer` is the rule when the digits are kept.
fn unit_rule(from: TimeUnit, to: TimeUnit, finer: CastRule) -> CastRule {
    match digits_of_second(from).cmp(&digits_of_second(to)) {
        std::cmp::Ordering::Less => finer,
        std::cmp::Ordering::Equal => CastRule::Lossless,
        std::cmp::Ordering::Greater => CastRule::Checked,
    }
}

/// Returns the number of decimal places of a second that a unit has.
pub(crate) fn digits_of_second(unit: TimeUnit) -> usize {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

fn struct_rule(from: &Fields, to: &Fields) -> CastRule {
    let rules = to.iter().filter_map(|wanted| {
        let (_, found) = from.find(wanted.name())?;
        Some(cast_rule(found.data_type(), wanted.data_type()))
    });
    rules.max().unwrap_or(CastRule::Lossless)
}

fn map_rule(from: &Field, to: &Field) -> CastRule {
    // Keys and values are matched by position: their names differ between formats.
    match (from.data_type(), to.data_type()) {
        (DataType::Struct(from), DataType::Struct(to)) if from.len() == to.len() => {
            let rules = from
                .iter()
                .zip(to)
                .map(|(from, to)| cast_rule(from.data_type(), to.data_type()));
            rules.max().unwrap_or(CastRule::Lossless)
        }
        _ => CastRule::Refused,
    }
}

/// Returns the item of a list type.
pub(super) fn list_item(data_type: &DataType) -> Option<&Field> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item),
        _ => None,
    }
}

fn is_bytes(data_type: &DataType) -> bool {
    data_type.is_binary() || matches!(data_type, DataType::FixedSizeBinary(_))
}

pub(super) fn is_decimal(data_type: &DataType) -> bool {
    data_type.is_decimal()
}

/// Returns the rule for two numbers.
fn number_rule(from: &DataType, to: &DataType) -> CastRule {
    let (Some(from), Some(to)) = (NumberRange::of(from), NumberRange::of(to)) else {
        return CastRule::Refused;
    };
    if from.fits(to) {
        CastRule::Lossless
    } else {
        CastRule::Checked
    }
}

/// The numbers that a type holds.
#[derive(Clone, Copy)]
enum NumberRange {
    Integer {
        signed: bool,
        bits: u32,
    },
    /// Integers of up to this many bits are exact.
    Float {
        exact_bits: u32,
    },
    Decimal {
        whole_digits: i32,
        scale: i32,
    },
}

impl NumberRange {
    fn of(data_type: &DataType) -> Option<Self> {
        use DataType as T;
        let (unsigned, signed) = (
            |bits| Self::Integer {
                signed: false,
                bits,
            },
            |bits| Self::Integer { signed: true, bits },
        );
        Some(match data_type {
            T::Int8 => signed(8),
            T::Int16 => signed(16),
            T::Int32 => signed(32),
            T::Int64 => signed(64),
            T::UInt8 => unsigned(8),
            T::UInt16 => unsigned(16),
            T::UInt32 => unsigned(32),
            T::UInt64 => unsigned(64),
            T::Float16 => Self::Float { exact_bits: 11 },
            T::Float32 => Self::Float { exact_bits: 24 },
            T::Float64 => Self::Float { exact_bits: 53 },
            T::Decimal32(precision, scale)
            | T::Decimal64(precision, scale)
            | T::Decimal128(precision, scale)
            | T::Decimal256(precision, scale) => Self::Decimal {
                whole_digits: i32::from(*precision) - i32::from(*scale),
                scale: i32::from(*scale),
            },
            _ => return None,
        })
    }

    /// Returns `true` if `to` holds every number of this type.
    fn fits(self, to: Self) -> bool {
        match (self, to) {
            (
                Self::Integer { signed, bits },
                Self::Integer {
                    signed: to_signed,
                    bits: to_bits,
                },
            ) => match (signed, to_signed) {
                (true, false) => false,
                (false, true) => bits < to_bits,
                _ => bits <= to_bits,
            },
            // The least signed integer is a power of two, so the sign needs no bit.
            (Self::Integer { signed, bits }, Self::Float { exact_bits }) => {
                bits - u32::from(signed) <= exact_bits
            }
            (
                Self::Integer { bits, .. },
                Self::Decimal {
                    whole_digits,
                    scale,
                },
            ) => {
                let digits = match bits {
                    8 => 3,
                    16 => 5,
                    32 => 10,
                    _ => 20,
                };
                scale >= 0 && digits <= whole_digits
            }
            (Self::Float { exact_bits: from }, Self::Float { exact_bits: to }) => from <= to,
            (
                Self::Decimal {
                    whole_digits,
                    scale,
                },
                Self::Decimal {
                    whole_digits: to_digits,
                    scale: to_scale,
                },
            ) => whole_digits <= to_digits && scale <= to_scale,
            // Decimals and floats have different fractions; decimals may exceed any integer.
            (Self::Float { .. } | Self::Decimal { .. }, _) => false,
        }
    }
}

//! [`CastError`].

use std::fmt;

use arrow_schema::DataType;

use super::rust_type;

/// A column that cannot be read as another type without losing anything.
///
/// The message names the column, both types, the reason and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CastError {
    /// The column, with the path to the part of it: `legs[].delay`.
    pub column: String,
    /// The type that is stored.
    pub from: DataType,
    /// The type that it is read as.
    pub to: DataType,
    /// The reason, boxed to keep results small.
    pub problem: Box<CastProblem>,
    /// The row of the first value that does not fit, counted from zero, if one is known.
    pub row: Option<usize>,
}

/// The reason of a [`CastError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CastProblem {
    /// The types have no unit in common.
    NoCommonUnit,
    /// The other type cannot hold this value.
    Value(String),
    /// So many values are missing, and the other type requires them.
    Missing(usize),
    /// A struct has fields that the other lacks: those of the stored type, and those of the other.
    Fields(Vec<String>, Vec<String>),
    /// Arrow failed to cast.
    Other(String),
}

impl fmt::Display for CastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column, from, to, ..
        } = self;
        if let CastProblem::Missing(count) = *self.problem {
            return write!(
                f,
                "column `{column}` has {count} empty values, and the field is not an `Option`; declare it as one"
            );
        }
        write!(
            f,
            "column `{column}` holds {from}, and the field is read from {to}"
        )?;
        match &*self.problem {
            CastProblem::NoCommonUnit | CastProblem::Missing(_) => {
                f.write_str(", which is another kind of value")?;
            }
            CastProblem::Value(value) => write!(f, ", which cannot hold `{value}`")?,
            CastProblem::Fields(stored, wanted) => {
                let list = |names: &[String]| match names {
                    [] => "nothing".to_owned(),
                    names => format!("`{}`", names.join("`, `")),
                };
                write!(
                    f,
                    ": only the first has {}, only the second has {}",
                    list(stored),
                    list(wanted)
                )?;
            }
            CastProblem::Other(message) => write!(f, ": {message}")?,
        }
        if let Some(row) = self.row {
            write!(f, " (row {row})")?;
        }
        match rust_type(from) {
            Some(name) if !matches!(*self.problem, CastProblem::Fields(..)) => write!(
                f,
                "; declare the field as `{name}`, or convert the column where it is made"
            ),
            _ => f.write_str("; convert the column where it is made"),
        }
    }
}

impl std::error::Error for CastError {}

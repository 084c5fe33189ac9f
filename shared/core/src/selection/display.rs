//! Formatting of expressions as text.

use std::fmt::{self, Write};

use crate::selection::expr::{Depth, Expr, Origin};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_char('*'),
            Self::Key(pattern) => write!(f, "key:\"{pattern}\""),
            Self::Group(group) => write_attribute(f, "group", group.as_deref()),
            Self::Tag { key, value } => write_tag(f, key, value),
            Self::Owner(owner) => write_attribute(f, "owner", owner.as_deref()),
            Self::Kind(kind) => write_attribute(f, "kind", kind.as_deref()),
            Self::Is(Origin::External) => f.write_str("is:external"),
            Self::Is(Origin::Materializable) => f.write_str("is:materializable"),
            Self::Partitions(sort) => write_attribute(f, "partitions", sort.as_deref()),
            Self::Traverse { start, up, down } => {
                match up {
                    Some(Depth::Edges(edges)) => write!(f, "{edges}+")?,
                    Some(Depth::All) => f.write_char('+')?,
                    None => {}
                }
                // These are not terms of the grammar, so a traversal needs parentheses around them.
                let bare = matches!(
                    **start,
                    Self::All | Self::Not(_) | Self::And(_) | Self::Or(_) | Self::Traverse { .. }
                );
                write_grouped(f, start, bare)?;
                match down {
                    Some(Depth::Edges(edges)) => write!(f, "+{edges}"),
                    Some(Depth::All) => f.write_char('+'),
                    None => Ok(()),
                }
            }
            Self::Roots(expr) => write!(f, "roots({expr})"),
            Self::Sinks(expr) => write!(f, "sinks({expr})"),
            Self::Not(but) => {
                f.write_str("not ")?;
                write_grouped(f, but, matches!(**but, Self::And(_) | Self::Or(_)))
            }
            Self::And(all) => write_joined(f, all, " and ", |part| {
                matches!(part, Self::And(_) | Self::Or(_))
            }),
            Self::Or(any) => write_joined(f, any, " or ", |part| matches!(part, Self::Or(_))),
        }
    }
}

fn write_attribute(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "{name}:\"{value}\""),
        None => write!(f, "{name}:<null>"),
    }
}

/// Formats a tag. A tag parsed from text that is not an expression may contain characters that
/// cannot be quoted; unquoted, it parses to the same tag again.
fn write_tag(f: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    let quotable = |text: &str| !text.contains(['"', '\\', '\r', '\n']);
    match (quotable(key) && quotable(value), value) {
        (true, "") => write!(f, "tag:\"{key}\""),
        (true, value) => write!(f, "tag:\"{key}\"=\"{value}\""),
        // The sign keeps white space at the end of a key.
        (false, "") => write!(f, "tag:{key}="),
        (false, value) => write!(f, "tag:{key}={value}"),
    }
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    by: &str,
    group: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(by)?;
        }
        write_grouped(f, part, group(part))?;
    }
    Ok(())
}

fn write_grouped(f: &mut fmt::Formatter<'_>, expr: &Expr, group: bool) -> fmt::Result {
    if group {
        write!(f, "({expr})")
    } else {
        write!(f, "{expr}")
    }
}

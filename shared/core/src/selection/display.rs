//! Expressions back to text.

use std::fmt::{self, Write};

use crate::selection::expr::{Depth, Expr, Maker};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_char('*'),
            Self::Key(pattern) => write!(f, "key:\"{pattern}\""),
            Self::Group(group) => attribute(f, "group", group.as_deref()),
            Self::Tag { key, value } => tag(f, key, value),
            Self::Owner(owner) => attribute(f, "owner", owner.as_deref()),
            Self::Kind(kind) => attribute(f, "kind", kind.as_deref()),
            Self::Is(Maker::External) => f.write_str("is:external"),
            Self::Is(Maker::Materializable) => f.write_str("is:materializable"),
            Self::Partitions(sort) => attribute(f, "partitions", sort.as_deref()),
            Self::Traverse { of, up, down } => {
                match up {
                    Some(Depth::Edges(edges)) => write!(f, "{edges}+")?,
                    Some(Depth::All) => f.write_char('+')?,
                    None => {}
                }
                let bare = matches!(
                    **of,
                    Self::All | Self::Not(_) | Self::And(_) | Self::Or(_) | Self::Traverse { .. }
                );
                grouped(f, of, bare)?;
                match down {
                    Some(Depth::Edges(edges)) => write!(f, "+{edges}"),
                    Some(Depth::All) => f.write_char('+'),
                    None => Ok(()),
                }
            }
            Self::Roots(of) => write!(f, "roots({of})"),
            Self::Sinks(of) => write!(f, "sinks({of})"),
            Self::Not(but) => {
                f.write_str("not ")?;
                grouped(f, but, matches!(**but, Self::And(_) | Self::Or(_)))
            }
            Self::And(all) => joined(f, all, " and ", |part| {
                matches!(part, Self::And(_) | Self::Or(_))
            }),
            Self::Or(any) => joined(f, any, " or ", |part| matches!(part, Self::Or(_))),
        }
    }
}

fn attribute(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "{name}:\"{value}\""),
        None => write!(f, "{name}:<null>"),
    }
}

/// A tag that was taken from text that is no expression may hold what cannot be quoted; the same
/// text means it again.
fn tag(f: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    let quotable = |text: &str| !text.contains(['"', '\\', '\r', '\n']);
    match (quotable(key) && quotable(value), value) {
        (true, "") => write!(f, "tag:\"{key}\""),
        (true, value) => write!(f, "tag:\"{key}\"=\"{value}\""),
        (false, "") => write!(f, "tag:{key}"),
        (false, value) => write!(f, "tag:{key}={value}"),
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    by: &str,
    group: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(by)?;
        }
        grouped(f, part, group(part))?;
    }
    Ok(())
}

fn grouped(f: &mut fmt::Formatter<'_>, expr: &Expr, group: bool) -> fmt::Result {
    if group {
        write!(f, "({expr})")
    } else {
        write!(f, "{expr}")
    }
}

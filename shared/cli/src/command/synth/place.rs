//! Where one folder is, seen from another.

use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// How `folder` is written in a file that lies in `from`, both named from the current folder. Two
/// folders below the current one give a path that is right on every machine; an absolute one otherwise.
///
/// # Errors
/// [`Failure`] when there is no current folder.
pub(super) fn seen_from(from: &Path, folder: &Path) -> Result<String, Failure> {
    let seen = match (below(from), below(folder)) {
        (Some(from), Some(folder)) => {
            let common = from.iter().zip(&folder).take_while(|(a, b)| a == b).count();
            let up = std::iter::repeat_n(Component::ParentDir, from.len() - common);
            up.chain(folder[common..].iter().copied()).collect()
        }
        _ => std::path::absolute(folder)?,
    };
    Ok(with_slashes(&seen))
}

/// The parts of a path that stays below the current folder.
fn below(path: &Path) -> Option<Vec<Component<'_>>> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let named = |part: Component<'_>| matches!(part, Component::Normal(_));
    parts.map(|part| named(part).then_some(part)).collect()
}

fn with_slashes(path: &PathBuf) -> String {
    path.to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_below_the_current_one_are_relative() {
        let seen = |from: &str, folder: &str| seen_from(from.as_ref(), folder.as_ref()).unwrap();
        assert_eq!(
            seen("infra/generated", "target/lambda"),
            "../../target/lambda"
        );
        assert_eq!(seen("./out", "out/zips"), "zips");
        assert_eq!(seen("a/b", "a/c"), "../c");
        assert_eq!(seen("", "zips"), "zips");
    }

    #[test]
    fn other_folders_are_absolute() {
        let seen = |from: &str, folder: &str| seen_from(from.as_ref(), folder.as_ref()).unwrap();
        assert_eq!(seen("/tmp/out", "/zips"), "/zips");
        assert!(seen("../out", "zips").starts_with('/'));
        assert!(seen("../out", "zips").ends_with("/zips"));
    }
}

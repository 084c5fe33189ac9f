//! Paths from one folder to another.

use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// Returns the path of `folder` for a file in `from`; both arguments are relative to the current folder.
/// The result is relative, the same on every machine, when both are below the current folder, and
/// absolute otherwise.
///
/// # Errors
/// [`Failure`] when there is no current folder.
pub(super) fn relative_path(from: &Path, folder: &Path) -> Result<String, Failure> {
    let path = match (parts_below(from), parts_below(folder)) {
        (Some(from), Some(folder)) => {
            let common = from.iter().zip(&folder).take_while(|(a, b)| a == b).count();
            let up = std::iter::repeat_n(Component::ParentDir, from.len() - common);
            up.chain(folder[common..].iter().copied())
                .collect::<PathBuf>()
        }
        _ => std::path::absolute(folder)?,
    };
    Ok(with_slashes(&path))
}

/// Returns the parts of a path below the current folder, or `None` when it leaves that folder.
fn parts_below(path: &Path) -> Option<Vec<Component<'_>>> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let named = |part: Component<'_>| matches!(part, Component::Normal(_));
    parts.map(|part| named(part).then_some(part)).collect()
}

fn with_slashes(path: &Path) -> String {
    path.to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_below_the_current_one_are_relative() {
        let seen =
            |from: &str, folder: &str| relative_path(from.as_ref(), folder.as_ref()).unwrap();
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
        let seen =
            |from: &str, folder: &str| relative_path(from.as_ref(), folder.as_ref()).unwrap();
        assert_eq!(seen("/tmp/out", "/zips"), "/zips");
        assert!(seen("../out", "zips").starts_with('/'));
        assert!(seen("../out", "zips").ends_with("/zips"));
    }
}

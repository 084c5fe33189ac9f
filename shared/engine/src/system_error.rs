//! [`SystemProblem`]: what an error of the operating system means for a person.

use std::{error::Error, io};

/// A kind of error of the operating system, by what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemProblem {
    /// There is no room left on the disk, or a quota is used up.
    DiskFull,
    /// This user lacks the right.
    Denied,
    /// The file system takes no writes.
    ReadOnly,
    /// This process, or all of them, have as many files open as the system allows.
    TooManyFiles,
    /// A file is where a folder should be, or the reverse.
    InTheWay,
    /// Any other error. Its own message says what it is.
    Other,
}

/// `EMFILE` on Linux, macOS and the BSDs; `ERROR_TOO_MANY_OPEN_FILES` on Windows.
const TOO_MANY_OF_PROCESS: i32 = if cfg!(windows) { 4 } else { 24 };
/// `ENFILE`.
const TOO_MANY_OF_SYSTEM: i32 = 23;

impl SystemProblem {
    /// Classifies an error.
    pub fn of(error: &io::Error) -> Self {
        // The standard library has no kind for these.
        match error.raw_os_error() {
            Some(TOO_MANY_OF_PROCESS) => return Self::TooManyFiles,
            Some(TOO_MANY_OF_SYSTEM) if cfg!(unix) => return Self::TooManyFiles,
            _ => {}
        }
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::AlreadyExists => Self::InTheWay,
            _ => Self::Other,
        }
    }

    /// Classifies an error by the first error of the system among it and its causes.
    pub fn in_chain(error: &(dyn Error + 'static)) -> Self {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match Self::of(error) {
                Self::Other => {}
                problem => return problem,
            }
            // The source of an error that wraps another is that of the other one.
            if let Some(inner) = error.get_ref() {
                return Self::in_chain(inner);
            }
        }
        error.source().map_or(Self::Other, Self::in_chain)
    }

    /// Returns what happened and what to do about it, such as `the disk is full; free some space and run it again`;
    /// `None` for an error whose own message has to say it.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Self::DiskFull => Some("the disk is full; free some space and run it again"),
            Self::Denied => Some("permission is denied; give this user the right to it"),
            Self::ReadOnly => Some("the file system is read-only; choose another folder"),
            Self::TooManyFiles => Some(
                "too many files are open; raise the limit (`ulimit -n 4096`) or use a smaller `--concurrency`",
            ),
            Self::InTheWay => {
                Some("a file is where a folder should be; move it away or choose another folder")
            }
            Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_files_are_no_problem_of_rights() {
        let codes: &[i32] = if cfg!(unix) { &[23, 24] } else { &[4] };
        for code in codes {
            let error = io::Error::from_raw_os_error(*code);
            assert_eq!(SystemProblem::of(&error), SystemProblem::TooManyFiles);
            // As stores and databases wrap it.
            let wrapped = io::Error::other(io::Error::other(error));
            let problem = SystemProblem::in_chain(&wrapped);
            assert_eq!(problem, SystemProblem::TooManyFiles);
            assert!(
                problem
                    .advice()
                    .unwrap()
                    .starts_with("too many files are open; raise the limit")
            );
        }
    }

    #[test]
    fn kinds_of_the_standard_library_are_classified() {
        for (kind, problem) in [
            (io::ErrorKind::StorageFull, SystemProblem::DiskFull),
            (io::ErrorKind::QuotaExceeded, SystemProblem::DiskFull),
            (io::ErrorKind::PermissionDenied, SystemProblem::Denied),
            (io::ErrorKind::ReadOnlyFilesystem, SystemProblem::ReadOnly),
            (io::ErrorKind::NotADirectory, SystemProblem::InTheWay),
            (io::ErrorKind::NotFound, SystemProblem::Other),
        ] {
            assert_eq!(SystemProblem::of(&kind.into()), problem, "{kind:?}");
            assert_eq!(problem.advice().is_none(), problem == SystemProblem::Other);
        }
    }
}

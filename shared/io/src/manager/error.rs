//! Messages for failures of a store.

use precip_engine::{io::IoError, system_error::SystemProblem};

/// Converts a store's error, adding the operation, the location and advice.
pub(super) fn store_error(doing: &str, store: &str, error: object_store::Error) -> IoError {
    if let object_store::Error::NotFound { path, .. } = &error {
        return IoError::NotFound {
            pointer: path.clone(),
        };
    }
    let advice = advice_for(&error).map_or_else(String::new, |advice| format!(": {advice}"));
    IoError::Failed {
        message: format!("failed to {doing} in `{store}`{advice}"),
        source: Box::new(error),
    }
}

/// Returns what to do about an error, for the end of a message; `None` when the error says enough.
fn advice_for(error: &object_store::Error) -> Option<&'static str> {
    // The error of the operating system is somewhere in the chain of causes.
    let advice = SystemProblem::in_chain(error).advice();
    advice.or(match error {
        object_store::Error::PermissionDenied { .. } => Some(
            "access is denied; give the role `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject` and `s3:ListBucket` there",
        ),
        object_store::Error::Unauthenticated { .. } => Some(
            "the credentials were not accepted; check AWS_ACCESS_KEY_ID and its like, or the role",
        ),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn message_for(kind: io::ErrorKind) -> String {
        let error = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io::Error::from(kind)),
        };
        store_error("store `a/b.csv`", "data", error).to_string()
    }

    #[test]
    fn a_full_disk_and_a_read_only_folder_are_named() {
        assert_eq!(
            message_for(io::ErrorKind::StorageFull),
            "failed to store `a/b.csv` in `data`: the disk is full; free some space and run it again"
        );
        assert_eq!(
            message_for(io::ErrorKind::ReadOnlyFilesystem),
            "failed to store `a/b.csv` in `data`: the file system is read-only; choose another folder"
        );
        assert_eq!(
            message_for(io::ErrorKind::PermissionDenied),
            "failed to store `a/b.csv` in `data`: permission is denied; give this user the right to it"
        );
    }

    #[cfg(unix)]
    #[test]
    fn too_many_open_files_are_named_as_such() {
        // As the store wraps the error of a file that it cannot open.
        let error = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io::Error::other(io::Error::from_raw_os_error(24))),
        };
        assert_eq!(
            store_error("load `a/b.csv`", "data", error).to_string(),
            "failed to load `a/b.csv` in `data`: too many files are open; raise the limit (`ulimit -n 4096`) or use a \
             smaller `--concurrency`"
        );
    }
}

//! Messages for failures of a store.

use std::{error::Error, io};

use precip_engine::io::IoError;

/// Converts a store's error, adding the operation, the location and advice.
pub(super) fn store_error(doing: &str, store: &str, error: object_store::Error) -> IoError {
    if let object_store::Error::NotFound { path, .. } = &error {
        return IoError::NotFound {
            pointer: path.clone(),
        };
    }
    let advice = advice_for(&error);
    IoError::Failed {
        message: format!("failed to {doing} in `{store}`{advice}"),
        source: Box::new(error),
    }
}

/// Returns what to do about an error, for the end of a message; empty when the error says enough.
fn advice_for(error: &object_store::Error) -> &'static str {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    // The error of the operating system is somewhere in the chain of causes.
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    return ": the disk is full; free some space and run it again";
                }
                io::ErrorKind::PermissionDenied => {
                    return ": permission is denied; give this user the right to it";
                }
                io::ErrorKind::ReadOnlyFilesystem => {
                    return ": the file system is read-only; choose another folder";
                }
                io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                    return ": a file is where a folder should be; move it away or choose another folder";
                }
                _ => {}
            }
        }
        cause = error.source();
    }
    match error {
        object_store::Error::PermissionDenied { .. } => {
            ": access is denied; give the role `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject` and `s3:ListBucket` there"
        }
        object_store::Error::Unauthenticated { .. } => {
            ": the credentials were not accepted; check AWS_ACCESS_KEY_ID and its like, or the role"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
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
}

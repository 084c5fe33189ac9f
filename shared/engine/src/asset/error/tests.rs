use super::{AssetError, ErrorKind, Terminal};
use crate::asset::InvalidPartitionUse;

#[test]
fn a_boxed_error_keeps_its_kind() {
    let terminal: Result<u8, _> = "x".parse::<u8>().terminal();
    let boxed: Box<dyn std::error::Error + Send + Sync> = terminal.unwrap_err().into();
    assert_eq!(AssetError::from_boxed(boxed).kind(), ErrorKind::Terminal);
}

#[test]
fn misuse_of_partitions_is_always_terminal() {
    let error = AssetError::from(InvalidPartitionUse::Unpartitioned);
    assert_eq!(error.kind(), ErrorKind::Terminal);
    assert_eq!(
        AssetError::from_boxed("no file").kind(),
        ErrorKind::Retryable
    );
}

#[test]
fn causes_are_kept_nearest_first() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot fetch")]
    struct Fetch(#[source] std::num::ParseIntError);

    let error = AssetError::from(Fetch("x".parse::<u8>().unwrap_err()));
    assert_eq!(error.message(), "cannot fetch");
    assert_eq!(error.causes(), ["invalid digit found in string"]);
}

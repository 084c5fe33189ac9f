//! Failures and their advice.

use insta::assert_snapshot;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_explained() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    let mut shown = String::new();
    for (command, arguments) in [
        ("asset", &["total"][..]),
        ("assets", &["--select", "group:raw and ("]),
        ("assets", &["--select", "tottals"]),
        ("plan", &["--select", "tag:a and ("]),
        ("plan", &["--select", "kind:csv"]),
        ("plan", &["--select", "trips", "--partitions", "2024-02-01"]),
        ("materialize", &["--select", "cities", "--tag", "x"]),
        ("materialize", &["--select", "trips", "--config-json", "{"]),
        ("partitions", &["tripz"]),
        ("run", &["latest"]),
        ("show", &["totals"]),
        ("show", &["totals", "--partition", "2024-01-01"]),
        ("show", &["cities", "--partition", "2024-01-01"]),
        ("checks", &["totals", "--partition", "2023-01-01"]),
        ("dynamic", &["filez"]),
    ] {
        let refused = world.failure_of(command, arguments).await;
        shown += &format!("$ {command} {}\n{refused}\n", arguments.join(" "));
    }
    assert_snapshot!("errors", shown);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let failure = precip_cli::testing::Failure::from(closed);
    assert_eq!(failure.exit, precip_cli::testing::Exit::Done);
    // Any other error of the output is one.
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let failure = precip_cli::testing::Failure::from(full);
    assert_eq!(failure.exit, precip_cli::testing::Exit::Environment);
}

//! What is refused, and what to write instead.

use insta::assert_snapshot;

use crate::world::{World, stable};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_gets_wrong() {
    let _stable = stable();
    let world = World::new().await;
    let mut told = String::new();
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
        let refused = world.refuses(command, arguments).await;
        told += &format!("$ {command} {}\n{refused}\n", arguments.join(" "));
    }
    assert_snapshot!("errors", told);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let failure = precip_cli::failure::Failure::from(closed);
    assert_eq!(failure.exit, precip_cli::exit::Exit::Done);
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let failure = precip_cli::failure::Failure::from(full);
    assert_eq!(failure.exit, precip_cli::exit::Exit::Environment);
}

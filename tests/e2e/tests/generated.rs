//! The committed generated files are up to date.

use std::{path::Path, process::Command};

#[test]
fn infra_generated_has_not_drifted() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let home = tempfile::tempdir().expect("a folder can be created");
    let checked = Command::new(env!("CARGO_BIN_EXE_flights-cli"))
        .args(["--env", "prod", "synth", "--cdk", "--check"])
        .current_dir(repository)
        .env_clear()
        .env("PRECIP_HOME", home.path())
        .output()
        .expect("the sample project's command line starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        checked.status.success(),
        "{}{}",
        text(&checked.stdout),
        text(&checked.stderr)
    );
}

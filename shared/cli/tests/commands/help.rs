//! The text of `--help`.

use clap::CommandFactory;
use insta::assert_snapshot;
use precip_cli::testing::Root;

use crate::world::stable_snapshots;

#[test]
fn the_root_command() {
    let _stable = stable_snapshots();
    let help = Root::command()
        .name("project")
        .term_width(100)
        .render_help();
    assert_snapshot!("help", help);
}

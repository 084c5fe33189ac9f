//! `--help`.

use clap::CommandFactory;
use insta::assert_snapshot;
use precip_cli::args::Root;

use crate::world::stable;

#[test]
fn the_root_command() {
    let _stable = stable();
    let help = Root::command()
        .name("project")
        .term_width(100)
        .render_help();
    assert_snapshot!("help", help);
}

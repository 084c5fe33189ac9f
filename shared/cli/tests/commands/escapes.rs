//! Control sequences in data, metadata, messages and keys.

use precip::prelude::*;
use precip_cli::testing::Exit;
use precip_core::partitions::PartitionKey;
use serde::{Deserialize, Serialize};

use crate::world::World;

/// Clears the screen, colours by a control of one character, reverses the direction, and begins a line.
const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\u{202e}y\nerror: forged\u{7}";

static SETS: LazyPartitions = partitions!(dynamic("files"));

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    text: String,
}

/// Notes that others wrote.
#[asset]
fn notes() -> Output<Vec<Note>> {
    let text = HOSTILE.to_owned();
    Output::new(vec![Note { text }]).metadata("origin", HOSTILE)
}

/// A check whose description is from the data.
#[asset_check(asset = notes)]
fn polite(notes: Vec<Note>) -> CheckResult {
    CheckResult::fail(notes[0].text.clone()).metadata("found", HOSTILE)
}

/// Files whose content is wrong.
#[asset(partitions = SETS)]
fn wrong() -> Result<String, AssetError> {
    Err(AssetError::terminal(HOSTILE))
}

async fn hostile_world() -> World {
    let definitions = Definitions::builder()
        .asset::<notes>()
        .check::<polite>()
        .asset::<wrong>()
        .build();
    let mut world = World::with_definitions(definitions.unwrap()).await;
    // Control characters are refused in keys; those that change the direction of text are not.
    let store = &world.session.store;
    let keys = [PartitionKey::from("a\u{202e}b.csv")];
    store.add_dynamic_keys("files", &keys).await.unwrap();
    let known = store.dynamic_keys("files").await.unwrap();
    world
        .session
        .context
        .dynamic
        .insert("files".to_owned(), known);
    assert_eq!(world.materialize(&["-s", "notes"]).await, Ok(Exit::Done));
    let failed = world.materialize(&["-s", "wrong", "-p", "all"]).await;
    assert_eq!(failed, Ok(Exit::RunFailed));
    world
}

fn assert_harmless(text: &str, origin: &str) {
    for c in text.chars() {
        let is_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(
            c == '\n' || !(c.is_control() || is_direction),
            "{origin}: {c:?} in {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_printed_for_people_controls_the_terminal() {
    let world = hostile_world().await;
    let mut shown = 0;
    for (command, arguments) in [
        ("show", &["notes"] as &[&str]),
        ("asset", &["notes"]),
        ("asset", &["wrong", "-p", "a.csv"]),
        ("checks", &["notes"]),
        ("partitions", &["wrong"]),
        ("dynamic", &["files"]),
        ("run", &["latest"]),
        ("runs", &[]),
        ("plan", &["-s", "wrong", "-p", "all"]),
        ("assets", &[]),
        ("doctor", &[]),
        ("ticks", &[]),
    ] {
        let mut out = Vec::new();
        world
            .run_command(command, arguments, &mut out)
            .await
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_harmless(&text, command);
        // A line that the data begins is not a line of a table.
        if command == "show" {
            assert_eq!(text.lines().count(), 2, "{text}");
        }
        shown += usize::from(text.contains("\\u{1b}"));
    }
    assert!(shown >= 5, "{shown}");
    let failure = world.failure_of("show", &["wrong", "-p", HOSTILE]).await;
    assert_harmless(&failure, "error");
    assert!(failure.contains("\\u{1b}[2J"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_on_a_pipe_stays_as_it_is() {
    let world = hostile_world().await;
    let csv = world.output_of("show", &["notes", "--format", "csv"]).await;
    assert_eq!(csv, format!("text\n\"{HOSTILE}\"\n"));
    for arguments in [&["notes", "--format", "json"] as &[&str], &["notes"]] {
        let world = hostile_world().await;
        let world = if arguments.len() == 1 {
            world.with_json()
        } else {
            world
        };
        let json = world.output_of("show", arguments).await;
        let rows: Vec<Note> = serde_json::from_str(&json).unwrap();
        assert_eq!(rows[0].text, HOSTILE);
    }
}

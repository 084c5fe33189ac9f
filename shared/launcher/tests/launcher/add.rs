//! `precip add`. The suite `tests/suites/templates` compiles what it writes.

use crate::Folder;

fn project() -> Folder {
    let folder = Folder::new();
    let (code, said) = folder.run("", "new shop");
    assert_eq!(code, 0, "{said}");
    folder
}

#[test]
fn skeletons_are_written_where_their_kind_belongs() {
    let folder = project();
    let (assets, library) = (
        folder.read("shop/src/assets.rs"),
        folder.read("shop/src/lib.rs"),
    );
    // From a folder of the project.
    let (code, said) = folder.run("shop/landing", "add asset customers");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.starts_with("cargo run -- materialize --select customers\n"),
        "{said}"
    );
    let added = folder.read("shop/src/assets.rs");
    let skeleton = added.strip_prefix(&assets).unwrap();
    assert!(
        skeleton.contains("#[asset]\npub fn customers() -> Vec<CustomersRow> {\n"),
        "{skeleton}"
    );
    let line = said.rsplit_once("src/assets.rs:").unwrap().1.trim();
    let line: usize = line.parse().unwrap();
    assert_eq!(
        added.lines().nth(line - 1),
        Some("/// A row of `customers`.")
    );

    // Beside the asset, whose type it takes.
    let (code, said) = folder.run("shop", "add check has_rows --asset customers");
    assert_eq!(code, 0, "{said}");
    let expected = "#[asset_check(asset = customers)]\npub fn has_rows(customers: Vec<CustomersRow>) -> CheckResult {\n    \
                    CheckResult::passed_if(!customers.is_empty())\n}\n";
    assert!(folder.read("shop/src/assets.rs").ends_with(expected));

    let (code, said) = folder.run("shop", "add sensor new_files --target customers+");
    assert_eq!(code, 0, "{said}");
    let sensors = folder.read("shop/src/sensors.rs");
    assert!(
        sensors.contains("    prefix = \"new_files/\",\n    target = \"customers+\",\n"),
        "{sensors}"
    );
    assert_eq!(folder.read("shop/src/lib.rs"), library);

    // The first schedule needs a module.
    let (code, said) = folder.run("shop", "add schedule nightly");
    assert_eq!(code, 0, "{said}");
    let schedules = folder.read("shop/src/schedules.rs");
    assert!(
        schedules.starts_with("//! The schedules.\n\nuse precip::prelude::*;\n\n/// TODO"),
        "{schedules}"
    );
    let expected = library.replace(
        "pub mod sensors;\n",
        "pub mod schedules;\npub mod sensors;\n",
    );
    assert_eq!(folder.read("shop/src/lib.rs"), expected);
    let (code, said) = folder.run("shop", "add schedule hourly");
    assert_eq!(code, 0, "{said}");
    assert_eq!(folder.read("shop/src/lib.rs"), expected);
}

#[test]
fn a_name_that_is_taken_is_refused_with_its_place() {
    let folder = project();
    let before = folder.files();
    for (line, expected) in [
        (
            "asset orders",
            "error: `orders` is already an asset: src/assets.rs:",
        ),
        (
            "schedule orders",
            "error: `orders` is already an asset: src/assets.rs:",
        ),
        (
            "asset landing_orders",
            "error: `landing_orders` is already a sensor: src/sensors.rs:",
        ),
        (
            "check revenue --asset orders",
            "error: `revenue` is already an asset",
        ),
        (
            "check positive_quantity --asset orders",
            "error: `positive_quantity` is already a check",
        ),
        (
            "check sure --asset order",
            "error: there is no asset `order` in `src`\nhelp: the assets are `orders`, `revenue`",
        ),
        (
            "asset raw/orders",
            "error: `raw/orders` is no name of an asset; write lower-case letters",
        ),
        ("sensor fn", "error: `fn` is a keyword of Rust"),
    ] {
        let (code, said) = folder.run("shop", &format!("add {line}"));
        assert_eq!(code, 2, "{line}");
        assert!(said.starts_with(expected), "{said}");
    }
    // The name of the rows' struct is taken.
    let assets = folder.read("shop/src/assets.rs");
    folder.write(
        "shop/src/assets.rs",
        &format!("{assets}\ntype ItemsRow = u8;\n"),
    );
    let (code, said) = folder.run("shop", "add asset items");
    assert_eq!(code, 2);
    assert!(
        said.starts_with("error: `ItemsRow` is already an item: src/assets.rs:"),
        "{said}"
    );
    folder.write("shop/src/assets.rs", &assets);
    assert_eq!(folder.files(), before);
}

#[test]
fn tests_stay_at_the_end_and_imports_are_added() {
    let folder = project();
    let text = "//! Ours.\n\n// Shared.\nuse std::fmt;\n\n#[precip::asset]\npub fn total() -> i64 {\n    1\n}\n\n\
                // All of them.\n#[cfg(test)]\nmod tests {\n}\n";
    folder.write("shop/src/assets.rs", text);
    let (code, said) = folder.run("shop", "add check sure --asset total");
    assert_eq!(code, 0, "{said}");
    let expected = "//! Ours.\n\nuse precip::prelude::*;\n// Shared.\nuse std::fmt;\n\n#[precip::asset]\npub fn total() -> i64 {\n    1\n}\n\n\
                    /// TODO: describe what is true of `total`, and replace the condition.\n\
                    #[asset_check(asset = total)]\n\
                    pub fn sure(#[input(total)] _total: i64) -> CheckResult {\n    CheckResult::passed_if(true)\n}\n\n\
                    // All of them.\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(folder.read("shop/src/assets.rs"), expected);
}

#[test]
fn a_file_that_is_not_rust_is_named() {
    let folder = project();
    folder.write("shop/src/assets.rs", "use precip::prelude::*;\n\nfn (\n");
    let (code, said) = folder.run("shop", "add asset items");
    assert_eq!(code, 2);
    assert!(
        said.starts_with("error: `src/assets.rs` is not valid Rust, at line 3: "),
        "{said}"
    );
    assert!(said.ends_with("help: correct it first\n"), "{said}");
}

#[test]
fn a_project_without_discovery_is_told_what_to_register() {
    let folder = project();
    let library = folder
        .read("shop/src/lib.rs")
        .replace("        .discover()\n", "");
    folder.write("shop/src/lib.rs", &library);
    let (code, said) = folder.run("shop", "add asset items");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("so add `.asset::<assets::items>()` to their builder"),
        "{said}"
    );
}

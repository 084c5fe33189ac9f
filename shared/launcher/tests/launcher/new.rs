//! `precip new`.

use std::fs;

use crate::{Folder, say};

#[test]
fn a_project_is_made_and_the_next_commands_are_printed() {
    let folder = Folder::new();
    let output = folder.precip("", "new web-shop").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out, "cd web-shop\ncargo run -- materialize\n");

    let files = folder.files();
    for file in [
        ".github/workflows/ci.yml",
        ".gitignore",
        ".vscode/settings.json",
        "AGENTS.md",
        "README.md",
        "landing/orders.csv",
        "src/lib.rs",
        "src/main.rs",
        "tests/project.rs",
    ] {
        assert!(files.contains_key(&format!("web-shop/{file}")), "{file}");
    }
    let manifest = &files["web-shop/Cargo.toml"];
    assert!(
        manifest.starts_with("[package]\nname = \"web-shop\"\n"),
        "{manifest}"
    );
    assert!(manifest.contains("\nprecip = \"0.1\"\n"), "{manifest}");
    assert!(!manifest.contains("patch"), "{manifest}");
    assert!(files["web-shop/src/main.rs"].contains("precip::main(web_shop::definitions)"));
    assert!(folder.path().join("web-shop/.git").exists());
}

#[test]
fn every_template_is_made_for_every_way_to_deploy() {
    for template in ["minimal", "files", "duckdb", "snowflake"] {
        for deploy in ["none", "sam", "cdk-ts", "cdk-py"] {
            let folder = Folder::new();
            let line = format!("new shop --template {template} --deploy {deploy}");
            let (code, said) = folder.run("", &line);
            assert_eq!(code, 0, "{said}");
            let files = folder.files();
            for (name, text) in &files {
                assert!(!name.ends_with(".jinja"), "{name}");
                assert!(
                    !text.contains("{%") && !text.contains("{{ name"),
                    "{line}: {name}"
                );
                assert!(
                    text.ends_with('\n') && !text.ends_with("\n\n"),
                    "{line}: {name}"
                );
            }
            let has = |file: &str| files.contains_key(&format!("shop/{file}"));
            assert_eq!(has("src/bin/planner.rs"), deploy != "none");
            assert_eq!(
                has("src/bin/materializer-sql.rs"),
                deploy != "none" && template == "duckdb"
            );
            assert_eq!(has("infra/samconfig.toml"), deploy == "sam");
            assert_eq!(has("infra/app.ts"), deploy == "cdk-ts");
            assert_eq!(has("infra/app.py"), deploy == "cdk-py");
            let manifest = &files["shop/Cargo.toml"];
            assert_eq!(
                manifest.contains("aws = [\"precip/aws\"]"),
                deploy != "none"
            );
            assert_eq!(
                manifest.contains("precip-snowflake"),
                template == "snowflake"
            );
            assert_eq!(manifest.contains("precip-duckdb"), template == "duckdb");
        }
    }
}

#[test]
fn what_exists_is_left_as_it_is() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("empty")).unwrap();
    folder.write("shop/notes.txt", "mine\n");
    folder.write("file", "mine too\n");
    let before = folder.files();
    for name in ["empty", "shop", "file"] {
        let (code, said) = folder.run("", &format!("new {name}"));
        assert_eq!(code, 2);
        let expected = format!(
            "error: `{name}` exists already\nhelp: choose another name; `new` changes nothing that exists\n"
        );
        assert_eq!(said, expected);
    }
    assert_eq!(folder.files(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn a_name_that_is_none_is_refused() {
    let folder = Folder::new();
    for (name, expected) in [
        (
            "Shop",
            "error: `Shop` is no name of a project; write lower-case letters",
        ),
        (
            "match",
            "error: `match` is a keyword of Rust; choose another name",
        ),
        (".", "error: `.` is no name of a project"),
        ("..", "error: `..` is no name of a project"),
        ("/", "error: `/` is no name of a project"),
        (
            "sensor --deploy sam",
            "error: `sensor` cannot be the name of a project, since a function of the deployment",
        ),
        ("missing/shop", "error: there is no folder `"),
        (
            "shop --template big",
            "invalid value 'big' for '--template <TEMPLATE>'",
        ),
    ] {
        let (code, said) = folder.run("", &format!("new {name}"));
        assert_eq!(code, 2, "{name}");
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_path_ends_in_the_name() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("code")).unwrap();
    let output = folder.precip("", "new code/shop/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        folder
            .read("code/shop/Cargo.toml")
            .contains("name = \"shop\"")
    );
}

#[test]
fn a_project_in_a_repository_or_a_workspace_is_part_of_the_first_and_not_of_the_second() {
    let folder = Folder::new();
    folder.write("Cargo.toml", "[workspace]\n");
    fs::create_dir_all(folder.path().join(".git")).unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    let (code, said) = folder.run("inner", "new shop");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("it is part of the git repository around it"),
        "{said}"
    );
    assert!(!folder.path().join("inner/shop/.git").exists());
    assert!(
        folder
            .read("inner/shop/Cargo.toml")
            .ends_with("\n[workspace]\n")
    );
    // Cargo accepts it, though the workspace above does not list it.
    let (code, said) = folder.run("inner/shop", "add asset customers");
    assert_eq!(code, 0, "{said}");

    let alone = Folder::new();
    alone.run("", "new shop");
    assert!(!alone.read("shop/Cargo.toml").contains("[workspace]"));
}

#[cfg(unix)]
#[test]
fn nothing_is_left_when_making_a_project_fails_in_between() {
    let folder = Folder::new();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    // The files are written by then.
    let path = folder.path_with(
        "git",
        "ls Cargo.toml src/lib.rs >/dev/null || exit 9\necho 'disk full' >&2\nexit 1",
    );
    let output = folder
        .precip("work", "new shop")
        .env("PATH", path)
        .output()
        .unwrap();
    let (code, said) = say(&output);
    assert_eq!(
        (code, said.as_str()),
        (4, "error: `git init` failed: disk full\n")
    );
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_machine_without_git_gets_a_project_without_repository() {
    let folder = Folder::new();
    let output = folder
        .precip("", "new shop")
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let (code, said) = say(&output);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("it is no git repository: git is not installed"),
        "{said}"
    );
    assert!(folder.path().join("shop/Cargo.toml").exists());
}

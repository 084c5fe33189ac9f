//! Every other command is the project's.

use std::fs;

use crate::Folder;

#[test]
fn outside_a_project_it_says_what_to_do() {
    let folder = Folder::new();
    for line in ["materialize", "--env prod synth", "add asset orders"] {
        let (code, said) = folder.run("", line);
        assert_eq!(code, 2, "{line}");
        let expected = format!(
            "error: there is no project in `{}` or a folder above it\n\
             help: go to the folder of a project, or make one: `precip new NAME`\n",
            folder.path().display()
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn a_package_without_precip_is_no_project() {
    let folder = Folder::new();
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
    folder.write("Cargo.toml", &package("tool"));
    folder.write("src/main.rs", "fn main() { panic!(\"it ran\") }\n");
    let (code, said) = folder.run("src", "materialize");
    assert_eq!(code, 2);
    assert!(said.starts_with("error: no package in `"), "{said}");
    assert!(
        said.contains("none has a program and depends on `precip`"),
        "{said}"
    );
}

#[test]
fn a_manifest_that_cargo_cannot_read_is_shown() {
    let folder = Folder::new();
    folder.write("Cargo.toml", "[package\n");
    let (code, said) = folder.run("", "materialize");
    assert_eq!(code, 4);
    assert!(
        said.starts_with("error: cargo cannot read the project:\n"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn several_projects_in_a_workspace_are_told_apart_by_folder() {
    let folder = Folder::new();
    folder.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\", \"b\", \"c\"]\n",
    );
    for name in ["a", "b", "c"] {
        let dependency = if name == "c" {
            ""
        } else {
            "[dependencies]\nprecip = \"0.1\"\n"
        };
        let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{dependency}");
        folder.write(&format!("{name}/Cargo.toml"), &manifest);
        folder.write(&format!("{name}/src/main.rs"), "fn main() {}\n");
    }
    let (code, said) = folder.run("", "assets");
    assert_eq!(code, 2);
    assert!(said.contains("several packages in `"), "{said}");
    assert!(
        said.ends_with("are projects: `a`, `b`\nhelp: go to the folder of one of them\n"),
        "{said}"
    );

    let path = folder.path_with("cargo", "pwd; echo \"$@\"");
    let run = |within: &str| {
        let output = folder
            .precip(within, "assets")
            .env("PATH", &path)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let root = folder.path();
    let expected = format!(
        "{0}/b\nrun --manifest-path {0}/b/Cargo.toml -- assets\n",
        root.display()
    );
    assert_eq!(run("b/src"), expected);

    // The only default member is the project of the workspace.
    folder.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\", \"b\", \"c\"]\ndefault-members = [\"a\", \"c\"]\n",
    );
    let expected = format!(
        "{0}\nrun --manifest-path {0}/a/Cargo.toml -- assets\n",
        root.display()
    );
    assert_eq!(run(""), expected);
}

/// In place of cargo: a script. `cargo metadata` is the real one, by the variable `CARGO` of the test.
#[cfg(unix)]
mod in_place_of_cargo {
    use std::{os::unix::process::ExitStatusExt, process::Stdio};

    use super::*;

    #[test]
    fn a_command_runs_in_the_folder_of_the_project_with_its_exit_code() {
        let folder = Folder::new();
        folder.run("", "new shop --deploy sam");
        let path = folder.path_with(
            "cargo",
            "pwd; for word in \"$@\"; do echo \"$word\"; done; exit 3",
        );
        let shop = folder.path().join("shop");
        let run = |within: &str, words: &[&str]| {
            let mut command = folder.precip(within, "");
            let output = command.args(words).env("PATH", &path).output().unwrap();
            assert_eq!(output.status.code(), Some(3));
            let out = String::from_utf8(output.stdout).unwrap();
            let (pwd, words) = out.split_once('\n').unwrap();
            assert_eq!(pwd, shop.to_str().unwrap());
            words.trim_end().replace('\n', "|")
        };
        let manifest = shop.join("Cargo.toml").display().to_string();
        // Words stay as they are, with their spaces.
        assert_eq!(
            run(
                "shop/src/bin",
                &["--env", "prod", "plan", "--select", "a or b"]
            ),
            format!("run|--manifest-path|{manifest}|--|--env|prod|plan|--select|a or b")
        );
        assert_eq!(
            run("shop", &["--", "--help"]),
            format!("run|--manifest-path|{manifest}|--|--help")
        );
        assert_eq!(
            run("shop", &["--on", "aws", "runs"]),
            format!("run|--manifest-path|{manifest}|--features|aws|--|--on|aws|runs")
        );

        // Once the program exists, cargo is quiet.
        let mut command = folder.precip("shop", "assets");
        let target = folder.path().join("target");
        fs::create_dir_all(target.join("debug")).unwrap();
        fs::write(target.join("debug/shop"), "").unwrap();
        let output = command
            .env("PATH", &path)
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("\nrun\n--quiet\n")
        );
    }

    #[test]
    fn the_command_takes_the_place_of_the_launcher() {
        let folder = Folder::new();
        folder.run("", "new shop");
        let path = folder.path_with("cargo", "echo $$; kill -TERM $$");
        let child = folder
            .precip("shop", "dev")
            .env("PATH", path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let id = child.id();
        let output = child.wait_with_output().unwrap();
        // The same process, so a signal to the launcher is one to the project.
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().trim(),
            id.to_string()
        );
        assert_eq!(output.status.signal(), Some(15));
    }

    #[test]
    fn a_machine_without_cargo_is_told_to_install_rust() {
        let folder = Folder::new();
        folder.run("", "new shop");
        let mut command = folder.precip("shop", "assets");
        let output = command
            .env("PATH", "/nowhere")
            .env_remove("CARGO")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            said,
            "error: `cargo` is missing\nhelp: install Rust: https://rustup.rs\n"
        );
        assert_eq!(output.status.code(), Some(4));
    }
}

//! [`Project`]: a project's command line, with a home of its own.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A project's command line and a home that nobody else uses. The home goes when the value does.
#[derive(Debug)]
pub struct Project {
    program: PathBuf,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Project {
    /// A project with a home that is not made yet. Its program sees the variables that are given to
    /// it, and of the others only `PATH`.
    ///
    /// # Panics
    /// When there is no room for a folder.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the home can be made");
        Self {
            program: program.into(),
            folder,
            variables: Vec::new(),
        }
    }

    /// The sample project over the landing files of this repository.
    pub fn flights_sample(program: impl Into<PathBuf>) -> Self {
        Self::new(program).with_variable("FLIGHTS_LANDING", landing_folder())
    }

    /// Gives the program a variable from now on.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_variable(name, value);
        self
    }

    /// Gives the program a variable from now on.
    pub fn set_variable(&mut self, name: &str, value: impl Into<String>) {
        self.unset_variable(name);
        self.variables.push((name.to_owned(), value.into()));
    }

    /// Takes a variable away again.
    pub fn unset_variable(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// A folder beside the home, for what a test needs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Fits a command out like one of the program's own.
    pub fn prepare_command<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("PRECIP_HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
    }

    /// The program with arguments, not started yet.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        self.prepare_command(&mut command).args(arguments);
        command
    }

    /// Runs the program to its end. The arguments are written as in a shell that knows single quotes.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(&self, arguments: &str) -> Answer {
        let output = self.command(split_words(arguments)).output();
        Answer::from(output.expect("the program can be started"))
    }

    /// Starts the program and does not wait for it.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(&self, arguments: &str) -> Child {
        let mut command = self.command(split_words(arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program can be started")
    }

    /// How many files the default IO manager has begun to write.
    pub fn count_data_files(&self) -> usize {
        count_files(&self.home().join("data")).unwrap_or(0)
    }
}

/// Splits a command line into its words: what stands between single quotes is one.
pub fn split_words(arguments: &str) -> Vec<&str> {
    let quoted = |(place, part)| -> Vec<&str> {
        if place % 2 == 1 {
            vec![part]
        } else {
            str::split_whitespace(part).collect()
        }
    };
    arguments.split('\'').enumerate().flat_map(quoted).collect()
}

/// The landing files of this repository.
pub fn landing_folder() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/landing").to_owned()
}

/// Presses Ctrl-C.
///
/// # Panics
/// When the process is gone.
pub fn interrupt_process(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).expect("the process is there");
}

fn count_files(folder: &Path) -> io::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files += if entry.file_type()?.is_dir() {
            count_files(&entry.path())?
        } else {
            1
        };
    }
    Ok(files)
}

/// How a program ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The data.
    pub out: String,
    /// Everything else.
    pub said: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Answer {
    /// The answer of a program that was started, once it has ended.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn wait_for(child: Child) -> Self {
        Self::from(
            child
                .wait_with_output()
                .expect("the program can be waited for"),
        )
    }

    /// Holds it to an exit code and to lines of what it said.
    ///
    /// # Panics
    /// When it ended or spoke otherwise.
    #[track_caller]
    pub fn expect(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.said);
        for line in said {
            assert!(
                self.said.contains(line),
                "`{line}` is not in:\n{}",
                self.said
            );
        }
        self
    }

    /// Reads the data as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.out, self.said))
    }
}

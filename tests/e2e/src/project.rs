//! [`Project`]: a project's command line, with a home of its own.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A project's command line, with a home of its own that is removed along with this value.
#[derive(Debug)]
pub struct Project {
    program: PathBuf,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Project {
    /// Creates a project whose home does not exist yet. Its program gets only the variables that are
    /// set here, and `PATH`.
    ///
    /// # Panics
    /// If no folder can be created.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the home can be made");
        Self {
            program: program.into(),
            folder,
            variables: Vec::new(),
        }
    }

    /// Creates the sample project, with the landing files of this repository.
    pub fn flights_sample(program: impl Into<PathBuf>) -> Self {
        Self::new(program).with_variable("FLIGHTS_LANDING", landing_folder())
    }

    /// Returns the project with a variable set for its program.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_variable(name, value);
        self
    }

    /// Sets a variable for the program.
    pub fn set_variable(&mut self, name: &str, value: impl Into<String>) {
        self.unset_variable(name);
        self.variables.push((name.to_owned(), value.into()));
    }

    /// Removes a variable.
    pub fn unset_variable(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Returns the folder that holds the home and the files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Gives a command the environment of the program.
    pub fn prepare_command<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("PRECIP_HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
    }

    /// Returns a command of the program.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        self.prepare_command(&mut command).args(arguments);
        command
    }

    /// Runs the program to its end. Arguments are separated as in a shell with single quotes.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn run(&self, arguments: &str) -> Answer {
        let output = self.command(split_words(arguments)).output();
        Answer::from(output.expect("the program can be started"))
    }

    /// Starts the program.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn start(&self, arguments: &str) -> Child {
        let mut command = self.command(split_words(arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program can be started")
    }

    /// Returns the number of files that the default IO manager has created.
    pub fn count_data_files(&self) -> usize {
        count_files(&self.home().join("data")).unwrap_or(0)
    }
}

/// Splits a command line into words; text between single quotes is one word.
pub fn split_words(arguments: &str) -> Vec<&str> {
    let quoted = |(index, part)| -> Vec<&str> {
        // Every other part is between quotes.
        if index % 2 == 1 {
            vec![part]
        } else {
            str::split_whitespace(part).collect()
        }
    };
    arguments.split('\'').enumerate().flat_map(quoted).collect()
}

/// Returns the folder of the landing files of this repository.
pub fn landing_folder() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/landing").to_owned()
}

/// Sends the signal of Ctrl-C.
///
/// # Panics
/// If the process has ended.
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

/// The output and the exit code of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit code; `None` if a signal ended the program.
    pub code: Option<i32>,
    /// The data: its stdout.
    pub out: String,
    /// The messages: its stderr.
    pub messages: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            messages: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Answer {
    /// Waits for the end of a program.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn wait_for(child: Child) -> Self {
        Self::from(
            child
                .wait_with_output()
                .expect("the program can be waited for"),
        )
    }

    /// Checks the exit code, and that the messages contain these parts.
    ///
    /// # Panics
    /// If they differ.
    #[track_caller]
    pub fn expect(self, code: i32, messages: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.messages);
        for line in messages {
            assert!(
                self.messages.contains(line),
                "`{line}` is not in:\n{}",
                self.messages
            );
        }
        self
    }

    /// Parses the data as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.out, self.messages))
    }
}

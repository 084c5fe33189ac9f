//! [`HomeTexts`]: long texts in the folder of their run.

use std::{fs, io, path::PathBuf};

use async_trait::async_trait;
use precip_engine::{run::LongTexts, run_id::RunId};

use super::Home;

/// The maximum length of a file's name. Systems allow 255 bytes.
const MAX_NAME: usize = 200;

/// Keeps long texts in `runs/{run}/texts/` of a home.
#[derive(Debug, Clone)]
pub struct HomeTexts {
    runs: PathBuf,
}

impl Home {
    /// Returns the port that keeps long texts with the files of their runs.
    pub fn long_texts(&self) -> HomeTexts {
        HomeTexts {
            runs: self.runs_folder(),
        }
    }
}

#[async_trait]
impl LongTexts for HomeTexts {
    async fn keep_text(&self, run: RunId, name: &str, text: String) -> Result<String, String> {
        let folder = self.runs.join(run.to_string()).join("texts");
        let path = folder.join(file_name(name));
        let written = path.clone();
        let write = move || {
            fs::create_dir_all(&folder)?;
            fs::write(&written, text)
        };
        tokio::task::spawn_blocking(write)
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map(|()| format!("`{}`", path.display()))
            .map_err(|error| format!("failed to write `{}`: {error}", path.display()))
    }
}

/// Returns a file name for a text: its end, which tells it from others, without characters that mean
/// something to a file system.
fn file_name(name: &str) -> String {
    let safe = name.chars().map(|char| match char {
        char if char.is_ascii_alphanumeric() || "-_.".contains(char) => char,
        _ => '_',
    });
    let safe: String = safe.collect();
    safe[safe.len().saturating_sub(MAX_NAME)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn texts_are_kept_with_their_run() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::of_project(folder.path(), None);
        let run: RunId = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap();
        let texts = home.long_texts();
        let long = format!("{}/a b-3-1.error.txt", "x".repeat(400));
        for name in ["a-3-1.error.txt", long.as_str()] {
            let kept = texts
                .keep_text(run, name, "whole".to_owned())
                .await
                .unwrap();
            let path = kept.trim_matches('`');
            assert_eq!(fs::read_to_string(path).unwrap(), "whole");
            let within = home.runs_folder().join(run.to_string()).join("texts");
            assert_eq!(std::path::Path::new(path).parent(), Some(within.as_path()));
        }
    }

    #[tokio::test]
    async fn a_text_that_cannot_be_written_says_where_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::of_project(folder.path(), None);
        fs::create_dir_all(home.root()).unwrap();
        fs::write(home.runs_folder(), "a file in its place").unwrap();
        let run: RunId = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap();
        let texts = home.long_texts();
        let error = texts
            .keep_text(run, "a.txt", String::new())
            .await
            .unwrap_err();
        assert!(error.contains("a.txt`: "), "{error}");
    }
}

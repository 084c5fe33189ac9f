//! Processes that end anywhere.

use std::{env, fs, path::PathBuf, thread, time::Duration};

/// The variable that names a file with the mean life of a process in milliseconds. Nothing ends before
/// its time while there is no such file.
pub const LIFE: &str = "PRECIP_TEST_LIFE";

/// How often it is thrown whether it ends now.
const THROW: Duration = Duration::from_millis(20);

/// Lets this process end at some moment, as a system ends one: without a word.
pub fn mortal() {
    let Some(file) = env::var_os(LIFE).map(PathBuf::from) else {
        return;
    };
    thread::spawn(move || {
        loop {
            thread::sleep(THROW);
            let mean = fs::read_to_string(&file).ok();
            let mean: Option<f64> = mean.and_then(|text| text.trim().parse().ok());
            if mean.is_some_and(|mean| fastrand::f64() < THROW.as_secs_f64() * 1_000.0 / mean) {
                std::process::abort();
            }
        }
    });
}

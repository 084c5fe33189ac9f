//! Processes of functions that abort at any moment, as when the system kills them.

use std::{env, fs, path::PathBuf, thread, time::Duration};

/// The variable that names a file with the mean life of a process in milliseconds. Without the file no
/// process aborts.
pub const MEAN_LIFE_FILE: &str = "PRECIP_TEST_LIFE";

/// The interval between two draws.
const INTERVAL: Duration = Duration::from_millis(20);

/// Aborts this process at a random moment, by the mean life in [`MEAN_LIFE_FILE`].
pub fn abort_by_mean_life() {
    let Some(file) = env::var_os(MEAN_LIFE_FILE).map(PathBuf::from) else {
        return;
    };
    thread::spawn(move || {
        loop {
            thread::sleep(INTERVAL);
            // Read each time: a test removes the file once it wants calm.
            let text = fs::read_to_string(&file).unwrap_or_default();
            let mean: Option<f64> = text.trim().parse().ok();
            if mean.is_some_and(|mean| fastrand::f64() < INTERVAL.as_secs_f64() * 1_000.0 / mean) {
                std::process::abort();
            }
        }
    });
}

/// Aborts one process in so many within its first second; none if `one_in` is 0.
pub fn abort_in_first_second(one_in: u32) {
    if one_in == 0 || fastrand::u32(0..one_in) > 0 {
        return;
    }
    let life = Duration::from_millis(fastrand::u64(20..1_000));
    thread::spawn(move || {
        thread::sleep(life);
        std::process::abort();
    });
}

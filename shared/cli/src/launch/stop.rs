//! Ctrl-C: once to stop cleanly, twice to stop at once.

use precip_local::executor::Stop;

/// Stops a run when the person says so. Ends when the run does, as it is dropped then.
pub(super) struct Interrupts(tokio::task::JoinHandle<()>);

impl Interrupts {
    /// Starts to listen.
    pub(super) fn listen(stop: Stop) -> Self {
        Self(tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            say("stopping: what is running comes to its end; once more to stop at once");
            stop.gently.cancel();
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.at_once.cancel();
            }
        }))
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[expect(clippy::print_stderr, reason = "said to the person at the terminal")]
fn say(line: &str) {
    eprintln!("{line}");
}

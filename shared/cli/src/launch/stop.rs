//! [`Interrupts`]: Ctrl-C once to stop cleanly, twice to stop at once.

use precip_local::executor::Stop;

use crate::output::print_stderr;

/// A task that stops a run at Ctrl-C, until it is dropped.
pub(super) struct Interrupts(tokio::task::JoinHandle<()>);

impl Interrupts {
    /// Starts a task that listens for Ctrl-C.
    pub(super) fn listen_for(stop: Stop) -> Self {
        Self(tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            print_stderr("stopping: running ops finish first; Ctrl-C again to stop at once");
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

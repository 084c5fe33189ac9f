//! [`Patience`].

use std::time::Duration;

use precip_engine::state::StateResult;

use super::super::error::contended;

/// How often a call that others keep getting in the way of is made before it is given up.
const PATIENCE: u32 = 30;

/// Waits between attempts, longer each time, until patience ends.
#[derive(Debug)]
pub(in super::super) struct Patience {
    doing: &'static str,
    waited: u32,
}

impl Patience {
    pub(in super::super) fn new(doing: &'static str) -> Self {
        Self { doing, waited: 0 }
    }

    /// Waits a little, by chance, so that those who met do not meet again.
    ///
    /// # Errors
    /// `Retry` when it was waited often enough.
    pub(in super::super) async fn wait(&mut self) -> StateResult<()> {
        self.waited += 1;
        if self.waited > PATIENCE {
            return Err(contended(self.doing));
        }
        let most = 5_u64 << self.waited.min(6);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=most))).await;
        Ok(())
    }
}

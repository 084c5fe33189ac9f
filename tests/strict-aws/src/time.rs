//! [`SdkTime`]: virtual time as the SDK reads it.

use std::time::{Duration, SystemTime};

use aws_smithy_async::{
    rt::sleep::{AsyncSleep, Sleep},
    time::TimeSource,
};
use precip_engine::run::Clock;
use precip_simulator::kernel::VirtualTime;

/// The clock and the sleeps of clients.
#[derive(Debug, Clone)]
pub(crate) struct SdkTime(pub(crate) VirtualTime);

impl AsyncSleep for SdkTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.0.sleep(duration))
    }
}

impl TimeSource for SdkTime {
    fn now(&self) -> SystemTime {
        let since = self.0.now().timestamp_micros();
        SystemTime::UNIX_EPOCH + Duration::from_micros(since.unsigned_abs())
    }
}

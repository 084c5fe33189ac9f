//! Functions that call the emulator through a proxy.

use std::{env, io, os::unix::process::CommandExt, process::Command};

/// The variable that names the proxy, for functions: the emulator gives all of them its own endpoint,
/// and the same access key.
pub(crate) const THROUGH: &str = "PRECIP_TEST_THROUGH";

/// Starts this process anew, as one that calls AWS through the proxy, with its function's name as access
/// key. Returns where no proxy is named.
///
/// # Errors
///
/// When it cannot be started.
pub fn call_through_proxy(function: &str) -> io::Result<()> {
    let Some(proxy) = env::var_os(THROUGH) else {
        return Ok(());
    };
    let mut again = Command::new(env::current_exe()?);
    again.args(env::args_os().skip(1)).env_remove(THROUGH);
    again.env("AWS_ENDPOINT_URL", proxy);
    Err(again.env("AWS_ACCESS_KEY_ID", function).exec())
}

//! Functions that call the emulator through a proxy.

use std::{env, io, os::unix::process::CommandExt, process::Command};

/// The variable that names the proxy of functions. The emulator gives every function its own endpoint and
/// the same access key, so both are replaced.
pub(crate) const PROXY_VARIABLE: &str = "PRECIP_TEST_THROUGH";

/// Restarts this process so that it calls AWS through the proxy, with its function's name as access key.
/// Returns if there is no proxy.
///
/// # Errors
///
/// If the process cannot be restarted.
pub fn call_through_proxy(function: &str) -> io::Result<()> {
    let Some(proxy) = env::var_os(PROXY_VARIABLE) else {
        return Ok(());
    };
    let mut restarted = Command::new(env::current_exe()?);
    restarted
        .args(env::args_os().skip(1))
        .env_remove(PROXY_VARIABLE);
    restarted.env("AWS_ENDPOINT_URL", proxy);
    Err(restarted.env("AWS_ACCESS_KEY_ID", function).exec())
}

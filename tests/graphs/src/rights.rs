//! Functions that may do only what their roles allow.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use crate::route::PROXY_VARIABLE;

/// A proxy before the emulator that refuses calls that a function's role does not allow: `rights.py`.
#[derive(Debug)]
pub struct RightsProxy {
    process: Child,
    address: String,
}

impl RightsProxy {
    /// Starts it before the emulator, or before another proxy.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[expect(clippy::unwrap_used, reason = "this is for tests")]
    #[must_use]
    pub fn start_proxy(proxy: Option<&str>) -> Self {
        let python = env::var("PRECIP_TEST_PYTHON").unwrap();
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/rights.py"))
            .args(proxy)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut endpoint).unwrap();
        let address = endpoint.trim().trim_start_matches("http://").to_owned();
        Self { process, address }
    }

    /// Returns its endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the variable of functions that call AWS through it.
    #[must_use]
    pub fn proxy_variable(&self) -> (&'static str, String) {
        (PROXY_VARIABLE, self.endpoint())
    }

    /// Returns the refused calls, as a JSON list.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    #[expect(clippy::unwrap_used, reason = "this is for tests")]
    #[must_use]
    pub fn refused_calls(&self) -> String {
        let mut call = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        let head = format!("GET /_refused HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        call.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        call.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }
}

impl Drop for RightsProxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

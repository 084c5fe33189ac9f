//! Functions that may do what their roles allow, and nothing else.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use crate::route::THROUGH;

/// A proxy in front of the emulator that refuses what a function's role does not allow: `rights.py`.
#[derive(Debug)]
pub struct Rights {
    process: Child,
    address: String,
}

impl Rights {
    /// Starts it, in front of the emulator or of a proxy before that.
    ///
    /// # Panics
    ///
    /// When it does not start: this is for tests.
    #[expect(clippy::unwrap_used, reason = "this is for tests")]
    #[must_use]
    pub fn start(proxy: Option<&str>) -> Self {
        let python = env::var("PRECIP_TEST_PYTHON").unwrap();
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/rights.py"))
            .args(proxy)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut endpoint).unwrap();
        let address = endpoint.trim().trim_start_matches("http://").to_owned();
        Self { process, address }
    }

    /// Where AWS is, behind it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variable that functions need to call AWS through it.
    #[must_use]
    pub fn variable(&self) -> (&'static str, String) {
        (THROUGH, self.endpoint())
    }

    /// What it refused: a JSON list.
    ///
    /// # Panics
    ///
    /// When it does not answer: this is for tests.
    #[expect(clippy::unwrap_used, reason = "this is for tests")]
    #[must_use]
    pub fn refused(&self) -> String {
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

impl Drop for Rights {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

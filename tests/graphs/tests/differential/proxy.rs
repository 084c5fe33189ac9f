//! A proxy before the emulator that makes calls fail as on AWS.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// The faults of calls. `abort_bytes: 0` is a call that has its effect, but whose answer is lost.
const OUTAGES: &str = r#"
rules:
- {service: dynamodb, probability: 0.05, error: {code: ProvisionedThroughputExceededException}}
- {service: dynamodb, probability: 0.03, error: {code: InternalServerError, status: 500}}
- {service: s3, probability: 0.05, error: {code: SlowDown, status: 503}}
- {service: "*", probability: 0.02, reset: true}
- {service: "*", probability: 0.03, response: {abort_bytes: 0}}
- {service: "*", probability: 0.05, latency: {min: 20, max: 400}}
"#;

/// The proxy: microburst.
///
/// Source: <https://pypi.org/project/microburst/>
pub(crate) struct Proxy {
    process: Child,
    /// The folder of its rules.
    _folder: TempDir,
    address: SocketAddr,
}

impl Proxy {
    /// Starts a proxy that makes calls fail.
    pub(crate) fn start_failing() -> Self {
        let program = env::var("PRECIP_TEST_MICROBURST")
            .expect("these tests run under `tests/with/emulator`, which installs the proxy");
        let upstream = env::var("PRECIP_TEST_AWS_ENDPOINT").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The proxy cannot choose a port, so it takes one that was free just now.
        drop(listener);
        let rules = folder.path().join("rules.yaml");
        fs::write(&rules, OUTAGES).unwrap();
        let port = address.port().to_string();
        let mut process = Command::new(program)
            .args(["--upstream", &upstream, "--port", &port])
            .arg("--config")
            .arg(rules)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..300 {
            if TcpStream::connect(address).is_ok() {
                break;
            }
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "the proxy ended: {ended:?}");
            thread::sleep(Duration::from_millis(100));
        }
        Self {
            process,
            _folder: folder,
            address,
        }
    }

    /// Returns its endpoint.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Removes all faults.
    pub(crate) fn stop_failing(&self) {
        let mut control = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "POST /_microburst/rules HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n",
            self.address
        );
        // No rules.
        control.write_all(format!("{head}[]").as_bytes()).unwrap();
        let mut answer = String::new();
        control.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! How long the whole suite takes against the embedded mock and the reference client, how much memory it needs, and how soon the mock
//! answers.
//!
//! `cargo bench`. Each figure is the median of several runs of the release binary, from process start to process end. CPU time and
//! memory are read from `/proc`, where there is one. With `OAUTHSPEC_BENCH_CONFIG` and `OAUTHSPEC_BENCH_SERVER_PID` set it also compares
//! the harness's CPU time with that of a real server under test, and says for how much of the run no exchange was under way.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const RUNS: usize = 7;

fn main() {
    let folder = std::env::temp_dir().join(format!("oauthspec-bench-{}", std::process::id()));
    if let Err(error) = fs::create_dir_all(&folder) {
        eprintln!("cannot create {}: {error}", folder.display());
        return;
    }
    report(&folder, "suite on the mock", &["server", "--mock", "--quiet"]);
    report(&folder, "client scenarios on the reference client", &["selftest", "--part", "strict", "-s", "client/*"]);
    ready(&folder);
    real(&folder);
    // What is left over is in the folder for temporary files.
    let _ = fs::remove_dir_all(&folder);
}

fn report(folder: &Path, what: &str, arguments: &[&str]) {
    let mut all: Vec<Measured> = (0..RUNS).map(|_| measure(folder, arguments)).collect();
    all.sort_by_key(|one| one.wall);
    let middle = &all[RUNS / 2];
    println!("{what}: wall {:?}, CPU {:?}, memory {} MiB at most", middle.wall, middle.cpu, middle.memory_kib / 1024);
}

fn ready(folder: &Path) {
    let mut all: Vec<Duration> = (0..RUNS).map(|_| until_ready(folder)).collect();
    all.sort();
    println!("mock: {:?} from process start to its ready line", all[RUNS / 2]);
}

fn real(folder: &Path) {
    let config = std::env::var("OAUTHSPEC_BENCH_CONFIG");
    let pid = std::env::var("OAUTHSPEC_BENCH_SERVER_PID").ok().and_then(|pid| pid.parse().ok());
    let (Ok(config), Some(pid)) = (config, pid) else { return };
    let before = cpu(pid).unwrap_or_default();
    let own = measure(folder, &["server", "--config", &config, "--quiet", "--max-wait", "0s"]);
    let server = cpu(pid).unwrap_or_default().saturating_sub(before);
    println!("suite on a real server: wall {:?}, own CPU {:?}, the server's CPU {server:?}", own.wall, own.cpu);
    if let Some(idle) = idle(folder) {
        println!("no exchange under way for {idle:.1} % of the run");
    }
}

/// The share of the run, in percent, in which the harness waited for nobody but itself.
fn idle(folder: &Path) -> Option<f64> {
    let text = fs::read_to_string(folder.join("reports/results.json")).ok()?;
    let results: serde_json::Value = serde_json::from_str(&text).ok()?;
    let (whole, busy) = (results["duration_ms"].as_f64()?, results["in_flight_ms"].as_f64()?);
    (whole > 0.0).then(|| 100.0 * (1.0 - busy / whole))
}

struct Measured {
    wall: Duration,
    cpu: Duration,
    memory_kib: u64,
}

fn measure(folder: &Path, arguments: &[&str]) -> Measured {
    let begun = Instant::now();
    let mut child = start(folder, arguments, Stdio::null());
    let (mut used, mut memory_kib) = (Duration::ZERO, 0);
    while child.try_wait().ok().flatten().is_none() {
        used = used.max(cpu(child.id()).unwrap_or_default());
        memory_kib = memory_kib.max(peak_memory(child.id()).unwrap_or_default());
        thread::park_timeout(Duration::from_millis(2));
    }
    Measured { wall: begun.elapsed(), cpu: used, memory_kib }
}

fn until_ready(folder: &Path) -> Duration {
    let begun = Instant::now();
    let mut child = start(folder, &["mock", "--format", "json"], Stdio::piped());
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        // Without a line the time is that of the process's end, and shows.
        let _ = BufReader::new(out).read_line(&mut line);
    }
    let took = begun.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    took
}

fn start(folder: &Path, arguments: &[&str], out: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oauthspec"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(out).stderr(Stdio::null());
    command.spawn().expect("the binary that was just built can be started")
}

/// User and system time of a process, from `/proc`; clock ticks are hundredths of a second on Linux.
fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

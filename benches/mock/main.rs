//! The mock beside others of its kind, in one run and under the same load.
//!
//! `cargo bench --bench mock` measures this project's mock; with `-- --peers` also those under `benches/peers/`, which install themselves
//! by their package names. `benches/README.md` says what the columns mean.

mod flow;
mod http;
mod load;
mod subject;
mod table;

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use load::Amount;
use oauthspec::mock::MockServer;
use subject::Subject;
use table::Row;

/// How often starts are measured; the median counts.
const STARTS: usize = 5;
const TOKENS: usize = 100_000;
const FLOWS: usize = 5_000;

fn main() -> io::Result<()> {
    // Cargo adds arguments of its own, as `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().position(|argument| argument == name);
    let seconds = given("--seconds").and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(20);
    let longest = Duration::from_secs(seconds);
    let mut subjects = vec![Subject::own()];
    if given("--peers").is_some() {
        subjects.extend(peers()?);
    }
    bare()?;
    in_process();
    let mut rows = Vec::new();
    for subject in &subjects {
        eprintln!("measuring {}", subject.name);
        match measure(subject, longest) {
            Ok(row) => rows.push(row),
            Err(error) => eprintln!("{} cannot be measured: {error}", subject.name),
        }
    }
    print!("{}", table::render(&rows));
    Ok(())
}

/// The peers that can be set up here, by name.
fn peers() -> io::Result<Vec<Subject>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let mut folders: Vec<_> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| folder.join("peer.json").exists());
    folders.sort();
    let peer = |folder: &std::path::PathBuf| {
        Subject::peer(folder).inspect_err(|error| eprintln!("{} is left out: {error}", folder.display())).ok()
    };
    Ok(folders.iter().filter_map(peer).collect())
}

fn measure(subject: &Subject, longest: Duration) -> io::Result<Row> {
    let mut row = Row { name: subject.name.clone(), ..Row::default() };
    let usual = subject.algorithms.first().map_or("RS256", String::as_str);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let running = subject.start(usual)?;
        starts.push(running.first_token);
        row.memory = running.memory();
    }
    starts.sort_unstable();
    row.first_token = starts[STARTS / 2];
    for algorithm in &subject.algorithms {
        let running = subject.start(algorithm)?;
        let measured = load::tokens(subject, &running, Amount { most: TOKENS, longest })?;
        row.tokens.push((algorithm.clone(), measured));
    }
    let running = subject.start(usual)?;
    let mut flow = flow::Flow::new(subject, &running);
    flow.run()?;
    row.requests = flow.requests;
    row.flows = load::flows(subject, &running, Amount { most: FLOWS, longest })?;
    Ok(row)
}

/// What a signature alone costs here: no server can be cheaper.
fn bare() -> io::Result<()> {
    const RSA: &[u8] = include_bytes!("../../fixtures/keys/rsa.pk8");
    const EC: &[u8] = include_bytes!("../../fixtures/keys/ec.pk8");
    const MESSAGE: &[u8] = &[b'x'; 400];
    let broken = |_| io::Error::other("the test keys are no keys");
    let rsa = RsaKeyPair::from_pkcs8(RSA).map_err(broken)?;
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, EC).map_err(broken)?;
    let random = SystemRandom::new();
    let mut signature = vec![0; rsa.public_modulus_len()];
    let rs256 = each(2_000, || rsa.sign(&RSA_PKCS1_SHA256, &random, MESSAGE, &mut signature).is_ok());
    let es256 = each(20_000, || ec.sign(&random, MESSAGE).is_ok());
    println!("bare signatures: RS256 {:.3} ms CPU, ES256 {:.3} ms CPU", table::millis(rs256), table::millis(es256));
    Ok(())
}

/// The CPU time of one of many.
fn each(times: u32, mut once: impl FnMut() -> bool) -> Duration {
    let before = subject::cpu(std::process::id());
    let done = (0..times).all(|_| once());
    assert!(done, "the test keys sign any message");
    (subject::cpu(std::process::id()) - before) / times
}

/// From nothing to a server that accepts connections, in this process.
fn in_process() {
    let start = || {
        let begun = Instant::now();
        let server = MockServer::builder().start_blocking();
        (begun.elapsed(), server)
    };
    let mut starts: Vec<Duration> = (0..50).map(|_| start().0).collect();
    starts.sort_unstable();
    println!("in-process start: {:.3} ms (median of {})", table::millis(starts[starts.len() / 2]), starts.len());
}

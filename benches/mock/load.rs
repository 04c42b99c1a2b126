//! The load: the same for every server, on a few kept connections, until enough was measured.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use oauthspec::oauth::{Params, encoding};

use crate::flow::Flow;
use crate::http::{Connection, Request, Response};
use crate::subject::{Running, Subject};

/// How many connections there are at once.
const CONNECTIONS: usize = 4;

/// How much is measured: whichever is reached first.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    pub most: usize,
    pub longest: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// Tokens, or whole flows.
    pub count: usize,
    /// Of the server, for each.
    pub cpu: Duration,
    /// For each second.
    pub rate: f64,
    /// The latency that one in a hundred exceeds.
    pub p99: Duration,
    /// What the server's memory grew by, in bytes for each.
    pub growth: f64,
}

/// Tokens by the client credentials grant.
pub fn tokens(subject: &Subject, running: &Running, amount: Amount) -> io::Result<Measured> {
    measured(running, amount, |_| {
        let mut connection = Connection::new(running.address);
        move || token(&mut connection, &subject.token, &running.service)
    })
}

/// Whole code flows.
pub fn flows(subject: &Subject, running: &Running, amount: Amount) -> io::Result<Measured> {
    measured(running, amount, |_| {
        let mut flow = Flow::new(subject, running);
        move || flow.run()
    })
}

/// One token by the client credentials grant.
pub fn token(connection: &mut Connection, path: &str, client: &(String, String)) -> io::Result<()> {
    let mut params = Params::new();
    params.push("grant_type", "client_credentials");
    let response = post(connection, path, client, params)?;
    if response.member("access_token").is_some() { Ok(()) } else { Err(io::Error::other(response.head + &response.body)) }
}

/// A token request, authenticated by HTTP Basic. The identifier stands in the body too: not every server reads the header.
pub fn post(connection: &mut Connection, path: &str, client: &(String, String), mut params: Params) -> io::Result<Response> {
    let (id, secret) = client;
    params.push("client_id", id.as_str());
    let basic = encoding::base64(format!("{}:{}", encoding::form(id), encoding::form(secret)));
    let fields = format!("Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    connection.send(&Request { method: "POST", target: path, fields: &fields, body: &params.encode() })
}

/// Does something on all connections, first a little to warm up. How memory grows is read off the second half: what is bounded, as a
/// journal, is to be full by then.
fn measured<'a, W>(running: &'a Running, amount: Amount, worker: impl Fn(usize) -> W + Sync + 'a) -> io::Result<Measured>
where
    W: FnMut() -> io::Result<()> + Send,
{
    let warm = Amount { most: (amount.most / 50).max(CONNECTIONS), longest: amount.longest / 10 };
    drive(warm, &worker)?;
    let half = Amount { most: amount.most / 2, longest: amount.longest / 2 };
    let (cpu, begun) = (running.cpu(), Instant::now());
    let mut latencies = drive(half, &worker)?;
    let memory = running.memory();
    let later = drive(half, &worker)?;
    let (took, used) = (begun.elapsed(), running.cpu().saturating_sub(cpu));
    let grown = i64::try_from(running.memory()).unwrap_or_default() - i64::try_from(memory).unwrap_or_default();
    let growth = f64::from(i32::try_from(grown).unwrap_or(i32::MAX)) * 1024.0 / as_float(later.len());
    latencies.extend(later);
    latencies.sort_unstable();
    let count = latencies.len().max(1);
    let per = |value: f64| value / as_float(count);
    Ok(Measured {
        count,
        cpu: used.div_f64(1.0 / per(1.0)),
        rate: 1.0 / per(took.as_secs_f64()),
        p99: latencies.get(count * 99 / 100).copied().unwrap_or_default(),
        growth,
    })
}

/// A count as a divisor.
fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
}

/// How long each took.
fn drive<W>(amount: Amount, worker: &(impl Fn(usize) -> W + Sync)) -> io::Result<Vec<Duration>>
where
    W: FnMut() -> io::Result<()> + Send,
{
    let (begun, taken) = (Instant::now(), AtomicUsize::new(0));
    let work = |index| -> io::Result<Vec<Duration>> {
        let mut once = worker(index);
        let mut latencies = Vec::new();
        while taken.fetch_add(1, Ordering::Relaxed) < amount.most && begun.elapsed() < amount.longest {
            let start = Instant::now();
            once()?;
            latencies.push(start.elapsed());
        }
        Ok(latencies)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS).map(|index| scope.spawn(move || work(index))).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().map_err(|_| io::Error::other("a worker panicked"))??);
        }
        Ok(all)
    })
}

//! Bodies that go out otherwise than whole and at once: cut short, slowly, or in chunks.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::rewrite::Delivery;

/// How many times in a second a slow body gives some of itself away.
const TICKS: u64 = 20;

/// A body that is delivered as a rewrite says. It announces its whole length, whatever comes of it.
pub(super) struct Paced {
    rest: Bytes,
    /// How much of it is sent before it breaks off; `None`: all.
    left: Option<usize>,
    pace: Option<Pace>,
    paused: bool,
}

/// So many bytes at a time.
struct Pace {
    chunk: usize,
    interval: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Paced {
    /// The body under that delivery; `None` where it goes out as usual.
    pub(super) fn new(body: Bytes, delivery: &Delivery) -> Result<Self, Bytes> {
        let left = delivery.truncate.filter(|at| *at < body.len());
        if left.is_none() && delivery.bandwidth.is_none() {
            return Err(body);
        }
        Ok(Self { rest: body, left, pace: delivery.bandwidth.map(Pace::new), paused: false })
    }

    /// Whether it will break off.
    pub(super) fn is_cut(&self) -> bool {
        self.left.is_some()
    }

    fn broken_off(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        // One pause, in which hyper flushes what was given to it.
        if !self.paused {
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof))))
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let wanted = self.left.unwrap_or(self.rest.len());
        if wanted == 0 {
            return if self.is_cut() { self.broken_off(context) } else { Poll::Ready(None) };
        }
        let chunk = match &mut self.pace {
            Some(pace) => {
                std::task::ready!(pace.poll(context));
                wanted.min(pace.chunk)
            }
            None => wanted,
        };
        let data = self.rest.split_to(chunk);
        self.left = self.left.map(|left| left - chunk);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

impl Pace {
    fn new(bytes_per_second: u64) -> Self {
        let per_second = bytes_per_second.max(1);
        let chunk = (per_second / TICKS).max(1);
        let interval = Duration::from_secs(1).mul_f64(as_f64(chunk) / as_f64(per_second));
        let sleep = Box::pin(sleep_until(Instant::now() + interval));
        Self { chunk: usize::try_from(chunk).unwrap_or(usize::MAX), interval, sleep }
    }

    /// Ready when the next bytes are due.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        std::task::ready!(self.sleep.as_mut().poll(context));
        let next = self.sleep.deadline() + self.interval;
        self.sleep.as_mut().reset(next);
        Poll::Ready(())
    }
}

/// Rates are small enough to be exact.
fn as_f64(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

/// A body that does not tell its length, so that it goes out in chunks.
pub(super) struct Chunked(Option<Bytes>);

impl Chunked {
    pub(super) fn new(body: Bytes) -> Self {
        Self(Some(body))
    }
}

impl Body for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
    }
}

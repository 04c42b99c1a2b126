//! A connection as bytes: plain or by TLS, and one that can be reset instead of closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::server::TlsStream;

/// A connection that can be reset instead of closed.
pub(super) struct Socket {
    stream: Stream,
    reset: Arc<AtomicBool>,
}

/// What carries the bytes.
pub(super) enum Stream {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// A connection that is reset at its end if the flag is set then.
    pub(super) fn new(stream: Stream, reset: Arc<AtomicBool>) -> Self {
        Self { stream, reset }
    }

    fn stream(&mut self) -> Pin<&mut (dyn Bytes + Send)> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Pin::new(&mut **stream),
        }
    }
}

/// Bytes in both directions.
trait Bytes: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.reset.load(Ordering::SeqCst) {
            return;
        }
        let _best_effort = match &self.stream {
            Stream::Plain(stream) => stream.set_zero_linger(),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.get_ref().0.set_zero_linger(),
        };
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An orderly end would be an answer of a kind.
        if self.reset.load(Ordering::SeqCst) { Poll::Ready(Ok(())) } else { self.stream().poll_shutdown(context) }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

//! The live line on a terminal. It is taken away before anything else is printed.

use std::io::{self, Write};

use super::text::{cut, one_line};
use crate::runner::Event;

/// The live line: how far the run is, and what runs now.
pub struct Progress {
    out: Box<dyn Write + Send>,
    width: usize,
    running: Vec<String>,
    shown: bool,
}

impl Progress {
    /// On standard error, as wide as the terminal.
    #[must_use]
    pub fn new() -> Self {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Self::to(Box::new(io::stderr()), width)
    }

    /// Elsewhere, in that width.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>, width: usize) -> Self {
        Self { out, width, running: Vec::new(), shown: false }
    }

    pub(super) fn take(&mut self, event: &Event, finished: usize, selected: usize) {
        match event {
            Event::ScenarioStarted { id } => self.running.push(id.clone()),
            Event::ScenarioFinished(result) => self.running.retain(|id| *id != result.id),
            Event::Finished { .. } => {
                self.running.clear();
                return self.clear();
            }
            Event::Started(_) | Event::Noticed(_) => {}
        }
        if self.running.is_empty() {
            return self.clear();
        }
        let line = format!("[{finished}/{selected}] running {}", self.running.join(", "));
        let line = one_line(&line);
        // One column stays free, for some terminals wrap as soon as the last one is filled.
        self.write(&format!("\r\x1b[K{}", cut(line.trim_end(), self.width.saturating_sub(1))));
        self.shown = true;
    }

    pub(super) fn clear(&mut self) {
        if self.shown {
            self.write("\r\x1b[K");
            self.shown = false;
        }
    }

    /// Progress that cannot be shown is no reason to fail.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

//! Passes every event to several sinks. One that fails does not stop the others, and is complained about once.

use std::io;

use crate::runner::{Event, Sink};

/// Several sinks as one.
#[derive(Default)]
pub struct Fanout<'a> {
    sinks: Vec<Entry<'a>>,
}

struct Entry<'a> {
    sink: Box<dyn Sink + Send + 'a>,
    /// The first error. The sink is still served: a full disk may have room again at the end.
    error: Option<String>,
}

impl<'a> Fanout<'a> {
    /// No sinks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One sink more; `&mut sink` does as well, for those that are asked something afterwards.
    #[must_use]
    pub fn with(mut self, sink: impl Sink + Send + 'a) -> Self {
        self.sinks.push(Entry { sink: Box::new(sink), error: None });
        self
    }

    /// What went wrong, once for each sink.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.sinks.iter().filter_map(|entry| entry.error.as_deref())
    }
}

impl Sink for Fanout<'_> {
    /// Never an error: they are kept for [`Fanout::errors`].
    fn take(&mut self, event: &Event) -> io::Result<()> {
        for entry in &mut self.sinks {
            if let Err(error) = entry.sink.take(event) {
                entry.error.get_or_insert_with(|| error.to_string());
            }
        }
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        (**self).take(event)
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        (**self).take(event)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    struct Broken(usize);

    impl Sink for Broken {
        fn take(&mut self, _: &Event) -> io::Result<()> {
            self.0 += 1;
            Err(io::Error::other(format!("cannot write x: attempt {}", self.0)))
        }
    }

    #[derive(Default)]
    struct Count(usize);

    impl Sink for Count {
        fn take(&mut self, _: &Event) -> io::Result<()> {
            self.0 += 1;
            Ok(())
        }
    }

    #[test]
    fn a_broken_sink_stops_no_other() {
        let mut count = Count::default();
        let mut broken = Broken(0);
        let mut fanout = Fanout::new().with(&mut broken).with(&mut count);
        for event in samples::run(&[samples::passing()], true) {
            fanout.take(&event).unwrap();
        }
        assert_eq!(fanout.errors().collect::<Vec<_>>(), ["cannot write x: attempt 1"]);
        drop(fanout);
        assert_eq!((count.0, broken.0), (6, 6));
    }
}

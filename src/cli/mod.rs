//! The command line: arguments in, exit status out; one file per verb.
//!
//! Floor 6. The only place that knows every other one.

//! TOML with positions: a tree in which every key and value knows where it stands, and the means to read it while collecting every
//! mistake. What keys and values mean is for those who read with it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, Source, nearest};

/// A value with the bytes it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) data: Data,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    /// Only from JSON.
    Null,
    String(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Datetime(String),
    Array(Vec<Node>),
    /// In file order.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// The tree of a part of a file; positions are those of the whole file.
    ///
    /// # Errors
    /// Every mistake of TOML's grammar.
    pub(crate) fn parse(source: &Arc<Source>, part: Range<usize>) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(&source.text[part.clone()]);
        if errors.is_empty() {
            return Ok(Self::table(table.get_ref(), shift(&table.span(), part.start), part.start));
        }
        let problem = |error| {
            let mut problem = Problem::from_toml(source, error);
            problem.span = shift(&problem.span, part.start);
            problem
        };
        let mut problems: Vec<Problem> = errors.iter().map(problem).collect();
        problems.sort_by_key(|problem| problem.span.start);
        Err(problems)
    }

    /// The tree of a JSON value. Positions are the numbers of the pointers that are added, for [`Sink::of_json`].
    pub(crate) fn from_json(value: &Value, pointers: &mut Vec<String>) -> Self {
        Self::at_pointer(value, "", pointers)
    }

    fn at_pointer(value: &Value, pointer: &str, pointers: &mut Vec<String>) -> Self {
        let span = pointers.len()..pointers.len() + 1;
        pointers.push(pointer.to_owned());
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(flag) => Data::Bool(*flag),
            Value::Number(number) => {
                // JSON knows one kind of number: 1.0 is 1.
                let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0);
                let written = whole.and_then(|float| format!("{float:.0}").parse().ok());
                number.as_i64().or(written).map_or_else(|| Data::Float(number.as_f64().unwrap_or(f64::NAN)), Data::Integer)
            }
            Value::String(text) => Data::String(text.clone()),
            Value::Array(items) => {
                let item = |(index, item)| Self::at_pointer(item, &format!("{pointer}/{index}"), pointers);
                Data::Array(items.iter().enumerate().map(item).collect())
            }
            Value::Object(members) => {
                let entry = |(key, value): (&String, &Value)| {
                    let escaped = key.replace('~', "~0").replace('/', "~1");
                    let value = Self::at_pointer(value, &format!("{pointer}/{escaped}"), pointers);
                    Entry { key: key.clone(), span: value.span.clone(), value }
                };
                Data::Table(members.iter().map(entry).collect())
            }
        };
        Self { span, data }
    }

    /// As JSON; dates become strings.
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::String(text) | Data::Datetime(text) => Value::from(text.as_str()),
            Data::Integer(number) => Value::from(*number),
            Data::Float(number) => Value::from(*number),
            Data::Bool(flag) => Value::from(*flag),
            Data::Array(items) => items.iter().map(Self::to_json).collect(),
            Data::Table(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        }
    }

    /// What it is, in words for messages.
    pub(crate) fn describe(&self) -> String {
        match &self.data {
            Data::Null => "null".to_owned(),
            Data::String(text) => format!("the string {text:?}"),
            Data::Integer(number) => format!("the number {number}"),
            Data::Float(number) => format!("the number {number}"),
            Data::Bool(flag) => flag.to_string(),
            Data::Datetime(_) => "a date".to_owned(),
            Data::Array(_) => "a list".to_owned(),
            Data::Table(_) => "a table".to_owned(),
        }
    }

    fn value(node: &Spanned<DeValue<'_>>, base: usize) -> Self {
        let span = shift(&node.span(), base);
        let data = match node.get_ref() {
            DeValue::String(text) => Data::String(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Data::Integer(number),
                Err(_) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            },
            DeValue::Float(number) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Data::Bool(*flag),
            DeValue::Datetime(moment) => Data::Datetime(moment.to_string()),
            DeValue::Array(items) => Data::Array(items.iter().map(|item| Self::value(item, base)).collect()),
            DeValue::Table(entries) => return Self::table(entries, span, base),
        };
        Self { span, data }
    }

    fn table(table: &DeTable<'_>, span: Range<usize>, base: usize) -> Self {
        let entry = |(key, value): (&Spanned<toml::de::DeString<'_>>, &Spanned<DeValue<'_>>)| Entry {
            key: key.get_ref().to_string(),
            span: shift(&key.span(), base),
            value: Self::value(value, base),
        };
        let mut entries: Vec<Entry> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.span.start);
        Self { span, data: Data::Table(entries) }
    }
}

/// Where mistakes are gathered while a file is read.
#[derive(Debug)]
pub(crate) struct Sink {
    source: Arc<Source>,
    /// Of a JSON document: where its values stand.
    pointers: Vec<String>,
    problems: RefCell<Vec<Problem>>,
    /// How many mistakes there are beyond those that are kept.
    further: Cell<usize>,
}

/// How many mistakes are told of one file.
const MOST: usize = 100;

impl Sink {
    /// No mistakes yet.
    pub(crate) fn new(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), pointers: Vec::new(), problems: RefCell::new(Vec::new()), further: Cell::new(0) }
    }

    /// For a JSON document, with the pointers that [`Node::from_json`] gave.
    pub(crate) fn of_json(source: &Arc<Source>, pointers: Vec<String>) -> Self {
        Self { pointers, ..Self::new(source) }
    }

    /// The file that is read.
    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// A mistake; one of the same place and text is kept once.
    pub(crate) fn add(&self, span: &Range<usize>, message: impl Into<String>) {
        self.push(Problem::new(&self.source, span.clone(), message));
    }

    /// A mistake with a word on how to mend it.
    pub(crate) fn add_with_help(&self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Problem::new(&self.source, span.clone(), message).help(help));
    }

    /// A name that is none of those known: says so, with the nearest one, else all of a short list.
    pub(crate) fn unknown(&self, span: &Range<usize>, what: &str, name: &str, known: &[&str]) {
        let message = format!("unknown {what} `{name}`");
        match self.near(name, known.iter().copied()) {
            Some(near) => self.add_with_help(span, message, format!("did you mean `{near}`?")),
            None if known.len() <= 20 && !known.is_empty() => {
                self.add_with_help(span, message, format!("known: {}", quoted(known)));
            }
            None => self.add(span, message),
        }
    }

    /// The name that was probably meant; not looked for any more where there are mistakes enough.
    pub(crate) fn near<'n>(&self, wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        if self.is_full() { None } else { nearest(wrong, known) }
    }

    /// Whether there are more mistakes than are told.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MOST
    }

    /// How many mistakes there are so far.
    pub(crate) fn count(&self) -> usize {
        self.problems.borrow().len() + self.further.get()
    }

    /// The mistakes in file order, and how many there are beyond them.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.span.start);
        if self.further.get() > 0 {
            let end = self.source.text.len()..self.source.text.len();
            problems.push(Problem::new(&self.source, end, format!("and {} more mistakes", self.further.get())));
        }
        problems
    }

    fn push(&self, mut problem: Problem) {
        problem.pointer = self.pointers.get(problem.span.start).cloned();
        let mut problems = self.problems.borrow_mut();
        if problems.len() >= MOST {
            self.further.set(self.further.get() + 1);
        } else if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    fn expected(&self, node: &Node, what: &str) {
        self.add(&node.span, format!("expected {what}, found {}", node.describe()));
    }

    /// A string.
    pub(crate) fn string<'n>(&self, node: &'n Node) -> Option<&'n str> {
        if let Data::String(text) = &node.data {
            return Some(text);
        }
        self.expected(node, "a string");
        None
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, node: &Node) -> Option<bool> {
        if let Data::Bool(flag) = node.data {
            return Some(flag);
        }
        self.expected(node, "true or false");
        None
    }

    /// A whole number that is not below `least`.
    pub(crate) fn whole<T: TryFrom<i64>>(&self, node: &Node, least: i64) -> Option<T> {
        if let Data::Integer(number) = node.data
            && number >= least
            && let Ok(number) = T::try_from(number)
        {
            return Some(number);
        }
        self.expected(node, &format!("a whole number from {least}"));
        None
    }

    /// A number.
    pub(crate) fn number(&self, node: &Node) -> Option<f64> {
        match node.data {
            // Numbers in these files are small: nothing is lost.
            #[allow(clippy::cast_precision_loss)]
            Data::Integer(number) => return Some(number as f64),
            Data::Float(number) if number.is_finite() => return Some(number),
            _ => self.expected(node, "a number"),
        }
        None
    }

    /// A length of time: `"5s"`, `"10m"`, `"1h 30m"`, `"250ms"`.
    pub(crate) fn duration(&self, node: &Node) -> Option<Duration> {
        let text = self.string(node)?;
        let parsed = parse_duration(text);
        if parsed.is_none() {
            self.add_with_help(
                &node.span,
                format!("{text:?} is no length of time"),
                "write a number and a unit: 250ms, 5s, 10m, 2h, 1d",
            );
        }
        parsed
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&self, node: &Node, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.string(node)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.add(&node.span, format!("expected one of {}, found {text:?}", quoted(&names)));
        None
    }

    /// A list, or a single value that stands for a list of one.
    pub(crate) fn one_or_many<'n>(&self, node: &'n Node) -> &'n [Node] {
        match &node.data {
            Data::Array(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// A string or a list of strings, each with its place.
    pub(crate) fn strings(&self, node: &Node) -> Vec<Spanned<String>> {
        let item = |item: &Node| self.string(item).map(|text| Spanned::new(item.span.clone(), text.to_owned()));
        self.one_or_many(node).iter().filter_map(item).collect()
    }

    /// The members of a table, in file order.
    pub(crate) fn entries<'n>(&self, node: &'n Node) -> &'n [Entry] {
        if let Data::Table(entries) = &node.data {
            return entries;
        }
        self.expected(node, "a table");
        &[]
    }
}

/// Takes the members of a table one by one, and knows in the end which were never asked for.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    sink: &'a Sink,
    span: &'a Range<usize>,
    entries: &'a [Entry],
    known: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    /// The members of that table; a mistake if it is none.
    pub(crate) fn of(node: &'a Node, sink: &'a Sink) -> Option<Self> {
        if let Data::Table(entries) = &node.data {
            return Some(Self { sink, span: &node.span, entries, known: BTreeSet::new() });
        }
        sink.expected(node, "a table");
        None
    }

    /// The member of that name.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// The member of that name, with its key.
    pub(crate) fn entry(&mut self, name: &'static str) -> Option<&'a Entry> {
        self.known.insert(name);
        self.entries.iter().find(|entry| entry.key == name)
    }

    /// The member of that name; a mistake if it is missing.
    pub(crate) fn required(&mut self, name: &'static str) -> Option<&'a Node> {
        let found = self.take(name);
        if found.is_none() {
            self.sink.add(self.span, format!("`{name}` is missing"));
        }
        found
    }

    /// A string, if it is there.
    pub(crate) fn string(&mut self, name: &'static str) -> Option<&'a str> {
        self.take(name).and_then(|node| self.sink.string(node))
    }

    /// A flag, if it is there.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.take(name).and_then(|node| self.sink.flag(node))
    }

    /// A whole number that is not below `least`, if it is there.
    pub(crate) fn whole<T: TryFrom<i64>>(&mut self, name: &'static str, least: i64) -> Option<T> {
        self.take(name).and_then(|node| self.sink.whole(node, least))
    }

    /// A length of time, if it is there.
    pub(crate) fn duration(&mut self, name: &'static str) -> Option<Duration> {
        self.take(name).and_then(|node| self.sink.duration(node))
    }

    /// A string or a list of strings; empty if it is not there.
    pub(crate) fn strings(&mut self, name: &'static str) -> Vec<Spanned<String>> {
        self.take(name).map_or_else(Vec::new, |node| self.sink.strings(node))
    }

    /// Where the table stands.
    pub(crate) fn span(&self) -> &'a Range<usize> {
        self.span
    }

    /// Refuses what was never asked for.
    pub(crate) fn finish(self) {
        self.check();
    }

    /// The same, where the table is still in use.
    pub(crate) fn check(&self) {
        let known: Vec<&str> = self.known.iter().copied().collect();
        for entry in self.entries.iter().filter(|entry| !self.known.contains(entry.key.as_str())) {
            self.sink.unknown(&entry.span, "key", &entry.key, &known);
        }
    }
}

/// Reads a length of time: whole numbers with the units `ms`, `s`, `m`, `h`, `d`, blanks between them allowed.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let millis: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = rest[letters..].trim_start();
    }
    Some(total)
}

/// Names in backticks, separated by commas.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn shift(span: &Range<usize>, base: usize) -> Range<usize> {
    span.start + base..span.end + base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_their_order_and_places() {
        let source = Source::new("t.toml", "z = 1\na = { y = \"é\", b = [true] }\n");
        let node = Node::parse(&source, 0..source.text.len()).unwrap();
        assert_eq!(node.to_json().to_string(), r#"{"z":1,"a":{"y":"é","b":[true]}}"#);
        let sink = Sink::new(&source);
        let entries = sink.entries(&node);
        assert_eq!(source.position(entries[1].span.start), (2, 1));
    }

    #[test]
    fn every_mistake_of_grammar_is_told() {
        let source = Source::new("t.toml", "a = \nb = 1\nc = ]\n");
        let problems = Node::parse(&source, 0..source.text.len()).unwrap_err();
        assert!(problems.len() >= 2, "{problems:?}");
        assert!(problems[0].to_string().starts_with("t.toml:1:"), "{}", problems[0]);
    }

    #[test]
    fn durations() {
        for (text, millis) in [("250ms", 250), ("5s", 5_000), ("1h 30m", 5_400_000), ("2 d", 172_800_000), ("0s", 0)] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "-5s", "1.5s", "5 parsecs", "99999999999999999999s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}

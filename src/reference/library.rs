//! Faults and variants of the reference client, as files: reading them, finding them, applying them to the policy.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use serde::Deserialize as _;
use serde_json::Value;
use toml::Spanned;

use super::ClientPolicy;
use crate::embedded;
use crate::policy::expand_family;
use crate::problem::{Problem, Source, nearest, unknown_requirements};
use crate::reader::{Entry, Fields, Node, Sink};

/// What a patch of the client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientPatchKind {
    /// Breaks a requirement on purpose.
    Fault,
    /// Is different and still conformant.
    Variant,
}

impl ClientPatchKind {
    /// The word in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Variant => "variant",
        }
    }
}

/// A setting that a patch changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The dotted path of the setting.
    pub path: String,
    /// Its value.
    pub value: Value,
    /// Where it stands in the file.
    pub span: Range<usize>,
}

/// A named change of the reference client.
#[derive(Debug, Clone)]
pub struct ClientPatch {
    /// Its id; of a member of a family, `family.member`.
    pub id: String,
    /// What it is for.
    pub kind: ClientPatchKind,
    /// One sentence: what the client does under it.
    pub title: String,
    /// More about it; empty where nothing is said.
    pub why: String,
    /// The requirements that a fault breaks, with their places in the file.
    pub breaks: Vec<Spanned<String>>,
    /// Whether a fault breaks no clause, but software that is robust does otherwise: a check without a requirement catches it.
    pub robustness: bool,
    /// The plans under which a variant is conformant; empty: all.
    pub plans: Vec<String>,
    /// Checks that may warn under a variant: `scenario-id-or-glob#check`.
    pub declines: Vec<String>,
    /// Scenarios that may be skipped under a variant: globs.
    pub skips: Vec<String>,
    /// What the client does not claim under a variant: names of `[client.features]`.
    pub lacks: Vec<String>,
    /// How a server has to register the client under a variant (`token_endpoint_auth_method`); `None`: as it does otherwise.
    pub registered_as: Option<String>,
    /// The kinds of client that a variant is about (`web`, `native`, `script`); empty: all.
    pub kinds: Vec<String>,
    /// The settings that it changes, in file order.
    pub set: Vec<Change>,
    /// The file.
    pub source: Arc<Source>,
    /// Where its id stands in the file.
    pub span: Range<usize>,
}

impl ClientPatch {
    /// Reads the patches of a file, families expanded, in file order.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn parse(kind: ClientPatchKind, source: &Arc<Source>) -> Result<Vec<Self>, Vec<Problem>> {
        let root = Node::parse(source, 0..source.text.len())?;
        let sink = Sink::new(source);
        let mut patches: Vec<Self> = Vec::new();
        for entry in sink.entries(&root) {
            if !is_id(&entry.key) {
                let help = "use lower-case letters, digits and hyphens";
                sink.add_with_help(&entry.span, format!("`{}` is no id of a patch", entry.key), help);
                continue;
            }
            patches.extend(expand_family(entry, &sink).iter().filter_map(|member| read(kind, member, &sink)));
        }
        let problems = sink.into_problems();
        if problems.is_empty() { Ok(patches) } else { Err(problems) }
    }

    /// A setting that both write, if there is one.
    #[must_use]
    pub fn collides(&self, other: &Self) -> Option<&str> {
        let theirs = |path: &str| other.set.iter().any(|change| change.path == path);
        self.set.iter().map(|change| change.path.as_str()).find(|path| theirs(path))
    }

    /// The requirements in `breaks` that are not among those known.
    #[must_use]
    pub fn unknown_requirements(&self, known: &[&str]) -> Vec<Problem> {
        unknown_requirements(&self.source, &self.breaks, known)
    }
}

/// What `kinds` of a variant may say.
const KINDS: [&str; 3] = ["web", "native", "script"];

impl ClientPolicy {
    /// The strict policy with these patches on it, later ones over earlier ones.
    ///
    /// # Errors
    /// A setting that does not exist, or a value that does not fit, with its place.
    pub fn with<'a>(patches: impl IntoIterator<Item = &'a ClientPatch>) -> Result<Self, Box<Problem>> {
        let mut tree = defaults().clone();
        for patch in patches {
            for change in &patch.set {
                check(change).map_err(|(message, help)| Box::new(problem(&patch.source, change, message, help)))?;
                put(&mut tree, change);
            }
        }
        // Each value was tried by itself, and they do not depend on each other.
        Ok(Self::deserialize(&tree).unwrap_or_default())
    }
}

/// Faults and variants of the reference client by id.
#[derive(Debug, Clone, Default)]
pub struct Library {
    faults: Vec<ClientPatch>,
    variants: Vec<ClientPatch>,
}

/// No patch of the reference client has that id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown client {kind} `{id}`{}", .help.as_ref().map_or_else(String::new, |help| format!(" ({help})")))]
pub struct UnknownClientPatch {
    /// What was looked for: `fault` or `variant`.
    pub kind: &'static str,
    /// The id that was given.
    pub id: String,
    /// What may have been meant.
    pub help: Option<String>,
}

impl Library {
    /// What is built in.
    ///
    /// # Panics
    /// Never in a released binary: the embedded files are loaded by a unit test.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static LIBRARY: LazyLock<Library> = LazyLock::new(|| match Library::load_embedded() {
            Ok(library) => library,
            Err(problems) => panic!("{}", problems.first().map_or_else(String::new, ToString::to_string)),
        });
        &LIBRARY
    }

    /// Reads what is built in.
    ///
    /// # Errors
    /// Every mistake in it; an id that stands twice is one.
    pub fn load_embedded() -> Result<Self, Vec<Problem>> {
        let mut library = Self::default();
        let mut problems = Vec::new();
        let files = [
            (ClientPatchKind::Fault, "fixtures/client-faults", embedded::client_faults()),
            (ClientPatchKind::Variant, "fixtures/client-variants", embedded::client_variants()),
        ];
        for (kind, folder, files) in files {
            for (name, text) in files {
                let source = Source::new(format!("{folder}/{name}"), text);
                problems.extend(library.load_file(kind, &source).err().unwrap_or_default());
            }
        }
        if problems.is_empty() { Ok(library) } else { Err(problems) }
    }

    /// Adds the patches of a file.
    ///
    /// # Errors
    /// Every mistake in it; an id that is there already is one.
    pub fn load_file(&mut self, kind: ClientPatchKind, source: &Arc<Source>) -> Result<(), Vec<Problem>> {
        let patches = ClientPatch::parse(kind, source)?;
        let shelf = match kind {
            ClientPatchKind::Fault => &mut self.faults,
            ClientPatchKind::Variant => &mut self.variants,
        };
        let twice = patches.iter().filter(|patch| shelf.iter().any(|known| known.id == patch.id));
        let told = |patch: &ClientPatch| format!("there is a client {} `{}` already", kind.word(), patch.id);
        let problems: Vec<Problem> = twice.map(|patch| Problem::new(source, patch.span.clone(), told(patch))).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        shelf.extend(patches);
        Ok(())
    }

    /// Every fault, in the order of the files.
    #[must_use]
    pub fn faults(&self) -> &[ClientPatch] {
        &self.faults
    }

    /// Every variant, in the order of the files.
    #[must_use]
    pub fn variants(&self) -> &[ClientPatch] {
        &self.variants
    }

    /// The fault of that id.
    ///
    /// # Errors
    /// Where there is none: with the nearest id.
    pub fn fault(&self, id: &str) -> Result<&ClientPatch, UnknownClientPatch> {
        find(&self.faults, ClientPatchKind::Fault, id)
    }

    /// The variant of that id.
    ///
    /// # Errors
    /// As [`Library::fault`].
    pub fn variant(&self, id: &str) -> Result<&ClientPatch, UnknownClientPatch> {
        find(&self.variants, ClientPatchKind::Variant, id)
    }
}

fn find<'a>(shelf: &'a [ClientPatch], kind: ClientPatchKind, id: &str) -> Result<&'a ClientPatch, UnknownClientPatch> {
    if let Some(found) = shelf.iter().find(|patch| patch.id == id) {
        return Ok(found);
    }
    let members: Vec<String> = shelf
        .iter()
        .filter(|patch| patch.id.split_once('.').is_some_and(|(family, _)| family == id))
        .map(|patch| format!("`{}`", patch.id))
        .collect();
    let help = if members.is_empty() {
        nearest(id, shelf.iter().map(|patch| patch.id.as_str())).map(|near| format!("did you mean `{near}`?"))
    } else {
        Some(format!("there is {}", members.join(", ")))
    };
    Err(UnknownClientPatch { kind: kind.word(), id: id.to_owned(), help })
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn read(kind: ClientPatchKind, entry: &Entry, sink: &Sink) -> Option<ClientPatch> {
    let before = sink.count();
    let mut fields = Fields::of(&entry.value, sink)?;
    let title = fields.required("title").and_then(|node| sink.string(node)).unwrap_or(&entry.key).to_owned();
    let why = fields.string("why").unwrap_or_default().to_owned();
    fields.take("each");
    let plain = |texts: Vec<Spanned<String>>| texts.into_iter().map(Spanned::into_inner).collect::<Vec<_>>();
    let mut robustness = false;
    let (mut breaks, mut plans, mut declines) = (Vec::new(), Vec::new(), Vec::new());
    let (mut skips, mut lacks, mut registered_as, mut kinds) = (Vec::new(), Vec::new(), None, Vec::new());
    match kind {
        ClientPatchKind::Fault => {
            breaks = fields.strings("breaks");
            robustness = fields.flag("robustness").unwrap_or(false);
            if breaks.is_empty() && !robustness {
                let help =
                    "name the requirements: breaks = [\"RFC6749-10.12-01\"]; or robustness = true, where no clause is broken";
                sink.add_with_help(&entry.span, format!("`{}` does not say what it `breaks`", entry.key), help);
            }
        }
        ClientPatchKind::Variant => {
            plans = plain(fields.strings("plans"));
            declines = plain(fields.strings("declines"));
            skips = plain(fields.strings("skips"));
            lacks = plain(fields.strings("lacks"));
            registered_as = fields.string("registered_as").map(str::to_owned);
            for kind in fields.strings("kinds") {
                if !KINDS.contains(&kind.get_ref().as_str()) {
                    sink.add(&kind.span(), format!("unknown kind of client `{}`: web, native or script", kind.get_ref()));
                }
                kinds.push(kind.into_inner());
            }
        }
    }
    let set: Vec<Change> = fields.required("set").map_or_else(Vec::new, |node| {
        let change = |entry: &Entry| Change { path: entry.key.clone(), value: entry.value.to_json(), span: entry.span.clone() };
        sink.entries(node).iter().map(change).collect()
    });
    fields.finish();
    if set.is_empty() && sink.count() == before {
        sink.add(&entry.span, format!("`{}` changes nothing", entry.key));
    }
    for change in &set {
        if let Err((message, help)) = check(change) {
            match help {
                Some(help) => sink.add_with_help(&change.span, message, help),
                None => sink.add(&change.span, message),
            }
        }
    }
    let (source, span) = (Arc::clone(sink.source()), entry.span.clone());
    let id = entry.key.clone();
    let patch = ClientPatch {
        id,
        kind,
        title,
        why,
        breaks,
        robustness,
        plans,
        declines,
        skips,
        lacks,
        registered_as,
        kinds,
        set,
        source,
        span,
    };
    (sink.count() == before).then_some(patch)
}

/// The strict policy as JSON.
fn defaults() -> &'static Value {
    static DEFAULTS: LazyLock<Value> = LazyLock::new(|| {
        serde_json::to_value(ClientPolicy::default()).expect("the policy holds scalars, lists and structs only")
    });
    &DEFAULTS
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

fn put(tree: &mut Value, change: &Change) {
    if let Some(place) = tree.pointer_mut(&pointer(&change.path)) {
        *place = change.value.clone();
    }
}

/// Whether a change fits the policy, by itself and with an effect; else what is wrong, and how to mend it.
fn check(change: &Change) -> Result<(), (String, Option<String>)> {
    let path = &change.path;
    match defaults().pointer(&pointer(path)) {
        None | Some(Value::Object(_)) => {
            let paths = paths();
            let near = nearest(path, paths.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            return Err((format!("unknown setting `{path}`"), near));
        }
        Some(default) if *default == change.value => {
            return Err((format!("`{path}` is {default} already"), Some("a patch changes what it sets".into())));
        }
        Some(_) => {}
    }
    let mut tree = defaults().clone();
    put(&mut tree, change);
    match ClientPolicy::deserialize(&tree) {
        Ok(_) => Ok(()),
        Err(error) => Err((format!("`{path}` cannot be {}: {error}", change.value), None)),
    }
}

fn problem(source: &Arc<Source>, change: &Change, message: String, help: Option<String>) -> Problem {
    let problem = Problem::new(source, change.span.clone(), message);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// The dotted paths of all settings.
fn paths() -> Vec<String> {
    let mut out = Vec::new();
    for (group, members) in defaults().as_object().into_iter().flatten() {
        out.extend(members.as_object().into_iter().flat_map(|members| members.keys()).map(|name| format!("{group}.{name}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalogue;

    #[test]
    fn everything_embedded_loads_and_applies() {
        let library = Library::load_embedded().unwrap_or_else(|problems| panic!("{problems:#?}"));
        let known: Vec<&str> = Catalogue::embedded().iter().map(|row| row.id.as_str()).collect();
        for patch in library.faults().iter().chain(library.variants()) {
            let policy = ClientPolicy::with([patch]).unwrap_or_else(|problem| panic!("{problem}"));
            assert_ne!(policy, ClientPolicy::default(), "{}", patch.id);
            let unknown = patch.unknown_requirements(&known);
            assert!(unknown.is_empty(), "{unknown:#?}");
        }
        assert!(library.faults().len() >= 60 && library.variants().len() >= 10);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let text = "[a]\ntitle = \"A\"\nbreaks = [\"X\"]\nset = { \"state.chek\" = \"none\", \"state.sent\" = 1, \"state.bytes\" = 32 }\n[b]\nset = {}\n";
        let problems = ClientPatch::parse(ClientPatchKind::Fault, &Source::new("f.toml", text)).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told[0], "f.toml:4:9: unknown setting `state.chek` (did you mean `state.check`?)");
        assert!(told[1].starts_with("f.toml:4:32: `state.sent` cannot be 1: invalid type"), "{}", told[1]);
        assert_eq!(told[2], "f.toml:4:50: `state.bytes` is 32 already (a patch changes what it sets)");
        assert!(told.iter().any(|told| told == "f.toml:5:2: `title` is missing" || told.contains("`title` is missing")));
    }

    #[test]
    fn patches_apply_key_by_key_and_are_found() {
        let text = "[weak]\ntitle = \"{value}\"\nbreaks = [\"X\"]\neach = { value = [\"none\", \"present\"] }\nset = { \"state.check\" = \"{value}\" }\n";
        let mut library = Library::default();
        let source = Source::new("f.toml", text);
        library.load_file(ClientPatchKind::Fault, &source).unwrap();
        let policy = ClientPolicy::with([library.fault("weak.present").unwrap()]).unwrap();
        assert_eq!(policy.state.check, crate::reference::StateCheck::Present);
        assert_eq!(policy.pkce, ClientPolicy::default().pkce);
        assert_eq!(
            library.fault("weak").unwrap_err().to_string(),
            "unknown client fault `weak` (there is `weak.none`, `weak.present`)"
        );
        assert!(library.load_file(ClientPatchKind::Fault, &source).is_err());
        let both = library.fault("weak.none").unwrap();
        assert_eq!(both.collides(library.fault("weak.present").unwrap()), Some("state.check"));
    }
}

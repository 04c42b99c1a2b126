//! All faults, variants and profiles by id: the embedded ones, and those of the user's files.
//!
//! The embedded files are cut into their patches by looking for table headers only, and a patch is read when it is asked for: a mock
//! that starts reads no more than it needs.

use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use super::parse::{Care, parse};
use super::patch::{Patch, PatchKind};
use crate::embedded;
use crate::problem::{Problem, Source, nearest};

/// Faults, variants, profiles and scripts by id.
#[derive(Debug, Clone, Default)]
pub struct Library {
    faults: Vec<Section>,
    variants: Vec<Section>,
    profiles: Vec<Section>,
    scripts: Vec<Section>,
}

/// No patch has that id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{id}`{}", .help.as_ref().map_or_else(String::new, |help| format!(" ({help})")))]
pub struct UnknownPatch {
    /// What was looked for.
    pub kind: PatchKind,
    /// The id that was given.
    pub id: String,
    /// What may have been meant.
    pub help: Option<String>,
}

/// A patch or a family, read when it is needed.
#[derive(Debug, Clone)]
struct Section {
    /// The id in the file: of a family, without the member.
    base: String,
    kind: PatchKind,
    source: Arc<Source>,
    part: Range<usize>,
    patches: OnceLock<Vec<Patch>>,
}

impl Section {
    /// Its patches; `before` are the sections in front of it, among which their bases are.
    fn patches(&self, before: &[Self]) -> &[Patch] {
        self.patches.get_or_init(|| {
            let read = parse(self.kind, &self.source, self.part.clone(), Care::Trusted);
            match read.and_then(|patches| on_their_bases(patches, before)) {
                Ok(patches) => patches,
                // The embedded files are checked by a test, and files of users are read in full before they become sections.
                Err(problems) => panic!("{}", problems.first().map_or_else(String::new, ToString::to_string)),
            }
        })
    }
}

impl Library {
    /// Nothing at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// What is built in.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
            let shelf = |kind, files: Vec<(String, &'static str)>| {
                let sections =
                    |(name, text)| cut(kind, &Source::new(format!("embedded:{}s/{name}", PatchKind::word(kind)), text));
                files.into_iter().flat_map(sections).collect()
            };
            Library {
                faults: shelf(PatchKind::Fault, embedded::faults()),
                variants: shelf(PatchKind::Variant, embedded::variants()),
                profiles: shelf(PatchKind::Profile, embedded::profiles()),
                scripts: Vec::new(),
            }
        });
        &LIBRARY
    }

    /// Adds the patches of a file of the user's.
    ///
    /// # Errors
    /// Every mistake in it; an id that is there already is one.
    pub fn load_file(&mut self, kind: PatchKind, source: &Arc<Source>) -> Result<(), Vec<Problem>> {
        let patches = Patch::parse(kind, source)?;
        let twice = patches.iter().filter(|patch| self.find(kind, base_of(&patch.id)).is_some());
        let mut problems: Vec<Problem> = twice
            .map(|patch| Problem::new(source, patch.span.clone(), format!("there is a {kind} `{}` already", base_of(&patch.id))))
            .collect();
        problems.dedup();
        if !problems.is_empty() {
            return Err(problems);
        }
        let patches = on_their_bases(patches, self.shelf(kind))?;
        let shelf = self.shelf_mut(kind);
        for family in patches.chunk_by(|one, next| base_of(&one.id) == base_of(&next.id)) {
            let base = base_of(&family[0].id).to_owned();
            shelf.push(Section { base, kind, source: Arc::clone(source), part: 0..0, patches: OnceLock::from(family.to_vec()) });
        }
        Ok(())
    }

    /// Every mistake in a file of the user's, whose patches may build on those of this library. It may be a file of the library itself.
    #[must_use]
    pub fn check_file(&self, kind: PatchKind, source: &Arc<Source>) -> Vec<Problem> {
        let read = Patch::parse(kind, source).and_then(|patches| on_their_bases(patches, self.shelf(kind)));
        read.err().unwrap_or_default()
    }

    /// The fault of that id.
    ///
    /// # Errors
    /// Where there is none: the nearest id, or the members of the family that was named.
    pub fn fault(&self, id: &str) -> Result<&Patch, UnknownPatch> {
        self.of_kind(PatchKind::Fault, id)
    }

    /// The variant of that id.
    ///
    /// # Errors
    /// As [`Library::fault`].
    pub fn variant(&self, id: &str) -> Result<&Patch, UnknownPatch> {
        self.of_kind(PatchKind::Variant, id)
    }

    /// The profile of that id.
    ///
    /// # Errors
    /// As [`Library::fault`].
    pub fn profile(&self, id: &str) -> Result<&Patch, UnknownPatch> {
        self.of_kind(PatchKind::Profile, id)
    }

    /// Every fault, in the order of the files.
    pub fn faults(&self) -> impl Iterator<Item = &Patch> {
        self.all(PatchKind::Fault)
    }

    /// Every variant.
    pub fn variants(&self) -> impl Iterator<Item = &Patch> {
        self.all(PatchKind::Variant)
    }

    /// Every profile.
    pub fn profiles(&self) -> impl Iterator<Item = &Patch> {
        self.all(PatchKind::Profile)
    }

    /// Every patch of a kind.
    pub fn all(&self, kind: PatchKind) -> impl Iterator<Item = &Patch> {
        let shelf = self.shelf(kind);
        shelf.iter().enumerate().flat_map(|(at, section)| section.patches(&shelf[..at]))
    }

    /// The faults whose ids fit a pattern, in which `*` stands for anything.
    pub fn faults_matching(&self, pattern: &str) -> impl Iterator<Item = &Patch> {
        self.faults().filter(move |fault| matches(pattern, &fault.id))
    }

    /// Reads all embedded files in full: every mistake in them.
    #[must_use]
    pub fn check_embedded() -> Vec<Problem> {
        let files = [
            (PatchKind::Fault, embedded::faults()),
            (PatchKind::Variant, embedded::variants()),
            (PatchKind::Profile, embedded::profiles()),
        ];
        let mut library = Self::empty();
        let mut problems = Vec::new();
        for (kind, files) in files {
            for (name, text) in files {
                let source = Source::new(format!("fixtures/{kind}s/{name}"), text);
                problems.extend(library.load_file(kind, &source).err().unwrap_or_default());
            }
        }
        problems
    }

    /// The patch of that kind and id.
    ///
    /// # Errors
    /// As [`Library::fault`].
    pub fn of_kind(&self, kind: PatchKind, id: &str) -> Result<&Patch, UnknownPatch> {
        let family = patches_of(self.shelf(kind), base_of(id));
        if let Some(found) = family.and_then(|patches| patches.iter().find(|patch| patch.id == id)) {
            return Ok(found);
        }
        let help = match family {
            Some(family) => {
                let members: Vec<String> = family.iter().map(|patch| format!("`{}`", patch.id)).collect();
                Some(format!("there is {}", members.join(", ")))
            }
            None => nearest(id, self.shelf(kind).iter().map(|section| section.base.as_str()))
                .or_else(|| nearest(id, self.all(kind).map(|patch| patch.id.as_str())))
                .map(|near| format!("did you mean `{near}`?"))
                .or_else(|| self.elsewhere(kind, id)),
        };
        Err(UnknownPatch { kind, id: id.to_owned(), help })
    }

    /// That it is of another kind, if it is.
    fn elsewhere(&self, kind: PatchKind, id: &str) -> Option<String> {
        let others = [PatchKind::Profile, PatchKind::Variant, PatchKind::Fault].into_iter().filter(|other| *other != kind);
        others.into_iter().find(|other| self.all(*other).any(|patch| patch.id == id)).map(|other| format!("it is a {other}"))
    }

    fn find(&self, kind: PatchKind, base: &str) -> Option<&Section> {
        self.shelf(kind).iter().find(|section| section.base == base)
    }

    fn shelf(&self, kind: PatchKind) -> &[Section] {
        match kind {
            PatchKind::Fault => &self.faults,
            PatchKind::Variant => &self.variants,
            PatchKind::Profile => &self.profiles,
            PatchKind::Script => &self.scripts,
        }
    }

    fn shelf_mut(&mut self, kind: PatchKind) -> &mut Vec<Section> {
        match kind {
            PatchKind::Fault => &mut self.faults,
            PatchKind::Variant => &mut self.variants,
            PatchKind::Profile => &mut self.profiles,
            PatchKind::Script => &mut self.scripts,
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters, none included.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(last) = parts.next_back() else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let Some(mut text) = text.strip_suffix(last) else { return false };
    // The earliest place of each part leaves the most room for those behind it.
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

/// The patches of the section of that name.
fn patches_of<'a>(shelf: &'a [Section], base: &str) -> Option<&'a [Patch]> {
    let at = shelf.iter().position(|section| section.base == base)?;
    Some(shelf[at].patches(&shelf[..at]))
}

/// Puts the rules of each patch's base in front of its own. A base comes earlier, in the library or in the same file, so that none
/// can lead back to itself.
fn on_their_bases(patches: Vec<Patch>, before: &[Section]) -> Result<Vec<Patch>, Vec<Problem>> {
    let mut whole: Vec<Patch> = Vec::new();
    let mut problems = Vec::new();
    for mut patch in patches {
        if let Some(base) = &patch.base {
            let id = base.get_ref().as_str();
            let in_library = || patches_of(before, base_of(id)).and_then(|family| family.iter().find(|known| known.id == id));
            match whole.iter().find(|known| known.id == id).or_else(in_library) {
                Some(base) => patch.rules = [base.rules.clone(), patch.rules].concat(),
                None => problems.push(
                    Problem::new(&patch.source, base.span(), format!("there is no {} `{id}` before this one", patch.kind))
                        .help("a base stands earlier in the file, or is built in"),
                ),
            }
        }
        whole.push(patch);
    }
    if problems.is_empty() { Ok(whole) } else { Err(problems) }
}

fn base_of(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// Cuts a file into its patches by its table headers, without reading it.
fn cut(kind: PatchKind, source: &Arc<Source>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut offset = 0;
    for line in source.text.split_inclusive('\n') {
        // Bytes, because a debug build that walks through characters takes as long for this as for the whole rest of a start.
        let bytes = line.as_bytes();
        if bytes[0] == b'[' {
            let start = if bytes.get(1) == Some(&b'[') { 2 } else { 1 };
            let end = bytes[start..].iter().position(|byte| matches!(byte, b'.' | b']')).map_or(bytes.len(), |at| start + at);
            let base = line[start..end].trim_ascii();
            if sections.last().is_none_or(|section| section.base != base) {
                if let Some(last) = sections.last_mut() {
                    last.part.end = offset;
                }
                let (source, part) = (Arc::clone(source), offset..source.text.len());
                sections.push(Section { base: base.to_owned(), kind, source, part, patches: OnceLock::new() });
            }
        }
        offset += line.len();
    }
    sections
}

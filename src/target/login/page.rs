//! Reads an HTML page into owned forms and links, as far as a user without scripts would see them. Decides nothing.

use std::collections::HashMap;
use std::sync::LazyLock;

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::LoginStep;

/// What matters of a page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) title: String,
    /// What a user reads on it, blanks collapsed.
    pub(super) text: String,
    /// What relative URLs are relative to.
    pub(super) base: Url,
    pub(super) forms: Vec<Form>,
    pub(super) links: Vec<Link>,
    /// Where a meta refresh goes.
    pub(super) refresh: Option<String>,
    /// A script or an `onload` submits a form.
    pub(super) submits_itself: bool,
    /// A password field that belongs to no form: nothing but a script can send it.
    pub(super) loose_password: bool,
    /// Nothing to read, and a script that would write it.
    pub(super) needs_script: bool,
    /// The configured step that fits.
    pub(super) step: Option<FoundStep>,
}

#[derive(Debug, Clone)]
pub(super) struct Form {
    /// As written; empty where there is none.
    pub(super) action: String,
    pub(super) method: Method,
    pub(super) multipart: bool,
    /// Fields and buttons in the order of the page; disabled ones are left out.
    pub(super) controls: Vec<Control>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

#[derive(Debug, Clone)]
pub(super) struct Control {
    /// Empty where it has none: then it is not sent.
    pub(super) name: String,
    pub(super) value: String,
    pub(super) kind: Kind,
    /// What the user reads on it.
    pub(super) label: String,
    /// Identifier, autocompletion and placeholder: what else tells its purpose.
    pub(super) hints: String,
    /// Another action and method than the form's.
    pub(super) form_action: Option<String>,
    pub(super) form_method: Option<Method>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hidden,
    /// Text, e-mail, telephone and whatever else one types into.
    Text,
    Password,
    /// Check box or radio button that is not ticked; `Ticked` ones are sent.
    Unticked,
    Ticked,
    Radio,
    /// A choice or a longer text that has its value already.
    Other,
    Submit,
}

#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) label: String,
    pub(super) hints: String,
}

/// Something that a user clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Click {
    /// A button: form and control.
    Button(usize, usize),
    /// A form without any button: Enter.
    Form(usize),
    /// A link.
    Link(usize),
}

/// A configured step with what its selectors found.
#[derive(Debug, Clone)]
pub(super) struct FoundStep {
    /// Which of the configured ones.
    pub(super) index: usize,
    /// Form, control and the value to fill in, not expanded yet.
    pub(super) fill: Vec<(usize, usize, String)>,
    pub(super) click: Option<Click>,
    pub(super) deny: Option<Click>,
    /// Selectors that found nothing.
    pub(super) missing: Vec<String>,
}

impl Page {
    /// Whether a user code stands on it, in the text or in a field, to be read by the user; punctuation and case do not count.
    pub(super) fn shows(&self, code: &str) -> bool {
        let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect::<String>();
        let fields = self.forms.iter().flat_map(|form| &form.controls).filter(|control| control.kind == Kind::Text);
        let mut readable = fields.map(|field| field.value.as_str()).chain([self.text.as_str()]);
        let code = plain(code);
        !code.is_empty() && readable.any(|text| plain(text).contains(&code))
    }
}

/// Whether a CSS selector can be understood.
#[must_use]
pub fn check_selector(selector: &str) -> bool {
    Selector::parse(selector).is_ok()
}

/// Reads a page that came from that URL.
pub(super) fn read(html: &str, url: &Url, steps: &[LoginStep]) -> Page {
    let document = Html::parse_document(html);
    let base = first(&document, &BASE).and_then(|base| url.join(base.attr("href")?.trim()).ok());
    let mut index = Index::default();
    let forms = index.forms(&document);
    let links = index.links(&document);
    let scripts: String = document.select(&SCRIPT).flat_map(|script| script.text()).collect();
    let onload = first(&document, &ONLOAD).and_then(|body| body.attr("onload")).unwrap_or_default();
    let readable: String = first(&document, &BODY).map(|body| visible_text(body)).unwrap_or_default();
    let scripted = first(&document, &ANY_SCRIPT).is_some();
    Page {
        title: first(&document, &TITLE).or_else(|| first(&document, &HEADING)).map(visible_text).unwrap_or_default(),
        base: base.unwrap_or_else(|| url.clone()),
        needs_script: scripted && forms.is_empty() && readable.chars().count() < 60,
        loose_password: index.loose_password,
        refresh: document.select(&META).find_map(refresh_target),
        submits_itself: scripts.contains("submit(") || scripts.contains(".click(") || onload.contains("submit"),
        step: steps.iter().enumerate().find_map(|(at, step)| index.step(&document, at, step)),
        text: readable,
        forms,
        links,
    }
}

macro_rules! selectors {
    ($($name:ident = $text:literal;)*) => {
        $(static $name: LazyLock<Selector> = LazyLock::new(|| Selector::parse($text).expect("a constant selector"));)*
    };
}

selectors! {
    BASE = "base[href]";
    BODY = "body";
    ONLOAD = "body[onload]";
    TITLE = "title";
    HEADING = "h1";
    META = "meta[http-equiv=refresh i]";
    SCRIPT = "script:not([src])";
    ANY_SCRIPT = "script";
    FORM = "form";
    CONTROL = "input, button, select, textarea";
    OPTION = "option";
    LINK = "a[href]";
    LABEL = "label[for]";
}

/// Where the elements of a page stand in what was read of it.
#[derive(Default)]
struct Index {
    controls: HashMap<NodeKey, (usize, usize)>,
    links: HashMap<NodeKey, usize>,
    loose_password: bool,
}

/// Identifies an element of one document.
type NodeKey = usize;

fn key(element: ElementRef<'_>) -> NodeKey {
    std::ptr::from_ref(element.value()).addr()
}

impl Index {
    fn forms(&mut self, document: &Html) -> Vec<Form> {
        let elements: Vec<ElementRef<'_>> = document.select(&FORM).collect();
        let mut forms: Vec<Form> = elements.iter().map(|form| empty_form(*form)).collect();
        let labels: HashMap<&str, String> =
            document.select(&LABEL).filter_map(|label| Some((label.attr("for")?, visible_text(label)))).collect();
        for element in document.select(&CONTROL) {
            let owner = owner(element, &elements);
            let Some(control) = control(element, &labels) else { continue };
            match owner {
                Some(form) => {
                    self.controls.insert(key(element), (form, forms[form].controls.len()));
                    forms[form].controls.push(control);
                }
                None => self.loose_password |= control.kind == Kind::Password,
            }
        }
        forms
    }

    fn links(&mut self, document: &Html) -> Vec<Link> {
        let mut links = Vec::new();
        for element in document.select(&LINK) {
            self.links.insert(key(element), links.len());
            let href = element.attr("href").unwrap_or_default().trim().to_owned();
            links.push(Link { href, label: label_of(element), hints: hints_of(element) });
        }
        links
    }

    fn step(&self, document: &Html, index: usize, step: &LoginStep) -> Option<FoundStep> {
        find(document, &step.when)?;
        let mut found = FoundStep { index, fill: Vec::new(), click: None, deny: None, missing: Vec::new() };
        for (selector, value) in &step.fill {
            match find(document, selector).and_then(|element| self.controls.get(&key(element))) {
                Some(&(form, control)) => found.fill.push((form, control, value.clone())),
                None => found.missing.push(selector.clone()),
            }
        }
        let filled = found.fill.first().map(|(form, ..)| Click::Form(*form));
        let mut click = |selector: &Option<String>| {
            let selector = selector.as_ref()?;
            let clicked = find(document, selector).and_then(|element| self.click(element));
            if clicked.is_none() {
                found.missing.push(selector.clone());
            }
            clicked
        };
        let (go, deny) = (click(&step.click), click(&step.deny));
        found.click = if step.click.is_some() { go } else { filled };
        found.deny = deny;
        Some(found)
    }

    fn click(&self, element: ElementRef<'_>) -> Option<Click> {
        let button = self.controls.get(&key(element)).map(|&(form, control)| Click::Button(form, control));
        button.or_else(|| self.links.get(&key(element)).map(|&link| Click::Link(link)))
    }
}

fn first<'a>(document: &'a Html, selector: &'static Selector) -> Option<ElementRef<'a>> {
    document.select(selector).next()
}

fn find<'a>(document: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    // The configuration was checked, so that a selector that cannot be understood finds nothing here.
    let selector = Selector::parse(selector).ok()?;
    document.select(&selector).next()
}

fn empty_form(form: ElementRef<'_>) -> Form {
    let multipart = form.attr("enctype").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"));
    let method = form.attr("method").map_or(Method::Get, method);
    Form { action: form.attr("action").unwrap_or_default().trim().to_owned(), method, multipart, controls: Vec::new() }
}

fn method(text: &str) -> Method {
    if text.trim().eq_ignore_ascii_case("post") { Method::Post } else { Method::Get }
}

/// The form that a control belongs to: by its `form` attribute, else the one around it.
fn owner(element: ElementRef<'_>, forms: &[ElementRef<'_>]) -> Option<usize> {
    if let Some(id) = element.attr("form") {
        return forms.iter().position(|form| form.attr("id") == Some(id));
    }
    let around = element.ancestors().filter_map(ElementRef::wrap).find(|ancestor| ancestor.value().name() == "form")?;
    forms.iter().position(|form| form.id() == around.id())
}

fn control(element: ElementRef<'_>, labels: &HashMap<&str, String>) -> Option<Control> {
    let in_disabled = |ancestor: ElementRef<'_>| ancestor.value().name() == "fieldset" && ancestor.attr("disabled").is_some();
    if element.attr("disabled").is_some() || element.ancestors().filter_map(ElementRef::wrap).any(in_disabled) {
        return None;
    }
    let tag = element.value().name();
    let kind = kind(tag, &element.attr("type").unwrap_or_default().to_ascii_lowercase(), element.attr("checked").is_some())?;
    let value = match tag {
        "select" => selected(element),
        "textarea" => element.text().collect(),
        _ => {
            let default = if matches!(kind, Kind::Ticked | Kind::Unticked | Kind::Radio) { "on" } else { "" };
            element.attr("value").unwrap_or(default).to_owned()
        }
    };
    let label = match kind {
        Kind::Submit if tag == "input" => element.attr("value").unwrap_or("submit").to_owned(),
        Kind::Submit => label_of(element),
        _ => element.attr("id").and_then(|id| labels.get(id)).cloned().unwrap_or_default(),
    };
    Some(Control {
        name: element.attr("name").unwrap_or_default().to_owned(),
        value,
        kind,
        label,
        hints: hints_of(element),
        form_action: element.attr("formaction").map(|action| action.trim().to_owned()),
        form_method: element.attr("formmethod").map(method),
    })
}

fn kind(tag: &str, input_type: &str, checked: bool) -> Option<Kind> {
    Some(match (tag, input_type) {
        ("button", "" | "submit") | ("input", "submit" | "image") => Kind::Submit,
        ("button", _) | ("input", "button" | "reset" | "file") => return None,
        ("select" | "textarea", _) | ("input", "color" | "range" | "date" | "time") => Kind::Other,
        (_, "hidden") => Kind::Hidden,
        (_, "password") => Kind::Password,
        (_, "checkbox" | "radio") if checked => Kind::Ticked,
        (_, "checkbox") => Kind::Unticked,
        (_, "radio") => Kind::Radio,
        _ => Kind::Text,
    })
}

fn selected(select: ElementRef<'_>) -> String {
    let options = || select.select(&OPTION).filter(|option| option.attr("disabled").is_none());
    let chosen = options().find(|option| option.attr("selected").is_some()).or_else(|| options().next());
    chosen.map(|option| option.attr("value").map_or_else(|| visible_text(option), str::to_owned)).unwrap_or_default()
}

/// A refresh after more seconds is there for users who have left.
const LONGEST_REFRESH: f64 = 15.0;

/// `content="5; url=/next"`; quotes around the URL are allowed. Without a URL it reloads, and leads nowhere.
fn refresh_target(meta: ElementRef<'_>) -> Option<String> {
    let content = meta.attr("content")?;
    let delay: f64 = content.split([';', ',']).next()?.trim().parse().unwrap_or(0.0);
    if delay > LONGEST_REFRESH {
        return None;
    }
    let at = content.to_ascii_lowercase().find("url=")?;
    let target = content[at + 4..].trim().trim_matches(['"', '\'']);
    if target.is_empty() { None } else { Some(target.to_owned()) }
}

fn label_of(element: ElementRef<'_>) -> String {
    let text = visible_text(element);
    let other = || element.attr("aria-label").or_else(|| element.attr("title")).unwrap_or_default().to_owned();
    if text.is_empty() { other() } else { text }
}

fn hints_of(element: ElementRef<'_>) -> String {
    let attributes = ["id", "autocomplete", "placeholder", "class", "aria-label", "data-action"];
    attributes.iter().filter_map(|name| element.attr(name)).collect::<Vec<_>>().join(" ")
}

/// The text of an element without scripts and styles, blanks collapsed.
fn visible_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    for node in element.descendants() {
        let hidden = |ancestor: ElementRef<'_>| matches!(ancestor.value().name(), "script" | "style" | "noscript" | "template");
        if let Some(piece) = node.value().as_text()
            && !node.ancestors().filter_map(ElementRef::wrap).any(hidden)
        {
            text.push_str(piece);
            text.push(' ');
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! What a user would do on a page: recognises login forms, consent forms and forms that post themselves, by general signs.
//!
//! Pure: takes a page and what was done before, says what comes next.

use super::page::{Click, Control, Form, FoundStep, Kind, Method, Page};
use super::{Action, Answered, PageKind, Visit};
use crate::target::User;

/// What was done so far in a journey.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// How often a password was sent.
    pub(super) logins: usize,
    /// How often a user name without password was sent.
    pub(super) names: usize,
    /// How often each configured step was used.
    pub(super) steps: Vec<usize>,
    /// A consent page was seen.
    pub(super) saw_consent: bool,
    /// A login page with something to refuse on was seen.
    pub(super) may_refuse_at_login: bool,
    /// Second attempt of a refusal: the server asks for no consent.
    pub(super) refuse_at_login: bool,
    /// How often a refusal was sent from a login page.
    pub(super) refusals_at_login: usize,
    /// The user code to enter.
    pub(super) user_code: Option<String>,
    /// Whether the user code was sent.
    pub(super) code_sent: bool,
    /// What the user answered last.
    pub(super) answered: Option<Answered>,
    /// Whether the user could have refused where the user was asked.
    pub(super) could_refuse: bool,
}

impl Memory {
    /// At the beginning of a visit.
    pub(super) fn of(visit: &Visit<'_>) -> Self {
        Self { user_code: visit.user_code.clone(), ..Self::default() }
    }

    fn answer(&mut self, action: Action) {
        self.answered = Some(if action == Action::Deny { Answered::Refused } else { Answered::Approved });
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Fill in and click.
    Act(Move),
    /// Follow a meta refresh.
    Refresh(String),
    /// The form posts itself.
    PostsItself(usize),
    /// The user would have to do something, and has left.
    Wait(PageKind),
    /// Nothing to do here.
    Nothing,
    /// Something to do, and no idea how. The reason reads after "page 'title' (status, URL) ".
    Stuck(String),
}

/// Fields to fill, boxes to tick, and a click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) kind: PageKind,
    /// Form, control and value.
    pub(super) fill: Vec<(usize, usize, String)>,
    /// Form and control.
    pub(super) tick: Vec<(usize, usize)>,
    pub(super) click: Click,
}

/// Decides.
pub(super) fn decide(page: &Page, status: u16, user: &User, action: Action, memory: &mut Memory) -> Next {
    if let Some(step) = &page.step {
        return follow_step(step, user, action, memory);
    }
    let code = memory.user_code.as_ref().and_then(|_| code_form(page));
    let login = login_form(page).filter(|login| code.is_none() || login.password.is_some());
    if login.is_none() {
        if let Some(form) = self_posting_form(page) {
            return Next::PostsItself(form);
        }
        if let Some(target) = &page.refresh {
            return Next::Refresh(target.clone());
        }
    }
    if memory.code_sent && code_was_refused(page, login.as_ref(), code.as_ref()) {
        memory.answered = None;
        return Next::Nothing;
    }
    if let Some(login) = login {
        let next = log_in(page, &login, user, action, memory);
        return with_code(page, next, memory);
    }
    if let Some(code) = code.filter(|code| !asks_beside(page, code)) {
        return enter_code(page, &code, action, memory);
    }
    if status >= 400 {
        return Next::Nothing;
    }
    if let Some(next) = confirm_code(page, action, memory).or_else(|| consent(page, action, memory)) {
        return with_code(page, next, memory);
    }
    if page.loose_password {
        return Next::Stuck(
            "has a password field outside any form, which only a script can send; use the login driver `command`".into(),
        );
    }
    if page.needs_script {
        return Next::Stuck("is empty without JavaScript; use the login driver `command` or `cookies`".into());
    }
    Next::Nothing
}

fn follow_step(step: &FoundStep, user: &User, action: Action, memory: &mut Memory) -> Next {
    let kind = if step.fill.is_empty() { PageKind::Consent } else { PageKind::Login };
    if action == Action::Stop {
        return Next::Wait(kind);
    }
    let number = step.index + 1;
    if let Some(selector) = step.missing.first() {
        return Next::Stuck(format!("fits login step {number}, but its selector `{selector}` finds no field, button or link"));
    }
    memory.steps.resize(memory.steps.len().max(number), 0);
    memory.steps[step.index] += 1;
    if memory.steps[step.index] > 2 {
        return Next::Stuck(format!("comes back again and again after login step {number}"));
    }
    let deny = step.deny.filter(|_| action == Action::Deny);
    memory.saw_consent |= deny.is_some();
    memory.could_refuse |= step.deny.is_some();
    if kind == PageKind::Consent {
        memory.answer(if deny.is_some() { Action::Deny } else { Action::Approve });
    }
    let Some(click) = deny.or(step.click) else {
        return Next::Stuck(format!("fits login step {number}, which neither fills nor clicks anything"));
    };
    memory.code_sent |= memory.user_code.is_some() && step.fill.iter().any(|(.., text)| text.contains("{user_code}"));
    let code = memory.user_code.clone().unwrap_or_default();
    let expand = |text: &String| {
        text.replace("{username}", &user.username).replace("{password}", &user.password).replace("{user_code}", &code)
    };
    let fill = step.fill.iter().map(|(form, control, text)| (*form, *control, expand(text))).collect();
    Next::Act(Move { kind, fill, tick: Vec::new(), click })
}

/// A form whose action needs no user: only hidden fields, at most the one button for browsers without scripts, and a script or
/// `onload` that submits it.
fn self_posting_form(page: &Page) -> Option<usize> {
    let buttons = |form: &Form| form.controls.iter().filter(|control| control.kind == Kind::Submit).count();
    let hidden = |form: &Form| form.controls.iter().all(|control| matches!(control.kind, Kind::Hidden | Kind::Submit));
    let fits = |form: &Form| form.method == Method::Post && buttons(form) <= 1 && hidden(form);
    if page.submits_itself { page.forms.iter().position(fits) } else { None }
}

struct LoginForm {
    form: usize,
    name: Option<usize>,
    password: Option<usize>,
}

/// The form with a password field, rather one than two of them (two: a registration); else one that asks for a user name only.
fn login_form(page: &Page) -> Option<LoginForm> {
    let passwords = |form: &Form| form.controls.iter().filter(|control| control.kind == Kind::Password).count();
    let by_password = (1..=2).find_map(|wanted| page.forms.iter().position(|form| passwords(form) == wanted));
    if let Some(form) = by_password {
        let controls = &page.forms[form].controls;
        let password = controls.iter().position(|control| control.kind == Kind::Password)?;
        let name = controls[..password].iter().rposition(|control| control.kind == Kind::Text && !asks_for_code(control));
        return Some(LoginForm { form, name, password: Some(password) });
    }
    page.forms.iter().enumerate().filter(|(_, form)| form.method == Method::Post).find_map(|(index, form)| {
        let name = form.controls.iter().position(asks_for_name)?;
        Some(LoginForm { form: index, name: Some(name), password: None })
    })
}

/// A field for the user code.
struct CodeForm {
    form: usize,
    field: usize,
}

/// The form without a password that has a field for a code, or just one field for text.
fn code_form(page: &Page) -> Option<CodeForm> {
    let open =
        || page.forms.iter().enumerate().filter(|(_, form)| !form.controls.iter().any(|control| control.kind == Kind::Password));
    let named = open().find_map(|(form, of)| Some(CodeForm { form, field: of.controls.iter().position(asks_for_code)? }));
    named.or_else(|| {
        let lone = |of: &Form| {
            let mut texts = of.controls.iter().enumerate().filter(|(_, control)| control.kind == Kind::Text);
            let (field, control) = texts.next()?;
            (texts.next().is_none() && !asks_for_name(control) && !is_search(control)).then_some(field)
        };
        open().find_map(|(form, of)| Some(CodeForm { form, field: lone(of)? }))
    })
}

fn asks_for_code(control: &Control) -> bool {
    control.kind == Kind::Text && told(control).contains("code")
}

fn is_search(control: &Control) -> bool {
    control.name == "q" || told(control).contains("search")
}

/// Whether the question stands beside the field for the code.
fn asks_beside(page: &Page, code: &CodeForm) -> bool {
    asks_for_consent_too(&page.forms[code.form])
}

/// Whether a page that takes the code together with the login or the answer asks for all of it again.
fn code_was_refused(page: &Page, login: Option<&LoginForm>, code: Option<&CodeForm>) -> bool {
    let with_login = login.is_some_and(|login| page.forms[login.form].controls.iter().any(asks_for_code));
    with_login || code.is_some_and(|code| asks_beside(page, code))
}

fn enter_code(page: &Page, code: &CodeForm, action: Action, memory: &mut Memory) -> Next {
    if action == Action::Stop {
        return Next::Wait(PageKind::Other);
    }
    if memory.code_sent {
        // It asks again: the code was not taken, or all is done and the page begins anew.
        return Next::Nothing;
    }
    let click = going_on(&page.forms[code.form]).map_or(Click::Form(code.form), |button| Click::Button(code.form, button));
    let next = Next::Act(Move { kind: PageKind::Other, fill: Vec::new(), tick: Vec::new(), click });
    with_code(page, next, memory)
}

/// A page that wants the user to confirm that the code is the device's, with nothing to refuse: it is no question yet.
fn confirm_code(page: &Page, action: Action, memory: &mut Memory) -> Option<Next> {
    let code = memory.user_code.as_ref().filter(|_| !memory.code_sent && action != Action::Stop)?;
    if !page.shows(code) || refusing_click(page).is_some() {
        return None;
    }
    let click = approving_click(page)?;
    let strongly = matches!(click, Click::Button(form, button) if strongly_approves(&page.forms[form].controls[button].label));
    if strongly {
        return None;
    }
    memory.code_sent = true;
    Some(Next::Act(Move { kind: PageKind::Other, fill: Vec::new(), tick: Vec::new(), click }))
}

/// With the user code in its field, where the form that is sent has one.
fn with_code(page: &Page, next: Next, memory: &mut Memory) -> Next {
    let (Next::Act(mut action), Some(code)) = (next.clone(), memory.user_code.clone()) else { return next };
    let (Click::Button(form, _) | Click::Form(form)) = action.click else { return next };
    let controls = &page.forms[form].controls;
    let lone = || code_form(page).filter(|found| found.form == form).map(|found| found.field);
    let Some(field) = controls.iter().position(asks_for_code).or_else(lone) else { return next };
    memory.code_sent = true;
    action.fill.push((form, field, code));
    Next::Act(action)
}

fn asks_for_name(control: &Control) -> bool {
    let text = told(control);
    control.kind == Kind::Text && ["user", "mail", "login", "ident", "account"].iter().any(|word| text.contains(word))
}

/// What a field tells of its purpose.
fn told(control: &Control) -> String {
    format!("{} {} {}", control.name, control.hints, control.label).to_ascii_lowercase()
}

fn log_in(page: &Page, login: &LoginForm, user: &User, action: Action, memory: &mut Memory) -> Next {
    if action == Action::Stop {
        return Next::Wait(PageKind::Login);
    }
    let form = &page.forms[login.form];
    let refusal = refusing_click(page);
    memory.may_refuse_at_login |= refusal.is_some();
    let with_consent = asks_for_consent_too(form);
    if let Some(click) = refusal.filter(|_| action == Action::Deny && (memory.refuse_at_login || with_consent)) {
        return refuse_at_login(login, user, click, with_consent, memory);
    }
    let sent = if login.password.is_some() { &mut memory.logins } else { &mut memory.names };
    if *sent > 0 {
        return Next::Stuck("shows the login form again: login was refused".into());
    }
    *sent += 1;
    if with_consent {
        memory.could_refuse |= refusal.is_some();
        memory.answer(Action::Approve);
    }
    let fill = credentials(login, user);
    // Some servers ask for the consent on the same page.
    let tick = if action == Action::Approve { boxes(login.form, form, is_consent_box) } else { Vec::new() };
    let click = match going_on(form) {
        Some(button) => Click::Button(login.form, button),
        None => Click::Form(login.form),
    };
    Next::Act(Move { kind: PageKind::Login, fill, tick, click })
}

/// Refuses on the login page. Where that page asks for the consent too, the user says who refuses; a lone "Cancel" wants no password.
fn refuse_at_login(login: &LoginForm, user: &User, click: Click, with_consent: bool, memory: &mut Memory) -> Next {
    if memory.refusals_at_login > 0 {
        return Next::Stuck("shows the login form again: the refusal was not taken".into());
    }
    memory.refusals_at_login += 1;
    memory.saw_consent |= with_consent;
    memory.could_refuse = true;
    memory.answer(Action::Deny);
    let of_form = matches!(click, Click::Button(form, _) if form == login.form);
    let fill = if with_consent && of_form { credentials(login, user) } else { Vec::new() };
    Next::Act(Move { kind: PageKind::Login, fill, tick: Vec::new(), click })
}

fn credentials(login: &LoginForm, user: &User) -> Vec<(usize, usize, String)> {
    let name = login.name.map(|name| (login.form, name, user.username.clone()));
    let password = login.password.map(|password| (login.form, password, user.password.clone()));
    name.into_iter().chain(password).collect()
}

/// Whether a login form is sent by a button that approves: a "Log in" or "Continue" may still be followed by the question.
fn asks_for_consent_too(form: &Form) -> bool {
    let approves = |control: &Control| control.kind == Kind::Submit && strongly_approves(&control.label);
    form.controls.iter().any(approves)
}

/// The button that sends a login form: one that says so, else the first that does not refuse.
fn going_on(form: &Form) -> Option<usize> {
    let buttons = || form.controls.iter().enumerate().filter(|(_, control)| control.kind == Kind::Submit);
    let says_login = |control: &Control| {
        let label = control.label.to_ascii_lowercase();
        ["log in", "login", "sign in", "signin", "sign-in", "log-in", "next"].iter().any(|word| label.contains(word))
    };
    let meaning = |control: &Control| meaning_of(&control.label, &control.value, &[&control.name, &control.hints]);
    let found = buttons()
        .find(|(_, control)| says_login(control))
        .or_else(|| buttons().find(|(_, control)| meaning(control) == Some(Meaning::Approve)))
        .or_else(|| buttons().find(|(_, control)| meaning(control).is_none()));
    found.map(|(index, _)| index)
}

fn consent(page: &Page, action: Action, memory: &mut Memory) -> Option<Next> {
    let approve = approving_click(page);
    let deny = refusing_click(page).filter(|_| !page.forms.is_empty() || approve.is_some());
    if approve.is_none() && deny.is_none() {
        return unknown_form(page, action);
    }
    // A lone link named "Cancel" on an error page is no question.
    if approve.is_none() && !matches!(deny, Some(Click::Button(..))) {
        return unknown_form(page, action);
    }
    if action == Action::Stop {
        return Some(Next::Wait(PageKind::Consent));
    }
    memory.saw_consent = true;
    memory.could_refuse |= deny.is_some();
    if action == Action::Deny {
        if deny.is_some() {
            memory.answer(action);
        }
        let click = deny.or_else(|| approve.filter(|click| has_boxes(page, *click)));
        return Some(match click {
            Some(click) => Next::Act(Move { kind: PageKind::Consent, fill: Vec::new(), tick: Vec::new(), click }),
            None => Next::Stuck("asks for consent and has nothing to refuse it with; name it as `deny` in a login step".into()),
        });
    }
    let Some(click) = approve else {
        return Some(Next::Stuck("asks for consent and has nothing to give it with; name it as `click` in a login step".into()));
    };
    memory.answer(action);
    let tick = match click {
        Click::Button(form, _) | Click::Form(form) => boxes(form, &page.forms[form], |_| true),
        Click::Link(_) => Vec::new(),
    };
    Some(Next::Act(Move { kind: PageKind::Consent, fill: Vec::new(), tick, click }))
}

/// A form that waits for something the heuristics do not know; a search field is none.
fn unknown_form(page: &Page, action: Action) -> Option<Next> {
    let asked =
        |form: &&Form| form.method == Method::Post && form.controls.iter().any(|c| c.kind == Kind::Text && c.value.is_empty());
    let form = page.forms.iter().find(asked)?;
    if action == Action::Stop {
        return Some(Next::Wait(PageKind::Other));
    }
    let field = form.controls.iter().find(|control| control.kind == Kind::Text)?;
    Some(Next::Stuck(format!(
        "asks for `{}`, which nothing is known of; describe the page in [[server.login.steps]]",
        field.name
    )))
}

fn has_boxes(page: &Page, click: Click) -> bool {
    matches!(click, Click::Button(form, _) if page.forms[form].controls.iter().any(|control| control.kind == Kind::Unticked))
}

/// Check boxes to tick; of radio buttons, the one that approves.
fn boxes(form: usize, of: &Form, wanted: impl Fn(&Control) -> bool) -> Vec<(usize, usize)> {
    let meaning = |control: &Control| meaning_of(&control.value, &control.label, &[&control.hints]);
    let chosen = |control: &Control| match control.kind {
        Kind::Unticked => wanted(control) && meaning(control) != Some(Meaning::Deny),
        Kind::Radio => meaning(control) == Some(Meaning::Approve),
        _ => false,
    };
    of.controls.iter().enumerate().filter(|(_, control)| chosen(control)).map(|(index, _)| (form, index)).collect()
}

fn is_consent_box(control: &Control) -> bool {
    let text = format!("{} {} {}", control.name, control.value, control.label).to_ascii_lowercase();
    ["consent", "confirm", "approv", "allow", "accept", "authori", "agree", "grant", "scope"].iter().any(|w| text.contains(w))
}

fn approving_click(page: &Page) -> Option<Click> {
    let buttons = clickable_buttons(page);
    let approving = buttons.iter().find(|(_, _, control)| meaning(control) == Some(Meaning::Approve));
    if let Some((form, control, _)) = approving {
        return Some(Click::Button(*form, *control));
    }
    if let [(form, control, only)] = buttons.as_slice()
        && meaning(only).is_none()
        && page.forms[*form].method == Method::Post
        && !page.forms[*form].controls.iter().any(|control| control.kind == Kind::Text && control.value.is_empty())
    {
        return Some(Click::Button(*form, *control));
    }
    let link =
        |link: &&super::page::Link| strongly_approves(&link.label) && meaning_of(&link.label, "", &[]) == Some(Meaning::Approve);
    page.links.iter().position(|candidate| link(&candidate)).map(Click::Link)
}

fn strongly_approves(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    let words = ["approve", "allow", "accept", "authorize", "authorise", "grant"];
    words.iter().any(|word| label.contains(word)) && meaning_of_text(&label) == Some(Meaning::Approve)
}

fn refusing_click(page: &Page) -> Option<Click> {
    let button = clickable_buttons(page).into_iter().find(|(_, _, control)| meaning(control) == Some(Meaning::Deny));
    if let Some((form, control, _)) = button {
        return Some(Click::Button(form, control));
    }
    let refuses =
        |link: &super::page::Link| meaning_of(&link.label, "", &[&link.hints, path_of(&link.href)]) == Some(Meaning::Deny);
    page.links.iter().position(refuses).map(Click::Link)
}

fn path_of(href: &str) -> &str {
    href.split(['?', '#']).next().unwrap_or_default()
}

/// Buttons that could be about the request: not those of a search, a logout or a registration.
fn clickable_buttons(page: &Page) -> Vec<(usize, usize, &Control)> {
    let other = |control: &Control| {
        let text = format!("{} {} {}", control.label, control.name, control.value).to_ascii_lowercase();
        let words = ["logout", "log out", "sign out", "signout", "search", "register", "sign up", "forgot", "language"];
        words.iter().any(|word| text.contains(word))
    };
    let of_form = |(form, of): (usize, &'_ Form)| {
        let buttons = of.controls.iter().enumerate().filter(|(_, control)| control.kind == Kind::Submit && !other(control));
        buttons.map(|(index, _)| (form, index)).collect::<Vec<_>>()
    };
    let places = page.forms.iter().enumerate().flat_map(of_form);
    places.map(|(form, control)| (form, control, &page.forms[form].controls[control])).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Approve,
    Deny,
}

fn meaning(control: &Control) -> Option<Meaning> {
    let action = control.form_action.as_deref().map(path_of).unwrap_or_default();
    meaning_of(&control.label, &control.value, &[&control.name, &control.hints, action])
}

/// What the first telling text means: what is read, then what is sent, then what it is called.
fn meaning_of(label: &str, value: &str, names: &[&str]) -> Option<Meaning> {
    let texts = [label, value].into_iter().chain(names.iter().copied());
    texts.map(str::to_ascii_lowercase).find_map(|text| meaning_of_text(&text))
}

fn meaning_of_text(text: &str) -> Option<Meaning> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let begins = |stems: &[&str]| words.iter().any(|word| stems.iter().any(|stem| word.starts_with(stem)));
    let is = |exact: &[&str]| words.iter().any(|word| exact.contains(word));
    if begins(&["deny", "denied", "cancel", "reject", "abort", "declin", "refus", "disallow", "disagree"])
        || is(&["no", "not", "don"])
    {
        return Some(Meaning::Deny);
    }
    let approves =
        begins(&["approv", "allow", "accept", "authori", "continu", "consent", "confirm", "submit", "grant", "agree", "proceed"]);
    if approves || is(&["yes", "ok", "okay"]) { Some(Meaning::Approve) } else { None }
}

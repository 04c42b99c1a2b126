//! The page at `/_oauthspec/`: realms, clocks, faults, live journals, flows. Rendered here, without a framework, and whole without script.

mod exchanges;
mod flow;
mod home;
mod journal;
mod layout;
mod live;
mod realm;
mod scripts;
mod switches;
mod view;

use axum::response::Response as AxumResponse;
use maud::html;
use serde_json::{Map, Value};

pub(in crate::mock) use self::flow::Flows;
use self::home::Choice;
use self::layout::{Mistake, at, onward, page};
use self::view::View;
use super::ask::{Ask, typed};
use super::clock::{self, ClockChange};
use super::trouble::Trouble;
use super::{guard, policy, realms};
use crate::mock::Realm;
use crate::mock::realms::Realms;
use crate::oauth::encoding::percent;
use crate::oauth::{Params, Response};
use crate::policy::PatchKind;

/// What a path of the page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// To see something: the first page or a realm.
    See(Place),
    /// To send the token.
    SignIn,
    /// To come back from a flow.
    ComeBack(String),
    /// To have a form carried out.
    Do(Place, String),
    /// To hear what becomes of a realm.
    Listen(String),
}

/// What a page is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Home,
    Realm(String),
}

/// What a request asks of the page; `None` where it is for the API.
pub(super) fn wish(method: &str, path: &str, wants_page: bool) -> Option<Wish> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (method, parts.as_slice()) {
        ("GET", [""]) if wants_page => Some(Wish::See(Place::Home)),
        ("GET", ["realms", name]) if wants_page => Some(Wish::See(Place::Realm((*name).to_owned()))),
        ("GET" | "POST", ["callback", name]) => Some(Wish::ComeBack((*name).to_owned())),
        ("POST", ["page", "sign-in"]) => Some(Wish::SignIn),
        ("POST", ["page", action]) => Some(Wish::Do(Place::Home, (*action).to_owned())),
        ("POST", ["page", "realms", name, action]) => Some(Wish::Do(Place::Realm((*name).to_owned()), (*action).to_owned())),
        ("GET", ["page", "realms", name, "stream"]) => Some(Wish::Listen((*name).to_owned())),
        _ => None,
    }
}

impl Wish {
    /// Whether it may come from a page of another site: a flow can come back from one, and sees nothing but what it brings.
    pub(super) fn may_be_foreign(&self) -> bool {
        matches!(self, Self::ComeBack(_))
    }
}

/// The form that asks for the token, in place of what was asked for.
pub(super) fn sign_in(realms: &Realms, path: &str) -> Response {
    home::sign_in(realms, path, None)
}

/// What is wrong, for a person.
pub(super) fn trouble(realms: &Realms, trouble: &Trouble) -> Response {
    let body = html! {
        section {
            p role="alert" { (trouble.detail()) }
            p { a href=(at(realms, "/")) { "All realms" } }
        }
    };
    let mut page = page(trouble.code(), realms, trouble.title(), &body);
    let answer = trouble.response();
    for name in ["Allow", "WWW-Authenticate"] {
        if let Some(value) = answer.headers.get(name) {
            page.headers.push(name, value.as_ref());
        }
    }
    page
}

/// Fulfils a wish.
pub(super) fn fulfil(ask: &Ask, wish: &Wish) -> Result<AxumResponse, Trouble> {
    let realms = &ask.realms;
    let response = match wish {
        Wish::Listen(name) => {
            return Ok(live::follow(ask, found(realms, name)?, &query(ask)));
        }
        Wish::See(Place::Home) => home::home(realms, &Choice::of(&query(ask), "realm"), None),
        Wish::See(Place::Realm(name)) => realm::realm(realms, &found(realms, name)?, &View::of(&query(ask)), None),
        Wish::ComeBack(name) => {
            let params = if ask.request.method == "POST" { Params::parse_lossy(&ask.request.body) } else { query(ask) };
            flow::callback(realms, &found(realms, name)?, &params)
        }
        Wish::SignIn => signed_in(realms, &Params::parse_lossy(&ask.request.body)),
        Wish::Do(Place::Home, action) => {
            let fields = Params::parse_lossy(&ask.request.body);
            carry_out(ask, action, &fields).unwrap_or_else(|trouble| {
                home::home(realms, &Choice::default(), Some(Mistake { text: trouble.detail(), fields: &fields }))
            })
        }
        Wish::Do(Place::Realm(name), action) => {
            let realm = found(realms, name)?;
            let fields = Params::parse_lossy(&ask.request.body);
            carry_out_in(ask, &realm, action, &fields).unwrap_or_else(|trouble| {
                let mistake = Mistake { text: trouble.detail(), fields: &fields };
                realm::realm(realms, &realm, &View::of(&fields), Some(mistake))
            })
        }
    };
    Ok(crate::mock::edge::plain(response))
}

/// A right token becomes a cookie, which does not tell it.
fn signed_in(realms: &Realms, fields: &Params) -> Response {
    let given = fields.get("token").unwrap_or_default();
    let path = fields.get("path").unwrap_or_default().into_owned();
    // Only back to a path of the page, never to another host.
    let path = if path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') { path } else { "/".to_owned() };
    if !guard::is_token(realms, &given) {
        return home::sign_in(realms, &path, Some("This is not the token."));
    }
    let mut response = onward(&at(realms, &path));
    let secure = if realms.base_url().starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{}={}; Path={}; HttpOnly; SameSite=Lax{secure}", guard::COOKIE, guard::pass(&given), at(realms, ""));
    response.headers.push("Set-Cookie", cookie);
    response
}

/// Forms of the first page.
fn carry_out(ask: &Ask, action: &str, fields: &Params) -> Result<Response, Trouble> {
    let realms = &ask.realms;
    let members = fields.iter().filter(|(_, value)| !value.is_empty());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let members: Map<String, Value> = members.map(|(name, value)| (text(name), Value::from(text(value)))).collect();
    match action {
        "create" => {
            let name = realms::create_from(ask, &typed(Value::Object(members), "")?)?;
            Ok(onward(&at(realms, &format!("/realms/{name}"))))
        }
        "remove" => {
            realms.remove(&fields.get("realm").unwrap_or_default());
            Ok(onward(&format!("{}{}#realms", at(realms, "/"), Choice::of(fields, "search").query())))
        }
        _ => Err(Trouble::new(404, "Not found", "no form of this page does that")),
    }
}

/// Forms of the page of a realm. It is shown again as it was, at the place of what was pressed.
fn carry_out_in(ask: &Ask, realm: &Realm, action: &str, fields: &Params) -> Result<Response, Trouble> {
    let realms = &ask.realms;
    let field = |name: &str| fields.get(name).map(std::borrow::Cow::into_owned);
    let place = match action {
        "flow" => return flow::start(realms, realm, fields),
        "redeem" => return flow::redeem(realms, realm, fields),
        "clock" => {
            let frozen = field("frozen").map(|frozen| frozen == "true");
            clock::apply(realm, &ClockChange { time: field("time"), advance: field("advance"), frozen })?;
            let advanced = field("advance").map(|by| format!("advance-{by}"));
            advanced.unwrap_or_else(|| if frozen.is_some() { "frozen" } else { "time" }.to_owned())
        }
        "switch" => switched(realm, fields)?,
        "scripts" => {
            policy::remove_script_of(realm, &field("remove").unwrap_or_default())?;
            "policy".to_owned()
        }
        "journal" => {
            match field("do").as_deref() {
                Some("reset") => realm.reset(realm.policies()),
                _ => realm.journal().forget(),
            }
            "journal".to_owned()
        }
        _ => return Err(Trouble::new(404, "Not found", "no form of this page does that")),
    };
    let view = View::of(fields).params();
    let query = if view.is_empty() { String::new() } else { format!("?{}", view.encode()) };
    Ok(onward(&format!("{}{query}#{}", at(realms, &format!("/realms/{}", realm.name())), percent(&place))))
}

/// Switches what was pressed; where on the page its switch is.
fn switched(realm: &Realm, fields: &Params) -> Result<String, Trouble> {
    let mut place = "policy".to_owned();
    for (name, value) in fields.iter() {
        let (name, id) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        let Some((verb, kind)) = name.split_once('-') else { continue };
        let kind = match kind {
            "fault" => PatchKind::Fault,
            "variant" => PatchKind::Variant,
            _ => continue,
        };
        match verb {
            "add" => drop(policy::add(realm, kind, &id)?),
            "remove" => policy::take_away(realm, kind, &id)?,
            _ => continue,
        }
        place = switches::anchor(kind, &id);
    }
    Ok(fields.get("back").map_or(place, |_| "policy".to_owned()))
}

/// The parameters that stand in the URL.
fn query(ask: &Ask) -> Params {
    Params::parse_lossy(ask.request.query().unwrap_or("").as_bytes())
}

fn found(realms: &Realms, name: &str) -> Result<Realm, Trouble> {
    let all = realms.all();
    realms.get(name).ok_or_else(|| Trouble::missing("realm", name, all.iter().map(|held| held.realm.name())))
}

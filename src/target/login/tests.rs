use super::*;
use crate::wire::testing::{Canned, reply};
use crate::wire::{Wire, WireOptions};

const REDIRECT: &str = "https://client.example/cb";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";

fn page(html: &str) -> Vec<u8> {
    reply(200, HTML, html)
}

fn to(location: &str) -> Vec<u8> {
    reply(303, &format!("Location: {location}\r\n"), "")
}

fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

async fn visit(server: &Canned, action: Action, login: &Login) -> Journey {
    visit_from(server, Request::get(format!("{}/auth?x=1", server.origin)), action, login).await
}

async fn visit_from(server: &Canned, request: Request, action: Action, login: &Login) -> Journey {
    visit_with(server, request, action, login, None).await
}

async fn visit_with(server: &Canned, request: Request, action: Action, login: &Login, user_code: Option<&str>) -> Journey {
    let user = User { username: "alice".into(), password: "won & der".into() };
    let home = Home::new([server.origin.as_str()], []);
    let redirect_uris = vec![REDIRECT.to_owned()];
    let visit = Visit {
        user: &user,
        action,
        redirect_uris,
        login,
        home: &home,
        page_limit: PAGE_LIMIT,
        user_code: user_code.map(str::to_owned),
    };
    let mut browser = Browser::new(Wire::new(WireOptions::default()).unwrap());
    authorize(&mut browser, request, &visit).await
}

fn form() -> Login {
    Login::default()
}

fn delivered_params(journey: &Journey) -> String {
    match &journey.end {
        End::Delivered { params, .. } => params.encode(),
        other => panic!("{other:?}\n{:#?}", journey.sent_to),
    }
}

fn stuck(journey: &Journey) -> &str {
    match &journey.end {
        End::Stuck { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

/// oidc-provider's development interactions: a page and its POST share a path.
async fn oidc_provider() -> Canned {
    Canned::start(|_, request| match (request.split(' ').next().unwrap_or_default(), path(request)) {
        ("GET", "/auth?x=1") => {
            reply(303, "Location: /interaction/u1\r\nSet-Cookie: _interaction=u1; path=/interaction/u1; httponly\r\n", "")
        }
        ("GET", "/interaction/u1") if request.contains("_interaction=u1") => page(OIDC_LOGIN),
        ("POST", "/interaction/u1") if body(request) == "prompt=login&login=alice&password=won+%26+der" => to("/interaction/u2"),
        ("GET", "/interaction/u2") => page(OIDC_CONSENT),
        ("POST", "/interaction/u2") if body(request) == "prompt=consent" => to("/auth/u2"),
        ("GET", "/auth/u2") => to(&format!("{REDIRECT}?code=c1&state=s")),
        ("GET", "/interaction/u2/abort") => to(&format!("{REDIRECT}?error=access_denied&state=s")),
        _ => reply(404, HTML, "<title>oops</title>"),
    })
    .await
}

const OIDC_LOGIN: &str = r#"<!DOCTYPE html><html><head><title>Sign-in</title></head><body><div class="login-card"><h1>Sign-in</h1>
<form autocomplete="off" action="/interaction/u1" method="post">
<input type="hidden" name="prompt" value="login"/>
<input required type="text" name="login" placeholder="Enter any login" autofocus="on">
<input required type="password" name="password" placeholder="and password">
<button type="submit" class="login login-submit">Sign-in</button>
</form><div class="login-help"><a href="/interaction/u1/abort">[ Cancel ]</a></div></div></body></html>"#;

const OIDC_CONSENT: &str = r#"<html><head><title>Authorize</title></head><body><h1>Authorize</h1>
<form autocomplete="off" action="/interaction/u2" method="post">
<input type="hidden" name="prompt" value="consent"/>
<button autofocus type="submit" class="login login-submit">Continue</button>
</form><div class="login-help"><a href="/interaction/u2/abort">[ Cancel ]</a></div></body></html>"#;

#[tokio::test]
async fn oidc_provider_is_walked_through_approved_denied_and_left() {
    let server = oidc_provider().await;
    let journey = visit(&server, Action::Approve, &form()).await;
    assert_eq!(delivered_params(&journey), "code=c1&state=s");
    let End::Delivered { url, via, exchange, .. } = &journey.end else { unreachable!() };
    assert_eq!((url.as_str(), *via, *exchange), ("https://client.example/cb?code=c1&state=s", Via::Query, 5));
    assert_eq!(journey.exchanges.len(), 6);
    assert_eq!(journey.sent_to.last(), Some(url));
    assert_eq!(journey.sent_to.len(), 6, "{:?}", journey.sent_to);

    let journey = visit(&server, Action::Deny, &form()).await;
    assert_eq!(delivered_params(&journey), "error=access_denied&state=s");

    let journey = visit(&server, Action::Stop, &form()).await;
    assert_eq!(journey.end, End::Waiting { exchange: 1, page: PageKind::Login, title: "Sign-in".into() });
}

#[tokio::test]
async fn a_flask_form_with_user_name_and_consent_box_in_one() {
    let server = Canned::start(|_, request| match request.split(' ').next().unwrap_or_default() {
        "GET" => page(
            r#"<p>The application <strong>x</strong> is requesting: profile</p><form action="" method="post">
            <label><input type="checkbox" name="confirm"><span>Consent?</span></label>
            <p>You haven't logged in. Log in with:</p><div><input type="text" name="username"></div>
            <br><button>Submit</button></form>"#,
        ),
        _ if body(request) == "confirm=on&username=alice" => to(&format!("{REDIRECT}?code=c")),
        _ if body(request) == "username=alice" => to(&format!("{REDIRECT}?error=access_denied")),
        _ => reply(400, "", ""),
    })
    .await;
    assert_eq!(delivered_params(&visit(&server, Action::Approve, &form()).await), "code=c");
    assert_eq!(delivered_params(&visit(&server, Action::Deny, &form()).await), "error=access_denied");
}

#[tokio::test]
async fn a_keycloak_like_login_and_consent() {
    let server = Canned::start(|_, request| match path(request) {
        "/auth?x=1" => page(
            r#"<title>Sign in to demo</title><form id="kc-form-login" onsubmit="login.disabled = true" action="/login-actions/authenticate?session_code=a&amp;tab_id=b" method="post">
            <input tabindex="1" id="username" name="username" value="" type="text" autofocus autocomplete="username"/>
            <input tabindex="2" id="password" name="password" type="password" autocomplete="current-password"/>
            <input id="rememberMe" name="rememberMe" type="checkbox">
            <input type="hidden" id="id-hidden-input" name="credentialId"/>
            <input tabindex="4" name="login" id="kc-login" type="submit" value="Sign In"/></form>
            <form action="/register" method="post"><input type="submit" value="Register"></form>"#,
        ),
        "/login-actions/authenticate?session_code=a&tab_id=b"
            if body(request) == "username=alice&password=won+%26+der&credentialId=&login=Sign+In" =>
        {
            to("consent")
        }
        "/login-actions/consent" => page(
            r#"<title>Grant Access</title><form class="form-actions" action="/login-actions/consent" method="POST">
            <input type="hidden" name="code" value="xyz"><input type="checkbox" name="scope_1" value="email"><input disabled name="no" value="1">
            <input name="accept" id="kc-login" type="submit" value="Yes"/><input name="cancel" id="kc-cancel" type="submit" value="No"/></form>"#,
        ),
        _ => reply(404, "", ""),
    })
    .await;
    let journey = visit(&server, Action::Stop, &form()).await;
    assert!(matches!(&journey.end, End::Waiting { page: PageKind::Login, .. }), "{:?}", journey.end);
    let journey = visit(&server, Action::Approve, &form()).await;
    let consents: Vec<String> = server.seen().iter().filter(|r| r.starts_with("POST /login-actions/consent")).cloned().collect();
    assert_eq!(body(&consents[0]), "code=xyz&scope_1=email&accept=Yes", "{:?}", journey.end);
    let origin = format!("origin: {}\r\nreferer: {}/login-actions/consent\r\n", server.origin, server.origin);
    assert!(consents[0].contains(&origin), "{}", consents[0]);
    visit(&server, Action::Deny, &form()).await;
    let last = server.seen().into_iter().rfind(|r| r.starts_with("POST /login-actions/consent")).unwrap();
    assert_eq!(body(&last), "code=xyz&cancel=No");
}

#[tokio::test]
async fn a_form_that_posts_itself_delivers_or_goes_on() {
    let server = Canned::start(|_, request| match (request.split(' ').next().unwrap_or_default(), path(request)) {
        ("GET", "/auth?x=1") => page(
            r#"<html><body onload="document.forms[0].submit()"><form method="post" action="/hop"><input type="hidden" name="t" value="1"></form>"#,
        ),
        ("POST", "/hop") if body(request) == "t=1" => page(
            r#"<html><head><title>Submit This Form</title></head><body onload="javascript:document.forms[0].submit()">
            <form method="post" action="https://client.example/cb"><input type="hidden" name="code" value="a&amp;b"/>
            <input type="hidden" name="state" value="s"/><noscript><button type="submit">Continue</button></noscript></form></body></html>"#,
        ),
        _ => reply(404, "", ""),
    })
    .await;
    let journey = visit(&server, Action::Stop, &form()).await;
    let End::Delivered { via, url, params, .. } = &journey.end else { panic!("{:?}", journey.end) };
    assert_eq!((*via, url.as_str(), params.encode().as_str()), (Via::FormPost, REDIRECT, "code=a%26b&state=s"));
    assert_eq!(journey.sent_to, [format!("{}/hop", server.origin), REDIRECT.to_owned()]);
}

#[tokio::test]
async fn nothing_is_ever_sent_outside_the_target() {
    for location in
        ["http://127.0.0.1:1/steal?code=x", "https://evil.example/?code=x", "com.app:/cb?code=x", "//evil.example/?code=x"]
    {
        let server = Canned::start(move |_, _| to(location)).await;
        let journey = visit(&server, Action::Approve, &form()).await;
        assert_eq!(delivered_params(&journey), "code=x", "{location}");
        assert_eq!(journey.exchanges.len(), 1);
    }
    let server =
        Canned::start(|_, _| page("<meta http-equiv=\"Refresh\" content=\"0; URL='https://evil.example/#access_token=t'\">"))
            .await;
    let journey = visit(&server, Action::Approve, &form()).await;
    assert!(matches!(&journey.end, End::Delivered { via: Via::Fragment, .. }), "{:?}", journey.end);
}

#[tokio::test]
async fn circles_and_endless_chains_end() {
    let server = Canned::start(|_, _| to("/auth?x=1")).await;
    assert!(stuck(&visit(&server, Action::Approve, &form()).await).contains("circles"));
    let server = Canned::start(|_, request| to(&format!("{}1", path(request)))).await;
    let journey = visit(&server, Action::Approve, &form()).await;
    assert!(stuck(&journey).contains("no end after 20 requests"));
    assert_eq!(journey.exchanges.len(), PAGE_LIMIT);
}

#[tokio::test]
async fn a_refused_login_is_told() {
    let server = Canned::start(|_, _| {
        page(r#"<title>Log in</title><form method=post><input name=u><input type=password name=p><button>Log in</button></form>"#)
    })
    .await;
    let journey = visit(&server, Action::Approve, &form()).await;
    assert!(stuck(&journey).starts_with("page 'Log in' (200, http://127.0.0.1:"), "{}", stuck(&journey));
    assert!(stuck(&journey).ends_with("shows the login form again: login was refused"), "{}", stuck(&journey));
}

#[tokio::test]
async fn refusing_on_the_login_page_is_the_last_resort() {
    let server = Canned::start(|_, request| match path(request) {
        "/auth?x=1" if request.contains("sid=1") => to(&format!("{REDIRECT}?code=c")),
        "/auth?x=1" => page(
            r#"<form method=post action=/login><input name=u><input type=password name=p><button>Log in</button></form><a href="/cancel">Cancel</a>"#,
        ),
        "/login" => reply(303, "Location: /auth?x=1\r\nSet-Cookie: sid=1; Path=/\r\n", ""),
        "/cancel" => to(&format!("{REDIRECT}?error=access_denied")),
        _ => reply(404, "", ""),
    })
    .await;
    assert_eq!(delivered_params(&visit(&server, Action::Deny, &form()).await), "error=access_denied");
    assert_eq!(delivered_params(&visit(&server, Action::Approve, &form()).await), "code=c");
}

#[tokio::test]
async fn login_and_consent_on_one_page_are_approved_and_denied_with_the_password() {
    let server = Canned::start(|_, request| match body(request) {
        "u=alice&p=won+%26+der&decision=yes" => to(&format!("{REDIRECT}?code=c")),
        "u=alice&p=won+%26+der&decision=no" => to(&format!("{REDIRECT}?error=access_denied")),
        _ => page(
            r#"<form method=post action=/login><input name=u><input type=password name=p>
            <button name=decision value=yes>Approve</button><button name=decision value=no>Deny</button></form>"#,
        ),
    })
    .await;
    assert_eq!(delivered_params(&visit(&server, Action::Approve, &form()).await), "code=c");
    let denied = visit(&server, Action::Deny, &form()).await;
    assert_eq!(delivered_params(&denied), "error=access_denied");
    assert!(!denied.sent_to.iter().any(|url| url.contains("code=")), "{:?}", denied.sent_to);
}

#[tokio::test]
async fn a_refusal_on_the_login_page_that_is_not_taken_is_told() {
    let server = Canned::start(|_, request| match path(request) {
        "/login" if body(request).contains("go=in") => to(&format!("{REDIRECT}?code=c")),
        _ => page(
            r#"<title>Log in</title><form method=post action=/login><input name=u><input type=password name=p>
            <button name=go value=in>Log in</button><button name=go value=back>Cancel</button></form>"#,
        ),
    })
    .await;
    let journey = visit(&server, Action::Deny, &form()).await;
    assert!(stuck(&journey).ends_with("shows the login form again: the refusal was not taken"), "{}", stuck(&journey));
}

#[tokio::test]
async fn pages_that_want_nothing_are_shown() {
    for (status, html) in [
        (400, "<title>Error</title><h1>invalid redirect_uri</h1><a href=/>Cancel</a>"),
        (400, "<title>Error</title><form method=post><button>Continue</button></form>"),
        (200, "<title>Error</title><form action=/search><input name=q><button>Search</button></form>"),
        (200, "<title>Error</title><p>unknown client</p><a href='/'>Back</a><form method=post><button>Log out</button></form>"),
        (200, "<title>Error</title><meta http-equiv=refresh content='1800; url=/logout'>"),
    ] {
        let server = Canned::start(move |_, _| reply(status, HTML, html)).await;
        for action in [Action::Approve, Action::Stop] {
            let journey = visit(&server, action, &form()).await;
            assert_eq!(journey.end, End::Shown { exchange: 0, title: "Error".into() }, "{html}");
        }
    }
    let server = Canned::start(|_, _| reply(400, "Content-Type: application/json\r\n", "{}")).await;
    assert_eq!(visit(&server, Action::Approve, &form()).await.end, End::Shown { exchange: 0, title: String::new() });
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_its_cure() {
    for (html, reason) in [
        ("<title>App</title><div id=root></div><script src=/app.js></script>", "is empty without JavaScript"),
        ("<input type=password><button>Go</button>", "outside any form"),
        ("<form method=post><input name=otp><button>Weiter</button></form>", "asks for `otp`"),
    ] {
        let server = Canned::start(move |_, _| page(html)).await;
        let journey = visit(&server, Action::Approve, &form()).await;
        assert!(stuck(&journey).contains(reason), "{}", stuck(&journey));
    }
}

#[tokio::test]
async fn configured_steps_override_the_heuristics() {
    let server = Canned::start(|_, request| match (request.split(' ').next().unwrap_or_default(), path(request)) {
        ("GET", "/auth?x=1") => page(
            r#"<form id=login method=post action=/a><input name=x1><input name=x2><button name=b value=no>A</button><button name=b value=go>B</button></form>"#,
        ),
        ("POST", "/a") if body(request) == "x1=alice&x2=won+%26+der&b=go" => {
            page(r#"<form id=ask method=post action=/b><button name=v value=1>Eins</button><button name=v value=2>Zwei</button></form>"#)
        }
        ("POST", "/b") if body(request) == "v=1" => to(&format!("{REDIRECT}?code=c")),
        ("POST", "/b") if body(request) == "v=2" => to(&format!("{REDIRECT}?error=access_denied")),
        _ => reply(404, "", ""),
    })
    .await;
    let some = |text: &str| Some(text.to_owned());
    let fill = vec![("[name=x1]".into(), "{username}".into()), ("[name=x2]".into(), "{password}".into())];
    let first = LoginStep { when: "form#login".into(), fill, click: some("[value=go]"), deny: None };
    let second = LoginStep { when: "#ask".into(), fill: Vec::new(), click: some("[value='1']"), deny: some("[value='2']") };
    let login = Login::Form(vec![first.clone(), second]);
    assert_eq!(delivered_params(&visit(&server, Action::Approve, &login).await), "code=c");
    assert_eq!(delivered_params(&visit(&server, Action::Deny, &login).await), "error=access_denied");
    let wrong = Login::Form(vec![LoginStep { click: some("#nope"), ..first }]);
    assert!(stuck(&visit(&server, Action::Approve, &wrong).await).contains("`#nope` finds no field"));
}

#[tokio::test]
async fn redirects_keep_or_drop_method_and_body_by_their_status() {
    for (status, expected) in [(302, "GET /next"), (303, "GET /next"), (307, "POST /next"), (308, "POST /next")] {
        let server = Canned::start(move |_, request| match path(request) {
            "/next" => reply(400, "", ""),
            _ => reply(status, "Location: next\r\n", ""),
        })
        .await;
        let form_data: Params = [("a", "b")].into_iter().collect();
        let request = Request::post_form(format!("{}/auth", server.origin), &form_data);
        visit_from(&server, request, Action::Approve, &form()).await;
        let last = server.seen().pop().unwrap();
        assert!(last.starts_with(expected), "{status}: {last}");
        assert_eq!(body(&last), if expected.starts_with("POST") { "a=b" } else { "" });
    }
}

#[tokio::test]
async fn cookies_of_a_session_are_sent() {
    let server = Canned::start(
        |_, request| {
            if request.contains("sid=abc") { to(&format!("{REDIRECT}?code=c")) } else { reply(400, "", "") }
        },
    )
    .await;
    let login = Login::Cookies(vec!["sid=abc".into()]);
    assert_eq!(delivered_params(&visit(&server, Action::Approve, &login).await), "code=c");
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_takes_the_url_and_prints_where_it_ended() {
    let server = Canned::start(|_, _| reply(404, "", "")).await;
    let shell = |script: &str| Login::Command {
        command: ["sh", "-c", script, "sh"].map(str::to_owned).to_vec(),
        timeout: Duration::from_secs(5),
    };
    let script = format!("echo log; echo \"{REDIRECT}?code=$OAUTHSPEC_USERNAME-$OAUTHSPEC_ACTION&for=${{1##*/}}\"");
    let journey = visit(&server, Action::Approve, &shell(&script)).await;
    assert_eq!(delivered_params(&journey), "code=alice-approve&for=auth%3Fx%3D1");
    assert!(stuck(&visit(&server, Action::Approve, &shell("exit 3")).await).contains("failed"));
    assert!(stuck(&visit(&server, Action::Approve, &shell("true")).await).contains("printed no URL"));
    let slow = ["sh", "-c", "exec sleep 60"].map(str::to_owned).to_vec();
    let slow = Login::Command { command: slow, timeout: Duration::from_millis(50) };
    assert!(stuck(&visit(&server, Action::Approve, &slow).await).contains("longer than 0.05 s"));
}

#[tokio::test]
async fn no_answer_is_a_failure() {
    let server = Canned::start(|_, _| Vec::new()).await;
    assert_eq!(visit(&server, Action::Approve, &form()).await.end, End::Failed { exchange: 0 });
}

/// oidc-provider's pages of the device flow: the code, its confirmation, then login and consent.
async fn oidc_device() -> Canned {
    Canned::start(|_, request| match (request.split(' ').next().unwrap_or_default(), path(request), body(request)) {
        ("GET", "/device?user_code=BCDF-GHJK", _) => page(
            r#"<title>Continue</title><body onload="document.forms[0].submit()"><form method="post" action="/device">
            <input type="hidden" name="xsrf" value="x"><input type="hidden" name="user_code" value="BCDF-GHJK">
            <noscript><button type="submit">Continue</button></noscript></form>"#,
        ),
        ("POST", "/device", "xsrf=x&user_code=BCDF-GHJK") => page(
            r#"<title>Device Login Confirmation</title><p>The following code should be displayed on your device</p><code>BCDF-GHJK</code>
            <form id="op.deviceConfirmForm" method="post" action="/device"><input type="hidden" name="xsrf" value="x">
            <input type="hidden" name="user_code" value="BCDF-GHJK"><input type="hidden" name="confirm" value="yes"></form>
            <button autofocus type="submit" form="op.deviceConfirmForm">Continue</button>
            <button type="submit" form="op.deviceConfirmForm" value="yes" name="abort">[ Abort ]</button>"#,
        ),
        ("POST", "/device", "xsrf=x&user_code=BCDF-GHJK&confirm=yes") => to("/interaction/u1"),
        (_, "/device", _) => page(OIDC_CODE),
        ("GET", "/interaction/u1", _) => page(OIDC_LOGIN),
        ("POST", "/interaction/u1", _) => to("/interaction/u2"),
        ("GET", "/interaction/u2", _) => page(OIDC_CONSENT),
        ("POST", "/interaction/u2", _) => page("<title>Sign-in Success</title><p>Continue on your device</p>"),
        _ => reply(404, HTML, "<title>oops</title>"),
    })
    .await
}

const OIDC_CODE: &str = r#"<title>Sign-in</title><h1>Sign-in</h1><p>Enter the code displayed on your device</p>
<form id="op.deviceInputForm" novalidate method="post" action="/device"><input type="hidden" name="xsrf" value="x"/>
<input type="text" name="user_code" placeholder="Enter code" autofocus autocomplete="off"></form>
<button type="submit" form="op.deviceInputForm" class="login login-submit">Continue</button>"#;

async fn verify(server: &Canned, address: &str, code: &str, action: Action) -> Journey {
    visit_with(server, Request::get(format!("{}{address}", server.origin)), action, &form(), Some(code)).await
}

#[tokio::test]
async fn oidc_provider_takes_a_user_code() {
    let server = oidc_device().await;
    let journey = verify(&server, "/device", "BCDF-GHJK", Action::Approve).await;
    assert_eq!(journey.answered, Some(Answered::Approved), "{:?}", journey.end);
    assert!(matches!(&journey.end, End::Shown { title, .. } if title == "Sign-in Success"), "{:?}", journey.end);
    let journey = verify(&server, "/device", "BCDF-GHJK", Action::Deny).await;
    assert_eq!((journey.answered, journey.could_refuse, journey.code_shown), (Some(Answered::Refused), true, true));
    let journey = verify(&server, "/device", "XXXX-XXXX", Action::Approve).await;
    assert_eq!((journey.answered, journey.exchanges.len()), (None, 2));
    assert!(matches!(journey.end, End::Shown { exchange: 1, .. }));
    let journey = verify(&server, "/device", "BCDF-GHJK", Action::Stop).await;
    assert!(matches!(journey.end, End::Waiting { exchange: 0, .. }));
    let journey = verify(&server, "/device?user_code=BCDF-GHJK", "BCDF-GHJK", Action::Approve).await;
    assert_eq!((journey.answered, journey.code_shown), (Some(Answered::Approved), true));
}

#[tokio::test]
async fn a_user_code_goes_into_its_field_whatever_stands_around_it() {
    let all = Canned::start(|_, request| match body(request) {
        "" => page(
            r#"<form method="post"><label for="c">Code</label><input id="c" name="otc"><input name="login"><input type="password" name="pw">
            <button name="do" value="yes">Allow</button><button name="do" value="no">Deny</button></form>"#,
        ),
        "otc=BC-DF&login=alice&pw=won+%26+der&do=yes" | "otc=BC-DF&login=alice&pw=won+%26+der&do=no" => page("<title>Done</title>"),
        other => reply(400, HTML, &format!("<title>{other}</title>")),
    })
    .await;
    for (action, answered) in [(Action::Approve, Answered::Approved), (Action::Deny, Answered::Refused)] {
        let journey = verify(&all, "/d", "BC-DF", action).await;
        assert_eq!(journey.answered, Some(answered));
        assert!(matches!(&journey.end, End::Shown { title, .. } if title == "Done"), "{:?}", journey.end);
    }
    // A field that tells nothing, a search beside it, and a page that only wants the code confirmed.
    let plain = Canned::start(|_, request| match (path(request), body(request)) {
        ("/d", "") => page(r#"<form><input type="text" name="q"></form><form method="post"><input name="x1"><button>Next</button></form>"#),
        ("/d", "x1=BC-DF") => page(r#"<p>Approve the device?</p><form method="post" action="/e"><button>Yes</button><button name="n" value="1">No</button></form>"#),
        ("/link", "") => page(r#"<p>Is this your code: <b>bcdf</b>?</p><form method="post" action="/d"><input type="hidden" name="x1" value="BC-DF"><button>Continue</button></form>"#),
        ("/e", "n=1") => page("<title>Refused</title>"),
        _ => reply(400, HTML, ""),
    })
    .await;
    for address in ["/d", "/link"] {
        let journey = verify(&plain, address, "BC-DF", Action::Deny).await;
        assert!(matches!(&journey.end, End::Shown { title, .. } if title == "Refused"), "{address}: {:?}", journey.end);
    }
}

//! Which names carry secrets, and of what kind.

/// The kind of secret that stands under that name: a parameter, a JSON member, a form field or a header field.
pub(super) fn kind_of(name: &str) -> Option<&'static str> {
    let plain = |c: char| if matches!(c, '-' | '.') { '_' } else { c.to_ascii_lowercase() };
    let name: String = name.trim().chars().map(plain).collect();
    EXACT
        .iter()
        .find(|(known, _)| *known == name)
        .or_else(|| PARTS.iter().find(|(part, _)| name.contains(part)))
        .or_else(|| ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)))
        .map(|(_, kind)| *kind)
}

/// Names of hidden fields whose values say nothing secret, however random they look.
pub(super) fn is_public(name: &str) -> bool {
    PUBLIC.iter().any(|known| name.eq_ignore_ascii_case(known))
}

const EXACT: [(&str, &str); 39] = [
    ("code", "code"),
    ("authorization_code", "code"),
    ("access_token", "access_token"),
    ("bearer_token", "access_token"),
    ("refresh_token", "refresh_token"),
    ("id_token", "id_token"),
    ("id_token_hint", "id_token"),
    ("client_secret", "client_secret"),
    ("secret", "client_secret"),
    ("password", "password"),
    ("passwd", "password"),
    ("pass", "password"),
    ("pwd", "password"),
    ("state", "state"),
    ("nonce", "nonce"),
    ("code_verifier", "code_verifier"),
    ("code_challenge", "code_challenge"),
    ("token", "token"),
    ("registration_access_token", "registration_token"),
    ("device_code", "device_code"),
    ("user_code", "user_code"),
    ("assertion", "assertion"),
    ("client_assertion", "assertion"),
    ("request_uri", "request_uri"),
    ("authenticity_token", "csrf"),
    ("__requestverificationtoken", "csrf"),
    ("csrfmiddlewaretoken", "csrf"),
    ("session", "session"),
    ("session_id", "session"),
    ("sessionid", "session"),
    ("session_code", "session"),
    ("session_state", "session"),
    ("sid", "session"),
    ("jsessionid", "session"),
    ("phpsessid", "session"),
    ("api_key", "api_key"),
    ("apikey", "api_key"),
    ("x_api_key", "api_key"),
    ("ticket", "session"),
];

const PARTS: [(&str, &str); 2] = [("csrf", "csrf"), ("xsrf", "csrf")];

const ENDINGS: [(&str, &str); 6] = [
    ("access_token", "access_token"),
    ("refresh_token", "refresh_token"),
    ("_token", "token"),
    ("_secret", "client_secret"),
    ("_verifier", "verifier"),
    ("_password", "password"),
];

const PUBLIC: [&str; 12] = [
    "client_id",
    "redirect_uri",
    "scope",
    "response_type",
    "response_mode",
    "prompt",
    "iss",
    "issuer",
    "ui_locales",
    "code_challenge_method",
    "post_logout_redirect_uri",
    "resource",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telling_names() {
        for (name, kind) in [
            ("code", Some("code")),
            ("X-CSRF-Token", Some("csrf")),
            ("_csrf", Some("csrf")),
            ("X-Api-Key", Some("api_key")),
            ("oauth_refresh_token", Some("refresh_token")),
            ("my_token", Some("token")),
            ("token_type", None),
            ("code_challenge_method", None),
            ("error", None),
            ("client_id", None),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}

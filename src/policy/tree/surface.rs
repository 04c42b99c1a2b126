//! What the server looks like from outside, whatever it decides: where its endpoints are, under which names, with which header
//! fields, how its tokens are written, and who is registered when a realm begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

settings! {
    /// Where the endpoints are, below the realm and without a slash in front.
    PathsPolicy {
        /// Whether they compare with regard to case.
        case_sensitive: bool = true,
        /// Authorization endpoint.
        authorize: String = "authorize".into(),
        /// Login page.
        login: String = "login".into(),
        /// Consent page.
        consent: String = "consent".into(),
        /// Token endpoint.
        token: String = "token".into(),
        /// Revocation endpoint.
        revoke: String = "revoke".into(),
        /// Introspection endpoint.
        introspect: String = "introspect".into(),
        /// Pushed authorization requests.
        par: String = "par".into(),
        /// UserInfo endpoint.
        userinfo: String = "userinfo".into(),
        /// Protected resource; what is below this path is the resource too.
        resource: String = "resource".into(),
        /// Key set, below the issuer.
        jwks: String = "jwks".into(),
        /// Client registration.
        register: String = "register".into(),
        /// Device authorization endpoint.
        device_authorization: String = "device_authorization".into(),
        /// Where a user code is entered.
        device: String = "device".into(),
        /// Where sessions end.
        end_session: String = "logout".into(),
        /// Where the error page is, with what it says in its query.
        error: Vec<String> = vec![],
    }
}

settings! {
    /// The issuer, where it is not simply where the endpoints are. Fixed when a realm is created.
    IssuerPolicy {
        /// The host under which metadata and key set are, and nothing else, in place of the server's own; empty: the same host.
        host: String = String::new(),
        /// What follows the realm in the path of the issuer; empty: nothing.
        path: String = String::new(),
    }
}

choices! {
    /// Which origins may read an answer (CORS).
    Cors {
        /// None but the server's own.
        None,
        /// All of them, without credentials.
        Star,
        /// Whichever asks, with credentials.
        Echo,
    }
}

settings! {
    /// Header fields of answers.
    HeadersPolicy {
        /// Fields that are set, whatever else is decided; `{uuid}` stands for a UUID, another one in each answer, and `{random}` for
        /// 56 characters.
        set: BTreeMap<String, String> = BTreeMap::new(),
        /// Which origins may read the answer.
        cors: Cors = Cors::None,
        /// The media type of JSON that is no document of its own kind.
        json_type: String = "application/json".into(),
        /// Whether a 405 names the methods that work.
        allow: bool = true,
        /// Whether bodies go out in chunks.
        chunked: bool = false,
    }
}

choices! {
    /// How slashes stand in the JSON of a token.
    Slashes {
        /// As they are.
        Plain,
        /// After a backslash (RFC 8259 section 7 allows it).
        Escaped,
    }
}

settings! {
    /// How signed tokens are written.
    JwsPolicy {
        /// Members of the header, in this order; those that are not named follow.
        header: Vec<String> = vec!["typ".into(), "alg".into(), "kid".into()],
        /// How slashes stand in the claims.
        slashes: Slashes = Slashes::Plain,
    }
}

choices! {
    /// How a claim that is true or false is written.
    Booleans {
        /// As JSON has them (OpenID Connect Core section 5.1).
        Boolean,
        /// As a string.
        String,
    }
}

choices! {
    /// What UserInfo tells where nothing but `openid` was granted.
    OpenidAlone {
        /// The subject.
        Subject,
        /// Every claim of the user.
        Everything,
    }
}

settings! {
    /// What the UserInfo response holds.
    UserinfoPolicy {
        /// How claims that are true or false are written.
        booleans: Booleans = Booleans::Boolean,
        /// What it tells where nothing but `openid` was granted.
        openid_alone: OpenidAlone = OpenidAlone::Subject,
        /// Further claims; a value `{user}` stands for the user's name.
        claims: BTreeMap<String, Value> = BTreeMap::new(),
        /// Claims that are left out, whatever was granted.
        omit: Vec<String> = vec![],
        /// Whether a token behind which there is no user is refused as one without `openid`.
        users_only: bool = false,
    }
}

settings! {
    /// Where sessions end (OpenID Connect RP-Initiated Logout).
    EndSessionPolicy {
        /// Whether it is there.
        enabled: bool = true,
        /// Whether POST works beside GET.
        post: bool = true,
        /// The parameter with the address to go to afterwards.
        return_parameter: String = "post_logout_redirect_uri".into(),
        /// Whether that address is compared with those that the client has registered under `post_logout_redirect_uris`.
        check_return: bool = true,
        /// Whether `id_token_hint` tells the client where `client_id` does not.
        id_token_hint: bool = true,
        /// Whether `state` comes along to that address.
        state: bool = true,
        /// Whether a request with the parameters of an authorization request instead of that address leads on to the login page.
        login_again: bool = false,
    }
}

choices! {
    /// What kind of application a client is.
    ClientType {
        /// Runs on a server or in a browser.
        Web,
        /// Runs on the user's device.
        Native,
    }
}

settings! {
    /// A client that is registered when a realm begins.
    ClientEntry {
        /// The client identifier.
        client_id: String = String::new(),
        /// The secret; empty: none.
        client_secret: String = String::new(),
        /// `client_secret_basic`, `client_secret_post` or `none`.
        token_endpoint_auth_method: String = "client_secret_basic".into(),
        /// The redirect URIs.
        redirect_uris: Vec<String> = vec![],
        /// The grants it may use.
        grant_types: Vec<String> = vec!["authorization_code".into()],
        /// The scope tokens it may ask for.
        scopes: Vec<String> = vec![],
        /// Web or native.
        kind: ClientType = ClientType::Web,
        /// Whether it may introspect tokens.
        may_introspect: bool = false,
        /// Further metadata as registered.
        metadata: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

impl ClientEntry {
    /// The grants of a client of which nothing else is said, by configuration or over the control API.
    pub(crate) fn usual_grants<S>(secret: Option<&S>) -> Vec<String> {
        let machine = secret.map(|_| "client_credentials");
        ["authorization_code", "refresh_token"].into_iter().chain(machine).map(str::to_owned).collect()
    }

    /// The scope tokens of such a client.
    pub(crate) fn usual_scopes() -> Vec<String> {
        ["openid", "profile", "email", "offline_access", "api:read", "api:write"].map(str::to_owned).to_vec()
    }
}

settings! {
    /// A user that there is when a realm begins.
    UserEntry {
        /// What is typed into the login form.
        username: String = String::new(),
        /// The password.
        password: String = String::new(),
        /// Claims.
        claims: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

settings! {
    /// What a realm begins with. Fixed when it is created.
    RealmPolicy {
        /// Its clients, where it is given no others; none: the usual ones.
        clients: Vec<ClientEntry> = vec![],
        /// Its users, where it is given no others; none: the usual ones.
        users: Vec<UserEntry> = vec![],
    }
}

//! Every route of the control API.

use std::sync::LazyLock;

use schemars::JsonSchema as _;
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::openapi;
use super::route::Route;
use super::{catalog, clients, clock, expectations, index, journal, keys, policy, realms, stream, tokens};

/// The routes, in the order of the document.
pub(super) fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> =
        LazyLock::new(|| [server(), of_realms(), of_policy(), of_journal(), of_tokens()].into_iter().flatten().collect());
    &ROUTES
}

const POST: (&str, u16) = ("POST", 200);
const CREATE: (&str, u16) = ("POST", 201);
const PUT: (&str, u16) = ("PUT", 200);

fn server() -> Vec<Route> {
    vec![
        Route::get("/", "index", "Where everything is; a browser gets the page instead.", index::read),
        Route::document(
            "/health",
            "health",
            "Says that the server answers; needs no token.",
            "text/plain",
            String::json_schema,
            |_| b"ok".to_vec(),
        ),
        Route::document(
            "/openapi.json",
            "openapi",
            "This document.",
            "application/json",
            Map::<String, Value>::json_schema,
            |ask: &Ask| serde_json::to_vec(&openapi::document(ask.realms.base_url(), routes())).unwrap_or_default(),
        ),
        Route::get(
            "/catalog",
            "catalog",
            "What the mock can be told to do: profiles, variants, faults, broken tokens.",
            catalog::read,
        ),
    ]
}

fn of_realms() -> Vec<Route> {
    let new = json!({
        "name": "test-1", "faults": ["code-reusable.accept"], "seed": 7, "clock": { "time": "2030-01-31T12:00:00Z", "frozen": true },
        "clients": [{ "client_id": "app", "client_secret": "secret", "redirect_uris": ["http://127.0.0.1:8080/callback"] }],
        "users": [{ "username": "carol", "password": "pw", "claims": { "email": "carol@example.com" } }],
    });
    let scripted = json!({ "scripts": { "busy": { "patch": [{ "when": { "endpoint": "token", "first": 2 }, "respond": { "status": 503 } }] } } });
    let client = json!({ "client_id": "app", "redirect_uris": ["https://app.example/callback"] });
    vec![
        Route::get("/realms", "listRealms", "The realms of the server, the oldest first.", realms::list),
        Route::body(
            CREATE,
            "/realms",
            "createRealm",
            "Makes a realm: an issuer of its own, with its own clients, clock and journal.",
            realms::create,
            new,
        )
        .example(scripted)
        .example(json!({}))
        .slow(),
        Route::get("/realms/{realm}", "readRealm", "A realm.", realms::read),
        Route::bare("DELETE", "/realms/{realm}", "deleteRealm", "Removes a realm.", realms::remove),
        Route::body(
            POST,
            "/realms/{realm}/reset",
            "resetRealm",
            "Begins anew: sessions, codes, tokens, journal and expectations are forgotten; clients, keys and clock stay.",
            realms::reset,
            json!({ "faults": [] }),
        ),
        Route::get("/realms/{realm}/clock", "readClock", "What the clock of a realm shows.", clock::read),
        Route::body(
            POST,
            "/realms/{realm}/clock",
            "changeClock",
            "Sets, advances, stops or starts the clock of a realm.",
            clock::change,
            json!({ "advance": "1h 30m" }),
        )
        .example(json!({ "time": "2030-01-31T12:00:00Z", "frozen": true })),
        Route::get("/realms/{realm}/clients", "listClients", "The clients of a realm.", clients::list),
        Route::body(
            PUT,
            "/realms/{realm}/clients",
            "registerClient",
            "Adds a client, or replaces the one of that identifier.",
            clients::register,
            client,
        ),
        Route::bare(
            "DELETE",
            "/realms/{realm}/clients/{client}",
            "removeClient",
            "Removes a client, and ends all that was issued to it.",
            clients::remove,
        ),
        Route::get("/realms/{realm}/users", "listUsers", "The users of a realm.", clients::users),
        Route::body(
            PUT,
            "/realms/{realm}/users",
            "putUser",
            "Adds a user, or replaces the one of that name.",
            clients::put_user,
            json!({ "username": "carol", "password": "pw", "claims": { "email": "carol@example.com" } }),
        ),
        Route::bare(
            "DELETE",
            "/realms/{realm}/users/{user}",
            "removeUser",
            "Removes a user, and ends all that was issued in their name.",
            clients::remove_user,
        ),
    ]
}

fn of_policy() -> Vec<Route> {
    let chosen = json!({
        "variants": [], "faults": ["code-reusable.accept"],
        "patches": { "short-codes": { "patch": [{ "set": { "code.lifetime": 5 } }] } },
    });
    let scripts = json!({ "flaky": { "patch": [{ "when": { "endpoint": "token", "grant": "refresh_token", "nth": 2 }, "respond": { "status": 400, "json": { "error": "invalid_grant" } } }] } });
    vec![
        Route::get("/realms/{realm}/policy", "readPolicy", "What a realm decides by, and every setting.", policy::read),
        Route::body(
            PUT,
            "/realms/{realm}/policy",
            "replacePolicy",
            "Puts these patches in force in place of all others; scripts stay.",
            policy::replace,
            chosen,
        ),
        Route::body(PUT, "/realms/{realm}/faults/{fault}", "addFault", "Switches a fault on.", policy::add_fault, json!({})),
        Route::bare("DELETE", "/realms/{realm}/faults/{fault}", "removeFault", "Switches a fault off.", policy::remove_fault),
        Route::body(
            PUT,
            "/realms/{realm}/variants/{variant}",
            "addVariant",
            "Switches a variant on.",
            policy::add_variant,
            json!({}),
        ),
        Route::bare(
            "DELETE",
            "/realms/{realm}/variants/{variant}",
            "removeVariant",
            "Switches a variant off.",
            policy::remove_variant,
        ),
        Route::body(
            POST,
            "/realms/{realm}/scripts",
            "addScripts",
            "Adds scripts over everything that is in force; those of the same ids are replaced.",
            policy::add_scripts,
            scripts,
        ),
        Route::bare("DELETE", "/realms/{realm}/scripts", "clearScripts", "Takes all scripts away.", policy::clear_scripts),
        Route::bare("DELETE", "/realms/{realm}/scripts/{script}", "removeScript", "Takes a script away.", policy::remove_script),
    ]
}

fn of_journal() -> Vec<Route> {
    let search = json!({ "match": { "endpoint": "token", "form": { "grant_type": "client_credentials" } }, "since": 0 });
    let wait = json!({ "match": { "endpoint": "token" }, "since": 0, "timeout": "5s" });
    let expected = json!({ "expect": [{ "name": "one token", "when": { "endpoint": "token" }, "times": 1 }] });
    vec![
        Route::get("/realms/{realm}/journal", "listJournal", "The exchanges of a realm, the earliest first.", journal::list),
        Route::bare(
            "DELETE",
            "/realms/{realm}/journal",
            "clearJournal",
            "Forgets the exchanges of a realm; their numbers go on.",
            journal::clear,
        ),
        Route::body(
            POST,
            "/realms/{realm}/journal/search",
            "searchJournal",
            "The exchanges that match.",
            journal::search,
            search,
        ),
        Route::later(
            "/realms/{realm}/journal/wait",
            "awaitExchange",
            "Waits for an exchange that matches; 408 with the nearest miss where none comes, 410 where the realm is removed meanwhile.",
            journal::wait,
            wait,
        ),
        Route::stream::<stream::From>(
            "/realms/{realm}/journal/stream",
            "streamJournal",
            "The exchanges as they happen, by server-sent events.",
            stream::stream,
        ),
        Route::get("/realms/{realm}/journal/{index}", "readExchange", "An exchange.", journal::read),
        Route::body(
            POST,
            "/realms/{realm}/expectations",
            "expect",
            "Expects exchanges, past and future ones, and says what is not met yet.",
            expectations::expect,
            expected,
        ),
        Route::bare(
            "DELETE",
            "/realms/{realm}/expectations",
            "clearExpectations",
            "Forgets what was expected.",
            expectations::clear,
        ),
        Route::get(
            "/realms/{realm}/verification",
            "verify",
            "Whether everything that is expected happened, and every rule of a script applied; with the nearest misses.",
            expectations::verify,
        ),
    ]
}

fn of_tokens() -> Vec<Route> {
    let broken = json!({ "kind": "id_token", "client": "web", "user": "alice", "broken": ["expired"], "claims": { "groups": ["admins"] } });
    let code = json!({ "kind": "code", "client": "web", "user": "alice", "scope": "openid", "redirect_uri": "https://client.example/callback" });
    vec![
        Route::body(
            CREATE,
            "/realms/{realm}/tokens",
            "makeToken",
            "Makes a token or code without a flow, right or broken in a named way.",
            tokens::mint,
            broken,
        )
        .example(code)
        .example(json!({ "kind": "access_token", "client": "service", "lifetime": "5m" })),
        Route::get("/realms/{realm}/keys", "listKeys", "The keys of a realm, those that sign first.", keys::list),
        Route::body(
            POST,
            "/realms/{realm}/keys/rotate",
            "rotateKeys",
            "Puts new keys in place of those that sign.",
            keys::rotate,
            json!({ "alg": "ES256" }),
        )
        .slow(),
        Route::body(
            PUT,
            "/realms/{realm}/keys/{kid}",
            "publishKey",
            "Puts a key in the key set, or takes it out.",
            keys::publish,
            json!({ "published": false }),
        ),
    ]
}

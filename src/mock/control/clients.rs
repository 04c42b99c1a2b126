//! The clients of a realm and its users: listed, registered, removed.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{Ask, Nothing};
use super::shapes::{ClientShape, UserShape};
use super::trouble::Trouble;

/// The clients of a realm, in the order of registration.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Clients {
    clients: Vec<ClientShape>,
}

/// The users of a realm.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Users {
    users: Vec<UserShape>,
}

pub(super) fn list(ask: &Ask, _: Nothing) -> Result<Clients, Trouble> {
    Ok(Clients { clients: ask.realm()?.clients().into_iter().map(ClientShape::from).collect() })
}

pub(super) fn register(ask: &Ask, client: &ClientShape) -> Result<ClientShape, Trouble> {
    let realm = ask.realm()?;
    let client = client.clone().client()?;
    realm.register(client.clone());
    Ok(client.into())
}

pub(super) fn remove(ask: &Ask) -> Result<(), Trouble> {
    let realm = ask.realm()?;
    let id = ask.part("client");
    let clients = realm.clients();
    if clients.iter().any(|client| client.client_id == id) {
        realm.unregister(id);
        return Ok(());
    }
    Err(Trouble::missing("client", id, clients.iter().map(|client| client.client_id.as_str())))
}

pub(super) fn put_user(ask: &Ask, user: &UserShape) -> Result<UserShape, Trouble> {
    let realm = ask.realm()?;
    let user = user.clone().user()?;
    realm.put_user(user.clone());
    Ok(user.into())
}

pub(super) fn remove_user(ask: &Ask) -> Result<(), Trouble> {
    let realm = ask.realm()?;
    let name = ask.part("user");
    let users = realm.users();
    if users.iter().any(|user| user.username == name) {
        realm.remove_user(name);
        return Ok(());
    }
    Err(Trouble::missing("user", name, users.iter().map(|user| user.username.as_str())))
}

pub(super) fn users(ask: &Ask, _: Nothing) -> Result<Users, Trouble> {
    Ok(Users { users: ask.realm()?.users().into_iter().map(UserShape::from).collect() })
}

//! Revocation endpoint (RFC 7009).

use super::call::{Call, Fields};
use super::client_auth;
use super::decision::{Decision, Outcome};
use super::state::{State, TokenKind};
use super::token;
use super::trust;
use crate::policy::{Policy, TokenCause};

/// Decides about a revocation request.
pub(super) fn decide(call: &Call<'_>, policy: &Policy, state: &mut State) -> Decision {
    if !policy.revocation.enabled {
        return Decision::new(Outcome::NotFound);
    }
    let (mut client, mut user) = (None, None);
    let outcome = match revoke(call, policy, state, &mut client, &mut user) {
        Ok(()) => Outcome::Empty(200),
        Err(cause) => token::refusal(call, cause, policy.revocation.get),
    };
    Decision::new(outcome).client(client).user(user)
}

fn revoke(
    call: &Call<'_>,
    policy: &Policy,
    state: &mut State,
    client: &mut Option<String>,
    user: &mut Option<String>,
) -> Result<(), TokenCause> {
    let settings = &policy.revocation;
    let (fields, query) = token::read(call, policy, settings.get)?;
    *client = fields.get("client_id").map(str::to_owned);
    if settings.authenticate {
        let found = client_auth::authenticate(call, &fields, query.as_ref(), None, &policy.client_auth, state)?;
        *client = Some(found.client_id.clone());
        if found.is_public() && !settings.public_clients {
            return Ok(());
        }
    }
    if !settings.allowed {
        return Err(TokenCause::MayNotRevoke);
    }
    let value = fields.get("token").ok_or(TokenCause::MissingToken)?;
    let known = state.token(value).filter(|token| !settings.trust_hint || hint_fits(&fields, token.kind));
    let Some(token) = known.cloned() else {
        if settings.knows_id_tokens && trust::is_own(value, &call.realm.keys.current()) {
            return Err(TokenCause::UnsupportedTokenType);
        }
        return if settings.unknown_is_error { Err(TokenCause::UnknownToken) } else { Ok(()) };
    };
    user.clone_from(&token.user);
    let foreign = settings.authenticate && client.as_deref() != Some(&token.client);
    match settings.foreign.as_str() {
        "revoke" => {}
        "ignore" if foreign => return Ok(()),
        _ if foreign => return Err(TokenCause::ForeignToken),
        _ => {}
    }
    match token.kind {
        TokenKind::Access if !settings.access => return Err(TokenCause::UnsupportedTokenType),
        TokenKind::Access => {
            if let Some(token) = state.token_by_id_mut(token.id).filter(|_| settings.revokes_access) {
                token.revoked = true;
            }
            if settings.cascades_up {
                state.revoke_grant(token.grant, Some(TokenKind::Refresh));
            }
        }
        TokenKind::Refresh => {
            // Successors and predecessors by rotation are the same token to the client.
            if settings.revokes_refresh {
                state.revoke_grant(token.grant, Some(TokenKind::Refresh));
            }
            if settings.cascades {
                state.revoke_grant(token.grant, Some(TokenKind::Access));
            }
        }
    }
    Ok(())
}

fn hint_fits(fields: &Fields, kind: TokenKind) -> bool {
    match fields.get("token_type_hint") {
        Some("access_token") => kind == TokenKind::Access,
        Some("refresh_token") => kind == TokenKind::Refresh,
        _ => true,
    }
}

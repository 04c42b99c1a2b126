//! Refreshing (RFC 6749 section 6): rotation, reuse detection (RFC 9700 section 4.14.2), and scope.

use super::code_grant::may_come_again;
use super::decision::Tokens;
use super::issue::{self, Authority};
use super::scope;
use super::state::{Noted, State, Token, TokenKind, Used};
use super::token::{Grant, Trail, cause_of};
use crate::oauth::Scope;
use crate::policy::{Reuse, Rotation, TokenCause, Widening};

/// Tokens for a refresh token.
pub(super) fn refresh(request: &Grant<'_>, state: &mut State, trail: &mut Trail) -> Result<Tokens, TokenCause> {
    let Grant { call, policy, fields, client } = *request;
    let settings = &policy.refresh;
    let value = fields.get("refresh_token").ok_or(TokenCause::MissingRefreshToken)?;
    let known = state.token(value).filter(|token| token.kind == TokenKind::Refresh).cloned();
    let token = match known {
        Some(token) => token,
        None if settings.accept_unknown => invent(request, state),
        None => return Err(TokenCause::UnknownRefreshToken),
    };
    trail.user.clone_from(&token.user);
    check(request, &token, state)?;
    let used = Used { at: call.now, client: client.client_id.clone() };
    let (granted, kept) = match narrowed(request, &token) {
        Ok(scopes) => scopes,
        Err(cause) => {
            if !settings.survives_failure {
                state.note(&Noted::Refresh(token.id), &used);
            }
            return Err(cause);
        }
    };
    let by = Authority {
        grant: token.grant,
        client: client.client_id.clone(),
        user: token.user.clone(),
        auth_time: token.auth_time,
        resource: token.resource.clone(),
    };
    let rotates = match settings.rotation {
        Rotation::Always => true,
        Rotation::Public => client.is_public(),
        Rotation::Never => false,
    };
    let access = issue::access(call, policy, state, &by, &granted);
    let next = rotates.then(|| {
        trail.note(state, Noted::Refresh(token.id), used, settings.commit_delay_ms);
        if settings.lifetime_kept {
            issue::refresh_until(token.expires, policy, state, &by, &kept, call.now)
        } else {
            issue::refresh(policy, state, &by, &kept, call.now)
        }
    });
    let id_token = issue::refreshed_id_token(call, policy, state, &by, &granted);
    let asked = fields.get("scope").filter(|_| settings.read_scope).map_or_else(|| token.scope.to_string(), str::to_owned);
    Ok(Tokens { access, refresh: next, scope: scope::member(Some(&asked), &granted, &policy.scope), id_token })
}

fn check(request: &Grant<'_>, token: &Token, state: &mut State) -> Result<(), TokenCause> {
    let Grant { call, policy, client, .. } = *request;
    let settings = &policy.refresh;
    let id = &client.client_id;
    let passed_on = token.used.as_ref().is_some_and(|used| settings.reuse == Reuse::FromOthers && used.client != *id);
    if settings.bound_to_client && token.client != *id && !passed_on {
        return Err(TokenCause::ForeignRefreshToken);
    }
    if token.revoked {
        return Err(TokenCause::RevokedRefreshToken);
    }
    if let Some(used) = &token.used
        && !may_come_again(used, id, call.now, settings.reuse, settings.grace)
    {
        // Either the thief or the owner comes second; nobody can tell which, so both lose it.
        if settings.reuse_revokes {
            state.revoke_grant(token.grant, None);
        }
        return Err(TokenCause::UsedRefreshToken);
    }
    if settings.check_expiry && call.now >= token.expires {
        return Err(TokenCause::ExpiredRefreshToken);
    }
    Ok(())
}

/// The scope of the new access token, and that of the new refresh token (RFC 6749 section 6: the latter stays as it was).
fn narrowed(request: &Grant<'_>, token: &Token) -> Result<(Scope, Scope), TokenCause> {
    let Grant { policy, fields, client, .. } = *request;
    let settings = &policy.refresh;
    let original = &token.scope;
    let Some(text) = fields.get("scope").filter(|_| settings.read_scope) else { return Ok((original.clone(), original.clone())) };
    let asked = scope::parse(text, &policy.scope).map_err(cause_of)?;
    if !asked.within(original) {
        return match settings.widening {
            Widening::Refuse => Err(TokenCause::ExcessiveScope),
            Widening::Ignore => Ok((original.clone(), original.clone())),
            Widening::Grant => {
                let wider = scope::resolve(Some(text), client, &policy.scope).map_err(cause_of)?;
                Ok((wider.clone(), wider))
            }
        };
    }
    if asked.len() < original.len() && settings.refuse_narrowing {
        return Err(TokenCause::ExcessiveScope);
    }
    if asked.is_empty() || !settings.narrowing {
        return Ok((original.clone(), original.clone()));
    }
    let kept = if settings.narrowing_sticks { asked.clone() } else { original.clone() };
    Ok((asked, kept))
}

/// For policies that take any refresh token: one that looks as if it had been issued to whoever sends it.
fn invent(request: &Grant<'_>, state: &mut State) -> Token {
    let Grant { call, policy, client, .. } = *request;
    let by = Authority {
        grant: state.new_grant(),
        client: client.client_id.clone(),
        user: call.realm.first_user().map(|user| user.username.clone()),
        auth_time: Some(call.now),
        resource: None,
    };
    let scope = client.scopes.iter().cloned().collect();
    let value = issue::refresh(policy, state, &by, &scope, call.now);
    state.token(&value).cloned().expect("the token was kept a line above")
}

//! Redeeming an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

use std::time::Duration;

use super::decision::Tokens;
use super::issue::{self, Authority};
use super::pkce;
use super::redirect_uri;
use super::scope;
use super::state::{Code, Noted, State, TokenKind, Used};
use super::token::{Grant, Trail};
use crate::policy::{AtToken, CodePolicy, Reuse, TokenCause};

/// Tokens for a code.
pub(super) fn redeem(request: &Grant<'_>, state: &mut State, trail: &mut Trail) -> Result<Tokens, TokenCause> {
    let Grant { call, policy, fields, client } = *request;
    let value = fields.get("code").ok_or(TokenCause::MissingCode)?;
    let code = state.codes.get(value).cloned().ok_or(TokenCause::UnknownCode)?;
    trail.user = Some(code.user.clone());
    let own = code.client == client.client_id;
    let passed_on = code.used.as_ref().is_some_and(|used| may_pass_on(used, &client.client_id, &policy.code));
    if policy.code.bound_to_client && !own && !passed_on {
        return Err(TokenCause::ForeignCode);
    }
    if let Some(used) = &code.used
        && !may_come_again(used, &client.client_id, call.now, policy.code.reuse, policy.code.grace)
    {
        revoke(&code, state, &policy.code);
        return Err(TokenCause::UsedCode);
    }
    let used = Used { at: call.now, client: client.client_id.clone() };
    if let Err(cause) = check(request, &code, state) {
        if own && policy.code.burnt_by_failure {
            state.note(&Noted::Code(value.to_owned()), &used);
        }
        return Err(cause);
    }
    trail.note(state, Noted::Code(value.to_owned()), used, policy.code.commit_delay_ms);
    let by = Authority {
        grant: code.grant,
        client: client.client_id.clone(),
        user: Some(code.user.clone()),
        auth_time: Some(code.auth_time),
        resource: code.resource.clone(),
    };
    let access = issue::access(call, policy, state, &by, &code.scope);
    let gets_refresh = issue::gets_refresh(client, &code.scope, policy);
    let refresh = gets_refresh.then(|| issue::refresh(policy, state, &by, &code.scope, call.now));
    state.openid.insert(code.grant, code.openid.clone());
    let id_token = issue::id_token(call, policy, state, &by, &code.scope, Some(&code.openid));
    Ok(Tokens { access, refresh, scope: scope::member(code.asked_scope.as_deref(), &code.scope, &policy.scope), id_token })
}

/// Whether something that works once may be used again.
pub(super) fn may_come_again(used: &Used, client: &str, now: Duration, reuse: Reuse, grace: u64) -> bool {
    match reuse {
        Reuse::Refuse => false,
        Reuse::Accept => true,
        Reuse::WithinGrace => now <= used.at + Duration::from_secs(grace),
        Reuse::FromOthers => used.client != client,
    }
}

fn may_pass_on(used: &Used, client: &str, policy: &CodePolicy) -> bool {
    policy.reuse == Reuse::FromOthers && used.client != client
}

/// RFC 6749 section 4.1.2: what was issued for a code that comes twice should be revoked.
fn revoke(code: &Code, state: &mut State, policy: &CodePolicy) {
    if policy.reuse_revokes {
        let kind = policy.reuse_spares_refresh.then_some(TokenKind::Access);
        state.revoke_grant(code.grant, kind);
    }
}

fn check(request: &Grant<'_>, code: &Code, state: &State) -> Result<(), TokenCause> {
    let Grant { call, policy, fields, client } = *request;
    if policy.code.check_expiry && call.now >= code.expires {
        return Err(TokenCause::ExpiredCode);
    }
    same_redirect_uri(request, code, state)?;
    let latest = state.latest_challenge.get(&client.client_id).and_then(Option::as_ref);
    pkce::verify(code.challenge.as_ref(), latest, fields, client, &policy.pkce)
}

/// RFC 6749 section 4.1.3: the redirect URI is required if the authorization request had it, and must be identical.
fn same_redirect_uri(request: &Grant<'_>, code: &Code, state: &State) -> Result<(), TokenCause> {
    let Grant { policy, fields, client, .. } = *request;
    let settings = &policy.redirect_uri;
    let Some(sent) = fields.get("redirect_uri") else {
        let needed = code.redirect_uri_sent && !matches!(settings.at_token, AtToken::IfSent | AtToken::Ignore);
        return if needed { Err(TokenCause::MissingRedirectUri) } else { Ok(()) };
    };
    let right = match settings.at_token {
        AtToken::Compare | AtToken::IfSent => sent == code.redirect_uri,
        AtToken::AnyRegistered => redirect_uri::is_registered(sent, client, settings, state),
        AtToken::Origin => redirect_uri::same_origin(sent, &code.redirect_uri),
        AtToken::Ignore => true,
    };
    if right { Ok(()) } else { Err(TokenCause::RedirectUriMismatch) }
}

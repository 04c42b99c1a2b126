//! Grants beside the authorization code: device, implicit, password.

use serde::{Deserialize, Serialize};

use super::front::{Unknown, Via};
use super::token_endpoint::Reuse;

choices! {
    /// What happens to a device that polls faster than it may.
    FastPolling {
        /// It is told to slow down, and its interval grows (RFC 8628 section 3.5).
        SlowDown,
        /// It is told that the user has not answered yet, like any other.
        Pending,
        /// Its device code is dropped.
        Drop,
    }
}

choices! {
    /// What becomes of the user's decision about a device.
    DeviceDecision {
        /// It counts (RFC 8628 section 3.5).
        Heeded,
        /// Nobody waits for it: the first poll gets tokens.
        NotAwaited,
        /// An approval changes nothing.
        ApprovalIgnored,
        /// A refusal changes nothing.
        DenialIgnored,
        /// A refusal counts as an approval.
        DenialApproves,
    }
}

choices! {
    /// When the user is asked about a device.
    DeviceQuestion {
        /// Each time (RFC 8628 section 3.3.1).
        Always,
        /// Where the code was typed; a code in the link is an approval.
        WhenTyped,
        /// Never: a code is an approval.
        Never,
    }
}

choices! {
    /// In which order the verification page wants things of the user.
    VerificationOrder {
        /// Login, user code, approval (RFC 8628 section 1, step D).
        LoginFirst,
        /// User code, login, approval.
        CodeFirst,
        /// All of it on one page.
        OnePage,
    }
}

choices! {
    /// How a user code as it was typed is compared.
    UserCodeComparison {
        /// Without regard to case and punctuation (RFC 8628 section 6.1).
        Lenient,
        /// With regard to case, without regard to punctuation.
        CaseSensitive,
        /// Without regard to case, with the punctuation.
        Punctuated,
    }
}

settings! {
    /// Device authorization grant (RFC 8628).
    DevicePolicy {
        /// Whether GET works at the device authorization endpoint too.
        get: bool = false,
        /// Whether confidential clients must authenticate at the device authorization endpoint.
        authenticate: bool = true,
        /// Parameters of the device authorization request that nobody knows.
        unknown: Unknown = Unknown::Ignore,
        /// Whether the device authorization response carries `Cache-Control: no-store`.
        no_store: bool = true,
        /// Seconds for which both codes live.
        lifetime: u64 = 600,
        /// Whether the token endpoint checks the expiry of a device code.
        check_expiry: bool = true,
        /// Whether the verification page checks the expiry of a user code.
        check_user_code_expiry: bool = true,
        /// Seconds between two polls.
        interval: u64 = 5,
        /// Whether `interval` is sent; without it clients wait 5 seconds.
        interval_member: bool = true,
        /// Whether the interval counts for the first poll too, from the moment the codes were issued.
        first_poll_waits: bool = false,
        /// Polling faster than that.
        fast_polling: FastPolling = FastPolling::SlowDown,
        /// Seconds by which the interval grows with each `slow_down`.
        raise: u64 = 5,
        /// What becomes of the user's decision.
        decision: DeviceDecision = DeviceDecision::Heeded,
        /// What happens when a device code that was exchanged for tokens comes again.
        reuse: Reuse = Reuse::Refuse,
        /// Seconds in which it may come again, under `within-grace`.
        grace: u64 = 10,
        /// Milliseconds (of real time) until a use is noted: loses races on purpose.
        commit_delay_ms: u64 = 0,
        /// Whether the tokens have the scope that was asked for; else all that the client is registered for.
        keep_scope: bool = true,
        /// Whether a device code works for its own client only.
        bound_to_client: bool = true,
        /// Characters of a device code.
        length: usize = 43,
        /// What a device code is made of: as for codes.
        source: String = "random".into(),
        /// Characters of a user code, punctuation aside.
        user_code_length: usize = 8,
        /// A hyphen stands after so many characters; 0: none.
        user_code_group: usize = 4,
        /// The characters that user codes are made of.
        user_code_alphabet: String = "BCDFGHJKLMNPQRSTVWXZ".into(),
        /// What user codes are made of: `random`, `counter`, `constant`.
        user_code_source: String = "random".into(),
        /// How a user code as it was typed is compared.
        user_code_comparison: UserCodeComparison = UserCodeComparison::Lenient,
        /// Whether `verification_uri_complete` is sent.
        complete: bool = true,
        /// Whether `verification_uri` carries the user code.
        code_in_uri: bool = false,
        /// In which order the verification page wants things of the user.
        order: VerificationOrder = VerificationOrder::LoginFirst,
        /// Whether a code from the link stands in a field to be sent on by the user; else the page goes straight to the question.
        prefill: bool = true,
        /// Whether the user code is shown with the question.
        show_code: bool = true,
        /// When the user is asked.
        question: DeviceQuestion = DeviceQuestion::Always,
        /// Wrong user codes that a user may enter within `attempt_window`; 0: any number.
        attempts: u64 = 5,
        /// Seconds for which wrong user codes count.
        attempt_window: u64 = 600,
    }
}

settings! {
    /// Implicit grant (RFC 6749 section 4.2).
    ImplicitPolicy {
        /// Whether it is on offer: the response type `token` beside those of `authorize.response_types`.
        offered: bool = false,
        /// Where the parameters are put when tokens come from the authorization endpoint, and its errors (RFC 6749 section 4.2.2: the fragment).
        via: Via = Via::Fragment,
        /// Whether an ID token comes beside the access token where `openid` was granted, though only `token` was asked for.
        id_token: bool = false,
        /// `token_type` there; empty: that of the token endpoint.
        token_type: String = String::new(),
    }
}

settings! {
    /// Password grant (RFC 6749 section 4.3).
    PasswordPolicy {
        /// Whether it is on offer, beside the grants of `token.grants`.
        offered: bool = false,
        /// Whether the user's password is checked.
        check: bool = true,
    }
}

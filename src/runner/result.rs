//! Results as `results.json` holds them. Every string that came from a target is [`Sealed`].

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{Level, Severity};
use crate::wire::Sealed;

/// How a check or a scenario came out. Ordered as scenarios aggregate: the greatest of its checks' verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Could not be judged, and says why.
    Skip,
    /// As it has to be.
    Pass,
    /// A SHOULD is broken, or something is tolerated that another party may not send.
    Warn,
    /// Something stood in the way of judging.
    Error,
    /// A MUST is broken.
    Fail,
    /// Would have failed or warned, and is excused.
    Waived,
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fail => "fail",
            Self::Waived => "waived",
        }
    }
}

/// Why something was skipped, for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipCode {
    /// The target neither announces nor claims the feature, endpoint or grant.
    NotOffered,
    /// No configured client fits.
    NoClient,
    /// No second user, scope or issuer is configured.
    NotConfigured,
    /// An `assume` did not hold.
    Assumption,
    /// It would have to wait longer than `--max-wait`.
    Wait,
    /// Nothing can tell whether a token is alive.
    NoWitness,
    /// Something that preflight found stands in the way.
    Preflight,
    /// It is not part of the plan.
    Plan,
    /// A rule about TLS, and the target is on a loopback address.
    Loopback,
    /// It is about clients of another kind.
    Kind,
}

/// A whole run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// The version of this format: 1.
    pub schema: u32,
    /// What ran.
    pub tool: ToolInfo,
    /// `server` or `client`.
    pub role: String,
    /// The plan by which verdicts are given.
    pub plan: String,
    /// What random values were made of.
    pub seed: u64,
    /// What was tested.
    pub target: TargetInfo,
    /// RFC 3339, UTC.
    pub started: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// For how many milliseconds of them at least one exchange was under way.
    #[serde(default)]
    pub in_flight_ms: u64,
    /// Whether every selected scenario has its verdict.
    pub complete: bool,
    /// How many of each verdict.
    pub summary: Summary,
    /// In order of their ids once the run is complete.
    pub scenarios: Vec<Arc<ScenarioResult>>,
}

/// What ran.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ToolInfo {
    /// `oauthspec`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What was tested.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TargetInfo {
    /// Its name.
    pub name: String,
    /// Its issuer identifier; empty where none is known.
    pub issuer: String,
}

/// How many scenarios have each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Warned.
    pub warn: usize,
    /// Skipped.
    pub skip: usize,
    /// Could not be judged.
    pub error: usize,
    /// Excused.
    pub waived: usize,
}

impl Summary {
    /// Counts one more.
    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::Warn => self.warn += 1,
            Verdict::Skip => self.skip += 1,
            Verdict::Error => self.error += 1,
            Verdict::Waived => self.waived += 1,
        }
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.pass + self.fail + self.warn + self.skip + self.error + self.waived
    }
}

/// One scenario.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioResult {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The strongest level of its checks.
    pub level: Level,
    /// Its severity.
    pub severity: Severity,
    /// The requirements that its checks verify.
    pub requirements: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence, where it is no pass.
    pub reason: Option<Sealed>,
    /// Why it was skipped.
    pub skip_code: Option<SkipCode>,
    /// The reason of the waiver that excuses it.
    pub waiver: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Its checks, in the order in which they were made.
    pub checks: Vec<CheckResult>,
    /// What went over the wire, in order.
    pub exchanges: Vec<ExchangeReport>,
    /// How to mend a target that fails.
    pub fix: String,
    /// The transcript with every volatile value named, for snapshots.
    #[serde(skip)]
    #[schemars(skip)]
    pub snapshot: Option<String>,
}

/// One check.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// Its name: `id#name`.
    pub name: String,
    /// The case in which it was made.
    pub case: Option<String>,
    /// What the requirement says.
    pub text: String,
    /// How strongly it binds.
    pub level: Level,
    /// The harm of its breach.
    pub severity: Severity,
    /// The requirement's id.
    pub requirement: Option<String>,
    /// Further requirements that it verifies.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
    /// The clause, readable: `RFC 6749 section 4.1.2`.
    pub clause: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was expected: the preferred answer, then what is tolerated.
    pub expected: Sealed,
    /// What was seen.
    pub actual: Sealed,
    /// The exchange that it is about, counted from 0.
    pub exchange: Option<usize>,
    /// The line of that exchange that offends: `status`, `header NAME`, `body`, `location`, `request`.
    pub line: Option<String>,
    /// The command that repeats it.
    pub repeat: String,
}

/// One exchange, redacted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExchangeReport {
    /// `front` or `back`.
    pub channel: String,
    /// `harness` or `client`.
    pub party: String,
    /// The step it belongs to: its name or verb; `control` in front where it is a derived control.
    pub step: String,
    /// What was sent.
    pub request: RequestReport,
    /// What came.
    pub response: Option<ResponseReport>,
    /// Why nothing came: `timeout`, `reset`…
    pub failure: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
}

/// A request, redacted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestReport {
    /// The method.
    pub method: Sealed,
    /// The URL.
    pub url: Sealed,
    /// Name and value of each header field.
    pub headers: Vec<(Sealed, Sealed)>,
    /// The body, where it is text.
    pub body: Sealed,
    /// The body in base64, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body_base64: Option<String>,
}

/// A response, redacted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ResponseReport {
    /// The status.
    pub status: u16,
    /// Name and value of each header field.
    pub headers: Vec<(Sealed, Sealed)>,
    /// The body, where it is text.
    pub body: Sealed,
    /// The body in base64, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body_base64: Option<String>,
    /// Whether the body was cut.
    pub truncated: bool,
}

//! `oauthspec explain`: what an id means, why it matters, how to mend it, and what it hangs together with.

use std::fmt::Display;

use globset::Glob;

use super::args::ExplainArgs;
use super::error::Error;
use super::exit::Exit;
use super::rows::{FaultRow, ProfileRow, RequirementRow, Role, ScenarioRow, VariantRow};
use super::{data, output};
use crate::policy::Setting;
use crate::problem::nearest;

pub(super) fn explain(args: &ExplainArgs) -> Result<Exit, Error> {
    let all = Everything {
        scenarios: data::scenarios()?,
        faults: data::faults(),
        variants: data::variants(),
        profiles: data::profiles(),
        requirements: data::requirements(),
        settings: Setting::all(),
    };
    let found = all.explain(&args.id);
    if found.is_empty() {
        let kind = "scenario, fault, variant, profile, requirement or setting";
        let settings = all.settings.iter().map(|setting| setting.path.as_str());
        let nearest = nearest(&args.id, all.ids().chain(settings)).map(str::to_owned);
        return Err(Error::Unknown { kind, id: args.id.clone(), nearest });
    }
    let width = output::width().unwrap_or(100).clamp(40, 100);
    let texts: Vec<String> = found.iter().map(|explanation| explanation.text(width)).collect();
    output::print(&texts.join("\n"))?;
    Ok(Exit::Ok)
}

/// All that can be explained.
struct Everything {
    scenarios: Vec<ScenarioRow>,
    faults: Vec<FaultRow>,
    variants: Vec<VariantRow>,
    profiles: Vec<ProfileRow>,
    requirements: Vec<RequirementRow>,
    settings: Vec<Setting>,
}

impl Everything {
    /// Everything of that id; also every member of a family, and every setting of a group. A check or case behind a scenario's id is passed over.
    fn explain(&self, id: &str) -> Vec<Explanation> {
        let scenario_id = id.split(['#', '[']).next().unwrap_or(id);
        let named = |candidate: &str| data::names(id, candidate);
        let scenarios = self.scenarios.iter().filter(|row| row.id == scenario_id).map(|row| self.scenario(row));
        let faults = self.faults.iter().filter(|row| named(&row.id)).map(|row| self.fault(row));
        let variants = self.variants.iter().filter(|row| named(&row.id)).map(variant);
        let profiles = self.profiles.iter().filter(|row| named(&row.id)).map(profile);
        let requirements = self.requirements.iter().filter(|row| row.id == id).map(|row| self.requirement(row));
        let group = format!("{id}.");
        let settings = self.settings.iter().filter(|row| row.path == id || row.path.starts_with(&group)).map(setting);
        scenarios.chain(faults).chain(variants).chain(profiles).chain(requirements).chain(settings).collect()
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        let scenarios = self.scenarios.iter().map(|row| row.id.as_str());
        let faults = self.faults.iter().map(|row| row.id.as_str());
        let variants = self.variants.iter().map(|row| row.id.as_str());
        let profiles = self.profiles.iter().map(|row| row.id.as_str());
        scenarios.chain(faults).chain(variants).chain(profiles).chain(self.requirements.iter().map(|row| row.id.as_str()))
    }

    fn scenario(&self, row: &ScenarioRow) -> Explanation {
        Explanation::new("scenario", &row.id, &row.title)
            .with("level", format!("{}, {}", row.level, row.severity))
            .with("why", row.why.clone())
            .with("requires", self.statements(&row.requirements))
            .with("mend", row.fix.clone())
            .with("catches", row.catches.join("\n"))
            .with("file", row.file.clone())
            .with("run it", format!("oauthspec {} -s '{}'", row.role.word(), row.id))
    }

    fn fault(&self, row: &FaultRow) -> Explanation {
        let catches = |scenario: &&ScenarioRow| {
            scenario.role == row.role && scenario.catches.iter().any(|pattern| matches(pattern, &row.id))
        };
        let caught: Vec<&str> = self.scenarios.iter().filter(catches).map(|scenario| scenario.id.as_str()).collect();
        let run = match row.role {
            Role::Server => format!("oauthspec server --mock --fault {}", row.id),
            Role::Client => caught.first().map_or_else(String::new, |scenario| format!("oauthspec selftest -s '{scenario}'")),
        };
        Explanation::new(patch_of(row.role, "fault"), &row.id, &row.title)
            .with("why", row.why.clone())
            .with("breaks", self.statements(&row.breaks))
            .with("caught by", caught.join("\n"))
            .with("run it", run)
    }

    fn requirement(&self, row: &RequirementRow) -> Explanation {
        let verifies = |scenario: &&ScenarioRow| scenario.requirements.contains(&row.id);
        let verified: Vec<&str> = self.scenarios.iter().filter(verifies).map(|scenario| scenario.id.as_str()).collect();
        let broken: Vec<&str> =
            self.faults.iter().filter(|fault| fault.breaks.contains(&row.id)).map(|fault| fault.id.as_str()).collect();
        Explanation::new("requirement", &row.id, &row.text)
            .with("clause", row.clause.clone())
            .with("level", format!("{} ({}), {}", row.level, row.keyword, row.severity))
            .with("binds", row.binds.clone())
            .with("verified by", verified.join("\n"))
            .with("unverified", row.reason.clone().unwrap_or_default())
            .with("broken by", broken.join("\n"))
    }

    /// Requirements with what they say.
    fn statements(&self, ids: &[String]) -> String {
        let statement = |id: &String| match self.requirements.iter().find(|row| row.id == *id) {
            Some(row) => format!("{id} ({}): {}", row.level, row.text),
            None => id.clone(),
        };
        ids.iter().map(statement).collect::<Vec<_>>().join("\n")
    }
}

fn variant(row: &VariantRow) -> Explanation {
    let run = match row.role {
        Role::Server => format!("oauthspec server --mock --variant {}", row.id),
        Role::Client => "oauthspec selftest --part variants -s 'client/*'".to_owned(),
    };
    Explanation::new(patch_of(row.role, "variant"), &row.id, &row.title)
        .with("why", row.why.clone())
        .with("plans", row.plans.join(", "))
        .with("declines", row.declines.join("\n"))
        .with("skips", row.skips.join("\n"))
        .with("run it", run)
}

/// The word for a fault or variant, which says whose it is where that is not the mock.
fn patch_of(role: Role, kind: &str) -> String {
    match role {
        Role::Server => kind.to_owned(),
        Role::Client => format!("client {kind}"),
    }
}

fn profile(row: &ProfileRow) -> Explanation {
    Explanation::new("profile", &row.id, &row.title)
        .with("why", row.why.clone())
        .with("run it", format!("oauthspec mock --profile {0}\noauthspec server --mock={0}", row.id))
}

fn setting(row: &Setting) -> Explanation {
    Explanation::new("setting", &row.path, &row.what)
        .with("default", row.default.to_string())
        .with("allowed", row.allowed.clone())
        .with("set it", format!("set = {{ \"{}\" = … }}", row.path))
}

fn matches(pattern: &str, id: &str) -> bool {
    Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(id))
}

/// What is told of one id.
struct Explanation {
    heading: String,
    title: String,
    fields: Vec<(&'static str, String)>,
}

impl Explanation {
    fn new(kind: impl Display, id: &str, title: &str) -> Self {
        Self { heading: format!("{kind} {id}"), title: title.to_owned(), fields: Vec::new() }
    }

    /// One field more, if there is something in it.
    fn with(mut self, label: &'static str, text: String) -> Self {
        if !text.trim().is_empty() {
            self.fields.push((label, text));
        }
        self
    }

    fn text(&self, width: usize) -> String {
        let bold = anstyle::Style::new().bold();
        let faint = anstyle::Style::new().dimmed();
        let mut out = format!("{bold}{}{bold:#}\n", self.heading);
        for line in output::wrap(&self.title, width) {
            out.push_str(&format!("{line}\n"));
        }
        out.push('\n');
        for (label, text) in &self.fields {
            let mut label = *label;
            for line in output::wrap(text, width - 13) {
                out.push_str(&format!("{faint}{label:<12}{faint:#} {line}\n"));
                label = "";
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Level, Severity};

    fn everything() -> Everything {
        let id = "RFC6749-4.1.2-05".to_owned();
        Everything {
            scenarios: vec![ScenarioRow {
                id: "server/code/reused-code".to_owned(),
                title: "An authorization code works only once".to_owned(),
                role: Role::Server,
                level: Level::Must,
                severity: Severity::Critical,
                requirements: vec![id.clone()],
                catches: vec!["code-reusable.*".to_owned()],
                why: "A stolen code must be worthless after the client has used it.".to_owned(),
                fix: "Delete the code in the same transaction that issues the tokens.".to_owned(),
                file: "server/code/reused-code.toml".to_owned(),
            }],
            faults: ["code-reusable.always", "code-reusable.within-grace", "code-eternal"]
                .map(|fault| FaultRow {
                    id: fault.to_owned(),
                    role: Role::Server,
                    title: "Accepts an authorization code more than once".to_owned(),
                    breaks: vec![id.clone()],
                    why: String::new(),
                })
                .to_vec(),
            variants: Vec::new(),
            profiles: vec![ProfileRow { id: "cognito".to_owned(), title: "A user pool".to_owned(), why: String::new() }],
            requirements: vec![RequirementRow {
                id,
                keyword: "MUST NOT".to_owned(),
                binds: "both".to_owned(),
                level: Level::Must,
                severity: Severity::Critical,
                text: "The client does not use the code more than once; the server denies it.".to_owned(),
                reason: None,
                clause: "RFC 6749 section 4.1.2".to_owned(),
            }],
            settings: Setting::all(),
        }
    }

    fn shown(id: &str) -> String {
        let texts: Vec<String> = everything().explain(id).iter().map(|explanation| explanation.text(72)).collect();
        anstream::adapter::strip_str(&texts.join("\n")).to_string()
    }

    #[test]
    fn a_scenario_is_explained_by_its_own_text() {
        insta::assert_snapshot!(shown("server/code/reused-code"));
        assert_eq!(shown("server/code/reused-code#refused"), shown("server/code/reused-code"));
        assert_eq!(shown("server/code/reused-code[a]"), shown("server/code/reused-code"));
    }

    #[test]
    fn a_family_is_all_its_members() {
        insta::assert_snapshot!(shown("code-reusable"));
    }

    #[test]
    fn what_is_of_the_client_is_run_on_clients() {
        let mut all = everything();
        all.scenarios[0].role = Role::Client;
        all.faults[2].role = Role::Client;
        all.scenarios[0].catches = vec!["code-eternal".to_owned()];
        let run = |id: &str| all.explain(id)[0].fields.last().cloned().unwrap();
        assert_eq!(run("server/code/reused-code"), ("run it", "oauthspec client -s 'server/code/reused-code'".to_owned()));
        assert_eq!(run("code-eternal"), ("run it", "oauthspec selftest -s 'server/code/reused-code'".to_owned()));
        assert_eq!(all.explain("code-eternal")[0].heading, "client fault code-eternal");
    }

    #[test]
    fn a_requirement_tells_what_verifies_it() {
        insta::assert_snapshot!(shown("RFC6749-4.1.2-05"));
    }

    #[test]
    fn a_requirement_that_nothing_verifies_tells_why() {
        let mut all = everything();
        all.scenarios.clear();
        all.requirements[0].reason = Some("not observable".to_owned());
        let text = all.explain("RFC6749-4.1.2-05")[0].text(72);
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("unverified   not observable\n") && !text.contains("verified by"), "{text}");
    }

    #[test]
    fn what_is_unknown_has_a_neighbour() {
        let all = everything();
        assert!(all.explain("cognitto").is_empty());
        assert_eq!(nearest("cognitto", all.ids()), Some("cognito"));
    }
}

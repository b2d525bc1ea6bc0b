//! The configuration folder: five files of YAML or JSON and a sixth that may be there, read whole or refused whole.
//!
//! Every mistake in every file is reported at once, as `agents.yaml:23:5: what is wrong; what to do`. A word
//! that is not known is answered with the nearest one that is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use chrono_tz::Tz;
use deadlines::{Law, LawSettings, Places};
use eventlog::{
    attribution::{AgentDirectory, RegisteredIdentity},
    event_type::EventType,
    row::{Channel, Operation},
};
use serde::{Deserialize, Serialize};

pub use crate::problem::{ConfigurationError, Problem};
use crate::{
    data_map::{DataMap, FieldDecision, ObjectDecision},
    document::{self, Node, Position, Text, Value},
    findings::{DataCategory, SeverityLevel},
    problem::{Problems, suggest},
    registry::{Agent, Day, Hours, Identity, IdentityKind, LawfulBasis, Purpose, Registry},
    section::{Section, quoted, scalar, word},
};

mod asked;
mod duties;
mod facts;
mod law;
mod place;

/// One file as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationFile {
    /// The name to call it by in problems.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// The files of a configuration folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationFiles {
    /// `organisation`: who answers for the data.
    pub organisation: ConfigurationFile,
    /// `orgs`: the Salesforce orgs.
    pub orgs: ConfigurationFile,
    /// `recipients`: who is told.
    pub recipients: ConfigurationFile,
    /// `agents`: the registry.
    pub agents: ConfigurationFile,
    /// `data-map`: what the objects hold.
    pub data_map: ConfigurationFile,
    /// `law`: what the customer declares of law; absent where the defaults stand.
    pub law: Option<ConfigurationFile>,
}

impl ConfigurationFiles {
    /// The names of the files that must be there, without ending.
    pub const NAMES: [&str; 5] = ["organisation", "orgs", "recipients", "agents", "data-map"];
    /// The names of the files that may be there.
    pub const OPTIONAL_NAMES: [&str; 1] = ["law"];
    /// The endings that are read.
    pub const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

    /// Picks the files of a configuration out of a folder's files, given as name (a path or key is fine) and text. Files of
    /// other names are left alone.
    ///
    /// # Errors
    /// When one that must be there is missing, or one stands there twice with different endings.
    pub fn from_folder(
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigurationError> {
        let mut found: BTreeMap<&'static str, ConfigurationFile> = BTreeMap::new();
        let mut problems = Vec::new();
        let trouble = |file: &str, reason: String, remedy: String| Problem {
            file: file.to_owned(),
            line: 1,
            column: 1,
            reason,
            remedy,
        };
        for (name, text) in files {
            let Some(stem) = Self::stem(&name) else { continue };
            match found.get(stem) {
                Some(other) => problems.push(trouble(
                    &name,
                    format!("{} is the same file with another ending", other.name),
                    "keep one of the two".to_owned(),
                )),
                None => {
                    found.insert(stem, ConfigurationFile { name, text });
                }
            }
        }
        let [law] = Self::OPTIONAL_NAMES;
        let law = found.remove(law);
        let mut take = |stem: &'static str| {
            found.remove(stem).unwrap_or_else(|| {
                problems.push(trouble(
                    &format!("{stem}.yaml"),
                    "the file is missing from the configuration folder".to_owned(),
                    format!("add {stem}.yaml"),
                ));
                ConfigurationFile::default()
            })
        };
        let [organisation, orgs, recipients, agents, data_map] = Self::NAMES;
        let files = Self {
            organisation: take(organisation),
            orgs: take(orgs),
            recipients: take(recipients),
            agents: take(agents),
            data_map: take(data_map),
            law,
        };
        if problems.is_empty() { Ok(files) } else { Err(ConfigurationError { problems }) }
    }

    /// Which of [`Self::NAMES`] no file of a folder bears. Files that may be absent are not missed.
    pub fn missing_from<'name>(
        files: impl IntoIterator<Item = &'name str>,
    ) -> impl Iterator<Item = &'static str> {
        let found: BTreeSet<&str> = files.into_iter().filter_map(Self::stem).collect();
        Self::NAMES.into_iter().filter(move |name| !found.contains(name))
    }

    /// Which of [`Self::NAMES`] and [`Self::OPTIONAL_NAMES`] a file's name means.
    pub fn stem(name: &str) -> Option<&'static str> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let (stem, ending) = name.rsplit_once('.')?;
        if !Self::ENDINGS.contains(&ending) {
            return None;
        }
        Self::NAMES.into_iter().chain(Self::OPTIONAL_NAMES).find(|known| *known == stem)
    }
}

/// Everything that the customer declares. Serialises to JSON, so that it can be kept whole in a table and
/// loaded back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Who answers for the data.
    pub organisation: Organisation,
    /// The Salesforce orgs.
    pub orgs: Vec<Org>,
    /// Who is told.
    pub recipients: Vec<Recipient>,
    /// The agents.
    pub registry: Registry,
    /// What the objects hold.
    pub data_map: DataMap,
    /// What the customer declares of law.
    #[serde(default)]
    pub law: LawSettings,
}

/// The organisation that answers for the data: the controller of GDPR Art. 4(7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Country of its establishment, ISO 3166-1 alpha-2; decides which authority is told.
    pub country: String,
    /// The part of the country that says which authority, where the country has several: as the law data calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Deadlines are shown in this zone beside UTC.
    pub time_zone: Tz,
    /// Stands in every alert, so that a drill is never taken for the real thing.
    pub environment: String,
    /// Who is named as the data protection officer.
    pub data_protection_officer: String,
    /// How long landed files are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_retention_days: Option<u64>,
    /// Who hears of trouble with the service itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations_email: Option<String>,
}

/// A Salesforce org whose logs land here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    /// Its id, 15 characters.
    pub org_id: String,
    /// Its name for people.
    pub name: String,
    /// Production or sandbox.
    pub kind: OrgKind,
    /// Its zone.
    pub time_zone: Tz,
    /// Kinds of log that have to come from it: a week without one is a blind spot.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub expected_logs: BTreeSet<EventType>,
    /// Where the persons in it live: countries by ISO 3166-1 alpha-2, or parts of them by ISO 3166-2, as `US-CA`, which
    /// implies the country. A country that stands here alone says nothing of its parts. Empty where nobody has said.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub subject_countries: BTreeSet<String>,
}

/// Whether real data lives in an org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrgKind {
    /// Real data.
    Production,
    /// Judged alike, but never an incident with a clock.
    Sandbox,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Its name for people.
    pub name: String,
    /// Where alerts go.
    pub address: Address,
    /// Only alerts this bad or worse; `None` for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_severity: Option<SeverityLevel>,
    /// Only alerts of these orgs, 15 characters each; empty for all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub orgs: BTreeSet<String>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// An e-mail address.
    Email(String),
    /// An https URL.
    Webhook(String),
}

impl Configuration {
    /// Reads the files, all or nothing.
    ///
    /// # Errors
    /// With every problem of every file, in the order of files and lines.
    pub fn parse(files: &ConfigurationFiles) -> Result<Self, ConfigurationError> {
        let law = Law::embedded().map_err(|error| ConfigurationError {
            problems: vec![Problem {
                file: "the law data".to_owned(),
                line: 1,
                column: 1,
                reason: error.to_string(),
                remedy: "this version was built wrongly; install another".to_owned(),
            }],
        })?;
        let mut problems = Vec::new();
        let organisation = read(&files.organisation, &mut problems, |node, problems| {
            organisation(node, law.places(), problems)
        });
        // An org with a mistake of its own is still declared: its mistake is told once, not at every mention.
        let mut declared = Seen::default();
        let orgs = read(&files.orgs, &mut problems, |node, problems| {
            orgs(node, law.places(), &mut declared, problems)
        })
        .unwrap_or_default();
        let org_ids = declared.names();
        let recipients = read(&files.recipients, &mut problems, |node, problems| {
            recipients(node, &org_ids, problems)
        });
        let registry =
            read(&files.agents, &mut problems, |node, problems| registry(node, &org_ids, problems));
        let data_map = read(&files.data_map, &mut problems, data_map);
        let law = match &files.law {
            Some(file) => {
                read(file, &mut problems, |node, problems| law::law(node, &law, problems))
            }
            None => Some(LawSettings::default()),
        };
        match (organisation, recipients, registry, data_map, law) {
            (Some(organisation), Some(recipients), Some(registry), Some(data_map), Some(law))
                if problems.is_empty() =>
            {
                Ok(Self { organisation, orgs, recipients, registry, data_map, law })
            }
            _ => Err(ConfigurationError { problems }),
        }
    }

    /// The org of that id; `None` for one that is not declared.
    pub fn org(&self, org_id: &str) -> Option<&Org> {
        self.orgs.iter().find(|org| org.org_id == org_id)
    }

    /// Every identity of every registered agent.
    pub fn identities(&self) -> impl Iterator<Item = RegisteredIdentity> {
        self.registry.identities()
    }

    /// Looks agents up by what a row says of its caller.
    pub fn directory(&self) -> AgentDirectory {
        AgentDirectory::new(self.identities(), self.people_applications())
    }

    /// The connected apps that people use themselves.
    pub fn people_applications(&self) -> impl Iterator<Item = &str> {
        self.registry.people_applications.iter().map(String::as_str)
    }
}

fn read<T>(
    file: &ConfigurationFile,
    all: &mut Vec<Problem>,
    shape: impl FnOnce(&Node, &mut Problems<'_>) -> Option<T>,
) -> Option<T> {
    let mut problems = Problems::of(&file.name);
    let shaped =
        document::read(&file.text, &mut problems).and_then(|root| shape(&root, &mut problems));
    all.extend(problems.into_sorted());
    shaped
}

fn organisation(node: &Node, places: &Places, problems: &mut Problems<'_>) -> Option<Organisation> {
    const KEYS: [&str; 8] = [
        "name",
        "country",
        "region",
        "time_zone",
        "environment",
        "data_protection_officer",
        "landing_retention_days",
        "operations_email",
    ];
    let section = Section::open(node, String::new(), &KEYS, problems)?;
    let name = section.text("name", problems);
    let country = place::country(&section, "country", places, problems);
    let region = country
        .as_deref()
        .and_then(|country| place::authority_region(&section, country, places, problems));
    let time_zone = section.time_zone("time_zone", problems);
    let environment = section.text("environment", problems).filter(|environment| {
        let fits = is_slug(&environment.text, 32);
        if !fits {
            problems.add(
                environment.at,
                format!("environment: {} is no plain word", quoted(&environment.text)),
                "use up to 32 small letters, digits and hyphens, a letter first",
            );
        }
        fits
    });
    let officer = section.text("data_protection_officer", problems);
    let retention = section.optional_count("landing_retention_days", problems);
    let operations_email = section.optional_text("operations_email", problems);
    if let Some(email) = &operations_email {
        check_email(email, "operations_email", problems);
    }
    Some(Organisation {
        name: name?.text,
        country: country?,
        region,
        time_zone: time_zone?,
        environment: environment?.text,
        data_protection_officer: officer?.text,
        landing_retention_days: retention.map(|(days, _)| days),
        operations_email: operations_email.map(|email| email.text),
    })
}

const ORG_KINDS: [(&str, OrgKind); 2] =
    [("production", OrgKind::Production), ("sandbox", OrgKind::Sandbox)];

fn orgs(
    node: &Node,
    places: &Places,
    seen: &mut Seen,
    problems: &mut Problems<'_>,
) -> Option<Vec<Org>> {
    const KEYS: [&str; 6] =
        ["org_id", "name", "kind", "time_zone", "expected_logs", "subject_countries"];
    let file = Section::open(node, String::new(), &["orgs"], problems)?;
    let mut orgs = Vec::new();
    for (index, node) in file.list("orgs", problems).iter().enumerate() {
        let Some(section) = Section::open(node, format!("orgs[{index}]"), &KEYS, problems) else {
            continue;
        };
        let org_id = section.text("org_id", problems).and_then(|text| {
            let id = salesforce_id(&text, &section.place("org_id"), Some("00D"), problems)?;
            seen.first(&id, &section.place("org_id"), text.at, problems);
            Some(id)
        });
        let name = section.text("name", problems);
        let kind = section.word("kind", &ORG_KINDS, problems);
        let time_zone = section.time_zone("time_zone", problems);
        let expected_logs = event_types(
            section.optional_list("expected_logs", problems),
            &section.place("expected_logs"),
            problems,
        );
        let subject_countries = subject_countries(&section, places, problems);
        if let (Some(org_id), Some(name), Some(kind), Some(time_zone)) =
            (org_id, name, kind, time_zone)
        {
            let name = name.text;
            orgs.push(Org { org_id, name, kind, time_zone, expected_logs, subject_countries });
        }
    }
    Some(orgs)
}

fn subject_countries(
    section: &Section<'_>,
    places: &Places,
    problems: &mut Problems<'_>,
) -> BTreeSet<String> {
    let path = section.place("subject_countries");
    let mut seen = Seen::default();
    let mut found = BTreeSet::new();
    for node in section.optional_list("subject_countries", problems) {
        let Some(code) = place::place(node, &path, places, problems) else { continue };
        seen.first(&code.text, &path, code.at, problems);
        found.insert(code.text);
    }
    found
}

const LEVELS: [(&str, SeverityLevel); 5] = [
    ("info", SeverityLevel::Info),
    ("low", SeverityLevel::Low),
    ("medium", SeverityLevel::Medium),
    ("high", SeverityLevel::High),
    ("critical", SeverityLevel::Critical),
];

fn recipients(
    node: &Node,
    org_ids: &[&str],
    problems: &mut Problems<'_>,
) -> Option<Vec<Recipient>> {
    const KEYS: [&str; 5] = ["name", "email", "webhook", "minimum_severity", "orgs"];
    let file = Section::open(node, String::new(), &["recipients"], problems)?;
    let mut recipients = Vec::new();
    let mut seen = Seen::default();
    for (index, node) in file.list("recipients", problems).iter().enumerate() {
        let path = format!("recipients[{index}]");
        let Some(section) = Section::open(node, path.clone(), &KEYS, problems) else { continue };
        let name = section.text("name", problems);
        if let Some(name) = &name {
            seen.first(&name.text, &section.place("name"), name.at, problems);
        }
        let address = address(&section, &path, problems);
        let minimum_severity = section.optional_word("minimum_severity", &LEVELS, problems);
        let orgs = known_orgs(
            section.optional_list("orgs", problems),
            &section.place("orgs"),
            org_ids,
            problems,
        );
        if let (Some(name), Some(address)) = (name, address) {
            let name = name.text;
            recipients.push(Recipient { name, address, minimum_severity, orgs });
        }
    }
    Some(recipients)
}

fn address(section: &Section<'_>, path: &str, problems: &mut Problems<'_>) -> Option<Address> {
    let email = section.optional_text("email", problems);
    let webhook = section.optional_text("webhook", problems);
    match (email, webhook) {
        (Some(email), None) => check_email(&email, &section.place("email"), problems)
            .then_some(Address::Email(email.text)),
        (None, Some(webhook)) => check_webhook(&webhook, &section.place("webhook"), problems)
            .then_some(Address::Webhook(webhook.text)),
        (Some(_), Some(webhook)) => {
            problems.add(
                webhook.at,
                format!("{path} has both an email and a webhook"),
                "make two recipients of it",
            );
            None
        }
        (None, None) => {
            problems.add(
                section.at(),
                format!("{path} has neither an email nor a webhook"),
                "add `email:` or `webhook:` here",
            );
            None
        }
    }
}

fn registry(node: &Node, org_ids: &[&str], problems: &mut Problems<'_>) -> Option<Registry> {
    let file = Section::open(node, String::new(), &["people_applications", "agents"], problems)?;
    let people_applications: BTreeSet<String> = file
        .optional_list("people_applications", problems)
        .iter()
        .filter_map(|node| scalar(node, "people_applications", problems))
        .map(|text| text.text)
        .collect();
    let mut agents = BTreeMap::new();
    let mut names = Seen::default();
    let mut claims = Claims::default();
    for (index, node) in file.list("agents", problems).iter().enumerate() {
        let path = format!("agents[{index}]");
        let Some(agent) = agent(node, path, org_ids, (&mut names, &mut claims), problems) else {
            continue;
        };
        for identity in &agent.identities {
            let app = identity.kind == IdentityKind::ConnectedApp;
            if app && people_applications.contains(&identity.value) {
                problems.add(
                    node.at,
                    format!(
                        "{} is an identity of {} and stands among people_applications",
                        quoted(&identity.value),
                        agent.name
                    ),
                    "decide for one: an agent's app is not used by people",
                );
            }
        }
        agents.insert(agent.name.clone(), agent);
    }
    Some(Registry { agents, people_applications })
}

fn agent(
    node: &Node,
    path: String,
    org_ids: &[&str],
    (names, claims): (&mut Seen, &mut Claims),
    problems: &mut Problems<'_>,
) -> Option<Agent> {
    const KEYS: [&str; 7] = ["name", "title", "owner", "vendor", "orgs", "identities", "purposes"];
    let section = Section::open(node, path, &KEYS, problems)?;
    let name = slug(&section, "name", problems);
    if let Some(name) = &name {
        names.first(&name.text, &section.place("name"), name.at, problems);
    }
    let title = section.optional_text("title", problems);
    let owner = section.text("owner", problems);
    let vendor = section.optional_text("vendor", problems);
    let orgs =
        known_orgs(section.list("orgs", problems), &section.place("orgs"), org_ids, problems);
    let mut purposes: Vec<Purpose> = Vec::new();
    let mut purpose_names = Seen::default();
    for (index, node) in section.optional_list("purposes", problems).iter().enumerate() {
        let path = format!("{}[{index}]", section.place("purposes"));
        purposes.extend(purpose(node, path, &mut purpose_names, problems));
    }
    let shown = name.as_ref().map_or("an agent without a name", |name| name.text.as_str());
    let mut identities = Vec::new();
    for (index, node) in section.list("identities", problems).iter().enumerate() {
        let path = format!("{}[{index}]", section.place("identities"));
        if let Some(found) = identity(node, &path, &purpose_names.names(), problems) {
            claims.claim(&found, shown, node.at, problems);
            identities.push(found);
        }
    }
    let name = name?.text;
    Some(Agent {
        title: title.map_or_else(|| name.clone(), |title| title.text),
        name,
        owner: owner?.text,
        vendor: vendor.map(|vendor| vendor.text),
        orgs,
        identities,
        purposes,
    })
}

const IDENTITY_KINDS: [(&str, IdentityKind); 6] = [
    ("bot", IdentityKind::Bot),
    ("planner", IdentityKind::Planner),
    ("connected_app", IdentityKind::ConnectedApp),
    ("user", IdentityKind::User),
    ("client", IdentityKind::Client),
    ("user_agent", IdentityKind::UserAgent),
];

fn identity(
    node: &Node,
    path: &str,
    purposes: &[&str],
    problems: &mut Problems<'_>,
) -> Option<Identity> {
    let mut keys: Vec<&str> = IDENTITY_KINDS.iter().map(|(word, _)| *word).collect();
    keys.push("purpose");
    let section = Section::open(node, path.to_owned(), &keys, problems)?;
    let purpose = section.optional_text("purpose", problems);
    if let Some(purpose) = &purpose
        && !purposes.contains(&purpose.text.as_str())
    {
        problems.add(
            purpose.at,
            format!(
                "{}: the agent has no purpose {}",
                section.place("purpose"),
                quoted(&purpose.text)
            ),
            suggest(&purpose.text, purposes),
        );
    }
    let mut kinds = section.entries().iter().filter_map(|(key, node)| {
        let (_, kind) = IDENTITY_KINDS.iter().find(|(word, _)| *word == key.text)?;
        Some((*kind, key, node))
    });
    let Some((kind, key, value)) = kinds.next() else {
        problems.add(
            section.at(),
            format!("{path} names no identity"),
            format!("give it one of {}", keys.join(", ")),
        );
        return None;
    };
    if let Some((_, second, _)) = kinds.next() {
        problems.add(
            second.at,
            format!("{path} names two identities"),
            "write each behind a dash of its own",
        );
    }
    let place = section.place(&key.text);
    let text = scalar(value, &place, problems)?;
    let value = match kind {
        IdentityKind::Bot | IdentityKind::Planner => salesforce_id(&text, &place, None, problems)?,
        IdentityKind::User => salesforce_id(&text, &place, Some("005"), problems)?,
        IdentityKind::ConnectedApp if text.text.starts_with(CONNECTED_APP_PREFIX) => {
            salesforce_id(&text, &place, Some(CONNECTED_APP_PREFIX), problems)?
        }
        IdentityKind::ConnectedApp | IdentityKind::Client | IdentityKind::UserAgent => text.text,
    };
    Some(Identity { kind, value, purpose: purpose.map(|purpose| purpose.text) })
}

/// What the id of a connected app starts with. Anything else is taken for the app's name.
const CONNECTED_APP_PREFIX: &str = "0H4";

const LAWFUL_BASES: [(&str, LawfulBasis); 6] = [
    ("consent", LawfulBasis::Consent),
    ("contract", LawfulBasis::Contract),
    ("legal_obligation", LawfulBasis::LegalObligation),
    ("vital_interests", LawfulBasis::VitalInterests),
    ("public_task", LawfulBasis::PublicTask),
    ("legitimate_interests", LawfulBasis::LegitimateInterests),
];

const OPERATIONS: [(&str, Operation); 8] = [
    ("read", Operation::Read),
    ("export", Operation::Export),
    ("create", Operation::Create),
    ("update", Operation::Update),
    ("delete", Operation::Delete),
    ("describe", Operation::Describe),
    ("login", Operation::Login),
    ("other", Operation::Other),
];

const CHANNELS: [(&str, Channel); 19] = [
    ("rest", Channel::Rest),
    ("apex_rest", Channel::ApexRest),
    ("soap", Channel::Soap),
    ("bulk", Channel::Bulk),
    ("report", Channel::Report),
    ("report_export", Channel::ReportExport),
    ("file", Channel::File),
    ("login", Channel::Login),
    ("api_usage", Channel::ApiUsage),
    ("query", Channel::Query),
    ("ui", Channel::Ui),
    ("analytics", Channel::Analytics),
    ("search", Channel::Search),
    ("callout", Channel::Callout),
    ("automation", Channel::Automation),
    ("database", Channel::Database),
    ("administration", Channel::Administration),
    ("guard", Channel::Guard),
    ("agent", Channel::Agent),
];

fn purpose(
    node: &Node,
    path: String,
    names: &mut Seen,
    problems: &mut Problems<'_>,
) -> Option<Purpose> {
    const KEYS: [&str; 8] = [
        "name",
        "lawful_basis",
        "objects",
        "operations",
        "channels",
        "records_per_hour",
        "records_per_day",
        "hours",
    ];
    let section = Section::open(node, path, &KEYS, problems)?;
    let name = slug(&section, "name", problems);
    if let Some(name) = &name {
        names.first(&name.text, &section.place("name"), name.at, problems);
    }
    let lawful_basis = section.word("lawful_basis", &LAWFUL_BASES, problems);
    let objects = objects(&section, problems);
    let operations = words(
        section.list("operations", problems),
        &section.place("operations"),
        &OPERATIONS,
        problems,
    );
    let channels = section.get("channels").map(|_| {
        words(section.list("channels", problems), &section.place("channels"), &CHANNELS, problems)
    });
    let hourly = section.optional_count("records_per_hour", problems);
    let daily = section.optional_count("records_per_day", problems);
    if let (Some((hourly, _)), Some((daily, at))) = (hourly, daily)
        && daily < hourly
    {
        problems.add(
            at,
            format!("{} is less than records_per_hour", section.place("records_per_day")),
            "exchange the two numbers, or take one out",
        );
    }
    let hours = section.get("hours").map(|node| hours(node, section.place("hours"), problems));
    Some(Purpose {
        name: name?.text,
        lawful_basis: lawful_basis?,
        objects,
        operations,
        channels,
        records_per_hour: hourly.map(|(count, _)| count),
        records_per_day: daily.map(|(count, _)| count),
        // Hours that could not be read must not become "at any time".
        hours: match hours {
            None => None,
            Some(read) => Some(read?),
        },
    })
}

fn objects(section: &Section<'_>, problems: &mut Problems<'_>) -> BTreeSet<String> {
    let place = section.place("objects");
    let mut seen = Seen::default();
    let mut objects = BTreeSet::new();
    for node in section.list("objects", problems) {
        let Some(text) = scalar(node, &place, problems) else { continue };
        if is_api_name(&text.text) {
            seen.first(&text.text, &place, text.at, problems);
            objects.insert(text.text);
        } else {
            problems.add(
                text.at,
                format!("{place}: {} is no API name of an object", quoted(&text.text)),
                "write it as Salesforce does: a letter, then letters, digits and underscores",
            );
        }
    }
    objects
}

const DAYS: [(&str, Day); 7] = [
    ("monday", Day::Monday),
    ("tuesday", Day::Tuesday),
    ("wednesday", Day::Wednesday),
    ("thursday", Day::Thursday),
    ("friday", Day::Friday),
    ("saturday", Day::Saturday),
    ("sunday", Day::Sunday),
];

fn hours(node: &Node, path: String, problems: &mut Problems<'_>) -> Option<Hours> {
    let section = Section::open(node, path, &["from", "to", "time_zone", "days"], problems)?;
    let from = section.text("from", problems);
    let from = from.and_then(|text| time(&text, &section.place("from"), problems));
    let to = section.text("to", problems).and_then(|text| {
        let to = time(&text, &section.place("to"), problems)?;
        if Some(to) == from {
            problems.add(
                text.at,
                format!("{} equals from, which leaves no time or all of it", section.place("to")),
                "write another end, or take `hours` out to allow any time",
            );
        }
        Some(to)
    });
    let time_zone = section.time_zone("time_zone", problems);
    let days = section
        .get("days")
        .map(|_| words(section.list("days", problems), &section.place("days"), &DAYS, problems));
    Some(Hours { from: from?, to: to?, time_zone: time_zone?, days })
}

fn time(text: &Text, place: &str, problems: &mut Problems<'_>) -> Option<NaiveTime> {
    let parsed = NaiveTime::parse_from_str(&text.text, "%H:%M").ok();
    if parsed.is_none() {
        problems.add(
            text.at,
            format!("{place}: {} is no time of day", quoted(&text.text)),
            "write hours and minutes in quotes, as in \"05:00\"",
        );
    }
    parsed
}

const CATEGORIES: [(&str, DataCategory); 7] = [
    ("non_personal", DataCategory::NonPersonal),
    ("contact_identity", DataCategory::ContactIdentity),
    ("behavioural", DataCategory::Behavioural),
    ("identity_number", DataCategory::IdentityNumber),
    ("financial_credentials", DataCategory::FinancialCredentials),
    ("criminal", DataCategory::Criminal),
    ("special_category", DataCategory::SpecialCategory),
];

const TRUTHS: [(&str, bool); 2] = [("true", true), ("false", false)];

fn data_map(node: &Node, problems: &mut Problems<'_>) -> Option<DataMap> {
    // A folder may say nothing of its own: the built-in map stands.
    if matches!(node.value, Value::Null) {
        return Some(DataMap::default());
    }
    let file = Section::open(node, String::new(), &["objects"], problems)?;
    let mut decisions = Vec::new();
    let mut seen = Seen::default();
    for (index, node) in file.optional_list("objects", problems).iter().enumerate() {
        let path = format!("objects[{index}]");
        let keys = ["object", "category", "population", "one_record_per_person", "fields"];
        let Some(section) = Section::open(node, path, &keys, problems) else { continue };
        let object = api_name(&section, "object", problems);
        if let Some(object) = &object {
            seen.first(&object.text.to_lowercase(), &section.place("object"), object.at, problems);
        }
        let category = section.optional_word("category", &CATEGORIES, problems);
        let population = section.optional_count("population", problems);
        let one_record_per_person =
            section.optional_word("one_record_per_person", &TRUTHS, problems);
        let fields = fields(&section, problems);
        if section.entries().len() < 2 {
            problems.add(
                section.at(),
                format!("{} says nothing of the object", section.place("object")),
                "add `category:`, `population:` or `fields:`",
            );
        }
        if let Some(object) = object {
            decisions.push(ObjectDecision {
                object: object.text,
                category,
                population: population.map(|(count, _)| count),
                one_record_per_person,
                fields,
            });
        }
    }
    Some(DataMap::new(decisions))
}

fn fields(section: &Section<'_>, problems: &mut Problems<'_>) -> Vec<FieldDecision> {
    let mut fields = Vec::new();
    let mut seen = Seen::default();
    for (index, node) in section.optional_list("fields", problems).iter().enumerate() {
        let path = format!("{}[{index}]", section.place("fields"));
        let Some(section) = Section::open(node, path, &["field", "category"], problems) else {
            continue;
        };
        let field = api_name(&section, "field", problems);
        if let Some(field) = &field {
            seen.first(&field.text.to_lowercase(), &section.place("field"), field.at, problems);
        }
        let category = section.word("category", &CATEGORIES, problems);
        if let (Some(field), Some(category)) = (field, category) {
            fields.push(FieldDecision { field: field.text, category });
        }
    }
    fields
}

fn words<T: Copy + Ord>(
    nodes: &[Node],
    place: &str,
    known: &[(&str, T)],
    problems: &mut Problems<'_>,
) -> BTreeSet<T> {
    let mut seen = Seen::default();
    nodes
        .iter()
        .filter_map(|node| {
            let text = scalar(node, place, problems)?;
            let value = word(&text, place, known, problems)?;
            seen.first(&text.text, place, text.at, problems);
            Some(value)
        })
        .collect()
}

fn event_types(nodes: &[Node], place: &str, problems: &mut Problems<'_>) -> BTreeSet<EventType> {
    let names = EventType::ALL.map(|event_type| (event_type.name(), event_type));
    let mut seen = Seen::default();
    let mut event_types = BTreeSet::new();
    for node in nodes {
        let Some(text) = scalar(node, place, problems) else { continue };
        seen.first(&text.text, place, text.at, problems);
        event_types.extend(word(&text, place, &names, problems));
    }
    event_types
}

fn known_orgs(
    nodes: &[Node],
    place: &str,
    org_ids: &[&str],
    problems: &mut Problems<'_>,
) -> BTreeSet<String> {
    let mut seen = Seen::default();
    let mut orgs = BTreeSet::new();
    for node in nodes {
        let Some(text) = scalar(node, place, problems) else { continue };
        let Some(id) = salesforce_id(&text, place, Some("00D"), problems) else { continue };
        seen.first(&id, place, text.at, problems);
        if !org_ids.contains(&id.as_str()) {
            problems.add(
                text.at,
                format!("{place}: the org {} is not in the orgs file", quoted(&text.text)),
                suggest(&id, org_ids),
            );
        }
        orgs.insert(id);
    }
    orgs
}

fn slug(section: &Section<'_>, key: &str, problems: &mut Problems<'_>) -> Option<Text> {
    let text = section.text(key, problems)?;
    if is_slug(&text.text, 64) {
        return Some(text);
    }
    problems.add(
        text.at,
        format!("{}: {} is no plain name", section.place(key), quoted(&text.text)),
        "use up to 64 small letters, digits and hyphens, a letter first",
    );
    None
}

fn is_slug(text: &str, characters_max: usize) -> bool {
    text.len() <= characters_max
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        })
}

fn api_name(section: &Section<'_>, key: &str, problems: &mut Problems<'_>) -> Option<Text> {
    let text = section.text(key, problems)?;
    if is_api_name(&text.text) {
        return Some(text);
    }
    problems.add(
        text.at,
        format!("{}: {} is no API name", section.place(key), quoted(&text.text)),
        "write it as Salesforce does: a letter, then letters, digits and underscores",
    );
    None
}

fn is_api_name(text: &str) -> bool {
    crate::data_map::is_object_name(text)
}

/// A Salesforce id, cut to its 15 significant characters.
fn salesforce_id(
    text: &Text,
    place: &str,
    prefix: Option<&str>,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let id = text.text.as_str();
    let mut refuse = |reason: &str, remedy: &str| {
        problems.add(text.at, format!("{place}: {} {reason}", quoted(id)), remedy);
        None
    };
    if !id.chars().all(|character| character.is_ascii_alphanumeric()) {
        return refuse("is no Salesforce id", "write its 15 or 18 letters and digits alone");
    }
    if id.len() != 15 && id.len() != 18 {
        let reason = format!("has {} characters", id.len());
        return refuse(&reason, "a Salesforce id has 15 or 18; copy it again");
    }
    if let Some(prefix) = prefix
        && !id.starts_with(prefix)
    {
        let reason = format!("does not start with {prefix}");
        return refuse(&reason, "copy the id of the right kind of record");
    }
    let short: String = id.chars().take(15).collect();
    let given: String = id.chars().skip(15).collect();
    if !given.is_empty() && !given.eq_ignore_ascii_case(&id_suffix(&short)) {
        return refuse("does not fit its own last three characters", "copy it again");
    }
    Some(short)
}

/// The three characters that make an id of 15 safe where letter case is lost: one for each five, whose bits
/// say which of the five are capitals.
fn id_suffix(short: &str) -> String {
    const SYMBOLS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let capitals: Vec<bool> =
        short.chars().map(|character| character.is_ascii_uppercase()).collect();
    capitals
        .chunks(5)
        .filter_map(|five| {
            let bits = five.iter().rev().fold(0_usize, |bits, capital| {
                bits.saturating_mul(2).saturating_add(usize::from(*capital))
            });
            SYMBOLS.chars().nth(bits)
        })
        .collect()
}

fn check_email(email: &Text, place: &str, problems: &mut Problems<'_>) -> bool {
    let fits = email.text.len() <= 254
        && !email.text.contains(|character: char| character.is_whitespace() || character == ',')
        && email.text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
        });
    if !fits {
        problems.add(
            email.at,
            format!("{place} is no e-mail address"),
            "write one address, as in legal@example.com",
        );
    }
    fits
}

fn check_webhook(webhook: &Text, place: &str, problems: &mut Problems<'_>) -> bool {
    let host = webhook
        .text
        .strip_prefix("https://")
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let reason = match host {
        None => Some("does not start with https://"),
        Some("") => Some("names no host"),
        // Credentials in a URL end up in every log that the URL passes.
        Some(host) if host.contains('@') => Some("carries a user name"),
        Some(_) if webhook.text.contains(char::is_whitespace) => Some("holds a space"),
        Some(_) => None,
    };
    if let Some(reason) = reason {
        problems.add(
            webhook.at,
            format!("{place} {reason}"),
            "write it as in https://alerts.example.com/breachclock",
        );
    }
    reason.is_none()
}

/// Values that may stand only once, with the place where each stood first.
#[derive(Default)]
struct Seen(BTreeMap<String, Position>);

impl Seen {
    fn first(&mut self, value: &str, place: &str, at: Position, problems: &mut Problems<'_>) {
        if let Some(first) = self.0.get(value) {
            problems.add(
                at,
                format!("{place}: {} stands already in line {}", quoted(value), first.line),
                "keep one of the two, or give this one another name",
            );
        } else {
            self.0.insert(value.to_owned(), at);
        }
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Which agent claimed an identity, and where.
#[derive(Default)]
struct Claims(BTreeMap<(IdentityKind, String), (String, Position)>);

impl Claims {
    fn claim(
        &mut self,
        identity: &Identity,
        agent: &str,
        at: Position,
        problems: &mut Problems<'_>,
    ) {
        let value = match identity.kind {
            // Names are compared without regard to letter case; ids that differ in case differ.
            IdentityKind::Client | IdentityKind::UserAgent => identity.value.to_lowercase(),
            _ => identity.value.clone(),
        };
        match self.0.get(&(identity.kind, value.clone())) {
            Some((other, first)) => problems.add(
                at,
                format!(
                    "{} of {agent} is claimed by {other} in line {}",
                    quoted(&identity.value),
                    first.line
                ),
                "an identity belongs to one agent; keep it with the one that uses it",
            ),
            None => {
                self.0.insert((identity.kind, value), (agent.to_owned(), at));
            }
        }
    }
}

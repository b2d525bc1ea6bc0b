//! The registry: which agents may work in Salesforce, and what each is for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use eventlog::{
    attribution::{AgentKey, AttributedBy, RegisteredIdentity},
    row::{Channel, Operation},
};
use serde::{Deserialize, Serialize};

/// The registered agents, and the applications that people use themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Agents by name.
    pub agents: BTreeMap<String, Agent>,
    /// Connected apps that people use themselves; no agent is behind them. By id or by name.
    pub people_applications: BTreeSet<String>,
}

impl Registry {
    /// The agent of that key; `None` for one that nobody registered.
    pub fn agent(&self, key: &AgentKey) -> Option<&Agent> {
        self.agents.get(key.as_str())
    }

    /// Every identity of every agent, in the order of the agents' names.
    pub fn identities(&self) -> impl Iterator<Item = RegisteredIdentity> {
        self.agents.values().flat_map(|agent| {
            agent.identities.iter().map(|identity| RegisteredIdentity {
                agent: agent.key(),
                kind: identity.kind.attributed_by(),
                value: identity.value.clone(),
                purpose: identity.purpose.clone(),
            })
        })
    }
}

/// A registered agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name, by which findings and incidents call it.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Who answers for it.
    pub owner: String,
    /// Who made it, where that is said.
    pub vendor: Option<String>,
    /// The orgs in which it may work, 15 characters each.
    pub orgs: BTreeSet<String>,
    /// What it is known by in the logs.
    pub identities: Vec<Identity>,
    /// What it is for. Empty means that nobody has said, and every access is then against
    /// [`crate::findings::Rule::NoPurpose`].
    pub purposes: Vec<Purpose>,
}

impl Agent {
    /// The key that its rows are tallied under.
    pub fn key(&self) -> AgentKey {
        AgentKey(self.name.clone())
    }
}

/// Something that an agent is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// What kind of thing.
    pub kind: IdentityKind,
    /// The id or the name.
    pub value: String,
    /// The purpose that this identity is used for, where the agent has one identity for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// Kinds of identity, as the agents file spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// Id of a bot.
    Bot,
    /// Id of an agent's planner.
    Planner,
    /// Id or name of a connected app.
    ConnectedApp,
    /// Id of the user that the agent runs as.
    User,
    /// Name that the client gives itself.
    Client,
    /// The user agent of its calls.
    UserAgent,
}

impl IdentityKind {
    /// The column of the log that it is compared with.
    pub fn attributed_by(self) -> AttributedBy {
        match self {
            Self::Bot => AttributedBy::Bot,
            Self::Planner => AttributedBy::Planner,
            Self::ConnectedApp => AttributedBy::ConnectedApp,
            Self::User => AttributedBy::User,
            Self::Client => AttributedBy::ClientName,
            Self::UserAgent => AttributedBy::UserAgent,
        }
    }
}

/// One thing that an agent is for, and what that allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// Its name.
    pub name: String,
    /// Why the processing is lawful.
    pub lawful_basis: LawfulBasis,
    /// Objects that it may touch.
    pub objects: BTreeSet<String>,
    /// What it may do with them.
    pub operations: BTreeSet<Operation>,
    /// The channels that it may use; `None` allows all.
    pub channels: Option<BTreeSet<Channel>>,
    /// Most records in one UTC hour.
    pub records_per_hour: Option<u64>,
    /// Most records in one UTC day.
    pub records_per_day: Option<u64>,
    /// When it may work; `None` allows any time.
    pub hours: Option<Hours>,
}

/// Why the processing is lawful: GDPR Art. 6(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawfulBasis {
    /// Art. 6(1)(a): the person has consented.
    Consent,
    /// Art. 6(1)(b): a contract with the person needs it.
    Contract,
    /// Art. 6(1)(c): the law demands it.
    LegalObligation,
    /// Art. 6(1)(d): somebody's life depends on it.
    VitalInterests,
    /// Art. 6(1)(e): a task in the public interest.
    PublicTask,
    /// Art. 6(1)(f): interests that weigh more than the person's.
    LegitimateInterests,
}

impl LawfulBasis {
    /// Article, paragraph and letter.
    pub fn article(self) -> &'static str {
        match self {
            Self::Consent => "Art. 6(1)(a) GDPR",
            Self::Contract => "Art. 6(1)(b) GDPR",
            Self::LegalObligation => "Art. 6(1)(c) GDPR",
            Self::VitalInterests => "Art. 6(1)(d) GDPR",
            Self::PublicTask => "Art. 6(1)(e) GDPR",
            Self::LegitimateInterests => "Art. 6(1)(f) GDPR",
        }
    }
}

/// A daily window of time in a zone. It may span midnight; `to` itself is outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// When it opens.
    pub from: NaiveTime,
    /// When it closes, never equal to `from`.
    pub to: NaiveTime,
    /// The zone of both.
    pub time_zone: Tz,
    /// The days on which it opens; `None` means every day. A window that spans midnight belongs to the day
    /// on which it opened.
    pub days: Option<BTreeSet<Day>>,
}

impl Hours {
    /// Whether `instant` lies within.
    pub fn contain(&self, instant: DateTime<Utc>) -> bool {
        let local = instant.with_timezone(&self.time_zone);
        let (date, time) = (local.date_naive(), local.time());
        let opened_today = self.open_on(date.weekday());
        if self.from < self.to {
            return opened_today && self.from <= time && time < self.to;
        }
        let opened_yesterday = self.open_on(date.weekday().pred());
        (opened_today && self.from <= time) || (opened_yesterday && time < self.to)
    }

    /// Whether every instant from `first` to `last` lies within. Windows open and close at full minutes, so
    /// looking once a minute is enough.
    pub fn contain_all(&self, first: DateTime<Utc>, last: DateTime<Utc>) -> bool {
        let minute = TimeDelta::minutes(1);
        let mut instant = first;
        while instant < last {
            if !self.contain(instant) {
                return false;
            }
            match instant.checked_add_signed(minute) {
                Some(next) => instant = next,
                None => break,
            }
        }
        self.contain(last)
    }

    fn open_on(&self, weekday: Weekday) -> bool {
        self.days.as_ref().is_none_or(|days| days.contains(&Day::from(weekday)))
    }

    /// `00:00 to 05:00 Europe/Berlin`.
    pub fn describe(&self) -> String {
        let (from, to) = (self.from.format("%H:%M"), self.to.format("%H:%M"));
        let zone = self.time_zone.name();
        match &self.days {
            None => format!("{from} to {to} {zone}"),
            Some(days) => {
                let days: Vec<&str> = days.iter().map(|day| day.name()).collect();
                format!("{from} to {to} {zone} on {}", days.join(", "))
            }
        }
    }
}

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// The day's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }
}

impl From<Weekday> for Day {
    fn from(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Mon => Self::Monday,
            Weekday::Tue => Self::Tuesday,
            Weekday::Wed => Self::Wednesday,
            Weekday::Thu => Self::Thursday,
            Weekday::Fri => Self::Friday,
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
        }
    }
}

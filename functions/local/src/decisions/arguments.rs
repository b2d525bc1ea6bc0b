//! What can be said to `breachclock incident`.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use deadlines::TriggerKind;
use incident::{IncidentId, Phase, RiskLevel};

use crate::instants::instant;

const WHERE: &str = "Where the incidents are, and how to answer";

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 refused or not whole, 2 could not.\n\nComputed from logs and law data. This is not \
                  legal advice, and the decision is yours."
)]
pub(crate) struct Arguments {
    /// The folder that `scan --keep` wrote (else the variable `BREACHCLOCK_FOLDER`).
    #[arg(long, global = true, value_name = "DIR", help_heading = WHERE)]
    pub(super) folder: Option<PathBuf>,
    /// The outputs of a deployed stack, as `cargo xtask deploy` or `cdk deploy --outputs-file` wrote them, with region and
    /// credentials of the AWS environment (else the variable `BREACHCLOCK_STACK`).
    #[arg(long, global = true, value_name = "FILE", help_heading = WHERE)]
    pub(super) stack: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long, global = true, help_heading = WHERE)]
    pub(super) json: bool,
    /// Who decides, as the record will name them (else the variable `USER`). With --stack the AWS identity stands beside it.
    #[arg(long, global = true, value_name = "NAME", help_heading = WHERE)]
    pub(super) by: Option<String>,
    /// The instant to take for now, as 2026-11-24T12:00:00Z. With --folder only: what is deployed goes by the clock.
    #[arg(long, global = true, value_name = "INSTANT", value_parser = instant, help_heading = WHERE)]
    pub(super) as_of: Option<DateTime<Utc>>,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// How a decision is told apart from others.
#[derive(Args)]
pub(super) struct Deciding {
    /// An id of its own: the same id twice is carried out once. Made up where it is not given.
    #[arg(long, value_name = "ID")]
    pub(super) command_id: Option<String>,
    /// The revision that `show` printed: if more is known by now, the decision is refused.
    #[arg(long, value_name = "NUMBER")]
    pub(super) revision: Option<u64>,
}

/// An incident, a ground and how the decision is told apart.
#[derive(Args)]
pub(super) struct Reasoned {
    /// Name of the incident, as BC-509D550EFC34.
    #[arg(value_name = "INCIDENT", value_parser = incident_id)]
    pub(super) incident: IncidentId,
    /// On what ground. It stands in the record.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) deciding: Deciding,
}

/// An incident and a ground, of what changes two incidents: it is decided on whatever stands of both.
#[derive(Args)]
pub(super) struct Joining {
    /// Name of the incident, as BC-509D550EFC34.
    #[arg(value_name = "INCIDENT", value_parser = incident_id)]
    pub(super) incident: IncidentId,
    /// On what ground. It stands in the record.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    /// An id of its own: the same id twice is carried out once. Made up where it is not given.
    #[arg(long, value_name = "ID")]
    pub(super) command_id: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// The incidents, the most urgent first.
    List {
        /// Closed, dismissed and merged ones too.
        #[arg(long)]
        all: bool,
    },
    /// One incident: its clocks, the most urgent first, and what happened to it.
    Show {
        /// Name of the incident.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incident: IncidentId,
        /// The duties that do not apply, those that are coming, and the whole timeline.
        #[arg(long)]
        all: bool,
    },
    /// I have seen the messages so far: they are not sent again. No clock stops.
    Acknowledge {
        /// Name of the incident.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incident: IncidentId,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// Somebody sees to it.
    Assign {
        /// Name of the incident.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incident: IncidentId,
        /// Who.
        to: String,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// It is a personal data breach (GDPR Art. 4(12)).
    Confirm(Reasoned),
    /// When the organisation became aware (GDPR Art. 33(1)): the clocks count from then.
    Aware {
        #[command(flatten)]
        reasoned: Reasoned,
        /// The instant, as 2026-11-24T09:30:00+01:00 or 2026-11-24T08:30Z.
        #[arg(value_name = "WHEN", value_parser = instant)]
        at: DateTime<Utc>,
    },
    /// When something else was that a law counts from.
    Moment {
        #[command(flatten)]
        reasoned: Reasoned,
        /// Which moment.
        #[arg(value_name = "WHAT")]
        moment: Moment,
        /// The instant, as 2026-11-24T09:30:00+01:00 or 2026-11-24T08:30Z.
        #[arg(value_name = "WHEN", value_parser = instant)]
        at: DateTime<Utc>,
    },
    /// The risk to the rights and freedoms of the persons (GDPR Art. 33(1), 34(1)).
    Risk {
        #[command(flatten)]
        reasoned: Reasoned,
        /// How high.
        #[arg(value_name = "LEVEL")]
        risk: Level,
    },
    /// Something was done to contain it.
    Contain {
        /// Name of the incident.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incident: IncidentId,
        /// What was done.
        measure: String,
        /// When; now, where it is not given.
        #[arg(long, value_name = "WHEN", value_parser = instant)]
        at: Option<DateTime<Utc>>,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// Notify or do not, with the reasons (GDPR Art. 33(1), 33(5)). Not to notify stops the clock.
    #[command(group(ArgGroup::new("decision").required(true).args(["notify", "not_notify"])))]
    Decide {
        #[command(flatten)]
        reasoned: Reasoned,
        /// The duties, as eu-gdpr-33-1.
        #[arg(required = true, value_name = "DUTY")]
        duties: Vec<String>,
        /// To be notified.
        #[arg(long)]
        notify: bool,
        /// Not to be notified.
        #[arg(long)]
        not_notify: bool,
    },
    /// A notification was sent: its clocks stop, and those that count from it start.
    Sent {
        /// Name of the incident.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incident: IncidentId,
        /// The duties that it meets, as eu-gdpr-33-1.
        #[arg(required = true, value_name = "DUTY")]
        duties: Vec<String>,
        /// Who was told.
        #[arg(long, value_name = "RECIPIENT")]
        to: String,
        /// When; now, where it is not given.
        #[arg(long, value_name = "WHEN", value_parser = instant)]
        at: Option<DateTime<Utc>>,
        /// The recipient's reference.
        #[arg(long)]
        reference: Option<String>,
        /// Which of several messages it was.
        #[arg(long, value_enum, default_value_t = PhaseWord::Complete)]
        phase: PhaseWord,
        /// A file that was attached: its name and SHA-256 are recorded, the file is not kept. May be given repeatedly.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// Why a notification comes late (GDPR Art. 33(1), second sentence).
    Delay {
        #[command(flatten)]
        reasoned: Reasoned,
        /// The duties, as eu-gdpr-33-1.
        #[arg(required = true, value_name = "DUTY")]
        duties: Vec<String>,
    },
    /// The answer to a question of fact, as whether the data were encrypted.
    Fact {
        #[command(flatten)]
        reasoned: Reasoned,
        /// Name of the fact, as `show` lists it.
        fact: String,
        /// What it is: a word, a whole number, true, false, null for not known, or a JSON list of words.
        #[arg(allow_negative_numbers = true)]
        value: String,
    },
    /// A remark.
    Comment {
        /// Name of the incident.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incident: IncidentId,
        /// The remark. It stands in the record, and never in a message.
        text: String,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// It is no personal data breach.
    Dismiss(Reasoned),
    /// Nothing is left to do. Refused while a clock runs.
    Close(Reasoned),
    /// It goes on.
    Reopen(Reasoned),
    /// It is part of another incident, where its clocks go on from the earlier of the two moments.
    Merge {
        #[command(flatten)]
        joining: Joining,
        /// The other one.
        #[arg(long, value_parser = incident_id)]
        into: IncidentId,
    },
    /// Its days from one on are an incident of their own.
    Split {
        #[command(flatten)]
        joining: Joining,
        /// The first of them, UTC, as 2026-11-24.
        #[arg(long, value_name = "DAY")]
        from: NaiveDate,
    },
    /// Checks that timelines are whole, and that incidents and messages are what they lead to.
    Verify {
        /// Names of incidents; all, where none is given.
        #[arg(value_name = "INCIDENT", value_parser = incident_id)]
        incidents: Vec<IncidentId>,
    },
}

/// The words are those of JSON and of the mails.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Level {
    /// Unlikely to result in a risk
    Unlikely,
    /// A risk
    Risk,
    /// A high risk
    #[value(alias = "high-risk")]
    HighRisk,
}

impl From<Level> for RiskLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Unlikely => Self::Unlikely,
            Level::Risk => Self::Risk,
            Level::HighRisk => Self::HighRisk,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum PhaseWord {
    /// All in one
    Complete,
    /// The first of several
    Initial,
    /// Information in phases: GDPR Art. 33(4)
    Supplementary,
    /// The last
    Final,
}

impl From<PhaseWord> for Phase {
    fn from(word: PhaseWord) -> Self {
        match word {
            PhaseWord::Complete => Self::Complete,
            PhaseWord::Initial => Self::Initial,
            PhaseWord::Supplementary => Self::Supplementary,
            PhaseWord::Final => Self::Final,
        }
    }
}

/// The words are those of JSON and of the mails.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Moment {
    /// The first access, where it was earlier than the logs tell
    Occurred,
    /// The finding that it is to be notified
    Assessed,
    /// The classification as a major incident: DORA Art. 18
    Classified,
    /// The determination that it is material: Form 8-K Item 1.05
    MaterialityDetermined,
    /// A causal link, or its reasonable likelihood: AI Act Art. 73(2)
    CausalLinkEstablished,
    /// The end of handling: NIS2 Art. 23(4)(e)
    IncidentHandled,
    /// A corrective measure that is available: CRA Art. 14(2)(c)
    CorrectiveMeasureAvailable,
}

impl From<Moment> for TriggerKind {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Occurred => Self::Occurred,
            Moment::Assessed => Self::Assessed,
            Moment::Classified => Self::Classified,
            Moment::MaterialityDetermined => Self::MaterialityDetermined,
            Moment::CausalLinkEstablished => Self::CausalLinkEstablished,
            Moment::IncidentHandled => Self::IncidentHandled,
            Moment::CorrectiveMeasureAvailable => Self::CorrectiveMeasureAvailable,
        }
    }
}

fn incident_id(text: &str) -> Result<IncidentId, String> {
    let digits = text.strip_prefix("BC-").unwrap_or_default();
    let fits = digits.len() == 12 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    if fits {
        Ok(IncidentId(text.to_uppercase()))
    } else {
        Err("an incident is named BC- and twelve hexadecimal digits, as BC-509D550EFC34".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::words;

    #[test]
    fn the_words_of_commands_are_those_of_json() {
        for moment in Moment::value_variants() {
            let word = moment.to_possible_value().unwrap();
            assert_eq!(word.get_name(), words::moment((*moment).into()));
        }
        for risk in Level::value_variants() {
            let word = risk.to_possible_value().unwrap();
            assert_eq!(word.get_name(), RiskLevel::from(*risk).name());
        }
    }

    #[test]
    fn an_incident_is_named_in_either_case() {
        let id = |text| incident_id(text).map(|id| id.0).ok();
        assert_eq!(id("BC-509d550efc34").as_deref(), Some("BC-509D550EFC34"));
        for text in ["509D550EFC34", "BC-509D550EFC3", "BC-509D550EFC3G", "BC-", ""] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}

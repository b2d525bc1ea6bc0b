//! What can happen to an incident. An incident is what its events lead to, and nothing else.

use std::collections::BTreeMap;

use assessment::findings::Findings;
use chrono::{DateTime, NaiveDate, Utc};
use deadlines::{Facts, Obligation, Stage, TriggerKind, TriggerTimes};
use eventlog::attribution::AgentKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Clock, IncidentId, Notification, RiskLevel};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The judgement said incident.
    Opened {
        /// Its name.
        incident_id: IncidentId,
        /// Counted from 1 within org and agent.
        episode: u32,
        /// The agent.
        agent: AgentKey,
        /// The moments known then.
        times: TriggerTimes,
        /// What was found until then.
        findings: Box<Findings>,
        /// The incident that this one was split off from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split_from: Option<IncidentId>,
        /// The first of the days that are this incident's; absent where all are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_day: Option<NaiveDate>,
    },
    /// New evidence changed what was found.
    FindingsChanged {
        /// What is found from now on.
        findings: Box<Findings>,
    },
    /// The duties were judged, and came out otherwise than before.
    DutiesJudged {
        /// Version of the law file.
        law_version: String,
        /// On these facts.
        facts: Facts,
        /// Duties that are new, or stand otherwise than before.
        changed: Vec<Obligation>,
        /// Duties that do not apply, and why: those that did before, and those whose reason is another.
        ruled_out: BTreeMap<String, Vec<String>>,
        /// Duties that the law no longer holds.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gone: Vec<String>,
    },
    /// Messages were planned.
    AlertsPlanned {
        /// Which.
        alerts: Vec<PlannedAlert>,
    },
    /// The time of alerts has come.
    AlertsOwed {
        /// How late each is, in seconds, by its id.
        late_seconds: BTreeMap<String, i64>,
    },
    /// Alerts will not be sent.
    AlertsWithdrawn {
        /// Why, by their ids.
        reasons: BTreeMap<String, String>,
    },
    /// The topic took an alert.
    AlertPublished {
        /// Which.
        alert_id: String,
        /// The topic's receipt.
        message_id: String,
        /// When it is sent again, unless somebody acknowledges it first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeat_at: Option<DateTime<Utc>>,
    },
    /// A clock ended without a record that its duties were met.
    ObligationsOverdue {
        /// The duties.
        regime_ids: Vec<String>,
        /// Their clock.
        clock: Clock,
    },
    /// A person has seen the messages.
    Acknowledged {
        /// Which.
        alert_ids: Vec<String>,
    },
    /// Somebody is to see to it.
    Assigned {
        /// Who.
        to: String,
    },
    /// A person says that it is a personal data breach.
    Confirmed {
        /// On what ground.
        reason: String,
    },
    /// A person says when something was.
    MomentSet {
        /// What.
        moment: TriggerKind,
        /// When.
        moment_at: DateTime<Utc>,
        /// On what ground.
        reason: String,
    },
    /// A person assessed the risk to the persons: GDPR Art. 33(1), 34(1).
    RiskAssessed {
        /// How high.
        risk: RiskLevel,
        /// On what ground.
        reason: String,
    },
    /// Something was done to contain the breach.
    Contained {
        /// What.
        measure: String,
        /// When.
        measure_at: DateTime<Utc>,
    },
    /// A person decided whether to notify: GDPR Art. 33(1), 33(5).
    Decided {
        /// The duties.
        regime_ids: Vec<String>,
        /// Whether to notify.
        notify: bool,
        /// On what ground.
        reason: String,
    },
    /// Decisions not to notify no longer hold, because what they rested on has changed.
    DecisionLifted {
        /// The duties.
        regime_ids: Vec<String>,
        /// What has changed.
        reason: String,
    },
    /// A notification was sent.
    NotificationSent {
        /// The duties that it meets.
        regime_ids: Vec<String>,
        /// What was sent.
        notification: Notification,
    },
    /// Why a notification comes late: GDPR Art. 33(1), second sentence.
    DelayExplained {
        /// The duties.
        regime_ids: Vec<String>,
        /// Why.
        reason: String,
    },
    /// A person answers a question of fact, or says that what was taken for a fact is none.
    FactCorrected {
        /// Name of the fact, as the conditions of the law ask for it.
        fact: String,
        /// What it is; null where it is not known.
        value: Value,
        /// On what ground.
        reason: String,
    },
    /// A remark.
    Commented {
        /// The remark.
        text: String,
    },
    /// It is no personal data breach.
    Dismissed {
        /// Why.
        reason: String,
    },
    /// Nothing is left to do.
    Closed {
        /// Why.
        reason: String,
    },
    /// It goes on.
    Reopened {
        /// Why.
        reason: String,
    },
    /// Another incident turned out to be part of this one.
    TookIn {
        /// What is known of it.
        other: Box<Part>,
        /// On what ground.
        reason: String,
    },
    /// It turned out to be part of another one, which goes on for both.
    MergedInto {
        /// Which.
        into: IncidentId,
        /// On what ground.
        reason: String,
    },
    /// Days turned out to be an incident of their own.
    SplitOff {
        /// Which.
        into: IncidentId,
        /// From this day on, UTC.
        from_day: NaiveDate,
        /// What remains found here.
        findings: Box<Findings>,
        /// On what ground.
        reason: String,
    },
}

/// A message, planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAlert {
    /// Its id.
    pub alert_id: String,
    /// The clock that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// Which message.
    #[serde(flatten)]
    pub stage: Stage,
    /// When it is to be sent.
    pub due_at: DateTime<Utc>,
}

/// What an incident knows of another one that is part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub incident_id: IncidentId,
    /// Its moments.
    pub times: TriggerTimes,
    /// What was found in it.
    pub findings: Findings,
    /// The facts that its duties were last judged on.
    pub facts: Facts,
    /// What was sent for it.
    pub notifications: BTreeMap<String, Vec<Notification>>,
}

impl Event {
    /// Whether it is of the substance: what a person decides may depend on it. Messages, remarks and who sees to it
    /// are not.
    pub(crate) const fn is_of_substance(&self) -> bool {
        !matches!(
            self,
            Self::AlertsPlanned { .. }
                | Self::AlertsOwed { .. }
                | Self::AlertsWithdrawn { .. }
                | Self::AlertPublished { .. }
                | Self::Acknowledged { .. }
                | Self::Assigned { .. }
                | Self::Commented { .. }
        )
    }
}

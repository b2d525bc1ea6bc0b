//! What people decide.

use std::{cmp::Reverse, collections::BTreeSet};

use assessment::findings::Findings;
use chrono::{DateTime, NaiveDate, Utc};
use deadlines::TriggerKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{
    Alert, Case, Change, CommandMark, Deciding, Event, Incident, IncidentId, Notification, Part,
    RiskLevel, Status,
    draft::{Draft, ITEMS_OF_A_DECISION_MAX},
    timeline::digest,
};

/// Longest text that a command may hold; a timeline entry has to fit into one item of a table.
const TEXT_CHARACTERS_MAX: usize = 10_000;
/// Longest name that an attachment may have; file systems allow no more.
const FILE_NAME_CHARACTERS_MAX: usize = 255;
/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;
/// Largest whole number that every reader of JSON takes for what it is: RFC 8259, section 6.
const WHOLE_NUMBER_MAX: u64 = 9_007_199_254_740_991;
/// Most attachments that one notification may name.
const ATTACHMENTS_MAX: usize = 200;
/// Characters of a command id.
const COMMAND_ID_CHARACTERS_MAX: usize = 128;

/// A command to an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Chosen by whoever gives it: the same id twice is carried out once.
    pub command_id: String,
    /// The [`Incident::revision`] that the person saw; a decision on what has changed since is refused. `None` to decide
    /// on whatever stands.
    pub decided_on: Option<u64>,
    /// What to do.
    pub action: Action,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// I have seen the messages so far: they are not sent again.
    Acknowledge,
    /// Somebody sees to it.
    Assign {
        /// Who.
        to: String,
    },
    /// It is a personal data breach.
    Confirm {
        /// On what ground.
        reason: String,
    },
    /// This is when it was: awareness above all.
    SetMoment {
        /// What.
        moment: TriggerKind,
        /// When.
        moment_at: DateTime<Utc>,
        /// On what ground.
        reason: String,
    },
    /// The risk to the persons.
    AssessRisk {
        /// How high.
        risk: RiskLevel,
        /// On what ground.
        reason: String,
    },
    /// Something was done to contain it.
    Contain {
        /// What.
        measure: String,
        /// When.
        measure_at: DateTime<Utc>,
    },
    /// Notify, or do not.
    Decide {
        /// The duties.
        regime_ids: Vec<String>,
        /// Whether.
        notify: bool,
        /// On what ground: Art. 33(1), 33(5).
        reason: String,
    },
    /// A notification was sent.
    RecordSent {
        /// The duties that it meets.
        regime_ids: Vec<String>,
        /// What was sent.
        notification: Notification,
    },
    /// Why a notification comes late.
    ExplainDelay {
        /// The duties.
        regime_ids: Vec<String>,
        /// Why.
        reason: String,
    },
    /// An answer to a question of fact.
    CorrectFact {
        /// Name of the fact.
        fact: String,
        /// What it is; null where it is not known.
        value: Value,
        /// On what ground.
        reason: String,
    },
    /// A remark.
    Comment {
        /// The remark.
        text: String,
    },
    /// It is no personal data breach.
    Dismiss {
        /// Why.
        reason: String,
    },
    /// Nothing is left to do.
    Close {
        /// Why.
        reason: String,
    },
    /// It goes on.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Another incident is part of this one.
    TakeIn {
        /// What is known of it.
        other: Box<Part>,
        /// On what ground.
        reason: String,
    },
    /// This one is part of another, which has taken it in.
    MergeInto {
        /// Which.
        into: IncidentId,
        /// On what ground.
        reason: String,
    },
    /// Days are an incident of their own, which has been opened.
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

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// To be written.
    Changed(Box<Change>),
    /// It was carried out before.
    DoneBefore,
}

/// Why a command makes no sense. Each is a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The same id was another command before.
    #[error(
        "command {command_id} was carried out before and said something else; give this one an id of its own"
    )]
    OtherCommand {
        /// The id.
        command_id: String,
    },
    /// What was decided on has changed.
    #[error(
        "{incident_id} has changed since revision {decided_on}: it is at revision {revision} now; look at it again \
         and decide on what stands"
    )]
    Changed {
        /// The incident.
        incident_id: IncidentId,
        /// What the person saw.
        decided_on: u64,
        /// What stands.
        revision: u64,
    },
    /// It is closed, dismissed or merged.
    #[error("{incident_id} is {status}; {remedy}")]
    Done {
        /// The incident.
        incident_id: IncidentId,
        /// Its status.
        status: &'static str,
        /// What to do.
        remedy: String,
    },
    /// A text that has to be there is empty.
    #[error("{field} is empty; write {remedy}")]
    Empty {
        /// Which.
        field: &'static str,
        /// What to write.
        remedy: &'static str,
    },
    /// Something is too long.
    #[error(
        "{field} is longer than {max} {unit}; shorten it, and keep the rest where it can be found"
    )]
    TooLong {
        /// Which.
        field: &'static str,
        /// The limit.
        max: usize,
        /// Of what.
        unit: &'static str,
    },
    /// A moment that cannot be.
    #[error("{moment} at {moment_at} cannot be: {why}")]
    Impossible {
        /// Which.
        moment: &'static str,
        /// When it is said to have been.
        moment_at: DateTime<Utc>,
        /// Why not.
        why: String,
    },
    /// There is no such duty here.
    #[error("{incident_id} has no duty {regime_id}{because}")]
    NoSuchDuty {
        /// The incident.
        incident_id: IncidentId,
        /// The duty.
        regime_id: String,
        /// Why, or which ones there are.
        because: String,
    },
    /// The duty is settled already.
    #[error("{regime_id} is settled: {why}")]
    Settled {
        /// The duty.
        regime_id: String,
        /// Why.
        why: String,
    },
    /// Something is left to do.
    #[error("{incident_id} cannot be closed: {left}")]
    Open {
        /// The incident.
        incident_id: IncidentId,
        /// What.
        left: String,
    },
    /// It says nothing.
    #[error("{0}")]
    Pointless(String),
}

impl Case {
    /// Carries a command out, or says why not.
    ///
    /// # Errors
    /// When it makes no sense for the incident as it stands; nothing is to be written then.
    pub fn carry_out(&self, command: &Command, by: Deciding<'_>) -> Result<Outcome, Refusal> {
        let incident = &self.incident;
        let mark = mark(command)?;
        match incident.commands.get(&mark.command_id) {
            Some(digest) if *digest == mark.digest => return Ok(Outcome::DoneBefore),
            Some(_) => return Err(Refusal::OtherCommand { command_id: mark.command_id }),
            None => {}
        }
        if command.action.depends_on_what_stands() {
            if let Some(decided_on) = command.decided_on.filter(|seen| *seen < incident.revision) {
                return Err(Refusal::Changed {
                    incident_id: incident.incident_id.clone(),
                    decided_on,
                    revision: incident.revision,
                });
            }
            if let Some(decided_on) = command.decided_on.filter(|seen| *seen > incident.revision) {
                let (id, revision) = (&incident.incident_id, incident.revision);
                return Err(Refusal::Pointless(format!(
                    "{id} is at revision {revision}, and there is no revision {decided_on} yet; look at it again and \
                     decide on what stands"
                )));
            }
            incident.check_status(&command.action)?;
        }
        let event = self.event(&command.action, by)?;
        let mut draft = Draft::of(self, by);
        draft.by_command(mark);
        let is_of_substance = event.is_of_substance();
        let reopens = matches!(event, Event::Reopened { .. });
        draft.record(event);
        if reopens {
            draft.judge_new_evidence(true);
        } else if is_of_substance {
            draft.judge_and_tell();
        }
        Ok(Outcome::Changed(Box::new(draft.finish())))
    }

    fn event(&self, action: &Action, by: Deciding<'_>) -> Result<Event, Refusal> {
        let incident = &self.incident;
        let reason = |reason: &str| text("the reason", reason, "on what ground, in a sentence");
        Ok(match action {
            Action::Acknowledge => self.acknowledge()?,
            Action::Assign { to } => {
                Event::Assigned { to: text("the assignee", to, "who is to see to it")? }
            }
            Action::Confirm { reason: why } => Event::Confirmed { reason: reason(why)? },
            Action::SetMoment { moment, moment_at, reason: why } => {
                incident.check_moment(*moment, *moment_at, by.now)?;
                let reason = reason(why)?;
                Event::MomentSet { moment: *moment, moment_at: *moment_at, reason }
            }
            Action::AssessRisk { risk, reason: why } => {
                Event::RiskAssessed { risk: *risk, reason: reason(why)? }
            }
            Action::Contain { measure, measure_at } => {
                not_in_the_future("containment", *measure_at, by.now)?;
                let measure = text("the measure", measure, "what was done")?;
                Event::Contained { measure, measure_at: *measure_at }
            }
            Action::Decide { regime_ids, notify, reason: why } => {
                incident.check_decision(regime_ids, *notify)?;
                let (regime_ids, reason) = (each_once(regime_ids), reason(why)?);
                Event::Decided { regime_ids, notify: *notify, reason }
            }
            Action::RecordSent { regime_ids, notification } => {
                let notification = clean(notification)?;
                incident.check_sent(regime_ids, &notification, by.now)?;
                Event::NotificationSent { regime_ids: each_once(regime_ids), notification }
            }
            Action::ExplainDelay { regime_ids, reason: why } => {
                incident.check_duties(regime_ids)?;
                Event::DelayExplained { regime_ids: each_once(regime_ids), reason: reason(why)? }
            }
            Action::CorrectFact { fact, value, reason: why } => {
                let fact = text("the fact", fact, "the name of a fact, as `show` lists them")?;
                check_fact(value)?;
                Event::FactCorrected { fact, value: value.clone(), reason: reason(why)? }
            }
            Action::Comment { text: remark } => {
                Event::Commented { text: text("the comment", remark, "what is to be remembered")? }
            }
            Action::Dismiss { reason: why } => Event::Dismissed { reason: reason(why)? },
            Action::Close { reason: why } => {
                incident.check_close()?;
                Event::Closed { reason: reason(why)? }
            }
            Action::Reopen { reason: why } => {
                if !matches!(incident.status, Status::Closed | Status::Dismissed) {
                    let (id, status) = (&incident.incident_id, incident.status.name());
                    return Err(Refusal::Pointless(format!(
                        "{id} is {status}; only what is closed or dismissed can be reopened"
                    )));
                }
                Event::Reopened { reason: reason(why)? }
            }
            Action::TakeIn { other, reason: why } => {
                incident.check_other(&other.incident_id)?;
                if other.findings.org_id != incident.org_id {
                    let (id, other) = (&incident.incident_id, &other.incident_id);
                    return Err(Refusal::Pointless(format!(
                        "{other} is of another Salesforce org than {id}, where other persons and laws may be concerned; \
                         keep them apart and name the other in a comment"
                    )));
                }
                Event::TookIn { other: other.clone(), reason: reason(why)? }
            }
            Action::MergeInto { into, reason: why } => {
                incident.check_other(into)?;
                if !incident.parts.is_empty() {
                    let id = &incident.incident_id;
                    return Err(Refusal::Pointless(format!(
                        "{id} has parts of its own; merge {into} into {id} instead"
                    )));
                }
                Event::MergedInto { into: into.clone(), reason: reason(why)? }
            }
            Action::SplitOff { into, from_day, findings, reason: why } => {
                incident.check_other(into)?;
                incident.check_split(*from_day)?;
                Event::SplitOff {
                    into: into.clone(),
                    from_day: *from_day,
                    findings: findings.clone(),
                    reason: reason(why)?,
                }
            }
        })
    }
}

impl Case {
    /// The messages so far that nobody has acknowledged: those first that would be sent again, the latest first. Of very
    /// many some are left for the next time.
    fn acknowledge(&self) -> Result<Event, Refusal> {
        let mut waiting: Vec<&Alert> = self
            .alerts
            .values()
            .filter(|alert| alert.is_out() && alert.acknowledged_at.is_none())
            .collect();
        waiting.sort_by_key(|alert| (alert.attention_at().is_none(), Reverse(alert.due_at)));
        waiting.truncate(ITEMS_OF_A_DECISION_MAX);
        let mut alert_ids: Vec<String> =
            waiting.into_iter().map(|alert| alert.alert_id.clone()).collect();
        alert_ids.sort_unstable();
        if alert_ids.is_empty() {
            let id = &self.incident.incident_id;
            return Err(Refusal::Pointless(format!(
                "every message of {id} so far has been acknowledged; there is nothing to do"
            )));
        }
        Ok(Event::Acknowledged { alert_ids })
    }
}

impl Action {
    /// Whether it is a decision, rather than a remark that is never out of place.
    const fn depends_on_what_stands(&self) -> bool {
        !matches!(self, Self::Acknowledge | Self::Assign { .. } | Self::Comment { .. })
    }
}

impl Incident {
    /// What is done takes no decision but to be reopened; what is part of another one is decided on there.
    fn check_status(&self, action: &Action) -> Result<(), Refusal> {
        if !self.status.is_done()
            || matches!(action, Action::Reopen { .. }) && self.status != Status::Merged
        {
            return Ok(());
        }
        let remedy = match &self.merged_into {
            Some(into) => format!("decide on {into}, which it is part of"),
            None => "reopen it first".to_owned(),
        };
        let incident_id = self.incident_id.clone();
        Err(Refusal::Done { incident_id, status: self.status.name(), remedy })
    }

    fn check_moment(
        &self,
        moment: TriggerKind,
        moment_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let is_sending = matches!(
            moment,
            TriggerKind::InitialSent
                | TriggerKind::NotificationSent
                | TriggerKind::IntermediateSent
        );
        if is_sending {
            return Err(Refusal::Pointless(format!(
                "the moment of a {} is told by recording what was sent; use `sent`",
                moment.word()
            )));
        }
        if matches!(moment, TriggerKind::Detected | TriggerKind::Landed | TriggerKind::Logged) {
            return Err(Refusal::Pointless(format!(
                "the moment of {} is on record from the logs themselves and is not for a person to set",
                moment.word()
            )));
        }
        not_in_the_future(moment.word(), moment_at, now)?;
        let first = self.times.occurred.filter(|_| moment != TriggerKind::Occurred);
        if let Some(first) = first.filter(|first| moment_at < *first) {
            let why = format!(
                "the first access on record was at {first}; if it began earlier, set the moment of occurrence first"
            );
            return Err(Refusal::Impossible { moment: moment.word(), moment_at, why });
        }
        let known = self.times.detected.into_iter().chain(self.times.aware.map(|aware| aware.at));
        let known = known.min().filter(|_| moment == TriggerKind::Occurred);
        if let Some(known) = known.filter(|known| moment_at > *known) {
            let why = format!("it was known at {known}, and nothing is known before it happens");
            return Err(Refusal::Impossible { moment: moment.word(), moment_at, why });
        }
        Ok(())
    }

    fn check_duties(&self, regime_ids: &[String]) -> Result<(), Refusal> {
        if regime_ids.is_empty() {
            return Err(Refusal::Empty {
                field: "the list of duties",
                remedy: "at least one, as eu-gdpr-33-1",
            });
        }
        for regime_id in regime_ids {
            if self.obligation(regime_id).is_none() {
                let because = if let Some(because) = self.ruled_out.get(regime_id) {
                    format!(": it does not apply, because {}", because.join(" and "))
                } else {
                    let running = self.running();
                    let known: Vec<&str> =
                        running.into_iter().map(|duty| duty.regime_id.as_str()).collect();
                    if known.is_empty() {
                        "; no clock runs".to_owned()
                    } else {
                        format!("; clocks run for: {}", known.join(", "))
                    }
                };
                let incident_id = self.incident_id.clone();
                return Err(Refusal::NoSuchDuty {
                    incident_id,
                    regime_id: regime_id.clone(),
                    because,
                });
            }
        }
        Ok(())
    }

    fn check_decision(&self, regime_ids: &[String], notify: bool) -> Result<(), Refusal> {
        self.check_duties(regime_ids)?;
        for regime_id in regime_ids {
            if self.notifications.contains_key(regime_id) {
                let why = "a notification is on record, and nothing is left to decide".to_owned();
                return Err(Refusal::Settled { regime_id: regime_id.clone(), why });
            }
            if !notify && self.not_notified.contains_key(regime_id) {
                let why =
                    "that nobody is notified was decided before; decide to notify to change that";
                let why = why.to_owned();
                return Err(Refusal::Settled { regime_id: regime_id.clone(), why });
            }
        }
        Ok(())
    }

    fn check_sent(
        &self,
        regime_ids: &[String],
        notification: &Notification,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        self.check_duties(regime_ids)?;
        not_in_the_future("sending", notification.sent_at, now)?;
        if let Some(first) = self.times.occurred.filter(|first| notification.sent_at < *first) {
            let (moment, moment_at) = ("sending", notification.sent_at);
            let why = format!(
                "the first access on record was at {first}; if it began earlier, set the moment of occurrence first"
            );
            return Err(Refusal::Impossible { moment, moment_at, why });
        }
        for regime_id in regime_ids {
            let is_on_record =
                self.notifications.get(regime_id).is_some_and(|sent| sent.contains(notification));
            if is_on_record {
                let why = "exactly this notification is on record".to_owned();
                return Err(Refusal::Settled { regime_id: regime_id.clone(), why });
            }
        }
        Ok(())
    }

    fn check_close(&self) -> Result<(), Refusal> {
        let mut left = Vec::new();
        let running: Vec<&str> =
            self.running().into_iter().map(|duty| duty.regime_id.as_str()).collect();
        if !running.is_empty() {
            left.push(format!(
                "the clocks of {} run; record what was sent, or decide not to notify",
                running.join(", ")
            ));
        }
        let unexplained: Vec<&str> = self
            .notifications
            .keys()
            .filter(|id| self.was_late(id) && !self.delays.contains_key(*id))
            .map(String::as_str)
            .collect();
        if !unexplained.is_empty() {
            left.push(format!(
                "{} went out late and no reasons for the delay are on record; give them",
                unexplained.join(", ")
            ));
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(Refusal::Open { incident_id: self.incident_id.clone(), left: left.join("; ") })
    }

    /// Something has to be left on either side.
    fn check_split(&self, from_day: NaiveDate) -> Result<(), Refusal> {
        let id = &self.incident_id;
        let first = self.findings.first_event_at.date_naive();
        let last = self.findings.last_event_at.date_naive();
        if from_day <= first {
            return Err(Refusal::Pointless(format!(
                "{id} begins on {first} (UTC), and nothing would be left of it; split it from a later day"
            )));
        }
        if from_day > last {
            return Err(Refusal::Pointless(format!(
                "the last access of {id} was on {last} (UTC), and there would be nothing to split off; split it from that \
                 day or an earlier one"
            )));
        }
        Ok(())
    }

    fn check_other(&self, other: &IncidentId) -> Result<(), Refusal> {
        if *other == self.incident_id {
            return Err(Refusal::Pointless(format!(
                "{other} is this incident itself; name another one"
            )));
        }
        Ok(())
    }
}

fn mark(command: &Command) -> Result<CommandMark, Refusal> {
    let command_id = text("the command id", &command.command_id, "an id of its own")?;
    if command_id.chars().count() > COMMAND_ID_CHARACTERS_MAX {
        return Err(too_long("the command id", COMMAND_ID_CHARACTERS_MAX));
    }
    // An action is plain data; the same action always has the same digest.
    let digest = serde_json::to_value(&command.action)
        .ok()
        .and_then(|action| digest(&action))
        .unwrap_or_default();
    Ok(CommandMark { command_id, digest })
}

/// A text of a person, without what stands around it.
fn text(field: &'static str, text: &str, remedy: &'static str) -> Result<String, Refusal> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Refusal::Empty { field, remedy });
    }
    if trimmed.chars().count() > TEXT_CHARACTERS_MAX {
        return Err(too_long(field, TEXT_CHARACTERS_MAX));
    }
    Ok(trimmed.to_owned())
}

const fn too_long(field: &'static str, max: usize) -> Refusal {
    Refusal::TooLong { field, max, unit: "characters" }
}

fn each_once(regime_ids: &[String]) -> Vec<String> {
    let unique: BTreeSet<&String> = regime_ids.iter().collect();
    unique.into_iter().cloned().collect()
}

/// A notification that an auditor can check: with a recipient, and of each attachment a name and a hash.
fn clean(notification: &Notification) -> Result<Notification, Refusal> {
    let mut notification = notification.clone();
    notification.recipient = text("the recipient", &notification.recipient, "who was told")?;
    if let Some(reference) = &notification.reference {
        let remedy = "the recipient's file number, or leave it out";
        notification.reference = Some(text("the reference", reference, remedy)?);
    }
    if notification.attachments.len() > ATTACHMENTS_MAX {
        let (field, unit) = ("the list of attachments", "files");
        return Err(Refusal::TooLong { field, max: ATTACHMENTS_MAX, unit });
    }
    for (name, hash) in &notification.attachments {
        if name.chars().count() > FILE_NAME_CHARACTERS_MAX {
            return Err(too_long("the name of an attachment", FILE_NAME_CHARACTERS_MAX));
        }
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hash.len() != SHA256_DIGITS || !hash.bytes().all(is_digit) {
            return Err(Refusal::Pointless(format!(
                "the hash of attachment {name} is no SHA-256; write the {SHA256_DIGITS} hexadecimal digits that \
                 `sha256sum` prints"
            )));
        }
    }
    Ok(notification)
}

fn not_in_the_future(
    moment: &'static str,
    moment_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    if moment_at <= now {
        return Ok(());
    }
    let why = format!(
        "it is {now} now, and that lies ahead; mind the zone, instants end in Z or an offset"
    );
    Err(Refusal::Impossible { moment, moment_at, why })
}

/// A fact has to fit into an entry as a text does.
fn check_fact(value: &Value) -> Result<(), Refusal> {
    if value.to_string().chars().count() > TEXT_CHARACTERS_MAX {
        return Err(too_long("the fact", TEXT_CHARACTERS_MAX));
    }
    check_value(value)
}

/// Whole numbers only, and none that a reader of JSON might round: such a number has more than one way to be written,
/// and the timeline is hashed as it is written.
fn check_value(value: &Value) -> Result<(), Refusal> {
    let is_plain = match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            magnitude.is_some_and(|magnitude| magnitude <= WHOLE_NUMBER_MAX)
        }
        Value::Array(values) => return values.iter().try_for_each(check_value),
        Value::Object(fields) => return fields.values().try_for_each(check_value),
        Value::String(_) | Value::Null | Value::Bool(_) => true,
    };
    if is_plain {
        return Ok(());
    }
    Err(Refusal::Pointless(format!(
        "{value} cannot be part of a fact; write whole numbers up to {WHOLE_NUMBER_MAX}, and fractions as text"
    )))
}

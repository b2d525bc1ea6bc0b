//! What to do now, with the commands that record it.

use std::fmt::Write as _;

use assessment::findings::Risk;
use chrono::{DateTime, Utc};
use deadlines::{Obligation, TriggerKind};
use incident::{Alert, ClockKind, Incident, RiskLevel};

use crate::{
    Context,
    clocks::{clock_in_focus, running_clocks},
    page::{Page, counted, in_one_zone},
};

pub(crate) fn what_to_do(
    page: &mut Page,
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) {
    if incident.status.is_done() {
        page.line(&match &incident.merged_into {
            Some(into) => {
                format!("Nothing here: the incident is part of {into}, where it goes on.")
            }
            None => format!("Nothing: the incident is {}.", incident.status.name()),
        });
        return;
    }
    let mut steps = Steps { page, incident, context, number: 0 };
    steps.contain();
    steps.confirm();
    steps.assess_risk();
    steps.set_awareness();
    steps.answer();
    steps.set_moments();
    steps.notify(alert, now);
    steps.acknowledge();
    steps.on_record();
}

struct Steps<'a> {
    page: &'a mut Page,
    incident: &'a Incident,
    context: &'a Context,
    number: u32,
}

impl Steps<'_> {
    fn step(&mut self, text: &str) {
        self.number = self.number.saturating_add(1);
        self.page.item(&format!("{}.", self.number), text);
    }

    fn command(&mut self, verb: &str, rest: &str) {
        let id = &self.incident.incident_id;
        self.page.command(&format!("breachclock incident {verb} {id} {rest}"));
    }

    fn contain(&mut self) {
        if !self.incident.measures.is_empty() {
            return;
        }
        let agent = self.incident.agent.as_str();
        let stop = match &self.context.agent_owner {
            Some(owner) => format!("have {owner} stop the agent {agent}"),
            None => format!("find out who runs {agent} and have it stopped"),
        };
        self.step(&format!(
            "Contain: {stop}, and revoke its sessions and connected app in Salesforce. Then record what was done:"
        ));
        self.command("contain", "WHAT");
    }

    /// Whoever assesses the risk or says when the organisation became aware has confirmed it.
    fn confirm(&mut self) {
        if self.incident.confirmed_at.is_some() {
            return;
        }
        self.step("Decide whether it is a personal data breach (GDPR Art. 4(12)), and on what ground. If it is:");
        self.command("confirm", "--reason WHY");
        self.page.continued("If it is none, which stops the clocks:");
        self.command("dismiss", "--reason WHY");
    }

    fn assess_risk(&mut self) {
        if self.incident.risk.is_some() {
            return;
        }
        self.step(&format!(
            "Decide the risk to the persons. Our proposal, for you to decide: {}. LEVEL is unlikely, risk or high_risk.",
            proposal(self.incident.findings.severity.risk)
        ));
        self.command("risk", "LEVEL --reason WHY");
    }

    fn set_awareness(&mut self) {
        if !self.incident.times.aware.is_some_and(|aware| aware.assumed) {
            return;
        }
        self.step(
            "Say when the organisation became aware, and on what ground. Until then our detection stands in for it. \
             If it was earlier, less time is left than stands above. WHEN is written in UTC, with a T between day and \
             time and a Z behind.",
        );
        self.command("aware", "WHEN --reason WHY");
    }

    fn answer(&mut self) {
        let is_open = self
            .incident
            .running()
            .iter()
            .any(|duty| duty.standing.unknown_facts().iter().any(|fact| fact != "risk"));
        if is_open {
            self.step(
                "Answer the other questions above. What holds of the organisation in every incident belongs into law.yaml; \
                 it takes the duties that do not concern you off the list. What holds of this incident is recorded, each \
                 answer by the name in brackets. VALUE is true, false, a number or a word.",
            );
            self.command("fact", "NAME VALUE --reason WHY");
        }
    }

    /// The moments for which clocks wait and that a person can set; what was sent is recorded as such.
    fn set_moments(&mut self) {
        let mut words: Vec<&'static str> = self
            .incident
            .not_started()
            .iter()
            .filter_map(|duty| settable(duty.starts_at))
            .collect();
        words.sort_unstable();
        words.dedup();
        if words.is_empty() {
            return;
        }
        self.step(&format!(
            "Once it is known, say when the moments were for which clocks above have not started. WHAT is {}.",
            words.join(" or ")
        ));
        self.command("moment", "WHAT WHEN --reason WHY");
    }

    /// Of the duties that the message speaks of first.
    fn notify(&mut self, alert: &Alert, now: DateTime<Utc>) {
        let clocks = running_clocks(self.incident);
        let Some(focus) = clock_in_focus(&clocks, alert) else { return };
        let Some(first) = focus.duties.first().copied() else { return };
        let is_possible = focus.clock.is_possible;
        let hangs_on = first.standing.unknown_facts();
        // Whether a law of another place or trade applies is answered first; how high the risk is takes time.
        if hangs_on.iter().all(|fact| fact == "risk") {
            let mut line = to_notify(first, is_possible);
            if focus.duties.len() > 1 {
                line.push_str(" Each of the others likewise, by its name in brackets.");
            }
            self.step(&line);
            self.command("sent", &format!("{} --to WHOM --reference NUMBER", first.regime_id));
            self.step(
                "Or decide that nobody is notified, and on what ground (as GDPR Art. 33(5) asks):",
            );
            self.command("decide", &format!("{} --not-notify --reason WHY", first.regime_id));
        }
        if focus.clock.kind == ClockKind::Limit && focus.is_over(now) {
            let condition = if is_possible { "If it applies" } else { "It is late" };
            self.step(&format!(
                "{condition}: send it at once, with the reasons for the delay (as GDPR Art. 33(1) asks), and record these:"
            ));
            self.command("delay", &format!("{} --reason WHY", first.regime_id));
        }
    }

    fn acknowledge(&mut self) {
        self.step("Say that you have seen this, so that it is not sent again. The clocks go on:");
        self.command("acknowledge", "");
    }

    /// What persons have said and done. Who it was stands in the record and not in a mail.
    fn on_record(&mut self) {
        let zone = self.context.time_zone;
        let incident = self.incident;
        let mut lines = Vec::new();
        if let Some(aware) = incident.moments.get(&TriggerKind::Aware) {
            lines.push(format!(
                "A person set awareness to {} (said on {}).",
                in_one_zone(aware.value, zone),
                in_one_zone(aware.at, zone)
            ));
        }
        if let Some(risk) = &incident.risk {
            let mut line = format!(
                "A person assessed the risk on {}: {}.",
                in_one_zone(risk.at, zone),
                risk_words(risk.value)
            );
            if proposed(incident.findings.severity.risk) > risk.value {
                let _ = write!(
                    line,
                    " What was found proposes more: {}.",
                    proposal(incident.findings.severity.risk)
                );
            }
            lines.push(line);
        }
        if let Some(last) = incident.measures.last() {
            let measures = u64::try_from(incident.measures.len()).unwrap_or(u64::MAX);
            lines.push(format!(
                "{} to contain it on record, the last of {}.",
                counted(measures, "measure"),
                in_one_zone(last.value, zone)
            ));
        }
        if let Some(at) = incident.acknowledged_at {
            let at = in_one_zone(at, zone);
            lines.push(format!("A person first acknowledged a message on {at}."));
        }
        if lines.is_empty() {
            return;
        }
        self.page.line("On record already:");
        for line in lines {
            self.page.item("-", &line);
        }
    }
}

fn to_notify(duty: &Obligation, is_possible: bool) -> String {
    let mut line = format!("Prepare the notification of {}", duty.article);
    line.push_str(if is_possible { ", in case it applies." } else { "." });
    if !duty.content_items.is_empty() {
        let _ = write!(line, " It says: {}.", duty.content_items.join("; "));
    }
    if duty.phased {
        line.push_str(" What is not known yet may follow in phases.");
    }
    if duty.due_at.is_some() {
        line.push_str(" The limit is the latest moment, not the one to aim at.");
    }
    line.push_str(" Once it has gone out, record it.");
    line
}

/// The word by which a person sets a moment; `None` for one that is told otherwise.
const fn settable(moment: TriggerKind) -> Option<&'static str> {
    match moment {
        TriggerKind::Occurred => Some("occurred"),
        TriggerKind::Assessed => Some("assessed"),
        TriggerKind::Classified => Some("classified"),
        TriggerKind::MaterialityDetermined => Some("materiality_determined"),
        TriggerKind::CausalLinkEstablished => Some("causal_link_established"),
        TriggerKind::IncidentHandled => Some("incident_handled"),
        TriggerKind::CorrectiveMeasureAvailable => Some("corrective_measure_available"),
        TriggerKind::Aware
        | TriggerKind::Logged
        | TriggerKind::Landed
        | TriggerKind::Detected
        | TriggerKind::InitialSent
        | TriggerKind::NotificationSent
        | TriggerKind::IntermediateSent => None,
    }
}

const fn proposal(risk: Risk) -> &'static str {
    match risk {
        Risk::Unlikely => {
            "unlikely to result in a risk: recorded under GDPR Art. 33(5), not notified"
        }
        Risk::Risk => "a risk: the authority is notified, GDPR Art. 33(1)",
        Risk::HighRisk => {
            "a high risk: the authority is notified, GDPR Art. 33(1), and the persons, Art. 34(1)"
        }
    }
}

const fn proposed(risk: Risk) -> RiskLevel {
    match risk {
        Risk::Unlikely => RiskLevel::Unlikely,
        Risk::Risk => RiskLevel::Risk,
        Risk::HighRisk => RiskLevel::HighRisk,
    }
}

const fn risk_words(risk: RiskLevel) -> &'static str {
    match risk {
        RiskLevel::Unlikely => "unlikely to result in a risk",
        RiskLevel::Risk => "a risk",
        RiskLevel::HighRisk => "a high risk",
    }
}

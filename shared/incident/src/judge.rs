//! What is known of an incident becomes duties.

use std::collections::{BTreeMap, BTreeSet};

use assessment::findings::{DataCategory, Findings};
use chrono::{DateTime, Utc};
use deadlines::{Facts, Law, Obligation, Sent, Stage, Standing, TriggerKind, obligations_after};
use serde_json::{Value, json};

use crate::{Clock, Event, Incident, draft::Draft, incident::is_watched};

/// Facts that hold of an incident and its parts together: whoever is concerned in any of them is concerned.
const PLACES: [&str; 2] = ["subject_country", "subject_region"];

impl Incident {
    /// The facts that duties are judged on: what the organisation declared, then what was found, then what persons said.
    pub(crate) fn known_facts(&self, declared: &Facts) -> Facts {
        let all: Vec<&Findings> = std::iter::once(&self.findings)
            .chain(self.parts.values().map(|part| &part.findings))
            .collect();
        let mut facts = declared.clone().with("severity", self.severity().name());
        for place in PLACES.iter().filter(|_| !self.parts.is_empty()) {
            facts = facts.with(*place, self.places(place, declared));
        }
        facts = facts.with("subject_count", subject_count(&all));
        if let Some(categories) = data_categories(&all) {
            facts = facts.with("data_categories", categories);
        }
        if let Some(risk) = self.assessed_risk() {
            facts = facts.with("risk", risk.fact());
        }
        for (fact, answer) in &self.answers {
            facts = facts.with(fact.clone(), answer.value.clone());
        }
        facts
    }

    /// When each duty was met: by the first message, but where a duty counts from the latest report, by the last one
    /// (Del. Reg. (EU) 2025/301 Art. 5(1)(c)).
    fn sent(&self, law: &Law) -> Sent {
        let counts_from_the_latest: BTreeSet<&String> = law
            .regimes
            .iter()
            .filter(|regime| regime.starts_at == TriggerKind::IntermediateSent)
            .flat_map(|regime| &regime.follows)
            .collect();
        let sent = self.notifications.iter().filter_map(|(regime_id, notifications)| {
            let instants = notifications.iter().map(|notification| notification.sent_at);
            let at = if counts_from_the_latest.contains(regime_id) {
                instants.max()
            } else {
                instants.min()
            };
            Some((regime_id.clone(), at?))
        });
        sent.collect()
    }

    /// Those declared for the org, and those that parts were judged on. Where one of them does not know, all do not.
    fn places(&self, name: &str, declared: &Facts) -> Option<Value> {
        let of_parts = self.parts.values().map(|part| part.facts.get(name));
        let mut places = BTreeSet::new();
        for known in of_parts.chain([declared.get(name)]) {
            match known? {
                Value::Array(values) => {
                    places.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                value => places.extend(value.as_str().map(str::to_owned)),
            }
        }
        Some(json!(places))
    }
}

/// An interval. The persons of two incidents may be the same ones, so the lower bounds are not added up.
fn subject_count(all: &[&Findings]) -> Value {
    let lower = all.iter().map(|findings| findings.subject_estimate.lower).max().unwrap_or(0);
    let upper: Option<u64> = all.iter().try_fold(0_u64, |sum, findings| {
        Some(sum.saturating_add(findings.subject_estimate.upper?))
    });
    match upper {
        Some(upper) => json!({ "lower": lower, "upper": upper }),
        None => json!({ "lower": lower }),
    }
}

/// The categories, in the words of the law data; `None` where an object is in no data map, because a list says that
/// there are no others.
fn data_categories(all: &[&Findings]) -> Option<Value> {
    let mut categories = BTreeSet::new();
    for exposure in all.iter().flat_map(|findings| findings.exposures.values()) {
        match exposure.category? {
            DataCategory::NonPersonal => {}
            DataCategory::ContactIdentity => {
                categories.insert("contact_identity");
            }
            DataCategory::Behavioural => {
                categories.insert("behavioural");
            }
            DataCategory::IdentityNumber => {
                categories.insert("identity_number");
            }
            DataCategory::FinancialCredentials => {
                categories.insert("financial_credentials");
            }
            DataCategory::Criminal => {
                categories.insert("criminal");
            }
            DataCategory::SpecialCategory => {
                categories.insert("special_category");
            }
        }
    }
    Some(json!(categories))
}

/// What matters to whoever has been told of a duty.
type Told = BTreeMap<String, (DateTime<Utc>, bool)>;

impl Draft<'_> {
    /// Judges every duty afresh. Answers whether something came, went or moved that people ought to hear of.
    pub(crate) fn judge(&mut self) -> bool {
        let incident = &self.case.incident;
        let policy = self.by.policy;
        let facts = incident.known_facts(&policy.facts);
        let (sent, organisation) = (incident.sent(&policy.law), &policy.organisation);
        let judged = obligations_after(&policy.law, &facts, &incident.times, &sent, organisation);
        let names: BTreeSet<&str> = judged.iter().map(|duty| duty.regime_id.as_str()).collect();
        let known = incident.obligations.iter().map(|duty| &duty.regime_id);
        let gone: Vec<String> = known
            .chain(incident.ruled_out.keys())
            .filter(|id| !names.contains(id.as_str()))
            .cloned()
            .collect();
        let mut changed = Vec::new();
        let mut ruled_out = BTreeMap::new();
        for duty in judged {
            if let Standing::DoesNotApply { because } = &duty.standing {
                if incident.ruled_out.get(&duty.regime_id) != Some(because) {
                    ruled_out.insert(duty.regime_id, because.clone());
                }
            } else if incident.obligation(&duty.regime_id) != Some(&duty) {
                changed.push(duty);
            }
        }
        let law_version = policy.law.law_version.clone();
        let is_news = !changed.is_empty() || !ruled_out.is_empty() || !gone.is_empty();
        if !is_news && incident.law_version == law_version {
            // A decision may rest on what no duty depends on, as the severity.
            return self.lift_decisions();
        }
        let before = told(incident);
        self.record(Event::DutiesJudged { law_version, facts, changed, ruled_out, gone });
        let lifted = self.lift_decisions();
        lifted || before != told(&self.case.incident)
    }

    /// Whatever was decided on less than is known now is decided again: a person said that nobody is notified, of an
    /// incident that was less severe or of a lower risk. What was notified all the same needs no decision.
    fn lift_decisions(&mut self) -> bool {
        let incident = &self.case.incident;
        let risk = incident.assessed_risk();
        let severity = incident.severity();
        let mut lifted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (regime_id, decision) in &incident.not_notified {
            let is_notified = incident.notifications.contains_key(regime_id);
            let reason = if is_notified {
                continue;
            } else if severity > decision.severity {
                format!(
                    "it was decided when severity was {}; it is {} now",
                    decision.severity.name(),
                    severity.name()
                )
            } else if risk > decision.risk {
                format!(
                    "it was decided when the risk was {}; it is {} now",
                    decision.risk.map_or("not assessed", |risk| risk.words()),
                    risk.map_or("not assessed", |risk| risk.words())
                )
            } else {
                continue;
            };
            lifted.entry(reason).or_default().push(regime_id.clone());
        }
        let is_any = !lifted.is_empty();
        // By their reasons, of which there are few however many duties were decided on.
        for (reason, regime_ids) in lifted {
            self.record(Event::DecisionLifted { regime_ids, reason });
        }
        is_any
    }

    /// Judges, and owes news of what came, went or moved.
    pub(crate) fn judge_and_tell(&mut self) {
        if self.judge() && !self.case.incident.status.is_done() {
            self.owe_news(Stage::DutiesChanged);
        }
    }
}

/// The duties that run or would, with the end of their clocks and whether they only may apply. What is settled is told
/// when it is settled.
fn told(incident: &Incident) -> Told {
    let is_told = |duty: &&Obligation| is_watched(duty) && !incident.is_settled(&duty.regime_id);
    incident
        .obligations
        .iter()
        .filter(is_told)
        .filter_map(|duty| {
            let clock = Clock::of(duty)?;
            Some((duty.regime_id.clone(), (clock.ends_at, clock.is_possible)))
        })
        .collect()
}

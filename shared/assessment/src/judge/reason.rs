//! The signals of a day: lines that broke one rule, added up, weighed, and put in one sentence.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use eventlog::{
    event_type::Witness,
    row::{Hour, Operation},
    tls::TlsProtocol,
};

use super::{
    Bench, EVIDENCE_MAX,
    line::{Line, Told},
    volume::Breach,
    witness::told_by_others,
};
use crate::{
    findings::{DataCategory, Rule, Signal},
    registry::{Hours, Purpose},
    weights::{Touched, touches},
    words::{between, channel_name, count, counted, did, listed},
};

impl<'a> Bench<'a> {
    pub(super) fn signals(&self, lines: &[Line<'a>], breaches: &[Breach<'a>]) -> Vec<Signal> {
        let rules: BTreeSet<Rule> =
            lines.iter().flat_map(|line| line.rules.iter().copied()).collect();
        rules
            .into_iter()
            .filter_map(|rule| {
                let gathered = Gathered::of(rule, lines)?;
                let worst = breaches.iter().filter(|breach| breach.rule == rule).max_by_key(
                    // The earliest of equals.
                    |breach| {
                        (breach.weight, std::cmp::Reverse((breach.hour, &breach.purpose.name)))
                    },
                );
                let weight =
                    worst.map_or_else(|| gathered.touched.weight(rule), |breach| breach.weight);
                let reason = match worst {
                    Some(worst) => {
                        let over = breaches.iter().filter(|breach| breach.rule == rule).count();
                        worst.sentence(over)
                    }
                    None => self.sentence(rule, &gathered),
                };
                Some(gathered.into_signal(rule, weight, reason))
            })
            .collect()
    }

    pub(super) fn sentence(&self, rule: Rule, gathered: &Gathered<'_>) -> String {
        let did = gathered.verbs();
        let objects = listed(gathered.objects.iter().map(String::as_str));
        let tail = gathered.tail();
        let purpose = gathered.purpose_words();
        match rule {
            Rule::ObjectOutsidePurpose => {
                let one = self.registered.is_some_and(|agent| agent.purposes.len() == 1);
                let none = if one || gathered.declared {
                    format!("which {purpose} does not name")
                } else {
                    "which none of its purposes names".to_owned()
                };
                format!("{did} {objects}, {none}: {tail}.")
            }
            Rule::OperationOutsidePurpose => {
                format!("{did} {objects}, an operation that {purpose} does not allow: {tail}.")
            }
            Rule::ChannelOutsidePurpose => {
                let channels: Vec<&str> = gathered.channels.iter().copied().collect();
                format!(
                    "{did} {objects} by {}, a way that {purpose} does not allow: {tail}.",
                    channels.join(" and ")
                )
            }
            Rule::OutsideHours => {
                let hours: BTreeSet<String> = gathered
                    .purposes
                    .iter()
                    .filter_map(|purpose| purpose.hours.as_ref())
                    .map(Hours::describe)
                    .collect();
                let hours: Vec<&str> = hours.iter().map(String::as_str).collect();
                format!(
                    "{did} {objects} outside the hours declared for it ({}): {tail}.",
                    hours.join("; ")
                )
            }
            Rule::WrongOrg => format!(
                "{did} {objects} in org {}, where it is not registered to work: {tail}.",
                self.org_id
            ),
            Rule::NoPurpose => {
                format!("{did} {objects} although no purpose is registered for it: {tail}.")
            }
            Rule::OutdatedTls => gathered.outdated_tls(),
            Rule::UndeclaredAgent | Rule::RecordsPerHour | Rule::RecordsPerDay => {
                format!("{did} {objects} although nobody has registered this agent: {tail}.")
            }
        }
    }
}

/// The lines that broke one rule, added up.
pub(super) struct Gathered<'a> {
    objects: BTreeSet<String>,
    operations: BTreeSet<Operation>,
    /// Those that some record was counted for.
    counted_operations: BTreeSet<Operation>,
    channels: BTreeSet<&'static str>,
    purposes: Vec<&'a Purpose>,
    /// The identity itself declares the purpose.
    declared: bool,
    touched: Touched,
    row_count: u64,
    record_count: u64,
    uncounted_row_count: u64,
    /// Rows of logs that count records: each is a call, while an echo repeats one.
    call_count: u64,
    tls_protocols: BTreeSet<TlsProtocol>,
    cipher_suites: BTreeSet<String>,
    logins: BTreeMap<(Hour, Witness), u64>,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    evidence: BTreeSet<String>,
}

impl<'a> Gathered<'a> {
    pub(super) fn of(rule: Rule, lines: &[Line<'a>]) -> Option<Self> {
        let lines: Vec<&Line<'a>> =
            lines.iter().filter(|line| line.rules.contains(&rule)).collect();
        let first = lines.first()?;
        let mut gathered = Self {
            objects: BTreeSet::new(),
            operations: BTreeSet::new(),
            counted_operations: BTreeSet::new(),
            channels: BTreeSet::new(),
            purposes: Vec::new(),
            declared: false,
            touched: Touched::default(),
            row_count: 0,
            record_count: 0,
            uncounted_row_count: 0,
            call_count: 0,
            tls_protocols: BTreeSet::new(),
            cipher_suites: BTreeSet::new(),
            logins: BTreeMap::new(),
            first_at: first.tally.first_at,
            last_at: first.tally.last_at,
            evidence: BTreeSet::new(),
        };
        for (line, told) in lines.iter().zip(told_by_others(&lines)) {
            gathered.add(rule, line, told);
        }
        Some(gathered)
    }

    fn add(&mut self, rule: Rule, line: &Line<'a>, told: Told) {
        let rows = line.succeeded_row_count();
        let records = line.record_count_beside(told);
        let uncounted = line.uncounted_row_count_beside(told);
        self.row_count = self.row_count.saturating_add(rows);
        let logins = self.logins.entry((line.hour, line.witness)).or_default();
        *logins = logins.saturating_add(rows);
        self.record_count = self.record_count.saturating_add(records);
        self.uncounted_row_count = self.uncounted_row_count.saturating_add(uncounted);
        if line.counts_records {
            self.call_count = self.call_count.saturating_add(rows);
        }
        self.operations.insert(line.operation());
        if records > 0 {
            self.counted_operations.insert(line.operation());
        }
        self.channels.insert(channel_name(line.tally.key.channel));
        self.tls_protocols.extend(line.tally.key.tls_protocol);
        self.cipher_suites.extend(line.tally.cipher_suites.iter().cloned());
        self.first_at = self.first_at.min(line.tally.first_at);
        self.last_at = self.last_at.max(line.tally.last_at);
        self.evidence.extend(line.tally.evidence.iter().cloned());
        while self.evidence.len() > EVIDENCE_MAX {
            self.evidence.pop_last();
        }
        if let Some(purpose) = line.purpose {
            self.declared |= line.tally.key.purpose.as_deref() == Some(&*purpose.name);
            if !self.purposes.iter().any(|known| known.name == purpose.name) {
                self.purposes.push(purpose);
                self.purposes.sort_by(|left, right| left.name.cmp(&right.name));
            }
        }
        let only_outside = rule == Rule::ObjectOutsidePurpose;
        let at_least = records.saturating_add(uncounted);
        for object in &line.objects {
            if only_outside && !line.outside.contains(&object.name) {
                continue;
            }
            self.objects.insert(object.name.clone());
            if line.touches() {
                self.touched.add(line.operation(), object.category(), at_least);
            }
        }
        if line.unnamed && !only_outside && line.touches() {
            self.touched.add(line.operation(), DataCategory::ContactIdentity, at_least);
        }
        if !line.touches() {
            self.touched.add(line.operation(), DataCategory::NonPersonal, 0);
        }
    }

    /// `Read and exported`: what records were counted for, or else what touched some, or else all of it.
    pub(super) fn verbs(&self) -> String {
        let of = |wanted: fn(Operation) -> bool| -> Vec<&'static str> {
            self.operations
                .iter()
                .filter(|operation| wanted(**operation))
                .map(|operation| did(*operation))
                .collect()
        };
        let touching = of(touches);
        let all = if !self.counted_operations.is_empty() {
            self.counted_operations.iter().map(|operation| did(*operation)).collect()
        } else if touching.is_empty() {
            of(|_| true)
        } else {
            touching
        };
        match all.as_slice() {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first, between @ .., last] => {
                let mut words = (*first).to_owned();
                for verb in between {
                    words.push_str(", ");
                    words.push_str(&verb.to_lowercase());
                }
                words.push_str(" and ");
                words.push_str(&last.to_lowercase());
                words
            }
        }
    }

    /// `9,312 records in 41 calls between 09:12 and 10:47 UTC`.
    pub(super) fn tail(&self) -> String {
        let when = between(self.first_at, self.last_at);
        if self.call_count == 0 {
            let rows = counted(self.row_count, "log entry").replace("entrys", "entries");
            return format!("{rows} that count no records, {when}");
        }
        let calls = counted(self.call_count, "call");
        let uncounted = match self.uncounted_row_count {
            0 => String::new(),
            rows => format!(", {} of them without a count of records", count(rows)),
        };
        if self.record_count == 0 {
            return format!("{calls}{uncounted}, {when}");
        }
        format!("{} in {calls}{uncounted} {when}", counted(self.record_count, "record"))
    }

    /// Logins that several witnesses tell of count once: in each hour as many as the one says that says most.
    fn login_count(&self) -> u64 {
        let mut hours: BTreeMap<Hour, u64> = BTreeMap::new();
        for ((hour, _), rows) in &self.logins {
            let most = hours.entry(*hour).or_default();
            *most = (*most).max(*rows);
        }
        hours.into_values().sum()
    }

    fn outdated_tls(&self) -> String {
        let protocols = listed(self.tls_protocols.iter().map(|protocol| protocol.name()));
        let cipher_suites = match self.cipher_suites.len() {
            0 => String::new(),
            1 => {
                format!(", cipher suite {}", listed(self.cipher_suites.iter().map(String::as_str)))
            }
            _ => {
                format!(", cipher suites {}", listed(self.cipher_suites.iter().map(String::as_str)))
            }
        };
        format!(
            "Logged in over {protocols}{cipher_suites}, although connections below TLS 1.2 no longer count as \
             secure: {} {}.",
            counted(self.login_count(), "login"),
            between(self.first_at, self.last_at)
        )
    }

    pub(super) fn purpose_words(&self) -> String {
        match self.purposes.as_slice() {
            [purpose] => format!("its purpose {}", purpose.name),
            _ => "any of its purposes".to_owned(),
        }
    }

    pub(super) fn into_signal(self, rule: Rule, weight: u32, reason: String) -> Signal {
        let row_count = if rule == Rule::OutdatedTls { self.login_count() } else { self.row_count };
        Signal {
            rule,
            weight,
            reason,
            objects: self.objects,
            row_count,
            record_count: self.record_count,
            first_at: self.first_at,
            last_at: self.last_at,
            evidence: self.evidence,
        }
    }
}

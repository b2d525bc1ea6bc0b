//! One agent's day in one org: tallies in, verdicts and signals out.
//!
//! Each tally line is held against the purposes of its agent. It is covered when one purpose allows its
//! objects, operation, channel and time together. Otherwise the rules that the best-fitting purpose breaks
//! are reported: fewest objects outside it first, then operation, then channel, then hours.
//!
//! - **Refused rows** touched nothing: they are compliant, and no rule is broken by them.
//! - **Echoes** (`ApiTotalUsage`, `UniqueQuery`, `BulkApiRequest`, `Login`) repeat calls that other logs
//!   count. They add no records and no volume, and are judged by object and operation only as far as they
//!   name them; the door they came through is the counted call's.
//! - **Logins** touch nothing. What is judged of them is the org, and the connection: RFC 8996 deprecates all of
//!   TLS below 1.2, whoever the agent is and whatever it is for.
//! - **Witnesses**: an access that an Event Log File, a real-time event and a gateway tell of counts once. Of the lines of
//!   one hour that touched the same objects through the same door and were judged alike, those of the witness with most
//!   records stand.
//! - **Volume** is summed by purpose, UTC hour and UTC day over the lines whose objects the purpose names and
//!   that fit it best. Once an hour's limit is passed, all its allowed accesses are in violation, since nobody
//!   can say which were within; of a day, those from the hour on in which the limit is passed. Accesses that
//!   the purpose does not allow anyway count too, but never push allowed ones over.

mod exposure;
mod fit;
mod line;
mod reason;
mod volume;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use eventlog::{
    attribution::AgentKey,
    row::Operation,
    tally::{AgentHour, TallyLine},
    tls::TlsProtocol,
};

pub(crate) use self::exposure::trim;
use self::{
    exposure::exposures,
    fit::Fit,
    line::{Line, SeenObject, Told},
    volume::volume_breaches,
    witness::{compare_witnesses, compare_witnesses_of_violations},
};
use crate::{
    configuration::Configuration,
    data_map::{DataMap, is_object_name, is_wildcard, singular_names},
    findings::{DataCategory, DayFindings, GapReason, Rule},
    registry::{Agent, Purpose},
    weights::SCORING_VERSION,
};

/// Hashes that a signal keeps as evidence.
pub(crate) const EVIDENCE_MAX: usize = 10;
/// Record ids that an exposure keeps, the smallest ones.
pub(crate) const RECORD_IDS_MAX: usize = 10_000;
/// Most record ids of all objects together. Compressed they are 4 to 5 bytes each.
pub(crate) const ALL_RECORD_IDS_MAX: usize = 40_000;
/// Most fields of all objects together.
pub(crate) const ALL_FIELDS_MAX: usize = 5_000;
/// Fields that an exposure keeps.
pub(crate) const FIELDS_MAX: usize = 500;
/// Stands in exposures for the object of rows that name none. No object can bear it as its name.
pub const UNNAMED_OBJECT: &str = "(not named)";

/// Judges one UTC day of one agent in one org. A pure function of the set of `hours`: their order does not
/// show. Each event type and hour may be there once; hours of other agents, orgs and days are left out.
pub fn judge_day(
    configuration: &Configuration,
    org_id: &str,
    agent: &AgentKey,
    day: NaiveDate,
    hours: &[AgentHour],
) -> DayFindings {
    let bench = Bench::new(configuration, org_id, agent);
    let mut hours: Vec<&AgentHour> = hours
        .iter()
        .filter(|hour| {
            hour.org_id == org_id && hour.agent == *agent && hour.hour.start().date_naive() == day
        })
        .collect();
    hours.sort_by_key(|hour| (hour.hour, hour.event_type));
    let mut lines: Vec<Line<'_>> = hours
        .iter()
        .flat_map(|hour| hour.lines.iter().map(|line| bench.line(hour, line)))
        .collect();
    compare_witnesses(&mut lines);
    let breaches = volume_breaches(&mut lines);
    compare_witnesses_of_violations(&mut lines);
    let mut findings = DayFindings {
        org_id: org_id.to_owned(),
        agent: agent.clone(),
        day,
        row_count: 0,
        verdicts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        suspect_row_count: 0,
        suspect_record_count: 0,
        unsure_row_counts: BTreeMap::new(),
        signals: bench.signals(&lines, &breaches),
        exposures: exposures(&lines),
        scoring_version: SCORING_VERSION.to_owned(),
    };
    for line in &lines {
        line.count_into(&mut findings);
    }
    findings
}

/// What a day is judged by.
struct Bench<'a> {
    data_map: &'a DataMap,
    org_id: &'a str,
    registered: Option<&'a Agent>,
    org_known: bool,
}

impl<'a> Bench<'a> {
    fn new(configuration: &'a Configuration, org_id: &'a str, agent: &AgentKey) -> Self {
        Self {
            data_map: &configuration.data_map,
            org_id,
            registered: configuration.registry.agent(agent),
            org_known: configuration.org(org_id).is_some(),
        }
    }

    fn line(&self, hour: &'a AgentHour, tally: &'a TallyLine) -> Line<'a> {
        let objects = self.objects(tally);
        let names = tally.key.objects.len();
        let unnamed = names == 0 || tally.key.objects.iter().any(|name| !is_object_name(name));
        let mut line = Line {
            tally,
            hour: hour.hour,
            counts_records: hour.event_type.counts_records(),
            witness: hour.event_type.witness(),
            told: Told::Nothing,
            told_of_violation: Told::Nothing,
            objects,
            unnamed,
            rules: BTreeSet::new(),
            outside: BTreeSet::new(),
            purpose: None,
            counts_for: None,
            gaps: BTreeSet::new(),
        };
        self.judge(&mut line);
        line
    }

    fn judge(&self, line: &mut Line<'a>) {
        if !self.org_known {
            line.gaps.insert(GapReason::UnknownOrg);
        }
        if line.succeeded_row_count() > 0 && is_outdated(line.tally.key.tls_protocol) {
            line.rules.insert(Rule::OutdatedTls);
        }
        let Some(agent) = self.registered else {
            line.gaps.insert(GapReason::UnregisteredAgent);
            let personal = line.category() != DataCategory::NonPersonal;
            if line.succeeded_row_count() > 0 && line.touches() && personal {
                line.rules.insert(Rule::UndeclaredAgent);
            }
            self.note_unclassified(line);
            return;
        };
        if line.succeeded_row_count() == 0 || !self.org_known {
            return;
        }
        if !agent.orgs.contains(self.org_id) {
            line.rules.insert(Rule::WrongOrg);
        } else if line.operation() == Operation::Login {
            // A session is no access yet: what is done in it is judged by its own rows.
        } else if agent.purposes.is_empty() {
            line.rules.insert(Rule::NoPurpose);
        } else {
            Self::hold_against_purposes(agent, line);
        }
        if line.rules.is_empty() {
            Self::note_gaps(line);
        } else {
            self.note_unclassified(line);
        }
    }

    fn hold_against_purposes(agent: &'a Agent, line: &mut Line<'a>) {
        let declared = line.tally.key.purpose.as_deref();
        let declared: Vec<&Purpose> =
            agent.purposes.iter().filter(|purpose| Some(&*purpose.name) == declared).collect();
        // A purpose that the registry no longer has leaves all of them.
        let candidates =
            if declared.is_empty() { agent.purposes.iter().collect() } else { declared };
        let fits: Vec<Fit<'a>> =
            candidates.into_iter().map(|purpose| Fit::of(purpose, line)).collect();
        line.counts_for = fits
            .iter()
            .filter(|fit| fit.outside.is_empty())
            .min_by_key(|fit| fit.lasting_rank())
            .map(|fit| (fit.purpose, !fit.operation_outside && !fit.channel_outside));
        let Some(fit) = fits.iter().min_by_key(|fit| fit.rank()) else { return };
        line.purpose = Some(fit.purpose);
        if !fit.outside.is_empty() {
            line.rules.insert(Rule::ObjectOutsidePurpose);
        }
        if fit.operation_outside {
            line.rules.insert(Rule::OperationOutsidePurpose);
        }
        if fit.channel_outside {
            line.rules.insert(Rule::ChannelOutsidePurpose);
        }
        if fit.hours_outside {
            line.rules.insert(Rule::OutsideHours);
        }
        line.outside.clone_from(&fit.outside);
    }

    fn note_gaps(line: &mut Line<'_>) {
        let returns_records = matches!(line.operation(), Operation::Read | Operation::Export);
        if line.operation() == Operation::Other && line.counts_records {
            line.gaps.insert(GapReason::OperationNotNamed);
        }
        if line.unnamed && line.counts_records && line.operation() != Operation::Describe {
            line.gaps.insert(GapReason::ObjectNotNamed);
        }
        let limited = line.purpose.is_some_and(|purpose| {
            purpose.records_per_hour.is_some() || purpose.records_per_day.is_some()
        });
        if limited && returns_records && line.uncounted_row_count() > 0 {
            line.gaps.insert(GapReason::RecordsNotCounted);
        }
    }

    /// The judgement of a violation rests on what the object holds, so that not knowing it is told.
    fn note_unclassified(&self, line: &mut Line<'_>) {
        if line.objects.iter().any(|object| self.data_map.object(&object.name).category.is_none()) {
            line.gaps.insert(GapReason::UnclassifiedObject);
        }
    }

    fn objects(&self, tally: &TallyLine) -> Vec<SeenObject> {
        let mut objects: BTreeMap<String, SeenObject> = BTreeMap::new();
        for named in tally.key.objects.iter().filter(|name| is_object_name(name)) {
            let name = self.object_meant(named);
            let fields = tally.fields.iter().filter_map(|field| {
                let (owner, rest) = field.split_once('.')?;
                let plain = rest.chars().all(|character| {
                    character.is_ascii_alphanumeric() || character == '_' || character == '.'
                });
                let own = owner.eq_ignore_ascii_case(named) || owner.eq_ignore_ascii_case(&name);
                (own && (plain || is_wildcard(rest))).then(|| format!("{name}.{rest}"))
            });
            let fields: BTreeSet<String> = fields.collect();
            let seen = objects.entry(name.clone()).or_insert_with(|| SeenObject {
                name,
                known: None,
                fields: BTreeSet::new(),
            });
            seen.fields.extend(fields);
            seen.known = self.data_map.exposed(&seen.name, &seen.fields);
        }
        objects.into_values().collect()
    }

    /// The object that a name means: itself, or what a relationship of that name leads to.
    fn object_meant(&self, named: &str) -> String {
        let of_purpose = |name: &str| {
            let purposes = self.registered.map_or(&[][..], |agent| &agent.purposes);
            purposes
                .iter()
                .flat_map(|purpose| &purpose.objects)
                .find(|object| object.eq_ignore_ascii_case(name))
                .cloned()
        };
        let meant = |name: &str| {
            of_purpose(name).or_else(|| self.data_map.knows(name).then(|| name.to_owned()))
        };
        meant(named)
            .or_else(|| singular_names(named).iter().find_map(|name| meant(name)))
            .unwrap_or_else(|| named.to_owned())
    }
}

/// Whether the protocol is known and below TLS 1.2.
fn is_outdated(protocol: Option<TlsProtocol>) -> bool {
    protocol.is_some_and(|protocol| protocol < TlsProtocol::Tls12)
}

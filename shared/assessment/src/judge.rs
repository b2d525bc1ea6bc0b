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
//! - **Volume** is summed by purpose, UTC hour and UTC day over the lines whose objects the purpose names and
//!   that fit it best. Once an hour's limit is passed, all its allowed accesses are in violation, since nobody
//!   can say which were within; of a day, those from the hour on in which the limit is passed. Accesses that
//!   the purpose does not allow anyway count too, but never push allowed ones over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{
    attribution::AgentKey,
    row::{Channel, Hour, Operation},
    tally::{AgentHour, TallyLine},
};

use crate::{
    configuration::Configuration,
    data_map::{DataMap, is_object_name, singular_names},
    findings::{DataCategory, DayFindings, GapReason, ObjectExposure, Rule, Signal, Verdict},
    registry::{Agent, Purpose},
    weights::{SCORING_VERSION, Touched, ratio_milli, touches, volume_weight},
    words::{between, channel_name, count, counted, did, listed},
};

/// Hashes that a signal keeps as evidence.
pub(crate) const EVIDENCE_MAX: usize = 10;
/// Record ids that an exposure keeps, the smallest ones.
pub(crate) const RECORD_IDS_MAX: usize = 10_000;
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
    let breaches = volume_breaches(&mut lines);
    let mut findings = DayFindings {
        org_id: org_id.to_owned(),
        agent: agent.clone(),
        day,
        row_count: 0,
        verdicts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        suspect_row_count: 0,
        suspect_record_count: 0,
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

/// An object that a line names.
struct SeenObject {
    name: String,
    /// Its category or its worst field's; `None` where the data map knows neither.
    known: Option<DataCategory>,
    fields: BTreeSet<String>,
}

impl SeenObject {
    /// What is unknown is never taken for non-personal.
    fn category(&self) -> DataCategory {
        self.known.unwrap_or(DataCategory::ContactIdentity)
    }
}

/// A tally line with what was found about it.
struct Line<'a> {
    tally: &'a TallyLine,
    hour: Hour,
    /// False for echoes.
    counts_records: bool,
    objects: Vec<SeenObject>,
    /// The row names no object, or one that cannot be an object's name.
    unnamed: bool,
    rules: BTreeSet<Rule>,
    /// Objects that the best-fitting purpose does not name.
    outside: BTreeSet<String>,
    /// The purpose that fits best.
    purpose: Option<&'a Purpose>,
    /// The purpose whose limits the records count against, and whether it allows the access. Hours do not choose it: the hour's first and last
    /// row move as it fills, and records that moved to another limit with them could lower a weight.
    counts_for: Option<(&'a Purpose, bool)>,
    gaps: BTreeSet<GapReason>,
}

impl Line<'_> {
    fn operation(&self) -> Operation {
        self.tally.key.operation
    }

    fn succeeded_row_count(&self) -> u64 {
        self.tally.row_count.saturating_sub(self.tally.failed_row_count)
    }

    fn record_count(&self) -> u64 {
        if self.counts_records { self.tally.record_count } else { 0 }
    }

    fn uncounted_row_count(&self) -> u64 {
        if self.counts_records { self.tally.uncounted_row_count } else { 0 }
    }

    /// The worst category that the line touches.
    fn category(&self) -> DataCategory {
        let unnamed = self.unnamed.then_some(DataCategory::ContactIdentity);
        self.objects
            .iter()
            .map(SeenObject::category)
            .chain(unnamed)
            .max()
            .unwrap_or(DataCategory::NonPersonal)
    }

    /// Whether records left, changed or appeared by these rows. A row that names neither object nor
    /// operation says nothing of the kind.
    fn touches(&self) -> bool {
        match self.operation() {
            Operation::Other => !self.objects.is_empty(),
            operation => touches(operation),
        }
    }

    fn is_unregistered(&self) -> bool {
        self.gaps.contains(&GapReason::UnregisteredAgent)
    }

    fn count_into(&self, findings: &mut DayFindings) {
        let rows = self.tally.row_count;
        let succeeded = self.succeeded_row_count();
        let undecided_agent = self.is_unregistered() || self.gaps.contains(&GapReason::UnknownOrg);
        let (violation, gap) = if undecided_agent {
            (0, rows)
        } else if !self.rules.is_empty() {
            (succeeded, 0)
        } else if self.gaps.contains(&GapReason::ObjectNotNamed)
            || self.gaps.contains(&GapReason::OperationNotNamed)
        {
            (0, succeeded)
        } else if self.gaps.contains(&GapReason::RecordsNotCounted) {
            (0, self.uncounted_row_count().min(succeeded))
        } else {
            (0, 0)
        };
        let compliant = rows.saturating_sub(violation).saturating_sub(gap);
        findings.row_count = findings.row_count.saturating_add(rows);
        for (verdict, rows) in
            [(Verdict::Compliant, compliant), (Verdict::Gap, gap), (Verdict::Violation, violation)]
        {
            if rows > 0 {
                add(&mut findings.verdicts, verdict, rows);
            }
        }
        for reason in &self.gaps {
            let rows = match reason {
                GapReason::UnregisteredAgent | GapReason::UnknownOrg => rows,
                GapReason::RecordsNotCounted => self.uncounted_row_count(),
                _ => succeeded,
            };
            if rows > 0 {
                add(&mut findings.gaps, *reason, rows);
            }
        }
        if !self.rules.is_empty() {
            findings.suspect_row_count = findings.suspect_row_count.saturating_add(succeeded);
            findings.suspect_record_count =
                findings.suspect_record_count.saturating_add(self.record_count());
        }
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, more: u64) {
    let known = counts.entry(key).or_default();
    *known = known.saturating_add(more);
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
                (own && plain).then(|| format!("{name}.{rest}"))
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

    fn signals(&self, lines: &[Line<'a>], breaches: &[Breach<'a>]) -> Vec<Signal> {
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

    fn sentence(&self, rule: Rule, gathered: &Gathered<'_>) -> String {
        let did = verbs(&gathered.operations);
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
                    .map(crate::registry::Hours::describe)
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
            Rule::UndeclaredAgent | Rule::RecordsPerHour | Rule::RecordsPerDay => {
                format!("{did} {objects} although nobody has registered this agent: {tail}.")
            }
        }
    }
}

/// How a purpose fits a line.
struct Fit<'a> {
    purpose: &'a Purpose,
    outside: BTreeSet<String>,
    operation_outside: bool,
    channel_outside: bool,
    hours_outside: bool,
}

impl<'a> Fit<'a> {
    fn of(purpose: &'a Purpose, line: &Line<'_>) -> Self {
        let allowed =
            |name: &str| purpose.objects.iter().any(|object| object.eq_ignore_ascii_case(name));
        let outside = line
            .objects
            .iter()
            .filter(|object| !allowed(&object.name))
            .map(|object| object.name.clone())
            .collect();
        let operation = line.operation();
        let channel = line.tally.key.channel;
        let is_echo_channel =
            matches!(channel, Channel::ApiUsage | Channel::Query | Channel::Login);
        let (first, last) = (line.tally.first_at, line.tally.last_at);
        Self {
            purpose,
            outside,
            operation_outside: operation != Operation::Other
                && !purpose.operations.contains(&operation),
            channel_outside: !is_echo_channel
                && purpose.channels.as_ref().is_some_and(|channels| !channels.contains(&channel)),
            hours_outside: purpose
                .hours
                .as_ref()
                .is_some_and(|hours| !hours.contain_all(first, last)),
        }
    }

    /// The smallest fits best. Hours decide only between purposes that fit in all else.
    fn rank(&self) -> impl Ord + use<'a> {
        let (broken, preference) = self.lasting_rank();
        let fits = self.outside.is_empty() && !self.operation_outside && !self.channel_outside;
        (broken, fits && self.hours_outside, preference)
    }

    /// What is broken that stays broken while an hour fills; then, a larger limit before a smaller one.
    fn lasting_rank(&self) -> (impl Ord + use<'a>, impl Ord + use<'a>) {
        let hourly = std::cmp::Reverse(self.purpose.records_per_hour.unwrap_or(u64::MAX));
        let name: &'a str = &self.purpose.name;
        ((self.outside.len(), self.operation_outside, self.channel_outside), (hourly, name))
    }
}

/// A declared number of records that was passed.
struct Breach<'a> {
    rule: Rule,
    purpose: &'a Purpose,
    hour: Hour,
    limit: u64,
    volume: Volume,
    weight: u32,
}

impl Breach<'_> {
    fn sentence(&self, breach_count: usize) -> String {
        let (counted, limit) = (self.volume.counted, self.limit);
        let ratio = ratio_milli(counted, limit);
        let times = format!("{}.{}", count(ratio / 1_000), ratio % 1_000 / 100);
        let purpose = &self.purpose.name;
        let (counted, limit) = (count(counted), count(limit));
        let objects = listed(self.volume.objects.iter().map(String::as_str));
        let did = verbs(&self.volume.operations);
        if self.rule == Rule::RecordsPerDay {
            return format!(
                "{did} {counted} records for its purpose {purpose} in the UTC day, {times} times the declared \
                 {limit}: {objects}."
            );
        }
        let hour = self.hour.start().format("%H:%M");
        let more = match breach_count.saturating_sub(1) {
            0 => String::new(),
            1 => "; 1 other hour was over its limit too".to_owned(),
            more => format!("; {more} other hours were over their limit too"),
        };
        format!(
            "{did} {counted} records for its purpose {purpose} in the hour from {hour} UTC, {times} times the \
             declared {limit}: {objects}{more}."
        )
    }
}

/// Records of one purpose in one hour or one day.
#[derive(Default)]
struct Volume {
    counted: u64,
    /// Those of accesses that the purpose allows.
    allowed: u64,
    category: Option<DataCategory>,
    objects: BTreeSet<String>,
    operations: BTreeSet<Operation>,
}

impl Volume {
    fn add(&mut self, line: &Line<'_>, allowed: bool) {
        let records = line.record_count();
        self.counted = self.counted.saturating_add(records);
        if allowed {
            self.allowed = self.allowed.saturating_add(records);
        }
        self.category = self.category.max(Some(line.category()));
        self.objects.extend(line.objects.iter().map(|object| object.name.clone()));
        self.operations.insert(line.operation());
    }
}

/// Everything of one day that counts for one purpose.
struct PurposeDay<'a> {
    purpose: &'a Purpose,
    hours: BTreeMap<Hour, Volume>,
    day: Volume,
}

impl<'a> PurposeDay<'a> {
    fn is_over(&self, rule: Rule, hour: Hour) -> bool {
        let volume = match rule {
            Rule::RecordsPerHour => self.hours.get(&hour),
            _ => Some(&self.day),
        };
        let limit = limit_of(rule, self.purpose);
        volume.zip(limit).is_some_and(|(volume, limit)| volume.counted > limit)
    }

    /// Whether the allowed accesses of `hour` are by themselves over the limit: of a day, from the hour on in
    /// which they pass it.
    fn is_allowed_over(&self, rule: Rule, hour: Hour) -> bool {
        let allowed = match rule {
            Rule::RecordsPerHour => self.hours.get(&hour).map_or(0, |volume| volume.allowed),
            _ => self
                .hours
                .range(..=hour)
                .fold(0_u64, |sum, (_, volume)| sum.saturating_add(volume.allowed)),
        };
        limit_of(rule, self.purpose).is_some_and(|limit| allowed > limit)
    }

    fn breaches(self) -> Vec<Breach<'a>> {
        let Self { purpose, hours, day } = self;
        let first = hours.keys().next().copied();
        let of_hours = hours.into_iter().map(|(hour, volume)| (Rule::RecordsPerHour, hour, volume));
        let of_day = first.map(|hour| (Rule::RecordsPerDay, hour, day));
        of_hours
            .chain(of_day)
            .filter_map(|(rule, hour, volume)| {
                let limit = limit_of(rule, purpose)?;
                let category = volume.category.unwrap_or(DataCategory::NonPersonal);
                let weight = volume_weight(volume.counted, limit, category);
                (volume.counted > limit).then_some(Breach {
                    rule,
                    purpose,
                    hour,
                    limit,
                    volume,
                    weight,
                })
            })
            .collect()
    }
}

/// Finds the hours and the days in which a purpose's limit was passed, and marks the lines that are over it.
/// Accesses that the purpose does not allow anyway never push allowed ones over: the honest work of an hour
/// stays honest when an export goes wrong beside it.
fn volume_breaches<'a>(lines: &mut [Line<'a>]) -> Vec<Breach<'a>> {
    let mut days: BTreeMap<&'a str, PurposeDay<'a>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.record_count() > 0) {
        let Some((purpose, allowed)) = line.counts_for else { continue };
        let day = days.entry(purpose.name.as_str()).or_insert_with(|| PurposeDay {
            purpose,
            hours: BTreeMap::new(),
            day: Volume::default(),
        });
        day.day.add(line, allowed);
        day.hours.entry(line.hour).or_default().add(line, allowed);
    }
    for line in lines.iter_mut().filter(|line| line.record_count() > 0) {
        let Some((purpose, allowed)) = line.counts_for else { continue };
        let Some(day) = days.get(purpose.name.as_str()) else { continue };
        for rule in [Rule::RecordsPerHour, Rule::RecordsPerDay] {
            let over = if allowed {
                day.is_allowed_over(rule, line.hour)
            } else {
                day.is_over(rule, line.hour)
            };
            if over {
                line.rules.insert(rule);
            }
        }
    }
    days.into_values().flat_map(PurposeDay::breaches).collect()
}

fn limit_of(rule: Rule, purpose: &Purpose) -> Option<u64> {
    match rule {
        Rule::RecordsPerHour => purpose.records_per_hour,
        Rule::RecordsPerDay => purpose.records_per_day,
        _ => None,
    }
}

/// The lines that broke one rule, added up.
struct Gathered<'a> {
    objects: BTreeSet<String>,
    operations: BTreeSet<Operation>,
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
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    evidence: BTreeSet<String>,
}

impl<'a> Gathered<'a> {
    fn of(rule: Rule, lines: &[Line<'a>]) -> Option<Self> {
        let mut lines = lines.iter().filter(|line| line.rules.contains(&rule)).peekable();
        let first = lines.peek()?;
        let mut gathered = Self {
            objects: BTreeSet::new(),
            operations: BTreeSet::new(),
            channels: BTreeSet::new(),
            purposes: Vec::new(),
            declared: false,
            touched: Touched::default(),
            row_count: 0,
            record_count: 0,
            uncounted_row_count: 0,
            call_count: 0,
            first_at: first.tally.first_at,
            last_at: first.tally.last_at,
            evidence: BTreeSet::new(),
        };
        for line in lines {
            gathered.add(rule, line);
        }
        Some(gathered)
    }

    fn add(&mut self, rule: Rule, line: &Line<'a>) {
        let rows = line.succeeded_row_count();
        let (records, uncounted) = (line.record_count(), line.uncounted_row_count());
        self.row_count = self.row_count.saturating_add(rows);
        self.record_count = self.record_count.saturating_add(records);
        self.uncounted_row_count = self.uncounted_row_count.saturating_add(uncounted);
        if line.counts_records {
            self.call_count = self.call_count.saturating_add(rows);
        }
        self.operations.insert(line.operation());
        self.channels.insert(channel_name(line.tally.key.channel));
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

    /// `9,312 records in 41 calls between 09:12 and 10:47 UTC`.
    fn tail(&self) -> String {
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

    fn purpose_words(&self) -> String {
        match self.purposes.as_slice() {
            [purpose] => format!("its purpose {}", purpose.name),
            _ => "any of its purposes".to_owned(),
        }
    }

    fn into_signal(self, rule: Rule, weight: u32, reason: String) -> Signal {
        Signal {
            rule,
            weight,
            reason,
            objects: self.objects,
            row_count: self.row_count,
            record_count: self.record_count,
            first_at: self.first_at,
            last_at: self.last_at,
            evidence: self.evidence,
        }
    }
}

/// `Read and exported`: what touched records, or else what did not.
fn verbs(operations: &BTreeSet<Operation>) -> String {
    let of = |wanted: bool| -> Vec<&'static str> {
        operations
            .iter()
            .filter(|operation| touches(**operation) == wanted)
            .map(|operation| did(*operation))
            .collect()
    };
    let touching = of(true);
    let all = if touching.is_empty() { of(false) } else { touching };
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

/// What the lines in violation exposed, by object. A line counts once, however many rules it broke.
fn exposures(lines: &[Line<'_>]) -> BTreeMap<String, ObjectExposure> {
    let mut exposures: BTreeMap<String, ObjectExposure> = BTreeMap::new();
    let mut echoed: BTreeMap<String, ObjectExposure> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.rules.is_empty() && line.touches()) {
        // Objects that the purpose names stay out where the object alone was wrong.
        let object_alone = line.rules.iter().all(|rule| *rule == Rule::ObjectOutsidePurpose);
        let into = if line.counts_records { &mut exposures } else { &mut echoed };
        for object in &line.objects {
            if object_alone && !line.outside.contains(&object.name) {
                continue;
            }
            let exposure = into.entry(object.name.clone()).or_default();
            expose(exposure, line);
            exposure.category = exposure.category.max(object.known);
            exposure.fields.extend(object.fields.iter().cloned());
        }
        if line.objects.is_empty() && line.unnamed {
            expose(into.entry(UNNAMED_OBJECT.to_owned()).or_default(), line);
        }
    }
    // Where only echoes tell of an object, nobody has counted; where calls do, echoes add what they name.
    for (object, echo) in echoed {
        if object == UNNAMED_OBJECT && !exposures.is_empty() {
            continue;
        }
        if let Some(exposure) = exposures.get_mut(&object) {
            exposure.category = exposure.category.max(echo.category);
            exposure.fields.extend(echo.fields);
        } else {
            let uncounted_row_count = echo.row_count;
            exposures.insert(object, ObjectExposure { uncounted_row_count, ..echo });
        }
    }
    for exposure in exposures.values_mut() {
        trim(exposure);
    }
    exposures
}

fn expose(exposure: &mut ObjectExposure, line: &Line<'_>) {
    exposure.row_count = exposure.row_count.saturating_add(line.succeeded_row_count());
    exposure.record_count = exposure.record_count.saturating_add(line.record_count());
    exposure.uncounted_row_count =
        exposure.uncounted_row_count.saturating_add(line.uncounted_row_count());
    if line.counts_records {
        exposure.largest_record_count =
            exposure.largest_record_count.max(line.tally.largest_record_count);
        // The ids of a row that names several objects cannot be told apart.
        if line.objects.len() <= 1 {
            exposure.record_ids.extend(line.tally.record_ids.iter().cloned());
            exposure.record_ids_cut |= line.tally.record_ids_cut;
        }
    }
}

/// Holds an exposure to its limits, keeping the smallest.
pub(crate) fn trim(exposure: &mut ObjectExposure) {
    while exposure.record_ids.len() > RECORD_IDS_MAX {
        exposure.record_ids.pop_last();
        exposure.record_ids_cut = true;
    }
    while exposure.fields.len() > FIELDS_MAX {
        exposure.fields.pop_last();
    }
}

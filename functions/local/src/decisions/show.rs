//! An incident on a page: what is certain first, then what hangs on answers.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Obligation, Standing, TargetBasis, TriggerKind};
use incident::{Clock, Incident, TimelineEntry};
use ports::RawIncident;
use serde_json::{Value, json};

use super::{
    clocks::{self, Running},
    no_such_incident, words,
    world::World,
};

/// Entries of the timeline that are shown unless all are asked for.
const ENTRIES_MAX: usize = 12;
/// Duties named under a question unless all are asked for.
const NAMED_MAX: usize = 5;
/// Columns of a page.
const COLUMNS: usize = 100;

/// Prints an incident: a page, or what is stored of it with its clocks.
pub(super) async fn show(
    out: &mut impl Write,
    world: &World,
    json: bool,
    incident_id: &incident::IncidentId,
    all: bool,
) -> anyhow::Result<ExitCode> {
    let incidents = &world.ports.incidents;
    let Some(incident) = incidents.incident(incident_id).await? else {
        return Err(no_such_incident(incident_id));
    };
    let now = world.ports.clock.now();
    if json {
        let Some(raw) = incidents.raw(incident_id).await? else {
            return Err(no_such_incident(incident_id));
        };
        writeln!(out, "{}", serde_json::to_string_pretty(&machine(&incident, &raw, now))?)?;
    } else {
        let timeline = incidents.timeline(incident_id).await?;
        let page = Page { incident: &incident, timeline: &timeline, world, now, all };
        page.print(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The clocks, and what is stored, as it is stored: an auditor hashes these entries.
fn machine(incident: &Incident, raw: &RawIncident, now: DateTime<Utc>) -> Value {
    let clocks: Vec<Value> = clocks::running(incident)
        .iter()
        .map(|running| clocks::json(running.clock, &running.duties, now))
        .collect();
    let not_started: Vec<Value> = incident
        .not_started()
        .iter()
        .map(|duty| {
            json!({
                "duty": duty.regime_id,
                "possible": is_possible(duty),
                "starts_at": duty.starts_at,
                "question": duty.gap,
            })
        })
        .collect();
    json!({
        "as_of": crate::report::instant(now),
        "clocks": clocks,
        "not_started": not_started,
        "incident": raw.incident,
        "alerts": raw.alerts,
        "timeline": raw.timeline,
    })
}

/// Everything about one incident.
struct Page<'a> {
    incident: &'a Incident,
    timeline: &'a [TimelineEntry],
    world: &'a World,
    now: DateTime<Utc>,
    all: bool,
}

impl Page<'_> {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        self.head(out)?;
        let (possible, applying): (Vec<_>, Vec<_>) = clocks::running(self.incident)
            .into_iter()
            .partition(|running| running.clock.is_possible);
        self.applying(out, &applying)?;
        self.may_apply(out, &possible)?;
        self.not_started(out)?;
        self.settled(out)?;
        if self.all {
            self.invited(out)?;
            self.coming(out)?;
        }
        self.ruled_out(out)?;
        self.history(out)?;
        writeln!(out, "\nComputed from logs and law data. This is not legal advice.")
    }

    fn head(&self, out: &mut impl Write) -> io::Result<()> {
        let incident = self.incident;
        let bold = Style::new().bold();
        writeln!(
            out,
            "{bold}{}  {}{bold:#}, score {}, {}, revision {}",
            incident.incident_id,
            incident.severity().name().to_uppercase(),
            incident.findings.score,
            incident.status.name(),
            incident.revision
        )?;
        let org = self.world.org_name(&incident.org_id).unwrap_or("an org that is not configured");
        fact(
            out,
            "Agent",
            &format!("{}, in {org} ({})", incident.agent.as_str(), incident.org_id),
        )?;
        fact(out, "Accesses", &self.accesses())?;
        let aware = incident.times.aware.map_or_else(
            || "not on record".to_owned(),
            |aware| {
                let how = match (aware.assumed, incident.moments.get(&TriggerKind::Aware)) {
                    (true, _) => "assumed: nobody has said when; say it with `aware`".to_owned(),
                    (false, Some(said)) => format!("by {}: {}", said.by, said.reason),
                    (false, None) => "as a person said".to_owned(),
                };
                format!("{}, {how}", self.at(aware.at))
            },
        );
        fact(out, "Aware", &aware)?;
        let risk = match &incident.risk {
            Some(risk) => format!("{}, by {}: {}", risk.value.words(), risk.by, risk.reason),
            None => "not assessed; say it with `risk`".to_owned(),
        };
        fact(out, "Risk", &risk)?;
        let contained = match incident.measures.last() {
            Some(measure) => {
                format!("{}, by {}: {}", self.at(measure.value), measure.by, measure.reason)
            }
            None => "nothing on record; say it with `contain`".to_owned(),
        };
        fact(out, "Contained", &contained)?;
        fact(out, "Assigned", incident.assigned_to.as_deref().unwrap_or("to nobody"))?;
        let seen = match incident.acknowledged_at {
            Some(at) => format!("messages last acknowledged {}", self.at(at)),
            None => "nobody has acknowledged a message; do it with `acknowledge`".to_owned(),
        };
        fact(out, "Seen", &seen)?;
        for part in incident.parts.keys() {
            fact(out, "Part", &format!("{part} is part of it"))?;
        }
        if let Some(into) = &incident.merged_into {
            fact(out, "Merged", &format!("it is part of {into}, where its clocks go on"))?;
        }
        if let Some(ended) = &incident.ended {
            fact(
                out,
                "Ended",
                &format!("{}, by {}: {}", self.at(ended.at), ended.by, ended.reason),
            )?;
        }
        Ok(())
    }

    fn accesses(&self) -> String {
        let findings = &self.incident.findings;
        let estimate = &findings.subject_estimate;
        let persons = match estimate.upper {
            Some(upper) => format!("{} to {upper} persons", estimate.lower),
            None => format!("at least {} persons", estimate.lower),
        };
        format!(
            "{} to {}; {} records in {} log rows; {persons}",
            self.at(findings.first_event_at),
            self.at(findings.last_event_at),
            findings.record_count,
            findings.row_count
        )
    }

    fn applying(&self, out: &mut impl Write, clocks: &[Running<'_>]) -> io::Result<()> {
        section(out, "DUTIES THAT APPLY")?;
        if clocks.is_empty() {
            return writeln!(out, "  No clock runs of a duty that is known to apply.");
        }
        for Running { clock, duties } in clocks {
            let style = self.urgency(*clock, duties);
            let words = clocks::words(*clock, self.world.zone(), self.now);
            writeln!(out, "  {style}{words}{style:#}")?;
            for duty in duties {
                writeln!(out, "    {}", duty.regime_id)?;
                let title = format!("{}: {}. Told: {}.", law(duty), duty.title, whom(duty));
                wrapped(out, "      ", &title)?;
                self.notes(out, duty)?;
            }
        }
        Ok(())
    }

    /// What else is to be known of a duty that applies.
    fn notes(&self, out: &mut impl Write, duty: &Obligation) -> io::Result<()> {
        let incident = self.incident;
        let id = &duty.regime_id;
        let mut notes = Vec::new();
        let latest = duty.latest_defensible_at.filter(|latest| Some(*latest) != duty.due_at);
        if let Some(latest) = latest {
            notes.push(format!("The latest end that can be defended: {}.", self.at(latest)));
        }
        if duty.target.is_some_and(|target| target.basis == TargetBasis::Guidance) {
            notes.push("The target is that of the authority's guidance.".to_owned());
        }
        if duty.start_assumed {
            notes.push(format!("Counted from an assumed {}.", duty.starts_at.word()));
        }
        notes.extend(duty.caveats.iter().cloned());
        if let Some(decision) = incident.to_notify.get(id) {
            notes.push(format!(
                "To be notified, decided {} by {}.",
                self.at(decision.at),
                decision.by
            ));
        }
        if let Some(overdue) = incident.overdue_since.get(id) {
            notes.push(format!("Recorded as overdue {}.", self.at(*overdue)));
        }
        if incident.delays.contains_key(id) {
            notes.push("Reasons for the delay are on record.".to_owned());
        }
        if !duty.verified && duty.jurisdiction.as_ref() != "own" {
            notes.push("The law data of this duty was not verified against its source.".to_owned());
        }
        notes.iter().try_for_each(|note| wrapped(out, "      ", note))
    }

    /// The duties that hang on answers, by question, as in the mails: those first that an answer decides by itself.
    fn may_apply(&self, out: &mut impl Write, clocks: &[Running<'_>]) -> io::Result<()> {
        let possible: Vec<(Clock, &Obligation)> = clocks
            .iter()
            .flat_map(|running| running.duties.iter().map(|duty| (running.clock, *duty)))
            .collect();
        if possible.is_empty() {
            return Ok(());
        }
        let mut questions: BTreeMap<&str, Question<'_>> = BTreeMap::new();
        for (clock, duty) in &possible {
            let facts = duty.standing.unknown_facts();
            for fact in facts {
                let question = questions.entry(fact).or_default();
                question.hanging = question.hanging.saturating_add(1);
                if facts.len() == 1 {
                    question.alone.push((*clock, duty));
                }
            }
        }
        let mut questions: Vec<(&str, Question<'_>)> = questions.into_iter().collect();
        questions.sort_by_key(|(fact, question)| {
            let Question { alone, hanging } = question;
            (alone.is_empty(), Reverse((alone.len(), *hanging)), *fact)
        });
        let count = possible.len();
        section(
            out,
            &format!(
                "DUTIES THAT MAY APPLY: {count}, until somebody answers; say it with `fact`, the risk with `risk`"
            ),
        )?;
        let (deciding, joint): (Vec<_>, Vec<_>) =
            questions.iter().partition(|(_, question)| !question.alone.is_empty());
        for (fact, question) in deciding {
            self.question(out, fact, question)?;
        }
        if joint.is_empty() {
            return Ok(());
        }
        if self.all {
            writeln!(out, "  Several answers together:")?;
            for (clock, duty) in
                possible.iter().filter(|(_, duty)| duty.standing.unknown_facts().len() > 1)
            {
                self.possible(out, *clock, duty)?;
                wrapped(
                    out,
                    "        ",
                    &format!("if: {}", duty.standing.unknown_facts().join(", ")),
                )?;
            }
            return Ok(());
        }
        let facts: Vec<String> = joint
            .iter()
            .map(|(fact, question)| format!("{fact} ({})", duties(question.hanging)))
            .collect();
        wrapped(out, "  ", &format!("Together with other answers only: {}", facts.join(", ")))
    }

    fn question(
        &self,
        out: &mut impl Write,
        fact: &str,
        question: &Question<'_>,
    ) -> io::Result<()> {
        let bold = Style::new().bold();
        let Question { alone, hanging } = question;
        let by_itself = match alone.len() {
            by_itself if by_itself == *hanging => duties(by_itself),
            by_itself => format!("{}, {by_itself} by this alone", duties(*hanging)),
        };
        let words = notices::fact_words(fact).map(|words| format!(": {words}")).unwrap_or_default();
        let line = format!("{fact}{words}; {by_itself}");
        let line = textwrap::fill(
            &line,
            textwrap::Options::new(COLUMNS).initial_indent("  ").subsequent_indent("      "),
        );
        let (name, rest) =
            line.split_at_checked(fact.len().saturating_add(2)).unwrap_or((&line, ""));
        writeln!(out, "{bold}{name}{bold:#}{rest}")?;
        let shown = if self.all { alone.len() } else { NAMED_MAX };
        // A limit of the law is not to be hidden behind targets.
        let mut alone = alone.clone();
        alone.sort_by_key(|(clock, _)| (clock.kind, *clock));
        for (clock, duty) in alone.iter().take(shown) {
            self.possible(out, *clock, duty)?;
        }
        let more = alone.len().saturating_sub(shown);
        if more > 0 {
            writeln!(out, "      and {more} more; --all names them")?;
        }
        Ok(())
    }

    /// A duty that may apply, on a line.
    fn possible(&self, out: &mut impl Write, clock: Clock, duty: &Obligation) -> io::Result<()> {
        let dim = if clock.ends_at <= self.now {
            AnsiColor::Red.on_default()
        } else {
            Style::new().dimmed()
        };
        let words = clocks::words(clock, self.world.zone(), self.now);
        writeln!(out, "      {:<30}  {dim}{words}{dim:#}", duty.regime_id)
    }

    fn not_started(&self, out: &mut impl Write) -> io::Result<()> {
        let mut by_moment: BTreeMap<(TriggerKind, &str), Vec<&Obligation>> = BTreeMap::new();
        for duty in self.incident.not_started() {
            let question = duty.gap.as_deref().unwrap_or_default();
            by_moment.entry((duty.starts_at, question)).or_default().push(duty);
        }
        if by_moment.is_empty() {
            return Ok(());
        }
        section(out, "CLOCKS THAT HAVE NOT STARTED, until it is said when")?;
        for ((moment, question), mut waiting) in by_moment {
            waiting.sort_by_key(|duty| (is_possible(duty), duty.regime_id.clone()));
            let certain = waiting.iter().filter(|duty| !is_possible(duty)).count();
            let how = match moment {
                TriggerKind::Aware => "`aware`".to_owned(),
                sending if sending.is_sending() => "`sent`".to_owned(),
                other => format!("`moment {}`", words::moment(other)),
            };
            let standing = match certain {
                0 => "may apply".to_owned(),
                all if all == waiting.len() => "certain".to_owned(),
                some => format!("{some} for certain"),
            };
            writeln!(out, "  {question} {how}: {}, {standing}", duties(waiting.len()))?;
            let shown = if self.all { waiting.len() } else { NAMED_MAX };
            let mut names: Vec<&str> =
                waiting.iter().take(shown).map(|duty| duty.regime_id.as_str()).collect();
            let more = format!("and {} more", waiting.len().saturating_sub(shown));
            if waiting.len() > shown {
                names.push(&more);
            }
            wrapped(out, "      ", &names.join(", "))?;
        }
        Ok(())
    }

    fn settled(&self, out: &mut impl Write) -> io::Result<()> {
        let incident = self.incident;
        if incident.notifications.is_empty() && incident.not_notified.is_empty() {
            return Ok(());
        }
        section(out, "SETTLED")?;
        for (regime_id, sent) in &incident.notifications {
            let late = if incident.was_late(regime_id) { ", LATE" } else { "" };
            for notification in sent {
                let reference = notification.reference.as_ref().map_or_else(
                    || "no reference".to_owned(),
                    |reference| format!("reference {reference}"),
                );
                let line = format!(
                    "{regime_id}: sent {} to {} ({reference}){late}",
                    self.at(notification.sent_at),
                    notification.recipient
                );
                wrapped(out, "  ", &line)?;
                for (name, hash) in &notification.attachments {
                    writeln!(out, "      {name}  {hash}")?;
                }
            }
        }
        for (regime_id, decision) in &incident.not_notified {
            let line = format!(
                "{regime_id}: not notified, decided {} by {}: {}",
                self.at(decision.at),
                decision.by,
                decision.reason
            );
            wrapped(out, "  ", &line)?;
        }
        Ok(())
    }

    /// What the law invites to and does not ask for.
    fn invited(&self, out: &mut impl Write) -> io::Result<()> {
        let invited = self.incident.obligations.iter().filter(|duty| {
            duty.voluntary && matches!(duty.standing, Standing::Applies | Standing::Possible { .. })
        });
        named(out, "INVITED, not asked for", invited.map(|duty| (duty, String::new())).collect())
    }

    fn coming(&self, out: &mut impl Write) -> io::Result<()> {
        let coming = self.incident.obligations.iter().filter_map(|duty| match duty.standing {
            Standing::Coming { from: Some(day) } => Some((duty, format!(", from {day}"))),
            Standing::Coming { from: None } => Some((duty, ", no day is set".to_owned())),
            _ => None,
        });
        named(out, "COMING, not law yet", coming.collect())
    }

    fn ruled_out(&self, out: &mut impl Write) -> io::Result<()> {
        let ruled_out = &self.incident.ruled_out;
        if !self.all {
            return writeln!(
                out,
                "\n{} do not apply; --all says why.",
                duties_other(ruled_out.len())
            );
        }
        section(out, "DUTIES THAT DO NOT APPLY")?;
        for (regime_id, because) in ruled_out {
            wrapped(out, "  ", &format!("{regime_id}: {}", because.join(", ")))?;
        }
        Ok(())
    }

    fn history(&self, out: &mut impl Write) -> io::Result<()> {
        section(out, "TIMELINE")?;
        let hidden = if self.all { 0 } else { self.timeline.len().saturating_sub(ENTRIES_MAX) };
        if hidden > 0 {
            let entries = if hidden == 1 { "entry" } else { "entries" };
            writeln!(out, "  {hidden} earlier {entries}; --all shows them")?;
        }
        let zone = self.world.zone();
        for entry in self.timeline.iter().skip(hidden) {
            let at = entry.at.with_timezone(&zone).format("%-d %b %H:%M");
            let line =
                format!("{:>3}  {at}  {}: {}", entry.sequence, entry.actor, words::of(entry, zone));
            wrapped(out, "  ", &line)?;
        }
        Ok(())
    }

    fn at(&self, at: DateTime<Utc>) -> String {
        clocks::at(at, self.world.zone())
    }

    /// Red where a tenth of the span or less is left, yellow where it is a quarter.
    fn urgency(&self, clock: Clock, duties: &[&Obligation]) -> Style {
        let left = clock.ends_at - self.now;
        let started = duties.iter().filter_map(|duty| duty.started_at).min();
        let span = started.map_or(TimeDelta::zero(), |started| clock.ends_at - started);
        let share_left = |percent: i32| span * percent / 100;
        if left <= share_left(10) {
            AnsiColor::Red.on_default().bold()
        } else if left <= share_left(25) {
            AnsiColor::Yellow.on_default().bold()
        } else {
            Style::new().bold()
        }
    }
}

/// Duties that hang on an answer.
#[derive(Default)]
struct Question<'a> {
    /// On this one and no other, the most urgent first.
    alone: Vec<(Clock, &'a Obligation)>,
    /// On this one, with others or alone.
    hanging: usize,
}

fn is_possible(duty: &Obligation) -> bool {
    matches!(duty.standing, Standing::Possible { .. })
}

/// Article and whose law: many a statute has a name that several countries use.
fn law(duty: &Obligation) -> String {
    match &*duty.jurisdiction {
        "" | "own" => duty.article.to_string(),
        jurisdiction => format!("{} ({jurisdiction})", duty.article),
    }
}

/// The authority by name, where it is one.
fn whom(duty: &Obligation) -> String {
    match duty.authorities.as_slice() {
        [] => duty.who_is_told.to_string(),
        [only] => only.english_name.clone(),
        several => {
            let question = duty.authority_depends_on.join(", ");
            let depends =
                if question.is_empty() { String::new() } else { format!(", by {question}") };
            format!("one of {} authorities{depends}", several.len())
        }
    }
}

/// Duties by name, each with what else is to be said of it.
fn named(out: &mut impl Write, title: &str, named: Vec<(&Obligation, String)>) -> io::Result<()> {
    if named.is_empty() {
        return Ok(());
    }
    section(out, title)?;
    for (duty, more) in named {
        wrapped(out, "  ", &format!("{}: {}{more}", duty.regime_id, law(duty)))?;
    }
    Ok(())
}

fn duties(count: usize) -> String {
    if count == 1 { "1 duty".to_owned() } else { format!("{count} duties") }
}

fn duties_other(count: usize) -> String {
    if count == 1 { "1 other duty".to_owned() } else { format!("{count} other duties") }
}

fn section(out: &mut impl Write, title: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "\n{bold}{title}{bold:#}")
}

/// A line of the head.
fn fact(out: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    let first = format!("  {name:<9}  ");
    let options =
        textwrap::Options::new(COLUMNS).initial_indent(&first).subsequent_indent("             ");
    writeln!(out, "{}", textwrap::fill(text, options))
}

/// A text that goes on four columns further in.
fn wrapped(out: &mut impl Write, indent: &str, text: &str) -> io::Result<()> {
    let further = format!("{indent}    ");
    let options = textwrap::Options::new(COLUMNS)
        .initial_indent(indent)
        .subsequent_indent(&further)
        .break_words(false);
    writeln!(out, "{}", textwrap::fill(text, options))
}

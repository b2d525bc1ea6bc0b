//! What is due: the clocks, the questions on which duties hang, and the clocks that have not started.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use chrono::{DateTime, Utc};
use deadlines::{Obligation, Stage, TargetBasis};
use incident::{Alert, Clock, ClockKind, Incident};

use crate::{
    Context,
    clocks::{RunningClock, clock_in_focus, running_clocks},
    page::{Page, counted, in_one_zone, in_zone, in_zone_briefly, left, listed, shortened},
    questions::{fact_words, named},
};

/// Most clocks shown in full, beside the one that the message speaks of.
const CLOCKS_MAX: usize = 4;
/// Most duties shown under a clock.
const DUTIES_MAX: usize = 10;
/// Most questions shown, and most duties named under each.
const QUESTIONS_MAX: usize = 8;
const NAMED_DUTIES_MAX: usize = 5;
/// Most duties named of those that wait for the same moment.
const WAITING_DUTIES_MAX: usize = 3;
/// Most duties that are named as ruled out by an answer.
const RULED_OUT_MAX: usize = 8;
/// Most stopped clocks that are named.
const STOPPED_MAX: usize = 10;

pub(crate) fn what_is_due(
    page: &mut Page,
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) {
    let due = Due { incident, context, now, clocks: running_clocks(incident) };
    let focus = clock_in_focus(&due.clocks, alert);
    match &focus {
        Some(focus) => {
            let is_its_own = alert.clock.is_some();
            page.line(if is_its_own { "This message is about:" } else { "To look at first:" });
            due.clock(page, focus, true);
        }
        None if due.clocks.is_empty() => page.line("No clock runs at present."),
        None => page.line("The clock of this message runs no more."),
    }
    due.others_that_apply(page, focus.map(|focus| focus.clock));
    due.may_apply(page);
    due.not_started(page);
    due.stopped(page);
    if alert.stage == Stage::DutiesChanged {
        due.ruled_out(page);
    }
}

struct Due<'a> {
    incident: &'a Incident,
    context: &'a Context,
    now: DateTime<Utc>,
    clocks: Vec<RunningClock<'a>>,
}

impl Due<'_> {
    /// One clock in full. `caveats` says whether to show what was not known in counting.
    fn clock(&self, page: &mut Page, running: &RunningClock<'_>, caveats: bool) {
        let RunningClock { clock, duties } = running;
        let zone = self.context.time_zone;
        page.gap();
        page.line(&format!(
            "{} {}; {}.",
            running.phrase(false, self.now).to_uppercase(),
            in_zone(clock.ends_at, zone),
            left(clock.ends_at, self.now)
        ));
        if clock.kind == ClockKind::Target {
            page.line("An internal target, not a limit of the law: the law names no number.");
        }
        for start in starts(duties) {
            page.line(&self.counted_from(&start));
        }
        for duty in duties.iter().take(DUTIES_MAX) {
            page.item("-", &self.duty(duty, clock.is_possible));
            for caveat in duty.caveats.iter().filter(|_| caveats) {
                page.item("  !", &self.caveat(caveat));
            }
        }
        let more = duties.len().saturating_sub(DUTIES_MAX);
        if more > 0 {
            page.item("-", &format!("and {more} more: {}", self.show()));
        }
    }

    fn counted_from(&self, start: &Start) -> String {
        let at = in_zone(start.at, self.context.time_zone);
        if start.is_assumed {
            format!(
                "Counted from our detection, {at}: no person has said when the organisation became aware. If that was \
                 earlier, less time is left."
            )
        } else {
            format!("Counted from {}, {at}.", start.word)
        }
    }

    fn duty(&self, duty: &Obligation, is_possible: bool) -> String {
        let (title, told) = (shortened(&duty.title), recipient(duty));
        let mut line = format!("{}: {title}. Told: {told}.", law(duty));
        if let Some((there, zone)) = elsewhere(duty) {
            let there = there.format("%A %-d %B %Y %H:%M");
            let _ = write!(line, " There it is {there} then ({zone}).");
        }
        if let Some(latest) = duty.latest_defensible_at.filter(|latest| duty.due_at < Some(*latest))
        {
            let latest = in_one_zone(latest, self.context.time_zone);
            let _ = write!(line, " Latest that can be defended: {latest}.");
        }
        if duty.target.is_some_and(|target| target.basis == TargetBasis::Guidance) {
            line.push_str(" The target is that of the authority's guidance.");
        }
        if is_possible {
            let _ = write!(line, " Depends on {}.", depends_on(duty));
        }
        if !duty.verified {
            line.push_str(" (law data of this duty was not verified against its source)");
        }
        let _ = write!(line, " [{}]", duty.regime_id);
        line
    }

    /// What was not known in counting. What a person answered is not repeated here: it may be anything.
    fn caveat(&self, caveat: &str) -> String {
        let said = |fact: &&String| {
            caveat.strip_prefix(fact.as_str()).is_some_and(|rest| rest.starts_with(" is "))
        };
        match self.incident.answers.keys().find(said) {
            Some(fact) => format!("the answer on {fact} cannot be read: {}", self.show()),
            None if caveat.ends_with('?') => caveat.to_owned(),
            None => format!("{caveat}."),
        }
    }

    fn others_that_apply(&self, page: &mut Page, shown: Option<Clock>) {
        let others: Vec<&RunningClock<'_>> = self
            .clocks
            .iter()
            .filter(|running| !running.clock.is_possible && Some(running.clock) != shown)
            .collect();
        if others.is_empty() {
            return;
        }
        page.gap();
        let other = if shown.is_some_and(|clock| !clock.is_possible) { "OTHER " } else { "" };
        page.line(&format!("{other}DUTIES THAT APPLY, the most urgent first:"));
        for running in others.iter().take(CLOCKS_MAX) {
            self.clock(page, running, false);
        }
        let more = others.get(CLOCKS_MAX..).unwrap_or_default();
        if let (Some(first), Some(last)) = (more.first(), more.last()) {
            let duties: usize = more.iter().map(|running| running.duties.len()).sum();
            page.gap();
            page.line(&format!(
                "And {} with {}, ending from {} to {}: {}",
                count(more.len(), "more clock"),
                count(duties, if duties == 1 { "duty" } else { "duties" }),
                self.day(first.clock.ends_at),
                self.day(last.clock.ends_at),
                self.show()
            ));
        }
    }

    /// The duties that hang on answers, by question: those first that an answer decides by itself.
    fn may_apply(&self, page: &mut Page) {
        let duties: Vec<&Obligation> = self
            .clocks
            .iter()
            .filter(|running| running.clock.is_possible)
            .flat_map(|running| running.duties.iter().copied())
            .collect();
        if duties.is_empty() {
            return;
        }
        let mut questions: BTreeMap<&str, Vec<&Obligation>> = BTreeMap::new();
        for duty in &duties {
            for fact in duty.standing.unknown_facts() {
                questions.entry(fact).or_default().push(duty);
            }
        }
        let mut questions: Vec<(&str, Vec<&Obligation>)> = questions.into_iter().collect();
        questions.sort_by_key(|(fact, hanging)| {
            let alone = hanging.iter().filter(|duty| is_alone(duty)).count();
            (alone == 0, std::cmp::Reverse((alone, hanging.len())), *fact)
        });
        page.gap();
        page.line(&format!(
            "DUTIES THAT MAY APPLY: {}. Each hangs on answers that nobody has given; its clock runs until then.",
            duties.len()
        ));
        for (fact, hanging) in questions.iter().take(QUESTIONS_MAX) {
            self.question(page, fact, hanging);
        }
        let more = questions.len().saturating_sub(QUESTIONS_MAX);
        if more > 0 {
            page.item("-", &format!("and {}: {}", count(more, "more question"), self.show()));
        }
    }

    fn question(&self, page: &mut Page, fact: &str, hanging: &[&Obligation]) {
        let mut nearest: Vec<(Clock, &Obligation)> =
            hanging.iter().filter_map(|duty| Some((Clock::of(duty)?, *duty))).collect();
        nearest.sort_by_key(|(clock, duty)| (*clock, &duty.regime_id));
        let (alone, joint): (Vec<_>, Vec<_>) = nearest.iter().partition(|(_, duty)| is_alone(duty));
        let ends =
            |(clock, duty): &(Clock, &Obligation)| format!("{}: {}", law(duty), self.end(*clock));
        let mut line = format!("{}: {}", capitalised(&named(fact)), duties_words(hanging.len()));
        if let Some((clock, _)) = nearest.first() {
            let _ = write!(line, ", the nearest: {}", self.end(*clock));
        }
        line.push_str(match (alone.len(), joint.len()) {
            (0, _) => ". None hangs on this answer alone; the nearest of them:",
            (_, 0) => ". This answer alone decides:",
            _ => ". Of these, this answer alone decides:",
        });
        page.item("-", &line);
        if alone.is_empty() {
            joint.iter().take(1).for_each(|duty| page.item("  -", &ends(duty)));
            return;
        }
        alone.iter().take(NAMED_DUTIES_MAX).for_each(|duty| page.item("  -", &ends(duty)));
        let more = alone.len().saturating_sub(NAMED_DUTIES_MAX);
        if more > 0 {
            page.item("  -", &format!("and {more} more"));
        }
    }

    /// `due Fri 27 Nov 12:03 CET`, as it would be if the duty applied.
    fn end(&self, clock: Clock) -> String {
        let at = self.day(clock.ends_at);
        match (clock.kind, clock.ends_at <= self.now) {
            (ClockKind::Limit, false) => format!("due {at}"),
            (ClockKind::Limit, true) => format!("OVERDUE since {at}"),
            (ClockKind::Target, false) => format!("internal target {at}"),
            (ClockKind::Target, true) => format!("internal target passed {at}"),
        }
    }

    fn not_started(&self, page: &mut Page) {
        let waiting = self.incident.not_started();
        if waiting.is_empty() {
            return;
        }
        let mut questions: BTreeMap<&str, Vec<&Obligation>> = BTreeMap::new();
        for duty in &waiting {
            questions.entry(duty.gap.as_deref().unwrap_or_default()).or_default().push(duty);
        }
        page.gap();
        page.line(&format!(
            "CLOCKS THAT HAVE NOT STARTED: {}. The law counts them from a moment that is not on record.",
            waiting.len()
        ));
        for (question, mut duties) in questions {
            duties.sort_by_key(|duty| (duty.standing.unknown_facts().len(), &duty.regime_id));
            let certain = duties.iter().filter(|duty| duty.standing.unknown_facts().is_empty());
            let certain = match certain.count() {
                0 if duties.len() == 1 => "may apply".to_owned(),
                0 => "all of them may apply".to_owned(),
                1 if duties.len() == 1 => "applies".to_owned(),
                certain if certain == duties.len() => "all of them apply".to_owned(),
                certain => format!("{certain} of them for certain"),
            };
            page.item("-", &format!("{question} {}, {certain}:", duties_words(duties.len())));
            for duty in duties.iter().take(WAITING_DUTIES_MAX) {
                page.item("  -", &law(duty));
            }
            let more = duties.len().saturating_sub(WAITING_DUTIES_MAX);
            if more > 0 {
                page.item("  -", &format!("and {more} more"));
            }
        }
    }

    /// The duties whose clocks a record has stopped.
    fn stopped(&self, page: &mut Page) {
        let incident = self.incident;
        if incident.notifications.is_empty() && incident.not_notified.is_empty() {
            return;
        }
        page.gap();
        page.line("STOPPED CLOCKS:");
        let sent = incident.notifications.keys().map(|id| (id, "a notification is on record"));
        let decided = incident.not_notified.keys().map(|id| (id, "a person decided not to notify"));
        for (id, why) in sent.chain(decided).take(STOPPED_MAX) {
            let law = incident.obligation(id).map_or_else(|| id.clone(), law);
            page.item("-", &format!("{law}: {why}"));
        }
        let stopped = incident.notifications.len().saturating_add(incident.not_notified.len());
        let more = stopped.saturating_sub(STOPPED_MAX);
        if more > 0 {
            page.item("-", &format!("and {more} more: {}", self.show()));
        }
    }

    /// What answers of persons have ruled out. The incident holds what stands, not what stood before.
    fn ruled_out(&self, page: &mut Page) {
        let ruled_out = &self.incident.ruled_out;
        if ruled_out.is_empty() {
            return;
        }
        page.gap();
        page.line(&format!(
            "DUTIES THAT DO NOT APPLY: {}. {} says why of each.",
            ruled_out.len(),
            self.show()
        ));
        let mut answered: BTreeSet<&str> =
            self.incident.answers.keys().map(String::as_str).collect();
        if self.incident.risk.is_some() {
            answered.insert("risk");
        }
        for fact in answered {
            let begins = format!("{fact} is ");
            let ids: Vec<&str> = ruled_out
                .iter()
                .filter(|(_, because)| because.iter().all(|why| why.starts_with(&begins)))
                .map(|(id, _)| id.as_str())
                .collect();
            if !ids.is_empty() {
                let words = fact_words(fact).map_or_else(|| named(fact), str::to_owned);
                let ids = listed(&ids, RULED_OUT_MAX);
                page.item("-", &format!("Only by a person's answer on {words}: {ids}."));
            }
        }
    }

    fn day(&self, at: DateTime<Utc>) -> String {
        in_zone_briefly(at, self.context.time_zone)
    }

    fn show(&self) -> String {
        format!("breachclock incident show {}", self.incident.incident_id)
    }
}

/// When and by what clocks started.
#[derive(PartialEq, Eq)]
struct Start {
    at: DateTime<Utc>,
    word: &'static str,
    is_assumed: bool,
}

/// The starts of these duties, each once.
fn starts(duties: &[&Obligation]) -> Vec<Start> {
    let mut starts = Vec::new();
    for duty in duties {
        let Some(at) = duty.started_at else { continue };
        let start = Start { at, word: duty.starts_at.word(), is_assumed: duty.start_assumed };
        if !starts.contains(&start) {
            starts.push(start);
        }
    }
    starts
}

/// Article and whose law: many a statute has a name that several countries use.
fn law(duty: &Obligation) -> String {
    let article = shortened(&duty.article);
    match &*duty.jurisdiction {
        "" | "own" => article.into_owned(),
        jurisdiction => format!("{article} ({jurisdiction})"),
    }
}

/// Whom to tell: the authority by name where there is exactly one, else how many and what decides.
fn recipient(duty: &Obligation) -> String {
    let who_is_told = shortened(&duty.who_is_told);
    let decides = |fact: &str| {
        let is_asked = duty.authority_depends_on.iter().any(|asked| asked == fact);
        is_asked.then(|| named(fact))
    };
    let countries: BTreeSet<&str> =
        duty.authorities.iter().map(|authority| authority.country.as_str()).collect();
    match duty.authorities.as_slice() {
        [] => match decides("authority_country") {
            Some(question) => format!("{who_is_told}; it depends on {question}"),
            None => who_is_told.into_owned(),
        },
        [authority] if authority.name == authority.english_name => authority.name.clone(),
        [authority] => format!("{} ({})", authority.english_name, authority.name),
        several if countries.len() == 1 => {
            let question = decides("authority_region").unwrap_or_else(|| "its place".to_owned());
            let country = listed(&countries.into_iter().collect::<Vec<_>>(), 1);
            format!("one of {} authorities in {country}; it depends on {question}", several.len())
        }
        several => {
            let names: Vec<&str> = countries.into_iter().collect();
            let mut line = format!(
                "the authority of each of {} countries ({}), {} on file",
                names.len(),
                listed(&names, RULED_OUT_MAX),
                several.len()
            );
            if let Some(question) = decides("authority_region") {
                let _ = write!(line, "; where there are several, it depends on {question}");
            }
            line
        }
    }
}

/// The due instant at the authority, where its clocks show something else than the organisation's.
fn elsewhere(duty: &Obligation) -> Option<(DateTime<chrono::FixedOffset>, chrono_tz::Tz)> {
    let local = duty.due_local?;
    local
        .authority
        .zip(local.authority_zone)
        .filter(|(there, _)| there.offset() != local.organisation.offset())
}

fn depends_on(duty: &Obligation) -> String {
    let facts: Vec<String> = duty.standing.unknown_facts().iter().map(|fact| named(fact)).collect();
    facts.join(" and on ")
}

/// Whether one answer decides it.
fn is_alone(duty: &Obligation) -> bool {
    duty.standing.unknown_facts().len() == 1
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

fn duties_words(duties: usize) -> String {
    if duties == 1 { "1 duty".to_owned() } else { format!("{duties} duties") }
}

fn count(number: usize, noun: &str) -> String {
    counted(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

//! The subject line.

use chrono::{DateTime, Utc};
use deadlines::Stage;
use incident::{Alert, Incident};

use crate::{
    Context, SUBJECT_CHARACTERS_MAX,
    clocks::{RunningClock, clock_in_focus, running_clocks},
    page::{in_zone_briefly, span},
    text::time_left,
};

/// `[environment] SEVERITY incident: news, due instant`. Where that is too long the news becomes shorter, then the number
/// of duties goes, then the environment's name gives way; never the due instant.
pub(crate) fn subject(
    incident: &Incident,
    alert: &Alert,
    context: &Context,
    now: DateTime<Utc>,
) -> String {
    let severity = incident.severity().name().to_uppercase();
    let clocks = running_clocks(incident);
    let running = clock_in_focus(&clocks, alert);
    let (long, short) = news(running.as_ref(), alert, now);
    let end = |with_count| running.as_ref().map(|running| end(running, context, with_count, now));
    let again = if alert.repetition > 0 { "again: " } else { "" };
    let rest = |news: &str, end: Option<String>| {
        let parts: Vec<&str> = [news, end.as_deref().unwrap_or_default()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        format!("] {severity} {}: {again}{}", incident.incident_id, parts.join(", "))
    };
    let forms = [rest(&long, end(true)), rest(&short, end(true))];
    let length = context.environment.chars().count().saturating_add(1);
    let fits =
        |form: &&String| form.chars().count().saturating_add(length) <= SUBJECT_CHARACTERS_MAX;
    let form = forms.iter().find(fits).cloned().unwrap_or_else(|| rest(&short, end(false)));
    let environment_characters_max =
        SUBJECT_CHARACTERS_MAX.saturating_sub(form.chars().count()).saturating_sub(1);
    let environment: String =
        context.environment.chars().take(environment_characters_max).collect();
    ascii(&format!("[{environment}{form}"))
}

/// What is new, in a longer and a shorter form; nothing where the end of the clock says it.
fn news(running: Option<&RunningClock<'_>>, alert: &Alert, now: DateTime<Utc>) -> (String, String) {
    let (long, short) = match alert.stage {
        Stage::Opened => ("possible data breach", "possible breach"),
        Stage::Worsened => ("worse than reported", "worse"),
        Stage::Reopened => ("reopened, new evidence", "reopened"),
        Stage::DutiesChanged => ("duties changed", "duties changed"),
        Stage::RemainingShare { .. } | Stage::RemainingTime { .. } | Stage::Overdue => {
            let left = match running {
                Some(running) if running.is_over(now) => String::new(),
                Some(running) => format!("{} left", span(time_left(running, alert, now))),
                None => "clock stopped".to_owned(),
            };
            return (left.clone(), left);
        }
    };
    (long.to_owned(), short.to_owned())
}

fn end(
    running: &RunningClock<'_>,
    context: &Context,
    with_count: bool,
    now: DateTime<Utc>,
) -> String {
    let at = in_zone_briefly(running.clock.ends_at, context.time_zone);
    format!("{} {at}", running.phrase(with_count, now))
}

/// Amazon SNS takes a subject of printable ASCII only.
pub(crate) fn ascii(text: &str) -> String {
    text.chars()
        .map(
            |character| {
                if character.is_ascii_graphic() || character == ' ' { character } else { '?' }
            },
        )
        .take(SUBJECT_CHARACTERS_MAX)
        .collect()
}

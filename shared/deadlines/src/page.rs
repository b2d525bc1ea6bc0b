//! The law data as a page for people: `docs/LAW.md`.

use std::fmt::Write as _;

use crate::{
    condition::Condition,
    law::{Law, Limit, Place, Regime, Status},
};

const HEAD: &str = "# The law that is computed

**This computes. It does not give legal advice.** Which duties an organisation has, and by when, is for its lawyers to
say. The law data can be wrong, incomplete or out of date, and much of it was not checked against the text of the law:
the column *checked* says where.

This page is written from the law data in `shared/deadlines/law/`, and a test compares the two. To change it, change the
data and run `UPDATE_LAW_PAGE=1 cargo test -p deadlines --test law_page`.

How to read it:

- A clock starts at the moment in the column *from*, and at no other. Where that moment is not on record, nothing falls due
  and the gap is shown with its question. A clock that runs from a notification or report runs from that of the regimes which
  stand after *by*, and from no other law's; of several, from the first, and from the latest intermediate report.
- A fact that is not known and would decide keeps the duty in view as *possible*, with its due instant.
- A duty *without undue delay* has no number in law. It gets an internal target from configuration, which is shown as a
  target and never as the law's limit.
- The earliest end that can be defended is the due instant. Further rules in *counted by* lead to the latest one, which is
  shown beside it.
- What is *proposed*, or adopted without a first day, is shown as coming and never falls due.
";

/// The whole page, in Markdown.
pub fn law_page(law: &Law) -> String {
    let mut page = HEAD.to_owned();
    let unverified: Vec<&str> = law
        .regimes
        .iter()
        .filter(|regime| !regime.verified)
        .map(|regime| regime.id.as_str())
        .collect();
    let _ = write!(
        page,
        "\nLaw data of {}: {} regimes, of which {} were not checked against a source.\n",
        law.law_version,
        law.regimes.len(),
        unverified.len()
    );
    page.push_str("\n## Regimes\n");
    let mut jurisdictions: Vec<&str> = Vec::new();
    for regime in &law.regimes {
        if !jurisdictions.contains(&&*regime.jurisdiction) {
            jurisdictions.push(&regime.jurisdiction);
        }
    }
    for jurisdiction in jurisdictions {
        let _ = write!(
            page,
            "\n### {jurisdiction}\n\n\
             | regime | duty | who tells whom | applies when | limit | from | counted by | in force | checked | source |\n\
             |---|---|---|---|---|---|---|---|---|---|\n"
        );
        for regime in law.regimes.iter().filter(|regime| *regime.jurisdiction == *jurisdiction) {
            regime_row(&mut page, regime);
        }
    }
    page.push_str(
        "\n## Rules of counting\n\n| rule | meaning | checked | source |\n|---|---|---|---|\n",
    );
    for rule in law.counting_rules().iter() {
        row(&mut page, &[&code(&rule.id), &rule.meaning, yes_no(rule.verified), &rule.source]);
    }
    let years: Vec<String> = law.holidays().years().iter().map(ToString::to_string).collect();
    let _ = write!(
        page,
        "\n## Holidays\n\nOn file for {} in these calendars: {}. Source: {}. In other years, and for other countries, \
         weekends alone are free, and the obligation says so.\n",
        years.join(" and "),
        law.holidays().calendars().collect::<Vec<_>>().join(", "),
        law.holidays().source(),
    );
    page.push_str(
        "\n## Authorities\n\n| country | region | authority | how it is told | checked | note |\n|---|---|---|---|---|---|\n",
    );
    for authority in law.places().all_authorities() {
        row(
            &mut page,
            &[
                &authority.country,
                authority.region.as_deref().unwrap_or_default(),
                &authority.name,
                &authority.channel,
                yes_no(authority.verified),
                &authority.note,
            ],
        );
    }
    page.push_str("\n## Not checked against a source\n\n");
    for id in unverified {
        let _ = writeln!(page, "- {}", code(id));
    }
    page
}

fn regime_row(page: &mut String, regime: &Regime) {
    let conditions: Vec<String> = regime
        .applies_when
        .iter()
        .map(ToString::to_string)
        .chain(regime.exempt_when.iter().map(|condition: &Condition| format!("unless {condition}")))
        .collect();
    let duty = format!(
        "{}; {}{}{}",
        regime.title,
        regime.article,
        if regime.voluntary { "; voluntary" } else { "" },
        regime.note.as_deref().map(|note| format!(". {note}")).unwrap_or_default(),
    );
    let checked = match (&regime.verified_covers, regime.verified) {
        (Some(covers), true) => covers.as_str(),
        (_, verified) => yes_no(verified),
    };
    row(
        page,
        &[
            &code(&regime.id),
            &duty,
            &format!("{} → {}", regime.who_notifies, regime.who_is_told),
            &conditions.join("; "),
            &limit_words(regime),
            &start_words(regime),
            &counting_words(regime),
            &force_words(regime),
            checked,
            &regime.source,
        ],
    );
}

fn limit_words(regime: &Regime) -> String {
    let limit = |limit: Limit| format!("{} {}", limit.value, limit.unit.word());
    let mut words = match (regime.limit, &regime.counting) {
        (Some(known), _) => limit(known),
        (None, Some(_)) => "a date".to_owned(),
        (None, None) => "without undue delay".to_owned(),
    };
    if let Some(latest) = regime.latest_limit {
        let _ = write!(words, ", defensible {}", limit(latest));
    }
    if let Some(second) = &regime.second_limit {
        let _ = write!(
            words,
            "; at most {} {} from {}: {}",
            second.value,
            second.unit.word(),
            second.starts_at.word(),
            second.note
        );
    }
    if let Some(guidance) = regime.guidance_limit {
        let _ = write!(words, "; guidance: {}", limit(guidance));
    }
    if let Some(fact) = &regime.limit_from_fact {
        let _ = write!(words, "; hours of a contract by `{fact}`");
    }
    if let Some(fact) = &regime.due_from_fact {
        let _ = write!(words, "; as a request sets it by `{fact}`");
    }
    if let Some(delay) = &regime.delay_note {
        let _ = write!(words, "; {delay}");
    }
    words
}

fn start_words(regime: &Regime) -> String {
    let word = regime.starts_at.word();
    if regime.follows.is_empty() {
        return word.to_owned();
    }
    let followed: Vec<String> = regime.follows.iter().map(|id| code(id)).collect();
    format!("{word} by {}", followed.join(", "))
}

fn counting_words(regime: &Regime) -> String {
    let rules: Vec<String> = regime
        .counting
        .as_deref()
        .into_iter()
        .chain(regime.extension.as_deref())
        .chain(regime.latest_readings.iter().map(String::as_str))
        .map(code)
        .collect();
    let place = match regime.place {
        Place::Organisation => String::new(),
        Place::Authority => " (authority's place)".to_owned(),
        Place::Zone(zone) => format!(" ({})", zone.name()),
    };
    if rules.is_empty() { "–".to_owned() } else { format!("{}{place}", rules.join(", ")) }
}

fn force_words(regime: &Regime) -> String {
    let mut words = match (regime.status, regime.in_force_from, regime.in_force_until) {
        (Status::Proposed, _, _) => "proposed".to_owned(),
        (Status::Adopted, None, _) => "adopted, no first day".to_owned(),
        (_, None, _) => "yes, first day not known".to_owned(),
        (_, Some(from), None) => format!("from {from}"),
        (_, Some(from), Some(until)) => format!("{from} to {until}"),
    };
    if let Some(bites) = &regime.bites_from {
        let days: Vec<String> =
            bites.days.iter().map(|(value, day)| format!("{value}: {day}")).collect();
        let _ = write!(words, "; bites by `{}` {}", bites.fact, days.join(", "));
    }
    words
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

const fn yes_no(holds: bool) -> &'static str {
    if holds { "yes" } else { "**no**" }
}

fn row(page: &mut String, cells: &[&str]) {
    page.push('|');
    for cell in cells {
        let _ = write!(page, " {} |", cell.replace('|', "\\|").replace('\n', " "));
    }
    page.push('\n');
}

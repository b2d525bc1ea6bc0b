//! Plain text for mail, and how numbers, spans and instants are written in it.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Lines of a plain-text mail are broken here.
const LINE_CHARACTERS_MAX: usize = 76;

/// Plain text, broken at words.
#[derive(Default)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    pub(crate) fn section(&mut self, title: &str) {
        self.0.push('\n');
        self.0.push_str(title);
        self.0.push('\n');
    }

    /// An empty line, but never two.
    pub(crate) fn gap(&mut self) {
        if !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.wrap("", 0, text);
    }

    pub(crate) fn item(&mut self, mark: &str, text: &str) {
        self.wrap(&format!("  {mark} "), mark.len().saturating_add(3), text);
    }

    /// A line that goes on with an item.
    pub(crate) fn continued(&mut self, text: &str) {
        self.wrap("     ", 5, text);
    }

    /// A command to be copied: lines that are too long go on behind a backslash, as a shell reads them.
    pub(crate) fn command(&mut self, command: &str) {
        let indent = "     ";
        let mut width = indent.len();
        self.0.push_str(indent);
        for (index, word) in command.split_whitespace().enumerate() {
            let length = word.chars().count();
            // Room for the blank before the word and for the backslash behind it.
            if index > 0 && width.saturating_add(length).saturating_add(3) > LINE_CHARACTERS_MAX {
                self.0.push_str(" \\\n");
                self.0.push_str(indent);
                self.0.push_str("   ");
                width = indent.len().saturating_add(3);
            } else if index > 0 {
                self.0.push(' ');
                width = width.saturating_add(1);
            }
            self.0.push_str(word);
            width = width.saturating_add(length);
        }
        self.0.push('\n');
    }

    fn wrap(&mut self, first: &str, indent: usize, text: &str) {
        let mut width = first.len();
        self.0.push_str(first);
        let mut at_start = true;
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if !at_start && width.saturating_add(length).saturating_add(1) > LINE_CHARACTERS_MAX {
                self.0.push('\n');
                self.0.extend(std::iter::repeat_n(' ', indent));
                width = indent;
                at_start = true;
            }
            if !at_start {
                self.0.push(' ');
                width = width.saturating_add(1);
            }
            self.0.push_str(word);
            width = width.saturating_add(length);
            at_start = false;
        }
        self.0.push('\n');
    }
}

pub(crate) fn in_zone(at: DateTime<Utc>, zone: Tz) -> String {
    format!(
        "{} ({zone}), {} UTC",
        at.with_timezone(&zone).format("%A %-d %B %Y %H:%M"),
        at.format("%Y-%m-%d %H:%M")
    )
}

/// As a subject or a list has room for: `Fri 27 Nov 12:03 CET`.
pub(crate) fn in_zone_briefly(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b %H:%M %Z").to_string()
}

/// `Friday 27 November 2026 12:03 (Europe/Berlin)`.
pub(crate) fn in_one_zone(at: DateTime<Utc>, zone: Tz) -> String {
    format!("{} ({zone})", at.with_timezone(&zone).format("%A %-d %B %Y %H:%M"))
}

pub(crate) fn left(due_at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let remaining = due_at - now;
    if remaining > TimeDelta::zero() {
        format!("{} left", span(remaining))
    } else if remaining > TimeDelta::minutes(-1) {
        "the time ends now".to_owned()
    } else {
        format!("{} ago", span(-remaining))
    }
}

/// Spans from here on are told in days.
const HOURS_MAX: i64 = 100;

pub(crate) fn span(delta: TimeDelta) -> String {
    let minutes = delta.num_minutes();
    let (hours, minutes) = (minutes / 60, minutes % 60);
    if hours >= HOURS_MAX {
        return format!("{} days {} h", hours / 24, hours % 24);
    }
    match (hours, minutes) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len().saturating_add(digits.len() / 3));
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Most characters of a text that an organisation wrote into its configuration, as the title of a duty of its own.
const TEXT_CHARACTERS_MAX: usize = 200;

/// A text cut to what a reader has patience for.
pub(crate) fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(TEXT_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// The first few of a list and how many more there are: `a, b and 3 more`.
pub(crate) fn listed(names: &[impl AsRef<str>], max: usize) -> String {
    let mut list = names.iter().take(max).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    let more = names.len().saturating_sub(max);
    if more > 0 {
        let _ = write!(list, " and {more} more");
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_on_behind_a_backslash_and_stays_one_command() {
        let command = "breachclock incident decide BC-509D550EFC34 us-ca-civ-1798-82-individuals --not-notify --reason WHY";
        let mut page = Page::default();
        page.command(command);
        assert!(
            page.0.lines().all(|line| line.chars().count() <= LINE_CHARACTERS_MAX),
            "{}",
            page.0
        );
        assert!(page.0.lines().count() > 1);
        let as_the_shell_reads_it = page.0.replace("\\\n", " ");
        assert_eq!(as_the_shell_reads_it.split_whitespace().collect::<Vec<_>>().join(" "), command);
    }

    #[test]
    fn a_list_says_how_many_more_there_are() {
        assert_eq!(listed(&["a", "b"], 2), "a, b");
        assert_eq!(listed(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(shortened(&"ä".repeat(200)).chars().count(), 200);
        assert_eq!(shortened(&"ä".repeat(201)), format!("{}…", "ä".repeat(200)));
    }

    #[test]
    fn thousands_are_grouped_and_spans_read_as_hours_and_minutes() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(span(TimeDelta::minutes(59)), "59 min");
        assert_eq!(span(TimeDelta::minutes(120)), "2 h");
        assert_eq!(span(TimeDelta::minutes(71 * 60 + 58)), "71 h 58 min");
        assert_eq!(span(TimeDelta::minutes(100 * 60 - 1)), "99 h 59 min");
        assert_eq!(span(TimeDelta::minutes(731 * 60 + 56)), "30 days 11 h");
    }
}

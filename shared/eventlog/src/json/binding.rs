//! From the fields of an event to a row of columns, which all that comes after reads as it reads a row of CSV.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::{envelope::Event, gateway};
use crate::{
    audit_trail::{AuditColumn, AuditRow},
    columns::{all_columns, canonical_name},
    event_type::{EventType, Witness, without_form},
    records::{Field, Record},
    timestamp,
};

/// What fields of real-time events are called in Event Log Files.
const REAL_TIME_NAMES: [(&str, &str); 4] = [
    ("APPLICATION", "CONNECTED_APP_NAME"),
    ("BROWSER", "BROWSER_TYPE"),
    ("CLIENT", "CLIENT_NAME"),
    ("EVENT_DATE", "TIMESTAMP_DERIVED"),
];

/// What real-time events write where they have nothing to say.
const NOTHING: [&str; 2] = ["N/A", "Unknown"];

/// The application of a login by hand, which is no connected app.
const BROWSER_APPLICATION: &str = "Browser";

/// Columns whose numbers have one decimal place, as Salesforce writes the versions of its API.
const VERSIONS: [&str; 2] = ["API_VERSION", "CLIENT_VERSION"];

/// A name and its value as text.
pub(super) type Column<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Lays events out under a header that has every known column.
pub(super) struct Binding {
    positions: BTreeMap<&'static str, usize>,
    /// The values of the current row, one behind the other.
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// The org of real-time events that name none.
    org_of_unnamed: Option<String>,
}

impl Binding {
    pub(super) fn new(org_of_unnamed: Option<String>) -> Self {
        let positions: BTreeMap<_, _> = all_columns()
            .into_iter()
            .enumerate()
            .map(|(position, name)| (name, position))
            .collect();
        let fields = vec![Field::default(); positions.len()];
        Self { positions, bytes: Vec::new(), fields, org_of_unnamed }
    }

    /// The names of the columns, in the order of their positions.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.positions.keys().copied()
    }

    /// The row of an event. `missing` gets those of the columns that each row needs which the event does not have.
    pub(super) fn bind(&mut self, event: &Event, line_number: u64, byte_offset: u64) -> Record<'_> {
        self.bytes.clear();
        self.fields.fill(Field::default());
        let name = without_form(&event.name);
        let event_type = EventType::from_name(name);
        let witness = event_type.map(EventType::witness);
        match witness {
            Some(Witness::RealTime) => self.put_all(real_time(&event.fields)),
            Some(Witness::Gateway) => self.put_all(gateway::columns(event_type, &event.fields)),
            Some(Witness::EventLogFile) | None => self.put_all(event_log_file(&event.fields)),
        }
        self.put("EVENT_TYPE", name);
        if !self.has("ORGANIZATION_ID") {
            // Not of what a gateway saw: that may have been no call of Salesforce at all.
            let stands_in = if event.org_id.is_none() && witness == Some(Witness::RealTime) {
                self.org_of_unnamed.clone()
            } else {
                None
            };
            if let Some(org_id) = event.org_id.as_deref().or(stands_in.as_deref()) {
                self.put("ORGANIZATION_ID", org_id);
            }
        }
        Record::laid_out(line_number, byte_offset, &self.bytes, &self.fields)
    }

    /// Whether the current row has something in that column.
    pub(super) fn has(&self, name: &str) -> bool {
        let field = self.positions.get(name).and_then(|position| self.fields.get(*position));
        field.is_some_and(|field| !field.is_empty())
    }

    /// Puts columns under their names, first those that go by their own name, then those that go by an alias.
    fn put_all<'a>(&mut self, columns: Vec<Column<'a>>) {
        let (own, aliased): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .map(|(name, value)| (canonical_name(&name), name, value))
            .partition(|(canonical, name, _): &(String, Cow<'a, str>, Cow<'a, str>)| {
                canonical.eq_ignore_ascii_case(name.trim())
            });
        for (canonical, _, value) in own.into_iter().chain(aliased) {
            if !self.has(&canonical) {
                self.put(&canonical, &value);
            }
        }
    }

    fn put(&mut self, name: &str, value: &str) {
        let Some(position) = self.positions.get(name) else { return };
        let Some(field) = self.fields.get_mut(*position) else { return };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value.as_bytes());
        *field = Field::between(start, self.bytes.len());
    }
}

/// A row of an Event Log File that was made an object: its keys are the columns.
fn event_log_file(fields: &Map<String, Value>) -> Vec<Column<'_>> {
    let instant = fields.get("TIMESTAMP_DERIVED").and_then(moment);
    fields
        .iter()
        // Two columns under one key, and one value: nobody can say whose.
        .filter(|(key, _)| !key.contains(','))
        .filter_map(|(key, value)| {
            let canonical = canonical_name(key);
            let text = match canonical.as_str() {
                "TIMESTAMP_DERIVED" => {
                    moment(value).map(derived).or_else(|| text(value, &canonical))?
                }
                "TIMESTAMP" => compact(value, &canonical, instant)?,
                _ => text(value, &canonical)?,
            };
            Some((Cow::Borrowed(key.as_str()), text))
        })
        .collect()
}

/// A real-time event: `SourceIp` is `SOURCE_IP`.
fn real_time(fields: &Map<String, Value>) -> Vec<Column<'_>> {
    let mut columns = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        let name = upper_snake(key);
        let name = REAL_TIME_NAMES
            .iter()
            .find(|(own, _)| *own == name)
            .map_or(Cow::Owned(name.clone()), |(_, column)| Cow::Borrowed(*column));
        let time = if name == "TIMESTAMP_DERIVED" { moment(value) } else { None };
        let text = time.map(derived).or_else(|| text(value, &name));
        let says = |text: &str| {
            let is_by_hand = name == "CONNECTED_APP_NAME" && text == BROWSER_APPLICATION;
            !NOTHING.contains(&text) && !is_by_hand
        };
        if let Some(text) = text.filter(|text| says(text)) {
            columns.push((name, text));
        }
    }
    if !columns.iter().any(|(name, _)| name == "TIMESTAMP_DERIVED") {
        // When the event was stored, seconds after.
        let created = fields.get("CreatedDate").and_then(moment);
        columns.extend(created.map(|at| (Cow::Borrowed("TIMESTAMP_DERIVED"), derived(at))));
    }
    columns
}

/// A row of Setup Audit Trail.
pub(super) fn audit_row(event: &Event) -> AuditRow {
    let mut row = AuditRow::default();
    for (key, value) in &event.fields {
        if let Some(column) = AuditColumn::from_name(key) {
            let text = text(value, key).unwrap_or_default();
            row.0.entry(column).or_insert_with(|| text.into_owned());
        }
    }
    if let Some(org_id) = &event.org_id {
        row.0.insert(AuditColumn::OrganizationId, org_id.clone());
    }
    row
}

/// `EVENT_IDENTIFIER` of `EventIdentifier`.
fn upper_snake(key: &str) -> String {
    let mut name = String::with_capacity(key.len().saturating_add(4));
    let mut after_small = false;
    for character in key.chars() {
        if character.is_ascii_uppercase() && after_small {
            name.push('_');
        }
        after_small = character.is_ascii_lowercase() || character.is_ascii_digit();
        name.push(character.to_ascii_uppercase());
    }
    name
}

/// A value as Salesforce writes it in CSV; `None` for null.
pub(super) fn text<'a>(value: &'a Value, column: &str) -> Option<Cow<'a, str>> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "1" } else { "0" }),
        Value::Number(number) => {
            let number = number.to_string();
            if VERSIONS.contains(&column) {
                Cow::Owned(if number.contains('.') { number } else { number + ".0" })
            } else {
                Cow::Owned(number.strip_suffix(".0").map(str::to_owned).unwrap_or(number))
            }
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(|item| text(item, column)).collect();
            Cow::Owned(items.join(","))
        }
        Value::Object(_) => Cow::Owned(value.to_string()),
    })
}

/// A moment as text, or in milliseconds since 1970.
pub(super) fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(number) => DateTime::from_timestamp_millis(number.as_i64()?),
        Value::String(text) => timestamp::parse_relayed(text),
        _ => None,
    }
}

/// As `TIMESTAMP_DERIVED` has it: three digits of a fraction, and `Z`.
pub(super) fn derived(at: DateTime<Utc>) -> Cow<'static, str> {
    Cow::Owned(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// As `TIMESTAMP` has it. A number has lost the zeros that its fraction ended with, and 17 digits are more than it holds:
/// what `TIMESTAMP_DERIVED` says is the same `instant`, and whole.
fn compact<'a>(
    value: &'a Value,
    column: &str,
    instant: Option<DateTime<Utc>>,
) -> Option<Cow<'a, str>> {
    let as_text = match value {
        Value::Number(number) => Cow::Owned(number.to_string()),
        other => return text(other, column),
    };
    let at = instant.or_else(|| timestamp::parse_compact(&as_text));
    Some(at.map_or(as_text, |at| Cow::Owned(at.format("%Y%m%d%H%M%S%.3f").to_string())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_real_time_events_are_split_before_capitals() {
        for (key, name) in [
            ("EventIdentifier", "EVENT_IDENTIFIER"),
            ("SourceIp", "SOURCE_IP"),
            ("Username", "USERNAME"),
            ("OsVersion", "OS_VERSION"),
            ("Query", "QUERY"),
        ] {
            assert_eq!(upper_snake(key), name);
        }
    }

    #[test]
    fn values_are_written_as_in_csv() {
        for (value, column, expected) in [
            (json!(null), "ROWS", None),
            (json!("x"), "ROWS", Some("x")),
            (json!(true), "SUCCESS", Some("1")),
            (json!(1_000_364.0), "ROWS", Some("1000364")),
            (json!(0.25), "SCORE", Some("0.25")),
            (json!(-1), "ROWS", Some("-1")),
            (json!(58.0), "API_VERSION", Some("58.0")),
            (json!(58), "API_VERSION", Some("58.0")),
            (json!(["a", null, 1]), "QUERIED_ENTITIES", Some("a,1")),
            (json!({"b": 1, "a": 2}), "X", Some("{\"a\":2,\"b\":1}")),
        ] {
            assert_eq!(text(&value, column).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn quirk_13_a_moment_is_read_in_every_form() {
        for value in [
            json!("2023-03-21T10:04:45.101+0000"),
            json!("2023-03-21T10:04:45.101Z"),
            json!("2023-03-21 10:04:45.101"),
            json!("2023-03-21T12:04:45.101+02:00"),
            json!(1_679_393_085_101_i64),
            json!("1679393085101"),
        ] {
            assert_eq!(
                moment(&value).map(derived).as_deref(),
                Some("2023-03-21T10:04:45.101Z"),
                "{value}"
            );
        }
        assert_eq!(
            moment(&json!("2023-03-21T10:04:45Z")).map(derived).as_deref(),
            Some("2023-03-21T10:04:45.000Z")
        );
        assert_eq!(moment(&json!("yesterday")), None);
    }

    #[test]
    fn a_timestamp_that_became_a_number_is_the_text_that_it_was() {
        assert_eq!(
            compact(&json!(20_230_718_225_959.25), "TIMESTAMP", None).as_deref(),
            Some("20230718225959.250")
        );
        assert_eq!(
            compact(&json!("20211019050707.13"), "TIMESTAMP", None).as_deref(),
            Some("20211019050707.13")
        );
    }
}

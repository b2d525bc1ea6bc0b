//! A log file as Salesforce serves it, and its rows.

use std::{borrow::Cow, collections::BTreeMap, io::Write};

use chrono::{DateTime, Utc};
use flate2::{Compression, GzBuilder};

use crate::schema::Schema;

/// A column's name.
pub type Column = Cow<'static, str>;

/// One row of a log: its values by column. A column that is not set is empty in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The values, by column.
    pub values: BTreeMap<Column, String>,
}

impl Row {
    /// The value of a column; empty where the row does not have it.
    pub fn value(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }

    /// The row with the column set.
    pub(crate) fn with(mut self, column: &'static str, value: impl Into<String>) -> Self {
        self.values.insert(Cow::Borrowed(column), value.into());
        self
    }
}

/// One Event Log File.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// `RestApi_2026-11-24T09_0AT5g00006ab1c.csv`: event type, date and hour, id of the file. The `sf`
    /// plugin for event logs names files so, save for the hour, which it leaves out. A daily file has
    /// the date alone.
    pub name: String,
    /// `EVENT_TYPE`, as Salesforce spells it.
    pub event_type: &'static str,
    /// Start of the hour, or of the day where the sequence is 0.
    pub hour: DateTime<Utc>,
    /// 0 for a daily file; 1 for the first file of an hour, more for what came late.
    pub sequence: u32,
    /// The columns in file order.
    pub header: Vec<Column>,
    /// The rows in file order.
    pub rows: Vec<Row>,
}

impl LogFile {
    pub(crate) fn new(schema: &Schema, hour: DateTime<Utc>, sequence: u32, rows: Vec<Row>) -> Self {
        Self {
            name: file_name(schema.event_type, hour, sequence),
            event_type: schema.event_type,
            hour,
            sequence,
            header: schema.columns().map(Cow::Borrowed).collect(),
            rows,
        }
    }

    /// A file of that type without rows, and without columns where the type is not known.
    pub(crate) fn empty(event_type: &'static str) -> Self {
        let header = Schema::of(event_type)
            .map(|schema| schema.columns().map(Cow::Borrowed).collect())
            .unwrap_or_default();
        let (name, hour) = (String::new(), crate::midnight(0));
        Self { name, event_type, hour, sequence: 1, header, rows: Vec::new() }
    }

    /// `RestApi/RestApi_2026-11-24T09_….csv`, as the `sf` plugin lays files out.
    pub fn key(&self) -> String {
        format!("{}/{}", self.event_type, self.name)
    }

    /// A key with spaces and `+`, which a bucket notification encodes and `EventBridge` does not.
    pub fn awkward_key(&self) -> String {
        format!(
            "sf exports/hourly + late/{} {}+00:00 #{}.csv",
            self.event_type,
            self.hour.format("%Y-%m-%d %H"),
            self.sequence
        )
    }

    /// The file as Salesforce serves it: every field quoted, header included, lines ended by `\n`.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_line(&mut bytes, self.header.iter().map(AsRef::as_ref));
        for row in &self.rows {
            write_line(&mut bytes, self.header.iter().map(|column| row.value(column)));
        }
        bytes
    }

    /// [`LogFile::to_csv`], compressed; the same rows give the same bytes.
    pub fn to_csv_gz(&self) -> Vec<u8> {
        gzip(&self.to_csv())
    }
}

/// Compresses to the same bytes always: the header carries no time, name or system.
#[expect(clippy::expect_used, reason = "writing to memory does not fail")]
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory")
}

fn write_line<'a>(bytes: &mut Vec<u8>, fields: impl Iterator<Item = &'a str>) {
    for (index, field) in fields.enumerate() {
        bytes.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        bytes.extend_from_slice(field.replace('"', "\"\"").as_bytes());
        bytes.push(b'"');
    }
    bytes.push(b'\n');
}

fn file_name(event_type: &str, hour: DateTime<Utc>, sequence: u32) -> String {
    let interval = if sequence == 0 { hour.format("%Y-%m-%d") } else { hour.format("%Y-%m-%dT%H") };
    let interval = interval.to_string();
    format!(
        "{event_type}_{interval}_{}.csv",
        file_id(&format!("{event_type} {interval} {sequence}"))
    )
}

/// An id of an `EventLogFile` record, drawn from what the file is: the same file, the same id.
fn file_id(identity: &str) -> String {
    // FNV-1a: any spread of the identity over eight characters will do.
    let hash = identity.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("0AT5g00{}", crate::dice::Dice::new(hash, 0).text(8))
}

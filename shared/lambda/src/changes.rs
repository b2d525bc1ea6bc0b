//! What changed, out of a batch of a DynamoDB stream.
//!
//! A batch is worked through by what it changed, not by record: ten changes of one agent's day are one judgement.
//! Where a piece of work fails, the batch is reported as failed from its first record on, and comes again from
//! there; work done twice changes nothing.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use chrono::NaiveDate;
use eventlog::attribution::AgentKey;
use incident::IncidentId;
use ports::keys;

/// Work, with the sequence number of the first record that asks for it.
pub type Work<T> = BTreeMap<T, String>;

/// The agents' days that have to be judged afresh.
pub fn changed_days(event: &Event) -> Work<(String, AgentKey, NaiveDate)> {
    work(event, |partition, sort, _| keys::changed_day(partition, sort))
}

/// The alerts that have come to be owed.
pub fn owed_alerts(event: &Event) -> Work<(IncidentId, String)> {
    alerts(event, keys::ALERT_OWED)
}

/// The alerts that wait for their time.
pub fn scheduled_alerts(event: &Event) -> Work<(IncidentId, String)> {
    alerts(event, keys::ALERT_SCHEDULED)
}

fn alerts(event: &Event, state: &str) -> Work<(IncidentId, String)> {
    work(event, |partition, sort, record| {
        let alert = keys::changed_alert(partition, sort)?;
        let image = &record.change.new_image;
        (text(image, keys::ALERT_STATE) == Some(state)).then_some(alert)
    })
}

fn work<T: Ord>(event: &Event, parse: impl Fn(&str, &str, &EventRecord) -> Option<T>) -> Work<T> {
    let mut work = Work::new();
    for record in &event.records {
        let keys = &record.change.keys;
        let parsed = text(keys, "pk")
            .zip(text(keys, "sk"))
            .and_then(|(partition, sort)| parse(partition, sort, record));
        let sequence = record.change.sequence_number.clone();
        if let (Some(item), Some(sequence)) = (parsed, sequence) {
            work.entry(item).or_insert(sequence);
        }
    }
    work
}

fn text<'a>(item: &'a serde_dynamo::Item, name: &str) -> Option<&'a str> {
    match item.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

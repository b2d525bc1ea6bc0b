//! What stands around an event, by who relayed it.
//!
//! | relay | shape |
//! |---|---|
//! | Event relay over EventBridge | `{detail-type, source: aws.partner/salesforce.com/ORG/CHANNEL, detail: {payload}}` |
//! | `AppFlow` over EventBridge | `{detail-type, detail}` with the fields directly in `detail` |
//! | Streaming API (`CometD`) | `{schema, payload, event}`, or `{channel, data: {schema, payload, event}}` |
//! | Pub/Sub API | `{payload, replayId, schemaId, topicName}` by the subscriber's taste |
//! | query | the record itself, with `attributes: {type, url}` |
//! | collectors, CloudWatch Logs | the event as JSON in a string, under `message` or `event` |
//!
//! An event that no relay wrapped stands for itself.

use serde_json::{Map, Value};

use super::{shape, splitter::fits};
use crate::{
    event_type::{EventType, is_known_irrelevant, without_form},
    objects::id_15,
    report::QuarantineReason,
};

/// Most envelopes around one event.
const MAX_ENVELOPES: usize = 8;

/// Under which keys relays put what they wrap, in the order in which they are tried.
const WRAPPING_KEYS: [&str; 7] =
    ["detail", "payload", "data", "message", "event", "original", "input"];

/// Under which keys a relay names the event.
const NAMING_KEYS: [&str; 5] = ["detail-type", "channel", "topicName", "topic", "schemaName"];

/// Under which keys the org may stand, compared without case and separators.
const ORGANIZATION_KEYS: [&str; 4] = ["organizationid", "orgid", "salesforceorgid", "organization"];

/// What the source of EventBridge begins with, before the org.
const PARTNER_SOURCE: &str = "aws.partner/salesforce.com/";

/// An event without its envelopes.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    /// Its own fields.
    pub(super) fields: Map<String, Value>,
    /// What it is called: the name of a type where one is known, else what its relay calls it.
    pub(super) name: String,
    /// The org that an envelope names.
    pub(super) org_id: Option<String>,
}

impl Event {
    /// Takes the envelopes off. An inner name or org is preferred to an outer one.
    pub(super) fn unwrap(
        mut fields: Map<String, Value>,
        container_org_id: Option<&str>,
    ) -> Result<Self, QuarantineReason> {
        let mut names = Vec::new();
        let mut org_id = container_org_id.map(str::to_owned);
        for _ in 0..=MAX_ENVELOPES {
            // What is no id, as a display name is none, does not stand in for one.
            if let Some(found) = organization(&fields)
                && (org_id.is_none() || id_15(&found).is_some())
            {
                org_id = Some(found);
            }
            // A gateway and an Event Log File use the relays' words for fields of their own.
            if let Some(event_type) = shape::own_type(&fields) {
                return Ok(Self { name: event_type, fields, org_id });
            }
            for key in NAMING_KEYS {
                names.extend(fields.get(key).and_then(Value::as_str).map(last_segment));
            }
            names.extend(
                fields.get("attributes").and_then(|it| it.get("type")?.as_str()).map(str::to_owned),
            );
            if shape::is_event(&fields) {
                return Self::named(fields, names, org_id);
            }
            match unwrapped(&mut fields)? {
                Some(inner) => fields = inner,
                None => return Self::named(fields, names, org_id),
            }
        }
        Err(QuarantineReason::TooDeeplyNested)
    }

    /// Names the event by the innermost name that is one of a type, then by its fields, then by any name.
    fn named(
        fields: Map<String, Value>,
        mut names: Vec<String>,
        org_id: Option<String>,
    ) -> Result<Self, QuarantineReason> {
        let is_known = |name: &&String| {
            EventType::from_name(name).is_some() || is_known_irrelevant(without_form(name))
        };
        let known = names.iter().rev().find(is_known).cloned();
        let name = known
            .or_else(|| shape::inferred(&fields).map(|event_type| event_type.name().to_owned()))
            .or_else(|| names.pop())
            .ok_or(QuarantineReason::NoEventType)?;
        Ok(Self { fields, name, org_id })
    }
}

/// What the object wraps; `None` where it wraps nothing.
fn unwrapped(
    fields: &mut Map<String, Value>,
) -> Result<Option<Map<String, Value>>, QuarantineReason> {
    for key in WRAPPING_KEYS {
        match fields.get_mut(key) {
            Some(Value::Object(inner)) => return Ok(Some(std::mem::take(inner))),
            Some(Value::String(text)) if text.trim_start().starts_with('{') => {
                if !fits(text.as_bytes()) {
                    return Err(QuarantineReason::TooManyValues);
                }
                if let Ok(Value::Object(inner)) = serde_json::from_str(text) {
                    return Ok(Some(inner));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The org that an object names itself, or in the source that EventBridge gives it: the first that is an id, cut to 15
/// characters. Where none is, the first as it stands, so that it can be told of.
pub(super) fn organization(fields: &Map<String, Value>) -> Option<String> {
    let from_source = fields
        .get("source")
        .and_then(Value::as_str)
        .and_then(|source| source.strip_prefix(PARTNER_SOURCE)?.split('/').next());
    let named = fields.iter().filter_map(|(key, value)| {
        let plain: String = key
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let is_organization = ORGANIZATION_KEYS.contains(&plain.as_str());
        // A gateway writes a hyphen for what is not set.
        value.as_str().filter(|text| is_organization && !matches!(*text, "" | "-"))
    });
    let candidates: Vec<&str> = named.chain(from_source).collect();
    let id = candidates.iter().find_map(|text| id_15(text));
    id.or_else(|| candidates.first().map(|text| (*text).to_owned()))
}

/// `ApiEventStream` of `/event/ApiEventStream`.
fn last_segment(channel: &str) -> String {
    channel.rsplit('/').next().unwrap_or(channel).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORG: &str = "00D5g000004Hq3K";

    fn event(value: Value) -> Event {
        let Value::Object(fields) = value else { panic!("{value}") };
        Event::unwrap(fields, None).unwrap()
    }

    #[test]
    fn every_relay_gives_the_same_event() {
        let fields = json!({"EventIdentifier": "1", "EventDate": "2026-11-24T09:15:00Z", "OrganizationId": ORG});
        let text = fields.to_string();
        let source = "aws.partner/salesforce.com/00D5g000004Hq3KEAS/0YL5g000000Abcd";
        for wrapped in [
            json!({"detail-type": "ApiEventStream", "source": source, "detail": {"payload": fields}}),
            json!({"detail-type": "ApiEvent", "detail": fields}),
            json!({"channel": "/event/ApiEventStream", "data": {"schema": "x", "payload": fields, "event": {"replayId": 1}}}),
            json!({"payload": fields, "replayId": "1", "schemaId": "y", "topicName": "/event/ApiEventStream"}),
            json!({"@timestamp": "z", "message": json!({"channel": "/event/ApiEvent", "data": {"payload": fields}}).to_string()}),
            json!({"event": {"original": text}, "topic": "ApiEvent"}),
        ] {
            let told = format!("{wrapped}");
            let event = event(wrapped);
            assert_eq!(Value::Object(event.fields), fields, "{told}");
            assert_eq!(EventType::from_name(&event.name), Some(EventType::ApiEvent), "{told}");
            assert_eq!(event.org_id.as_deref(), Some(ORG), "{told}");
        }
    }

    #[test]
    fn the_org_is_in_the_source_of_event_bridge() {
        let event = event(json!({
            "detail-type": "LogoutEventStream",
            "source": "aws.partner/salesforce.com/00D5g000004Hq3KEAS/0YL5g000000Abcd",
            "detail": {"payload": {"EventIdentifier": "1"}},
        }));
        assert_eq!(event.org_id.as_deref(), Some(ORG));
    }

    #[test]
    fn a_display_name_hides_no_org() {
        let source = "aws.partner/salesforce.com/00D5g000004Hq3KEAS/0YL5g000000Abcd";
        for wrapped in [
            json!({"organization": "Acme GmbH", "detail-type": "ApiEvent", "source": source, "detail": {"payload": {"EventIdentifier": "1"}}}),
            json!({"organization": "Acme GmbH", "topic": "ApiEvent", "orgId": ORG, "payload": {"EventIdentifier": "1"}}),
            json!({"orgId": ORG, "topic": "ApiEvent", "payload": {"EventIdentifier": "1", "organization": "Acme GmbH"}}),
        ] {
            let told = format!("{wrapped}");
            assert_eq!(event(wrapped).org_id.as_deref(), Some(ORG), "{told}");
        }
        let unknown = event(
            json!({"organization": "Acme GmbH", "topic": "ApiEvent", "payload": {"EventIdentifier": "1"}}),
        );
        assert_eq!(unknown.org_id.as_deref(), Some("Acme GmbH"));
    }

    #[test]
    fn a_channel_of_ones_own_is_no_type() {
        let own = event(json!({
            "channel": "/event/Watched__chn",
            "data": {"payload": {"EventIdentifier": "1", "ApiType": "REST", "Query": "", "QueriedEntities": ""}},
        }));
        assert_eq!(own.name, "ApiEvent");
        let unknown =
            event(json!({"channel": "/event/Watched__chn", "data": {"payload": {"a": 1}}}));
        assert_eq!(unknown.name, "Watched__chn");
    }

    #[test]
    fn what_names_nothing_is_no_event_and_envelopes_have_an_end() {
        let unwrap = |value: Value| match value {
            Value::Object(fields) => Event::unwrap(fields, None),
            other => panic!("{other}"),
        };
        assert_eq!(unwrap(json!({"a": 1})), Err(QuarantineReason::NoEventType));
        let mut nested = json!({"EVENT_TYPE": "Login"});
        for _ in 0..=MAX_ENVELOPES {
            nested = json!({"data": nested});
        }
        assert_eq!(unwrap(nested), Err(QuarantineReason::TooDeeplyNested));
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(20_000));
        assert_eq!(unwrap(json!({"message": many})), Err(QuarantineReason::TooManyValues));
    }
}

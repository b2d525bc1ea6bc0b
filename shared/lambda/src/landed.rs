//! Which objects a message speaks of.
//!
//! S3 tells of a new object in two shapes, and a topic in between wraps the first once more:
//!
//! - a bucket notification, `{"Records": [{"s3": …}]}`: its key is URL-encoded, with `+` for a space;
//! - an event of EventBridge, `{"detail-type": "Object Created", "detail": …}`: its key is plain;
//! - either as the `Message` of an SNS notification.
//!
//! And a reader may have left [`Work`] for later, `{"work": "join", …}`, with the key as it is.
//!
//! Decoding by shape matters: a plain key that holds a `+` or a `%` must stay as it is.

use percent_encoding::percent_decode_str;
use ports::{LandedObject, Work};
use serde::Deserialize;
use thiserror::Error;

/// A message that does not tell of a landed object in any known shape.
#[derive(Debug, Error)]
pub enum UnknownMessage {
    /// Not JSON.
    #[error("the message is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another shape.
    #[error(
        "the message is neither a bucket notification nor an Object Created event of EventBridge, bare or \
         wrapped by SNS, nor work that a reader left"
    )]
    Shape,
    /// A key that is not UTF-8 once decoded.
    #[error("the key {key} is not UTF-8 once decoded")]
    Key {
        /// As it came.
        key: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Wrapped {
        #[serde(rename = "Type")]
        kind: String,
        #[serde(rename = "Message")]
        message: String,
    },
    Notification {
        #[serde(rename = "Records")]
        records: Vec<NotificationRecord>,
    },
    EventBridge {
        #[serde(rename = "detail-type")]
        detail_type: String,
        detail: Place,
    },
    Work(Work),
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
}

#[derive(Deserialize)]
struct NotificationRecord {
    #[serde(rename = "eventName")]
    event_name: String,
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    #[serde(rename = "versionId", alias = "version-id", default)]
    version: Option<String>,
}

/// What a message asks for. Nothing, for the test event that S3 sends when a notification is set up, and for events
/// other than a creation.
///
/// # Errors
/// When the message has none of the known shapes.
pub fn work(body: &str) -> Result<Vec<Work>, UnknownMessage> {
    asked(body, true)
}

fn asked(body: &str, may_be_wrapped: bool) -> Result<Vec<Work>, UnknownMessage> {
    let value: serde_json::Value = serde_json::from_str(body)?;
    match serde_json::from_value(value).map_err(|_| UnknownMessage::Shape)? {
        Message::Wrapped { kind, message } if may_be_wrapped && kind == "Notification" => {
            asked(&message, false)
        }
        Message::Notification { records } => records
            .into_iter()
            .filter(|record| {
                let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
                name.starts_with("ObjectCreated:")
            })
            .map(|record| {
                let Object { key, version } = record.s3.object;
                Ok(landed(record.s3.bucket.name, decode(key)?, version))
            })
            .collect(),
        Message::EventBridge { detail_type, detail } if detail_type == "Object Created" => {
            Ok(vec![landed(detail.bucket.name, detail.object.key, detail.object.version)])
        }
        Message::EventBridge { .. } => Ok(Vec::new()),
        Message::Work(work) => Ok(vec![work]),
        Message::Test { event } if event == "s3:TestEvent" => Ok(Vec::new()),
        Message::Wrapped { .. } | Message::Test { .. } => Err(UnknownMessage::Shape),
    }
}

fn landed(bucket: String, key: String, version: Option<String>) -> Work {
    let version = version.filter(|version| !version.is_empty());
    Work::Read(LandedObject { bucket, key, version })
}

fn decode(key: String) -> Result<String, UnknownMessage> {
    let spaced = key.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(UnknownMessage::Key { key }),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use eventlog::reader::Part;
    use ports::{PartWork, PartedObject, PartsLook};
    use serde_json::json;

    use super::*;

    fn notification(key: &str) -> String {
        json!({ "Records": [{
            "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": "landing" }, "object": { "key": key, "size": 12 } },
        }] })
        .to_string()
    }

    fn event(key: &str) -> String {
        json!({
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": { "bucket": { "name": "landing" }, "object": { "key": key, "size": 12 } },
        })
        .to_string()
    }

    fn landed_objects(body: &str) -> Result<Vec<LandedObject>, UnknownMessage> {
        let object = |work| match work {
            Work::Read(object) => object,
            work => panic!("{work:?} is no landing"),
        };
        work(body).map(|work| work.into_iter().map(object).collect())
    }

    fn keys(body: &str) -> Vec<String> {
        landed_objects(body).unwrap().into_iter().map(|object| object.key).collect()
    }

    #[test]
    fn work_that_was_left_is_taken_up_as_it_was_left() {
        let object = LandedObject {
            bucket: "landing".to_owned(),
            key: "RestApi/a+b%2Bc d.csv".to_owned(),
            version: Some("v7".to_owned()),
        };
        let of = PartedObject {
            object: object.clone(),
            e_tag: "e".to_owned(),
            size_bytes: u64::MAX,
            count: 3,
            read_at: DateTime::UNIX_EPOCH,
            landed_at: DateTime::UNIX_EPOCH,
        };
        let part = Part {
            from: 1 << 60,
            until: u64::MAX,
            line_number: 7,
            columns: vec!["EVENT_TYPE".to_owned(), "a \"b\"\u{FEFF}".to_owned()],
        };
        for left in [
            Work::Join(object.clone()),
            Work::Read(object),
            Work::ReadPart(PartWork { of: of.clone(), number: 2, part }),
            Work::LookAtParts(PartsLook { of, look: 1 }),
        ] {
            let body = serde_json::to_string(&left).unwrap();
            assert_eq!(work(&body).unwrap(), [left]);
        }
    }

    #[test]
    fn the_key_of_a_notification_is_decoded() {
        assert_eq!(keys(&notification("RestApi/a+b%2Bc%20d.csv")), ["RestApi/a b+c d.csv"]);
        assert_eq!(keys(&notification("caf%C3%A9.csv")), ["café.csv"]);
    }

    #[test]
    fn the_key_of_an_eventbridge_event_is_left_alone() {
        assert_eq!(keys(&event("RestApi/a+b%2Bc d.csv")), ["RestApi/a+b%2Bc d.csv"]);
    }

    #[test]
    fn the_version_that_landed_is_told_in_both_shapes() {
        let versioned = |body: String, name: &str| {
            let body = body.replace("\"size\":12", &format!("\"size\":12,\"{name}\":\"v7\""));
            landed_objects(&body).unwrap().remove(0).version
        };
        assert_eq!(versioned(notification("a.csv"), "versionId").as_deref(), Some("v7"));
        assert_eq!(versioned(event("a.csv"), "version-id").as_deref(), Some("v7"));
        assert_eq!(landed_objects(&event("a.csv")).unwrap()[0].version, None);
    }

    #[test]
    fn both_may_come_wrapped_by_sns() {
        for inner in [notification("a+b.csv"), event("a b.csv")] {
            let wrapped = json!({ "Type": "Notification", "MessageId": "1", "Message": inner });
            assert_eq!(keys(&wrapped.to_string()), ["a b.csv"]);
        }
    }

    #[test]
    fn the_test_event_and_deletions_speak_of_nothing() {
        let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "landing" });
        assert_eq!(keys(&test.to_string()), [""; 0]);
        let deleted = notification("a.csv").replace("ObjectCreated:Put", "ObjectRemoved:Delete");
        assert_eq!(keys(&deleted), [""; 0]);
        let deleted = event("a.csv").replace("Object Created", "Object Deleted");
        assert_eq!(keys(&deleted), [""; 0]);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        assert!(matches!(landed_objects("not json"), Err(UnknownMessage::Json(_))));
        for body in ["{}", "[]", "3", r#"{"Event":"other"}"#, r#"{"Records":[{}]}"#] {
            assert!(matches!(landed_objects(body), Err(UnknownMessage::Shape)), "{body}");
        }
        assert!(matches!(
            landed_objects(&notification("%FF.csv")),
            Err(UnknownMessage::Key { .. })
        ));
    }

    #[test]
    fn a_notification_wrapped_twice_is_refused() {
        let once = json!({ "Type": "Notification", "Message": notification("a.csv") }).to_string();
        let twice = json!({ "Type": "Notification", "Message": once }).to_string();
        assert!(matches!(landed_objects(&twice), Err(UnknownMessage::Shape)));
    }
}

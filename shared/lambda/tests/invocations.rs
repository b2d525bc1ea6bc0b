//! The invocations under `events/`, as the services send them, through the types that the functions take.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use aws_lambda_events::{dynamodb::Event, sqs::SqsEvent};
use eventlog::attribution::AgentKey;
use incident::IncidentId;
use lambda::{
    changes::{changed_days, owed_alerts},
    landed::{UnknownMessage, work},
};
use ports::{LandedObject, Work};
use serde_json::{Value, json};

macro_rules! invocation {
    ($name:literal) => {
        serde_json::from_str(include_str!(concat!("../../../events/invocations/", $name, ".json")))
            .unwrap()
    };
}

const AWKWARD_KEY: &str = "sf exports/hourly + late/RestApi 2026-11-24 09+00:00 #1.csv";

/// What each message of a batch speaks of.
fn landed(batch: &SqsEvent) -> Vec<Result<Vec<Work>, UnknownMessage>> {
    batch.records.iter().map(|record| work(record.body.as_ref().unwrap())).collect()
}

/// The only object of the only message.
fn the_object(batch: &SqsEvent) -> LandedObject {
    let mut landed = landed(batch);
    assert_eq!(landed.len(), 1);
    let mut objects = landed.remove(0).unwrap();
    assert_eq!(objects.len(), 1, "{objects:?}");
    match objects.remove(0) {
        Work::Read(object) => object,
        work => panic!("{work:?} is no landing"),
    }
}

#[test]
fn every_shape_that_tells_of_an_object_names_its_bucket_decoded_key_and_version() {
    let (of_event, of_notification) =
        ("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "096fKKXTRTtl3on89fVO.nfljtsv6qko");
    let plain = "RestApi/RestApi_2026-11-24T09_0AT5g00wLKcGOFA.csv";
    let batches: [(SqsEvent, &str, &str); 4] = [
        (invocation!("eventbridge-awkward-key-in-sqs"), AWKWARD_KEY, of_event),
        (invocation!("eventbridge-object-created-in-sqs"), plain, of_event),
        (invocation!("s3-notification-in-sqs"), AWKWARD_KEY, of_notification),
        (invocation!("s3-notification-wrapped-by-sns-in-sqs"), AWKWARD_KEY, of_notification),
    ];
    for (batch, key, version) in batches {
        let expected = LandedObject {
            bucket: "breachclock-landing".to_owned(),
            key: key.to_owned(),
            version: Some(version.to_owned()),
        };
        assert_eq!(the_object(&batch), expected);
    }
}

#[test]
fn a_removal_and_the_test_event_speak_of_nothing() {
    let batches: [SqsEvent; 2] =
        [invocation!("s3-object-removed-in-sqs"), invocation!("s3-test-event-in-sqs")];
    for batch in batches {
        let landed = landed(&batch);
        assert_eq!(landed.len(), 1);
        assert_eq!(landed[0].as_ref().unwrap(), &[]);
    }
}

#[test]
fn one_message_that_cannot_be_read_says_nothing_of_its_neighbours() {
    let batch: SqsEvent = invocation!("mixed-batch-in-sqs");
    let landed = landed(&batch);
    assert_eq!(landed.len(), 3);
    assert!(matches!(&landed[0].as_ref().unwrap()[..],
        [Work::Read(object)] if object.key == AWKWARD_KEY));
    assert!(matches!(landed[1], Err(UnknownMessage::Json(_))));
    assert!(matches!(&landed[2].as_ref().unwrap()[..],
        [Work::Read(object)] if object.key == "RestApi/RestApi_2026-11-24T10_0AT5g00zsckJSAR.csv"));
}

fn support_copilot() -> AgentKey {
    AgentKey("support-copilot".to_owned())
}

/// A record as the stream sends it. `image` beside the key; without one for a removal.
fn record(sequence_number: u64, partition: &str, sort: &str, image: Option<Value>) -> Value {
    let keys = json!({ "pk": { "S": partition }, "sk": { "S": sort } });
    let mut change = json!({
        "ApproximateCreationDateTime": 1_795_514_703,
        "Keys": keys,
        "SequenceNumber": sequence_number.to_string(),
        "SizeBytes": 112,
        "StreamViewType": "NEW_IMAGE",
    });
    let event_name = if image.is_some() { "MODIFY" } else { "REMOVE" };
    if let Some(mut image) = image {
        image.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        change["NewImage"] = image;
    }
    json!({
        "eventID": format!("{sequence_number:032x}"),
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": change,
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-11-24T05:00:00.000",
    })
}

fn event(records: &[Value]) -> Event {
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

#[test]
fn the_sample_stream_asks_for_one_day_from_its_first_record_on() {
    let event: Event = invocation!("access-table-stream");
    assert!(event.records.len() > 1);
    let work: Vec<_> = changed_days(&event).into_iter().collect();
    let day = "2026-11-24".parse().unwrap();
    let expected = ("00D5g000004Hq3K".to_owned(), support_copilot(), day);
    assert_eq!(work, [(expected, "111000000000000000001".to_owned())]);
    assert!(owed_alerts(&event).is_empty());
}

#[test]
fn the_hours_of_one_day_are_one_piece_of_work_and_other_agents_orgs_and_days_their_own() {
    let tallies = || Some(json!({ "member_count": { "N": "1" } }));
    let hour =
        |sequence_number, partition, sort| record(sequence_number, partition, sort, tallies());
    let event = event(&[
        hour(70, "AGENT#00D5g000004Hq3K#support-copilot", "HOUR#2026-11-24T23#RestApi"),
        hour(71, "AGENT#00D5g000004Hq3K#billing-bot", "HOUR#2026-11-24T09#RestApi"),
        hour(72, "AGENT#00D5g000004Hq3K#support-copilot", "HOUR#2026-11-24T00#Report"),
        hour(73, "AGENT#00D5g000004Hq3K#support-copilot", "HOUR#2026-11-25T00#RestApi"),
        hour(74, "AGENT#00D5g000004Hq3L#support-copilot", "HOUR#2026-11-24T00#RestApi"),
        hour(75, "AGENT#00D5g000004Hq3K#support-copilot", "HOUR#2026-11-24T23#RestApi"),
    ]);
    let work: Vec<_> = changed_days(&event)
        .into_iter()
        .map(|((org_id, agent, day), sequence)| (org_id, agent.0, day.to_string(), sequence))
        .collect();
    let expected = [
        ("00D5g000004Hq3K", "billing-bot", "2026-11-24", "71"),
        ("00D5g000004Hq3K", "support-copilot", "2026-11-24", "70"),
        ("00D5g000004Hq3K", "support-copilot", "2026-11-25", "73"),
        ("00D5g000004Hq3L", "support-copilot", "2026-11-24", "74"),
    ];
    let expected = expected.map(|(org_id, agent, day, sequence)| {
        (org_id.to_owned(), agent.to_owned(), day.to_owned(), sequence.to_owned())
    });
    assert_eq!(work, expected);
}

#[test]
fn judged_days_files_and_marks_of_hours_ask_for_nothing() {
    let image = || Some(json!({ "member_count": { "N": "1" } }));
    let event = event(&[
        record(1, "AGENT#00D5g000004Hq3K#support-copilot", "DAY#2026-11-24", image()),
        record(2, "FILE#2026-11-24", "landing/RestApi/a.csv#e-tag", image()),
        record(3, "HOUR#00D5g000004Hq3K#RestApi", "2026-11-24T09", image()),
        record(4, "AGENT#00D5g000004Hq3K#support-copilot", "HOUR#not an hour#RestApi", image()),
        record(5, "AGENT#", "HOUR#", image()),
        record(6, "", "", image()),
    ]);
    assert!(changed_days(&event).is_empty(), "{:?}", changed_days(&event));
    assert!(owed_alerts(&event).is_empty());
}

#[test]
fn an_alert_is_work_only_while_it_is_owed() {
    let state = |state: &str| Some(json!({ "state": { "S": state } }));
    let incident = "INCIDENT#BC-0123456789AB";
    let event = event(&[
        record(1, incident, "INCIDENT", state("owed")),
        record(2, incident, "ALERT#BC-0123456789AB.eu-gdpr-33-1.overdue", state("other")),
        record(3, incident, "ALERT#BC-0123456789AB.incident.opened", state("owed")),
        record(4, incident, "TIMELINE#00000001", state("owed")),
        record(5, incident, "ALERT#BC-0123456789AB.incident.opened", state("owed")),
        record(6, incident, "ALERT#no.state", Some(json!({}))),
        record(7, incident, "ALERT#odd.state", Some(json!({ "state": { "N": "1" } }))),
        record(8, incident, "ALERT#removed", None),
    ]);
    let work: Vec<_> = owed_alerts(&event).into_iter().collect();
    let opened =
        (IncidentId("BC-0123456789AB".to_owned()), "BC-0123456789AB.incident.opened".to_owned());
    assert_eq!(work, [(opened, "3".to_owned())]);
    assert!(changed_days(&event).is_empty());
}

#[test]
fn a_removal_without_an_image_and_a_record_without_keys_do_no_harm() {
    let mut bare = record(1, "", "", None);
    bare["dynamodb"] =
        json!({ "SequenceNumber": "1", "SizeBytes": 0, "StreamViewType": "NEW_IMAGE" });
    let mut unnumbered = record(2, "AGENT#o#a", "HOUR#2026-11-24T09#RestApi", Some(json!({})));
    unnumbered["dynamodb"].as_object_mut().unwrap().remove("SequenceNumber");
    let event = event(&[
        bare,
        unnumbered,
        record(3, "AGENT#00D5g000004Hq3K#support-copilot", "DAY#2026-11-24", None),
        record(4, "INCIDENT#BC-0123456789AB", "ALERT#BC-0123456789AB.incident.opened", None),
    ]);
    assert!(changed_days(&event).is_empty(), "{:?}", changed_days(&event));
    assert!(owed_alerts(&event).is_empty());
}

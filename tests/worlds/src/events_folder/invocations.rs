//! What Lambda hands to a function, one file for each way that an event comes.
//!
//! The documents are put together as text, so that their bytes depend on nothing but this file.

use super::bad::quoted;
use crate::{
    World,
    log_file::LogFile,
    organisation::{ORG_ID, SUPPORT_COPILOT},
};

const BUCKET: &str = "breachclock-landing";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:000000000000:breachclock-landing";

pub(super) fn files(world: &World) -> Vec<(&'static str, String)> {
    let hour = |number: u32| {
        world.files.iter().find(move |file| {
            file.event_type == "RestApi" && chrono::Timelike::hour(&file.hour) == number
        })
    };
    let (Some(nine), Some(ten)) = (hour(9), hour(10)) else { return Vec::new() };

    let notification = s3_notification(&awkward_key_encoded(nine), size(nine));
    let plain = object_created(&nine.key(), size(nine));
    let awkward = object_created(&nine.awkward_key(), size(nine));
    vec![
        ("s3-notification-in-sqs.json", sqs(&[&notification])),
        ("s3-notification-wrapped-by-sns-in-sqs.json", sqs(&[&sns(&notification)])),
        ("s3-test-event-in-sqs.json", sqs(&[&s3_test_event()])),
        (
            "s3-object-removed-in-sqs.json",
            sqs(&[&notification.replace("ObjectCreated:Put", "ObjectRemoved:Delete")]),
        ),
        ("eventbridge-object-created-in-sqs.json", sqs(&[&plain])),
        ("eventbridge-awkward-key-in-sqs.json", sqs(&[&awkward])),
        (
            "mixed-batch-in-sqs.json",
            sqs(&[&notification, "not a document", &object_created(&ten.key(), size(ten))]),
        ),
        ("access-table-stream.json", access_table_stream()),
        ("eventbridge-scheduled.json", scheduled()),
    ]
}

fn size(file: &LogFile) -> usize {
    file.to_csv().len()
}

/// [`LogFile::awkward_key`] as a bucket notification carries it: form-encoded, save for the slash.
fn awkward_key_encoded(file: &LogFile) -> String {
    file.awkward_key().replace('+', "%2B").replace(':', "%3A").replace('#', "%23").replace(' ', "+")
}

/// A batch from the queue, one message for each body.
fn sqs(bodies: &[&str]) -> String {
    let messages: Vec<String> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| {
            let body = quoted(body);
            format!(
                r#"    {{
      "messageId": "5f0c1f5e-7b1d-4c55-9a40-00000000000{index}",
      "receiptHandle": "receipt-{index}",
      "body": {body},
      "attributes": {{
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795514702000",
        "SenderId": "AIDAEXAMPLE",
        "ApproximateFirstReceiveTimestamp": "1795514702041"
      }},
      "messageAttributes": {{}},
      "md5OfBody": "00000000000000000000000000000000",
      "eventSource": "aws:sqs",
      "eventSourceARN": "{QUEUE}",
      "awsRegion": "eu-west-1"
    }}"#
            )
        })
        .collect();
    format!("{{\n  \"Records\": [\n{}\n  ]\n}}\n", messages.join(",\n"))
}

fn s3_notification(key: &str, size: usize) -> String {
    let key = quoted(key);
    format!(
        r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-11-24T10:05:02.118Z","eventName":"ObjectCreated:Put","userIdentity":{{"principalId":"AWS:AIDAEXAMPLE"}},"requestParameters":{{"sourceIPAddress":"198.51.100.200"}},"responseElements":{{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"example"}},"s3":{{"s3SchemaVersion":"1.0","configurationId":"landing","bucket":{{"name":"{BUCKET}","ownerIdentity":{{"principalId":"A3NL1KOZZKEXAMPLE"}},"arn":"arn:aws:s3:::{BUCKET}"}},"object":{{"key":{key},"size":{size},"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}}}}]}}"#
    )
}

/// What S3 sends once, when notifications are switched on.
fn s3_test_event() -> String {
    format!(
        r#"{{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-24T05:00:00.000Z","Bucket":"{BUCKET}","RequestId":"5582815E1AEA5ADF","HostId":"example"}}"#
    )
}

fn sns(message: &str) -> String {
    let message = quoted(message);
    format!(
        r#"{{"Type":"Notification","MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324","TopicArn":"arn:aws:sns:eu-west-1:000000000000:landing","Subject":"Amazon S3 Notification","Message":{message},"Timestamp":"2026-11-24T10:05:02.301Z","SignatureVersion":"2","Signature":"ZXhhbXBsZQ==","SigningCertURL":"https://sns.eu-west-1.amazonaws.com/example.pem","UnsubscribeURL":"https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"}}"#
    )
}

/// `EventBridge` gives the key as it is.
fn object_created(key: &str, size: usize) -> String {
    let key = quoted(key);
    format!(
        r#"{{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3","account":"000000000000","time":"2026-11-24T10:05:02Z","region":"eu-west-1","resources":["arn:aws:s3:::{BUCKET}"],"detail":{{"version":"0","bucket":{{"name":"{BUCKET}"}},"object":{{"key":{key},"size":{size},"etag":"d41d8cd98f00b204e9800998ecf8427e","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e","sequencer":"00617F08299329D189"}},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","source-ip-address":"198.51.100.200","reason":"PutObject"}}}}"#
    )
}

/// A new hour, a changed hour, and one that its time to live has removed.
fn access_table_stream() -> String {
    let record = |index: u32, name: &str, event_type: &str, image: bool, extra: &str| {
        let keys = format!(
            r#""pk": {{ "S": "AGENT#{ORG_ID}#{SUPPORT_COPILOT}" }}, "sk": {{ "S": "HOUR#2026-11-24T09#{event_type}" }}"#
        );
        let image = if image {
            format!(
                ",\n        \"NewImage\": {{ {keys}, \"member_count\": {{ \"N\": \"{index}\" }} }}"
            )
        } else {
            String::new()
        };
        format!(
            r#"    {{
      "eventID": "c4ca4238a0b923820dcc509a6f75849{index}",
      "eventName": "{name}",
      "eventVersion": "1.1",
      "eventSource": "aws:dynamodb",
      "awsRegion": "eu-west-1",
      "dynamodb": {{
        "ApproximateCreationDateTime": 1795514703,
        "Keys": {{ {keys} }}{image},
        "SequenceNumber": "11100000000000000000{index}",
        "SizeBytes": 112,
        "StreamViewType": "NEW_IMAGE"
      }},{extra}
      "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/access/stream/2026-11-24T05:00:00.000"
    }}"#
        )
    };
    let expired = "\n      \"userIdentity\": { \"type\": \"Service\", \"principalId\": \"dynamodb.amazonaws.com\" },";
    let records = [
        record(1, "INSERT", "RestApi", true, ""),
        record(2, "MODIFY", "RestApi", true, ""),
        record(3, "REMOVE", "BulkApi2", false, expired),
    ];
    format!("{{\n  \"Records\": [\n{}\n  ]\n}}\n", records.join(",\n"))
}

/// The rule that wakes the sweep every minute.
fn scheduled() -> String {
    r#"{
  "version": "0",
  "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  "source": "aws.events",
  "account": "000000000000",
  "time": "2026-11-24T11:02:00Z",
  "region": "eu-west-1",
  "resources": ["arn:aws:events:eu-west-1:000000000000:rule/breachclock-every-minute"],
  "detail": {}
}
"#
    .to_owned()
}

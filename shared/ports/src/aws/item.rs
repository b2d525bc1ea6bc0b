//! How a record lies in a table: its key, what conditions and indexes need as attributes of their own, and the
//! record itself as JSON, so that it comes back exactly as it was written. Long ones are compressed.

use std::{
    collections::HashMap,
    io::{Read, Write},
};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Serialize, de::DeserializeOwned};

use crate::{PortError, Result, json::place};

pub(super) const PARTITION: &str = "pk";
pub(super) const SORT: &str = "sk";
const BODY: &str = "body";
const COMPRESSED_BODY: &str = "body_gz";

/// From this size on, a record is compressed: reading is charged by size.
const PLAIN_BYTES_MAX: usize = 16 * 1024;
/// An item of DynamoDB holds 400 KiB, names and keys included.
const ITEM_BYTES_MAX: usize = 390 * 1024;
/// What an item may inflate to; nothing that we write comes near it.
const INFLATED_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// The item of a record.
pub(super) fn item(
    partition: &str,
    sort: &str,
    record: &impl Serialize,
    attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
) -> Result<Item> {
    let what = || format!("the item {partition} {sort}");
    let unreadable = |reason: String| PortError::Unreadable { what: what(), reason };
    let json = serde_json::to_string(record).map_err(|error| unreadable(place(&error)))?;
    let mut item: Item = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain([(PARTITION.to_owned(), text(partition)), (SORT.to_owned(), text(sort))])
        .collect();
    if json.len() <= PLAIN_BYTES_MAX {
        item.insert(BODY.to_owned(), text(json));
        return Ok(item);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.as_bytes()).map_err(|error| unreadable(error.to_string()))?;
    let compressed = encoder.finish().map_err(|error| unreadable(error.to_string()))?;
    if compressed.len() > ITEM_BYTES_MAX {
        let bytes = |length| u64::try_from(length).unwrap_or(u64::MAX);
        return Err(PortError::TooLarge {
            what: what(),
            size_bytes: bytes(compressed.len()),
            limit_bytes: bytes(ITEM_BYTES_MAX),
        });
    }
    item.insert(COMPRESSED_BODY.to_owned(), AttributeValue::B(Blob::new(compressed)));
    Ok(item)
}

/// The record of an item.
pub(super) fn record<T: DeserializeOwned>(item: &Item) -> Result<T> {
    let unreadable = |reason: String| {
        let key = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let what = format!(
            "the item {} {}",
            key(PARTITION).unwrap_or_default(),
            key(SORT).unwrap_or_default()
        );
        PortError::Unreadable { what, reason }
    };
    if let Some(Ok(json)) = item.get(BODY).map(AttributeValue::as_s) {
        return serde_json::from_str(json).map_err(|error| unreadable(place(&error)));
    }
    let Some(Ok(compressed)) = item.get(COMPRESSED_BODY).map(AttributeValue::as_b) else {
        return Err(unreadable("it has no body".to_owned()));
    };
    let mut json = Vec::new();
    GzDecoder::new(compressed.as_ref())
        .take(INFLATED_BYTES_MAX)
        .read_to_end(&mut json)
        .map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| unreadable(place(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_records_come_back_as_they_were() {
        for length in [0, 10, PLAIN_BYTES_MAX * 4] {
            let written = "x".repeat(length);
            let stored = item("p", "s", &written, [("version", number(7))]).unwrap();
            assert_eq!(record::<String>(&stored).unwrap(), written);
            assert_eq!(stored.get("version"), Some(&number(7)));
            assert_eq!(stored.contains_key(COMPRESSED_BODY), length > PLAIN_BYTES_MAX);
        }
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused_with_its_size() {
        // Hex of a counter hashed by multiplication: it hardly compresses.
        let noise = (0_u64..120_000).fold(String::new(), |noise, index| {
            noise + &format!("{:016x}", index.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        });
        let error = item("p", "s", &noise, []).unwrap_err();
        assert!(matches!(error, PortError::TooLarge { .. }), "{error}");
    }
}

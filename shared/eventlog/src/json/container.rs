//! Objects that are there for the array in them: the answer of a query, the batch of a log subscription.

use serde_json::Value;

use super::envelope::organization;

/// Keys whose array holds the events: of the answer to a SOQL query, and of what CloudWatch Logs hands to a
/// subscription.
const ARRAY_KEYS: [&[u8]; 2] = [b"records", b"logEvents"];

/// Longest of them.
const MAX_KEY_BYTES: usize = 9;

/// The last key of an object, as far as it may be one of [`ARRAY_KEYS`].
#[derive(Debug, Default)]
pub(super) struct KeyTracker {
    bytes: [u8; MAX_KEY_BYTES],
    /// Bytes of the key; more than the array holds for a longer one.
    length: usize,
    is_key: bool,
    is_open: bool,
}

impl KeyTracker {
    /// A string begins, which is a key of the object or is not.
    pub(super) fn start(&mut self, is_key: bool) {
        if is_key {
            self.length = 0;
            self.is_key = true;
        }
        self.is_open = is_key;
    }

    /// A byte of the string.
    pub(super) fn push(&mut self, byte: u8) {
        if self.is_open {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
            }
            self.length = self.length.saturating_add(1);
        }
    }

    /// The string ends.
    pub(super) fn end(&mut self) {
        self.is_open = false;
    }

    /// Whether an array behind this key holds events.
    pub(super) fn is_containers(&self) -> bool {
        let key = self.bytes.get(..self.length);
        self.is_key && key.is_some_and(|key| ARRAY_KEYS.contains(&key))
    }
}

/// What stood in a container before its array.
#[derive(Debug, Default)]
pub(super) struct Container {
    org_id: Option<String>,
}

impl Container {
    /// Reads the bytes of a container from its brace up to the bracket of its array.
    pub(super) fn of(head: &[u8]) -> Self {
        let whole = [head, b"null}"].concat();
        let org_id = match serde_json::from_slice(&whole) {
            Ok(Value::Object(object)) => organization(&object),
            _ => None,
        };
        Self { org_id }
    }

    /// The org that it names.
    pub(super) fn org_id(&self) -> Option<&str> {
        self.org_id.as_deref()
    }
}

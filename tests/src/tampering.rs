//! What somebody does who can write the incident table, and should not: edits beside the program.

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::write::GzEncoder;
use incident::{Case, Incident, TimelineEntry};
use ports::keys;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::LocalStack;
use crate::stack::record;

/// An item as it was before it was edited.
pub struct Original(HashMap<String, AttributeValue>);

impl LocalStack {
    /// Edits the record in one item of an incident, and answers with the item as it was.
    ///
    /// # Errors
    /// When there is no such item.
    pub async fn edit_item(
        &self,
        incident: &Incident,
        sort: &str,
        edit: impl FnOnce(&mut Value),
    ) -> Result<Original> {
        let partition = keys::incident_partition(&incident.incident_id);
        let get = self
            .tables()
            .get_item()
            .table_name(&self.outputs().incident_table)
            .key("pk", AttributeValue::S(partition.clone()))
            .key("sk", AttributeValue::S(sort.to_owned()))
            .consistent_read(true);
        let item = get.send().await.context("cannot read the item")?.item;
        let original = item.with_context(|| format!("there is no {sort} of {partition}"))?;
        let mut value: Value = record(&original)?;
        edit(&mut value);
        self.put_item(with_record(original.clone(), &value)?).await?;
        Ok(Original(original))
    }

    /// Puts an item back as it was.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn put_back(&self, original: Original) -> Result<()> {
        self.put_item(original.0).await
    }

    /// Writes the whole timeline of an incident anew, with every hash right and everything else made to fit: what the actor of
    /// its last entry was, nobody could tell from the table any more.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn forge_timeline(&self, incident: &Incident, actor: &str) -> Result<()> {
        let mut entries = self.timeline_of(incident).await?;
        let mut previous = String::new();
        let last = entries.len();
        for (number, entry) in (1_usize..).zip(&mut entries) {
            if number == last {
                actor.clone_into(&mut entry.actor);
            }
            entry.previous_hash = previous;
            entry.hash = hash(entry)?;
            previous = entry.hash.clone();
            self.replace(incident, &keys::timeline_sort(entry.sequence), entry).await?;
        }
        let forged = Case::replay(&entries).context("no timeline")?;
        self.replace(incident, keys::INCIDENT_ITEM, &forged.incident).await?;
        for alert in forged.alerts.values() {
            self.replace(incident, &keys::alert_sort(&alert.alert_id), alert).await?;
        }
        Ok(())
    }

    async fn replace(&self, incident: &Incident, sort: &str, by: &impl Serialize) -> Result<()> {
        let by = serde_json::to_value(by)?;
        self.edit_item(incident, sort, |value| *value = by).await?;
        Ok(())
    }

    async fn put_item(&self, item: HashMap<String, AttributeValue>) -> Result<()> {
        let table = &self.outputs().incident_table;
        let put = self.tables().put_item().table_name(table).set_item(Some(item));
        put.send().await.context("cannot write the item")?;
        Ok(())
    }
}

/// The item with another record in it, in the form in which the other was: plain, or compressed.
fn with_record(
    mut item: HashMap<String, AttributeValue>,
    record: &Value,
) -> Result<HashMap<String, AttributeValue>> {
    let json = serde_json::to_vec(record)?;
    if item.contains_key("body_gz") {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(&json)?;
        item.insert("body_gz".to_owned(), AttributeValue::B(Blob::new(gz.finish()?)));
    } else {
        ensure!(item.contains_key("body"), "the item holds no record");
        item.insert("body".to_owned(), AttributeValue::S(String::from_utf8(json)?));
    }
    Ok(item)
}

/// The hash of an entry as `docs/EVIDENCE.md` defines it, worked out apart from the code that is tested by it.
fn hash(entry: &TimelineEntry) -> Result<String> {
    let mut value = serde_json::to_value(entry)?;
    value.as_object_mut().context("an entry is an object")?.remove("hash");
    // The keys of a `Value` are sorted, and an entry holds no fractions: this is the canonical form.
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(&value)?)))
}

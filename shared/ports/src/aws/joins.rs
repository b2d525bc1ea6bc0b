//! Joins in the access table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::SdkError};
use chrono::{DateTime, TimeDelta, Utc};
use eventlog::joins::{JoinKey, Link, LinkedCaller, MAX_CALLERS_PER_KEY};

use super::{
    item::{item, number},
    table::Table,
    unavailable,
};
use crate::{JoinTable, LandedObject, LinkRecord, Result, keys};

/// No file comes later than that: Salesforce keeps logs for 30 days, and a tally can change for 40.
const RETENTION_DAYS: i64 = 40;

/// Joins in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoJoins(Table);

impl DynamoJoins {
    /// In this table, which may hold other things.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Table { client, name: table.into() })
    }

    async fn put(
        &self,
        key: &JoinKey,
        sort: &str,
        record: &(impl serde::Serialize + Sync),
        now: DateTime<Utc>,
        only_new: bool,
    ) -> Result<bool> {
        let expires = number((now + TimeDelta::days(RETENTION_DAYS)).timestamp());
        let item = item(&keys::join_partition(key), sort, record, [("expires_at", expires)])?;
        let condition = only_new.then(|| "attribute_not_exists(pk)".to_owned());
        match self.0.put(item).set_condition_expression(condition).send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(refused))
                if refused.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable("dynamodb:PutItem", error)),
        }
    }
}

fn sort_of(link: &Link) -> String {
    keys::link_sort(&link.caller)
}

#[async_trait]
impl JoinTable for DynamoJoins {
    async fn put_link(&self, link: &Link, now: DateTime<Utc>) -> Result<bool> {
        let sort = sort_of(link);
        let record = LinkRecord { link: link.clone(), is_announced: false, linked_at: now };
        if self.put(&link.key, &sort, &record, now, true).await? {
            return Ok(false);
        }
        let known: Option<LinkRecord> = self.0.get(keys::join_partition(&link.key), sort).await?;
        Ok(known.is_some_and(|record| record.is_announced))
    }

    async fn announced(&self, link: &Link, now: DateTime<Utc>) -> Result<()> {
        let record = LinkRecord { link: link.clone(), is_announced: true, linked_at: now };
        self.put(&link.key, &sort_of(link), &record, now, false).await?;
        Ok(())
    }

    async fn callers(&self, key: &JoinKey) -> Result<Vec<LinkedCaller>> {
        let links: Vec<LinkRecord> =
            self.0.first(keys::join_partition(key), keys::LINK_PREFIX, MAX_CALLERS_PER_KEY).await?;
        Ok(links.into_iter().map(|record| record.link.caller).collect())
    }

    async fn put_seeker(
        &self,
        key: &JoinKey,
        source_hash: &str,
        file: &LandedObject,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.put(key, &keys::seeker_sort(source_hash), file, now, false).await?;
        Ok(())
    }

    async fn seekers(&self, key: &JoinKey) -> Result<Vec<LandedObject>> {
        self.0.query(keys::join_partition(key), keys::SEEKER_PREFIX).await
    }
}

//! One table of DynamoDB, read consistently.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::builders::PutItemFluentBuilder, query::builders::QueryFluentBuilder},
};
use serde::de::DeserializeOwned;

use super::{
    item::{Item, PARTITION, SORT, record, text},
    unavailable,
};
use crate::Result;

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Table {
    /// The item of that key; only the named attributes where `projection` says so.
    pub(super) async fn item(
        &self,
        partition: impl Into<String>,
        sort: impl Into<String>,
        projection: Option<&str>,
    ) -> Result<Option<Item>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .consistent_read(true)
            .key(PARTITION, text(partition))
            .key(SORT, text(sort))
            .set_projection_expression(projection.map(str::to_owned));
        let answer = get.send().await.map_err(|error| unavailable("dynamodb:GetItem", error))?;
        Ok(answer.item)
    }

    /// The record of that key.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        partition: impl Into<String>,
        sort: impl Into<String>,
    ) -> Result<Option<T>> {
        self.item(partition, sort, None).await?.as_ref().map(record).transpose()
    }

    /// All items of a partition, in its order.
    pub(super) async fn items(&self, partition: impl Into<String>) -> Result<Vec<Item>> {
        let query = self.of(partition).key_condition_expression("pk = :pk");
        let items = query.into_paginator().items().send().try_collect().await;
        items.map_err(|error| unavailable("dynamodb:Query", error))
    }

    /// All records of a partition whose sort key starts so, in its order.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        partition: impl Into<String>,
        sort_prefix: &str,
    ) -> Result<Vec<T>> {
        records(self.prefixed(partition, sort_prefix), usize::MAX).await
    }

    /// The first records of a partition whose sort key starts so, in its order.
    pub(super) async fn first<T: DeserializeOwned>(
        &self,
        partition: impl Into<String>,
        sort_prefix: &str,
        count: usize,
    ) -> Result<Vec<T>> {
        let count_max = i32::try_from(count).unwrap_or(i32::MAX);
        records(self.prefixed(partition, sort_prefix).limit(count_max), count).await
    }

    /// All records of a partition whose sort key lies between the two, both included, in its order.
    pub(super) async fn query_between<T: DeserializeOwned>(
        &self,
        partition: impl Into<String>,
        (from, to): (String, String),
    ) -> Result<Vec<T>> {
        let query = self
            .of(partition)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to));
        records(query, usize::MAX).await
    }

    /// A query of one partition.
    fn of(&self, partition: impl Into<String>) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(partition))
    }

    fn prefixed(&self, partition: impl Into<String>, sort_prefix: &str) -> QueryFluentBuilder {
        self.of(partition)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":sk", text(sort_prefix))
    }

    /// A put, to be given its condition and sent.
    pub(super) fn put(&self, item: Item) -> PutItemFluentBuilder {
        self.client.put_item().table_name(&self.name).set_item(Some(item))
    }
}

async fn records<T: DeserializeOwned>(
    query: QueryFluentBuilder,
    count_max: usize,
) -> Result<Vec<T>> {
    let mut pages = query.into_paginator().items().send();
    let mut records = Vec::new();
    while records.len() < count_max
        && let Some(found) = pages.next().await
    {
        let found: Item = found.map_err(|error| unavailable("dynamodb:Query", error))?;
        records.push(record(&found)?);
    }
    Ok(records)
}

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

    /// All records of a partition whose sort key starts so, in its order.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        partition: impl Into<String>,
        sort_prefix: &str,
    ) -> Result<Vec<T>> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":sk", text(sort_prefix));
        self.records(query, partition).await
    }

    /// All records of a partition whose sort key lies between the two, both included, in its order.
    pub(super) async fn query_between<T: DeserializeOwned>(
        &self,
        partition: impl Into<String>,
        (from, to): (String, String),
    ) -> Result<Vec<T>> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to));
        self.records(query, partition).await
    }

    async fn records<T: DeserializeOwned>(
        &self,
        query: QueryFluentBuilder,
        partition: impl Into<String>,
    ) -> Result<Vec<T>> {
        let mut pages = query
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(partition))
            .into_paginator()
            .items()
            .send();
        let mut records = Vec::new();
        while let Some(found) = pages.next().await {
            let found: Item = found.map_err(|error| unavailable("dynamodb:Query", error))?;
            records.push(record(&found)?);
        }
        Ok(records)
    }

    /// A put, to be given its condition and sent.
    pub(super) fn put(&self, item: Item) -> PutItemFluentBuilder {
        self.client.put_item().table_name(&self.name).set_item(Some(item))
    }
}

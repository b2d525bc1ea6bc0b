//! The catalog in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::SdkError};

use super::{
    item::{PARTITION, SORT, item, number, record, text},
    unavailable,
};
use crate::{CatalogTable, ConfigurationRefusal, Result, StoredConfiguration, Written, keys};

const CONFIGURATION: &str = "CONFIGURATION";
const CURRENT: &str = "CURRENT";
const REFUSAL: &str = "REFUSAL";

/// The catalog in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoCatalog {
    client: Client,
    table: String,
}

impl DynamoCatalog {
    /// In this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}

#[async_trait]
impl CatalogTable for DynamoCatalog {
    async fn current(&self) -> Result<Option<StoredConfiguration>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .key(PARTITION, text(CONFIGURATION))
            .key(SORT, text(CURRENT))
            .send()
            .await
            .map_err(|error| unavailable("dynamodb:GetItem", error))?;
        answer.item.as_ref().map(record).transpose()
    }

    async fn put(&self, configuration: &StoredConfiguration) -> Result<Written> {
        let attributes = [("version", number(configuration.version))];
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(CONFIGURATION, CURRENT, configuration, attributes)?));
        let put = if configuration.version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :before").expression_attribute_values(
                ":before",
                number(configuration.version.saturating_sub(1)),
            )
        };
        match put.send().await {
            Ok(_) => Ok(Written::Yes),
            Err(SdkError::ServiceError(refused))
                if refused.err().is_conditional_check_failed_exception() =>
            {
                Ok(Written::Superseded)
            }
            Err(error) => Err(unavailable("dynamodb:PutItem", error)),
        }
    }

    async fn put_refusal(&self, refusal: &ConfigurationRefusal) -> Result<()> {
        let sort = format!("{REFUSAL}#{}", keys::sortable(refusal.at));
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(CONFIGURATION, &sort, refusal, [])?))
            .send()
            .await
            .map_err(|error| unavailable("dynamodb:PutItem", error))?;
        Ok(())
    }
}

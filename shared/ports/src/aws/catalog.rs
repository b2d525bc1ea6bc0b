//! The catalog in DynamoDB.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::SdkError};

use super::{
    item::{item, number, record},
    table::Table,
    unavailable,
};
use crate::{CatalogTable, ConfigurationRefusal, Result, StoredConfiguration, Written, keys};

const CONFIGURATION: &str = "CONFIGURATION";
const CURRENT: &str = "CURRENT";
const REFUSAL: &str = "REFUSAL";

const VERSION: &str = "version";

/// The catalog in DynamoDB. Keeps the configuration that it has parsed, and asks only for its version before it
/// is used again.
#[derive(Debug)]
pub struct DynamoCatalog {
    table: Table,
    parsed: Mutex<Option<Arc<StoredConfiguration>>>,
}

impl DynamoCatalog {
    /// In this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { table: Table { client, name: table.into() }, parsed: Mutex::default() }
    }

    fn parsed(&self) -> Option<Arc<StoredConfiguration>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl CatalogTable for DynamoCatalog {
    async fn current(&self) -> Result<Option<Arc<StoredConfiguration>>> {
        if let Some(parsed) = self.parsed() {
            let in_force = self.table.item(CONFIGURATION, CURRENT, Some(VERSION)).await?;
            let version = in_force.as_ref().and_then(|item| item.get(VERSION));
            if version == Some(&number(parsed.version)) {
                return Ok(Some(parsed));
            }
        }
        let Some(item) = self.table.item(CONFIGURATION, CURRENT, None).await? else {
            return Ok(None);
        };
        let current: Arc<StoredConfiguration> = Arc::new(record(&item)?);
        *self.parsed.lock().unwrap_or_else(PoisonError::into_inner) = Some(current.clone());
        Ok(Some(current))
    }

    async fn put(&self, configuration: &StoredConfiguration) -> Result<Written> {
        let attributes = [(VERSION, number(configuration.version))];
        let put = self.table.put(item(CONFIGURATION, CURRENT, configuration, attributes)?);
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
        let put = self.table.put(item(CONFIGURATION, &sort, refusal, [])?);
        put.send().await.map_err(|error| unavailable("dynamodb:PutItem", error))?;
        Ok(())
    }
}

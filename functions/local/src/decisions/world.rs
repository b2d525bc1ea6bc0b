//! Where the incidents are: in a folder, or in the tables of a deployed stack.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use aws_config::BehaviorVersion;
use chrono::{DateTime, Utc};
use incident::TimelineHead;
use ports::{
    Ports, SystemClock,
    aws::{DynamoAccess, DynamoCatalog, DynamoIncidents, S3Objects},
    disk::DiskIncidents,
    failing::absent,
    memory::{ManualClock, MemoryAccess, MemoryCatalog},
};
use serde_json::Value;

use super::arguments::Arguments;
use crate::folder;

/// The incidents, and who speaks.
pub(super) struct World {
    pub(super) ports: Ports,
    /// How the record names the person.
    pub(super) actor: String,
    /// Bucket of the heads that were put away, where there is one.
    evidence_bucket: Option<String>,
}

impl World {
    pub(super) async fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let by = arguments.by.as_deref().map(str::trim).filter(|name| !name.is_empty());
        match (&arguments.folder, &arguments.stack) {
            (Some(folder), _) => {
                let Some(by) = by else {
                    bail!("nobody is named; say who decides with --by NAME");
                };
                Self::of_folder(folder, by, arguments.as_of).await
            }
            (None, Some(outputs)) => Self::of_stack(outputs, by).await,
            (None, None) => bail!("name a folder with --folder, or a deployed stack with --stack"),
        }
    }

    async fn of_folder(
        folder: &Path,
        by: &str,
        now: Option<DateTime<Utc>>,
    ) -> anyhow::Result<Self> {
        let mut ports = absent(match now {
            Some(instant) => Arc::new(ManualClock::at(instant)),
            None => Arc::new(SystemClock),
        });
        let catalog = MemoryCatalog::default();
        let stored = folder::configuration(folder)?;
        ports::CatalogTable::put(&catalog, &stored).await?;
        let access = MemoryAccess::default();
        for day in folder::days(folder)? {
            ports::AccessTable::put_day(&access, &day).await?;
        }
        ports.catalog = Arc::new(catalog);
        ports.access = Arc::new(access);
        ports.incidents = Arc::new(DiskIncidents::open(folder::incidents(folder))?);
        Ok(Self { ports, actor: by.to_owned(), evidence_bucket: None })
    }

    async fn of_stack(outputs: &Path, by: Option<&str>) -> anyhow::Result<Self> {
        let text = fs::read_to_string(outputs)
            .with_context(|| format!("the outputs {} cannot be read", outputs.display()))?;
        let stacks: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", outputs.display()))?;
        let output = |name: &str| {
            let mut stacks = stacks.as_object().into_iter().flat_map(serde_json::Map::values);
            let found = stacks.find_map(|stack| stack.get(name)?.as_str());
            found.map(str::to_owned).with_context(|| {
                format!(
                    "{} has no output {name}; is it that of a stack of Breachclock?",
                    outputs.display()
                )
            })
        };
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let identity = aws_sdk_sts::Client::new(&sdk).get_caller_identity().send().await.context(
            "AWS does not say who you are; check the region and the credentials of the environment",
        )?;
        let arn = identity.arn().context("AWS gave no identity")?;
        let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
        // An endpoint of one's own, as the local stack is, does not know buckets by host name.
        let own_endpoint = sdk.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(own_endpoint).build();
        let mut ports = absent(Arc::new(SystemClock));
        ports.objects = Arc::new(S3Objects::new(aws_sdk_s3::Client::from_conf(s3)));
        ports.access = Arc::new(DynamoAccess::new(dynamo.clone(), output("AccessTable")?));
        ports.catalog = Arc::new(DynamoCatalog::new(dynamo.clone(), output("CatalogTable")?));
        ports.incidents = Arc::new(DynamoIncidents::new(dynamo, output("IncidentTable")?));
        let actor = by.map_or_else(|| arn.to_owned(), |by| format!("{by} ({arn})"));
        Ok(Self { ports, actor, evidence_bucket: output("EvidenceBucket").ok() })
    }

    /// The heads of all timelines that were put away, oldest first, with the name of each day's object.
    pub(super) async fn heads(&self) -> anyhow::Result<Vec<(incident::IncidentId, TimelineHead)>> {
        let Some(bucket) = &self.evidence_bucket else {
            return Ok(Vec::new());
        };
        pipeline::attest::heads(&self.ports, bucket)
            .await
            .context("the heads that were put away cannot be read")
    }

    /// Whether heads were put away anywhere.
    pub(super) fn has_heads(&self) -> bool {
        self.evidence_bucket.is_some()
    }
}

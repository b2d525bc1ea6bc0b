//! Where the incidents are: in a folder, or in the tables of a deployed stack.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use assessment::configuration::Configuration;
use aws_config::BehaviorVersion;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use incident::TimelineHead;
use ports::{
    Ports, SystemClock,
    aws::{DynamoAccess, DynamoCatalog, DynamoIncidents, S3Objects},
    disk::DiskIncidents,
    failing::absent,
    memory::{ManualClock, MemoryAccess, MemoryCatalog},
};
use serde_json::Value;

use super::{answers, arguments::Arguments};
use crate::folder;

/// The incidents, and who speaks.
pub(super) struct World {
    pub(super) ports: Ports,
    /// What is in force there.
    configuration: Configuration,
    /// How the record names the person; a folder may be looked at by nobody in particular.
    actor: Option<String>,
    /// Bucket of the heads that were put away, where there is one.
    evidence_bucket: Option<String>,
}

impl World {
    pub(super) async fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let by = arguments.by.clone().or_else(|| env::var("USER").ok());
        let by = by.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let Arguments { folder, stack, as_of, .. } = arguments;
        let variable = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        // What is said in the command goes before what the environment says.
        let (folder, stack) = if folder.is_none() && stack.is_none() {
            (variable("BREACHCLOCK_FOLDER"), variable("BREACHCLOCK_STACK"))
        } else {
            (folder.clone(), stack.clone())
        };
        match (folder, stack) {
            (Some(_), Some(_)) => {
                bail!("a folder and a deployed stack are named; name one of them")
            }
            (Some(folder), None) => Self::of_folder(&folder, by, *as_of).await,
            (None, Some(_)) if as_of.is_some() => {
                bail!("what is deployed goes by the clock; --as-of is for a folder")
            }
            (None, Some(outputs)) => Self::of_stack(&outputs, by).await,
            (None, None) => bail!(
                "say where the incidents are: --folder DIR for what `breachclock scan --keep DIR` wrote, or --stack FILE for \
                 the outputs of a deployed stack"
            ),
        }
    }

    async fn of_folder(
        folder: &Path,
        actor: Option<String>,
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
        Ok(Self { ports, configuration: stored.configuration, actor, evidence_bucket: None })
    }

    async fn of_stack(outputs: &Path, by: Option<String>) -> anyhow::Result<Self> {
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
        let (access, catalog, incidents) =
            (output("AccessTable")?, output("CatalogTable")?, output("IncidentTable")?);
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
        ports.access = Arc::new(DynamoAccess::new(dynamo.clone(), access));
        ports.catalog = Arc::new(DynamoCatalog::new(dynamo.clone(), catalog));
        ports.incidents = Arc::new(DynamoIncidents::new(dynamo, incidents));
        let actor = by.map_or_else(|| arn.to_owned(), |by| format!("{by} ({arn})"));
        let stored = ports.catalog.current().await?;
        let stored =
            stored.context("no configuration is in force in that stack; deploy one first")?;
        Ok(Self {
            ports,
            configuration: stored.configuration.clone(),
            actor: Some(actor),
            evidence_bucket: output("EvidenceBucket").ok(),
        })
    }

    /// How the record names the person who decides.
    pub(super) fn actor(&self) -> anyhow::Result<&str> {
        self.actor.as_deref().context("nobody is named; say who decides with --by NAME")
    }

    /// The zone in which the organisation reads its clocks.
    pub(super) fn zone(&self) -> Tz {
        self.configuration.organisation.time_zone
    }

    /// What is wrong with an answer to a question of fact.
    pub(super) fn mistake(&self, fact: &str, value: &Value) -> anyhow::Result<Option<String>> {
        Ok(answers::mistake(&self.configuration, fact, value)?)
    }

    /// Name of a Salesforce org, where it is configured.
    pub(super) fn org_name(&self, org_id: &str) -> Option<&str> {
        self.configuration.org(org_id).map(|org| org.name.as_str())
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

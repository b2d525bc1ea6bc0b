//! The deployed stack, and questions to it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use assessment::Configuration;
use assessment::configuration::ConfigurationFiles;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName;
use eventlog::tally::AgentHour;
use flate2::read::GzDecoder;
use incident::{Alert, Incident, TimelineEntry};
use ports::{AgentHourRecord, FileRecord, StoredConfiguration, keys};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::emulator::{Emulator, REGION, repository};
use crate::interface;
use crate::supervised::Supervised;
use crate::wait::wait_until;
use crate::webhook::WebhookReceiver;

const BOOTSTRAP_TIMEOUT: Duration = Duration::from_secs(90);
/// A custom resource that hangs would otherwise hold the deployment for ever.
const DEPLOY_TIMEOUT: Duration = Duration::from_mins(3);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const CATALOG_TIMEOUT: Duration = Duration::from_secs(30);
/// Where CDK writes what the stack says of itself.
const OUTPUTS: &str = "outputs.json";

/// The files of a configuration folder.
const CONFIGURATION_FILES: [&str; 5] =
    ["organisation.yaml", "orgs.yaml", "recipients.yaml", "data-map.yaml", "agents.yaml"];
/// The one that may be there. It goes first: a configuration is in force once the five are complete.
const OPTIONAL_CONFIGURATION_FILE: &str = "law.yaml";

/// What the stack says of itself after it was deployed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outputs {
    /// Where logs land
    pub landing_bucket: String,
    /// Extracts and quarantine
    pub records_bucket: String,
    /// The configuration the functions read
    pub configuration_bucket: String,
    /// Heads of timelines, which nobody can change
    pub evidence_bucket: String,
    /// Tallies by the hour
    pub access_table: String,
    /// Incidents, their timelines and alerts
    pub incident_table: String,
    /// Configuration as loaded
    pub catalog_table: String,
    /// Where alerts are published
    pub alert_topic_arn: String,
    /// The group of the reminders' schedules
    pub schedule_group: String,
    /// Landed objects on their way to `ingest`
    pub landing_queue_url: String,
    /// Landed objects that could not be read
    pub landing_dead_letter_queue_url: String,
    /// The rest, such as `IngestFunction`
    #[serde(flatten)]
    pub others: BTreeMap<String, String>,
}

impl Outputs {
    /// The deployed name of a function of the suite, such as `ingest`.
    ///
    /// # Errors
    /// When there is no such function.
    pub fn function(&self, name: &str) -> Result<&str> {
        let mut letters = name.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        let output: String = capital.into_iter().chain(letters).chain("Function".chars()).collect();
        self.others
            .get(&output)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output {output}"))
    }
}

/// The whole system, deployed and configured.
pub struct LocalStack {
    emulator: Emulator,
    outputs: Outputs,
    objects: aws_sdk_s3::Client,
    tables: aws_sdk_dynamodb::Client,
    queues: aws_sdk_sqs::Client,
    topics: aws_sdk_sns::Client,
    schedules: aws_sdk_scheduler::Client,
}

/// Who was subscribed to a topic that is gone: addresses with their filter policies.
pub struct LostTopic {
    mailboxes: Vec<(String, Option<String>)>,
}

impl LocalStack {
    /// Prepares the emulator's account for CDK, as one prepares a real one.
    ///
    /// # Errors
    /// When CDK fails or takes too long; the message names its log.
    pub async fn bootstrap(emulator: &Emulator, configuration: &Path) -> Result<()> {
        let environment = format!("aws://000000000000/{REGION}");
        cdk(emulator, "bootstrap", &[&environment], configuration, BOOTSTRAP_TIMEOUT).await
    }

    /// Deploys the app with the binaries of `target/lambda` and the given configuration folder.
    ///
    /// # Errors
    /// When CDK fails or takes too long; the message names its log.
    pub async fn deploy(emulator: Emulator, configuration: &Path) -> Result<Self> {
        let outputs_file = emulator.folder().join(OUTPUTS);
        let arguments =
            ["--require-approval", "never", "--outputs-file", &outputs_file.to_string_lossy()];
        cdk(&emulator, "deploy", &arguments, configuration, DEPLOY_TIMEOUT).await?;

        let text = fs::read_to_string(&outputs_file).context("cdk wrote no outputs")?;
        let stacks: BTreeMap<String, Outputs> =
            serde_json::from_str(&text).context("the stack lacks an output")?;
        let outputs = stacks.into_values().next().context("no stack was deployed")?;
        let config = emulator.sdk_config().await;
        let object_config =
            aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Ok(Self {
            outputs,
            objects: aws_sdk_s3::Client::from_conf(object_config),
            tables: aws_sdk_dynamodb::Client::new(&config),
            queues: aws_sdk_sqs::Client::new(&config),
            topics: aws_sdk_sns::Client::new(&config),
            schedules: aws_sdk_scheduler::Client::new(&config),
            emulator,
        })
    }

    /// Everything in one call: emulator, account, deployment, configuration.
    ///
    /// # Errors
    /// As the single steps.
    pub async fn start(purpose: &str, configuration: &Path) -> Result<Self> {
        let emulator = Emulator::start(purpose).await?;
        Self::bootstrap(&emulator, configuration).await?;
        let stack = Self::deploy(emulator, configuration).await?;
        stack.put_configuration(configuration).await?;
        Ok(stack)
    }

    /// What the stack said of itself.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The file in which it said so, as `breachclock incident --stack` takes it.
    pub fn outputs_file(&self) -> PathBuf {
        self.emulator.folder().join(OUTPUTS)
    }

    /// What a function of the suite finds in its environment, for running one by itself. The emulator asks for no rights,
    /// so that role and queue of the schedules may be any.
    pub fn function_environment(&self) -> Vec<(String, String)> {
        let outputs = &self.outputs;
        let mut environment = self.emulator.client_environment();
        environment.extend(
            [
                ("ACCESS_TABLE", outputs.access_table.as_str()),
                ("ALERT_TOPIC_ARN", &outputs.alert_topic_arn),
                ("CATALOG_TABLE", &outputs.catalog_table),
                ("CONFIGURATION_BUCKET", &outputs.configuration_bucket),
                ("ENVIRONMENT", "local"),
                ("EVIDENCE_BUCKET", &outputs.evidence_bucket),
                ("INCIDENT_TABLE", &outputs.incident_table),
                ("LANDING_QUEUE_URL", &outputs.landing_queue_url),
                ("RECORDS_BUCKET", &outputs.records_bucket),
                ("RUST_LOG", "info"),
                ("SCHEDULE_DEAD_LETTERS_ARN", "arn:aws:sqs:eu-west-1:000000000000:none"),
                ("SCHEDULE_GROUP", &outputs.schedule_group),
                ("SCHEDULE_ROLE_ARN", "arn:aws:iam::000000000000:role/none"),
                ("SCHEDULE_TARGET_ARN", "arn:aws:lambda:eu-west-1:000000000000:function:none"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        environment
    }

    /// The emulator it runs on.
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The object client.
    pub fn objects(&self) -> &aws_sdk_s3::Client {
        &self.objects
    }

    /// The table client.
    pub fn tables(&self) -> &aws_sdk_dynamodb::Client {
        &self.tables
    }

    /// The queue client.
    pub fn queues(&self) -> &aws_sdk_sqs::Client {
        &self.queues
    }

    /// The client of schedules.
    pub(crate) fn schedules(&self) -> &aws_sdk_scheduler::Client {
        &self.schedules
    }

    /// The topic client.
    pub fn topics(&self) -> &aws_sdk_sns::Client {
        &self.topics
    }

    /// Puts a configuration folder into its bucket and waits until it is in force.
    ///
    /// # Errors
    /// When the configuration does not hold up, or the catalog does not load it in time.
    pub async fn put_configuration(&self, folder: &Path) -> Result<()> {
        let mut files = Vec::new();
        let optional = Some(OPTIONAL_CONFIGURATION_FILE).filter(|name| folder.join(name).is_file());
        for name in optional.into_iter().chain(CONFIGURATION_FILES) {
            let path = folder.join(name);
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push((name.to_owned(), text));
        }
        let wanted = serde_json::to_value(Configuration::parse(
            &ConfigurationFiles::from_folder(files.iter().cloned())?,
        )?)?;
        for (name, text) in files {
            self.put(&self.outputs.configuration_bucket, &name, text.into_bytes()).await?;
        }
        wait_until("the configuration to be in force", CATALOG_TIMEOUT, async || {
            let stored: Vec<StoredConfiguration> =
                self.records(&self.outputs.catalog_table, |_, sort| sort == "CURRENT").await?;
            let mut in_force = stored.into_iter().map(|stored| stored.configuration);
            Ok(in_force
                .any(|found| serde_json::to_value(found).is_ok_and(|found| found == wanted))
                .then_some(()))
        })
        .await
    }

    /// Lets an object land; its key is taken as it is, spaces and `+` included.
    ///
    /// # Errors
    /// When the emulator refuses it.
    pub async fn land(&self, key: &str, body: impl Into<Vec<u8>>) -> Result<()> {
        self.put(&self.outputs.landing_bucket, key, body.into()).await
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        self.objects
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from(body))
            .send()
            .await
            .with_context(|| format!("cannot put s3://{bucket}/{key}"))?;
        Ok(())
    }

    /// The keys in a bucket below a prefix, such as `quarantine/`.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn object_keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let list = self.objects.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("cannot list {bucket}"))?;
            keys.extend(
                page.contents().iter().filter_map(|object| object.key()).map(str::to_owned),
            );
        }
        Ok(keys)
    }

    /// What an object holds.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>> {
        let get = self.objects.get_object().bucket(bucket).key(key);
        let object = get.send().await.with_context(|| format!("cannot get s3://{bucket}/{key}"))?;
        Ok(object.body.collect().await.context("an object broke off")?.to_vec())
    }

    /// The incidents so far, by id.
    ///
    /// # Errors
    /// When the emulator does not answer, or an item cannot be read.
    pub async fn incidents(&self) -> Result<Vec<Incident>> {
        self.records(&self.outputs.incident_table, |_, sort| sort == keys::INCIDENT_ITEM).await
    }

    /// The incidents of one org.
    ///
    /// # Errors
    /// As [`Self::incidents`].
    pub async fn incidents_of(&self, org_id: &str) -> Result<Vec<Incident>> {
        let mut incidents = self.incidents().await?;
        incidents.retain(|incident| incident.org_id == org_id);
        Ok(incidents)
    }

    /// The alerts of an incident, planned ones included, in the order of their instants.
    ///
    /// # Errors
    /// As [`Self::incidents`].
    pub async fn alerts_of(&self, incident: &Incident) -> Result<Vec<Alert>> {
        let incident_partition = keys::incident_partition(&incident.incident_id);
        let is_alert = |partition: &str, sort: &str| {
            partition == incident_partition && sort.starts_with(keys::ALERT_PREFIX)
        };
        let mut alerts: Vec<Alert> = self.records(&self.outputs.incident_table, is_alert).await?;
        alerts.sort_by_key(|alert| alert.due_at);
        Ok(alerts)
    }

    /// The timeline of an incident.
    ///
    /// # Errors
    /// As [`Self::incidents`].
    pub async fn timeline_of(&self, incident: &Incident) -> Result<Vec<TimelineEntry>> {
        let incident_partition = keys::incident_partition(&incident.incident_id);
        let is_entry = |partition: &str, sort: &str| {
            partition == incident_partition && sort.starts_with(keys::TIMELINE_PREFIX)
        };
        self.records(&self.outputs.incident_table, is_entry).await
    }

    /// What became of each landed file, in the order of reading.
    ///
    /// # Errors
    /// As [`Self::incidents`].
    pub async fn files(&self) -> Result<Vec<FileRecord>> {
        let is_file = |partition: &str, _: &str| partition.starts_with("FILE#");
        let mut files: Vec<FileRecord> = self.records(&self.outputs.access_table, is_file).await?;
        files.sort_by_key(|file| file.read_at);
        Ok(files)
    }

    /// The agents' hours of one org.
    ///
    /// # Errors
    /// As [`Self::incidents`].
    pub async fn agent_hours_of(&self, org_id: &str) -> Result<Vec<AgentHour>> {
        let is_hour = |partition: &str, sort: &str| {
            partition.starts_with("AGENT#") && sort.starts_with("HOUR#")
        };
        let hours: Vec<AgentHourRecord> = self.records(&self.outputs.access_table, is_hour).await?;
        Ok(hours
            .into_iter()
            .map(|record| record.agent_hour)
            .filter(|hour| hour.org_id == org_id)
            .collect())
    }

    /// The records of a table whose partition and sort key are `wanted`, in the order of their keys.
    async fn records<T: DeserializeOwned>(
        &self,
        table: &str,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<T>> {
        let mut pages = self.tables.scan().table_name(table).into_paginator().items().send();
        let mut found = BTreeMap::new();
        while let Some(item) = pages.next().await {
            let item = item.with_context(|| format!("cannot read {table}"))?;
            let key = |name| item.get(name).and_then(|part| part.as_s().ok()).cloned();
            if let (Some(partition), Some(sort)) = (key("pk"), key("sk"))
                && wanted(&partition, &sort)
            {
                let record = record(&item)
                    .with_context(|| format!("cannot read {partition} {sort} of {table}"))?;
                found.insert((partition, sort), record);
            }
        }
        Ok(found.into_values().collect())
    }

    /// How many messages wait in a queue, those being worked on included.
    ///
    /// # Errors
    /// When there is no such queue.
    pub async fn depth(&self, queue_url: &str) -> Result<u32> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .queues
            .get_queue_attributes()
            .queue_url(queue_url)
            .set_attribute_names(Some(counts.to_vec()))
            .send()
            .await
            .with_context(|| format!("cannot ask {queue_url}"))?;
        let attributes = answer.attributes.unwrap_or_default();
        counts.iter().try_fold(0, |sum, count| {
            let number = attributes.get(count).map_or("0", String::as_str);
            Ok(sum + number.parse::<u32>().context("a queue depth that is no number")?)
        })
    }

    /// How many landed objects were given up.
    ///
    /// # Errors
    /// As [`Self::depth`].
    pub async fn dead_letters(&self) -> Result<u32> {
        self.depth(&self.outputs.landing_dead_letter_queue_url).await
    }

    /// The lines a function has logged, oldest first.
    ///
    /// # Errors
    /// When there is no such function.
    pub async fn log_lines(&self, function: &str) -> Result<Vec<String>> {
        let group = format!("/aws/lambda/{}", self.outputs.function(function)?);
        interface::log_lines(self.emulator.endpoint(), &group).await
    }

    /// Calls a function with an event, and waits for its answer.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        interface::invoke(self.emulator.endpoint(), self.outputs.function(function)?, event).await
    }

    /// Hands `ingest` a message, as if it had come from S3 by way of the queue.
    ///
    /// # Errors
    /// When the queue does not take it.
    pub async fn enqueue(&self, body: &str) -> Result<()> {
        self.queues
            .send_message()
            .queue_url(&self.outputs.landing_queue_url)
            .message_body(body)
            .send()
            .await
            .context("the landing queue does not take the message")?;
        Ok(())
    }

    /// Forgets everything that landed and what came of it: tallies, incidents, extracts, heads of timelines, waiting messages.
    /// The configuration stays.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn clear(&self) -> Result<()> {
        for queue in [&self.outputs.landing_queue_url, &self.outputs.landing_dead_letter_queue_url]
        {
            self.queues.purge_queue().queue_url(queue).send().await.context("cannot purge")?;
        }
        for table in [&self.outputs.access_table, &self.outputs.incident_table] {
            let mut pages = self.tables.scan().table_name(table).into_paginator().items().send();
            while let Some(item) = pages.next().await {
                let item = item.with_context(|| format!("cannot read {table}"))?;
                let key =
                    item.into_iter().filter(|(name, _)| name == "pk" || name == "sk").collect();
                let delete = self.tables.delete_item().table_name(table).set_key(Some(key));
                delete.send().await.with_context(|| format!("cannot clear {table}"))?;
            }
        }
        for bucket in [&self.outputs.records_bucket, &self.outputs.evidence_bucket] {
            for key in self.object_keys(bucket, "").await? {
                let delete = self.objects.delete_object().bucket(bucket).key(&key);
                delete.send().await.with_context(|| format!("cannot delete {key}"))?;
            }
        }
        Ok(())
    }

    /// Writes an alert as it stands over the one that is there, as the functions write it: who watches for changed alerts sees
    /// it.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn put_alert(&self, alert: &Alert) -> Result<()> {
        let state = match alert {
            alert if alert.is_owed() => keys::ALERT_OWED,
            alert if alert.is_scheduled() => keys::ALERT_SCHEDULED,
            _ => "other",
        };
        self.put_alert_with(alert, Some(state)).await
    }

    /// Writes an alert as it stands over the one that is there, and nobody but the sweep takes notice.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn put_alert_unnoticed(&self, alert: &Alert) -> Result<()> {
        self.put_alert_with(alert, None).await
    }

    async fn put_alert_with(&self, alert: &Alert, state: Option<&str>) -> Result<()> {
        let mut put = self
            .tables
            .put_item()
            .table_name(&self.outputs.incident_table)
            .item("pk", AttributeValue::S(keys::incident_partition(&alert.incident_id)))
            .item("sk", AttributeValue::S(keys::alert_sort(&alert.alert_id)))
            .item("body", AttributeValue::S(serde_json::to_string(alert)?));
        if let Some(state) = state {
            put = put.item(keys::ALERT_STATE, AttributeValue::S(state.to_owned()));
        }
        if let Some(at) = alert.attention_at() {
            put = put
                .item("due_shard", AttributeValue::S(keys::attention_shard(&alert.incident_id)))
                .item("due_at", AttributeValue::S(keys::sortable(at)));
        }
        put.send().await.context("cannot write the alert")?;
        Ok(())
    }

    /// Puts a receiver in the place of the https subscriptions, with the filter policy of the first.
    ///
    /// The emulator never confirms the subscriptions that CloudFormation makes, and the configured address is
    /// somebody else's: so they are taken out, and the receiver is subscribed by hand, handshake included.
    ///
    /// # Errors
    /// When the handshake does not come about.
    pub async fn subscribe(&self, receiver: &WebhookReceiver) -> Result<()> {
        let mut filter_policy = None;
        for (subscription, _address) in self.subscriptions("https").await? {
            if filter_policy.is_none() {
                filter_policy = self.filter_policy(&subscription).await?;
            }
            self.topics.unsubscribe().subscription_arn(&subscription).send().await?;
        }
        let mut subscribe = self
            .topics
            .subscribe()
            .topic_arn(&self.outputs.alert_topic_arn)
            .protocol("http")
            .endpoint(receiver.url());
        if let Some(policy) = filter_policy {
            subscribe = subscribe.attributes("FilterPolicy", policy);
        }
        // A receiver may have been subscribed before, to a topic that is gone.
        let earlier = receiver.received().len();
        subscribe.send().await.context("cannot subscribe the receiver")?;
        let token = wait_until("the handshake of SNS", HANDSHAKE_TIMEOUT, async || {
            let handshake = receiver.received().into_iter().skip(earlier).find_map(|request| {
                let notification = request.notification().ok()?;
                (notification.r#type == "SubscriptionConfirmation").then_some(notification.token)
            });
            Ok(handshake.flatten())
        })
        .await?;
        self.topics
            .confirm_subscription()
            .topic_arn(&self.outputs.alert_topic_arn)
            .token(token)
            .send()
            .await
            .context("SNS does not take the confirmation")?;
        Ok(())
    }

    /// Takes the alert topic away with all who are subscribed, so that nothing can be published.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn lose_topic(&self) -> Result<LostTopic> {
        let mut mailboxes = Vec::new();
        for (subscription, address) in self.subscriptions("email").await? {
            mailboxes.push((address, self.filter_policy(&subscription).await?));
        }
        let delete = self.topics.delete_topic().topic_arn(&self.outputs.alert_topic_arn);
        delete.send().await.context("cannot delete the topic")?;
        Ok(LostTopic { mailboxes })
    }

    /// Makes the topic again, with the mailboxes that were subscribed. A receiver has to be subscribed anew.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn restore_topic(&self, lost: LostTopic) -> Result<()> {
        let arn = &self.outputs.alert_topic_arn;
        let name = arn.rsplit(':').next().context("a topic without a name")?;
        self.topics.create_topic().name(name).send().await.context("cannot make the topic")?;
        for (address, policy) in lost.mailboxes {
            let mut subscribe =
                self.topics.subscribe().topic_arn(arn).protocol("email").endpoint(address);
            if let Some(policy) = policy {
                subscribe = subscribe.attributes("FilterPolicy", policy);
            }
            subscribe.send().await.context("cannot subscribe a mailbox")?;
        }
        Ok(())
    }

    /// Name and address of each subscription of that protocol.
    async fn subscriptions(&self, protocol: &str) -> Result<Vec<(String, String)>> {
        let listed = self
            .topics
            .list_subscriptions_by_topic()
            .topic_arn(&self.outputs.alert_topic_arn)
            .send()
            .await
            .context("cannot list who is subscribed")?;
        Ok(listed
            .subscriptions()
            .iter()
            .filter(|subscription| subscription.protocol() == Some(protocol))
            .filter_map(|subscription| {
                let (arn, address) = (subscription.subscription_arn()?, subscription.endpoint()?);
                Some((arn.to_owned(), address.to_owned()))
            })
            .collect())
    }

    async fn filter_policy(&self, subscription_arn: &str) -> Result<Option<String>> {
        let answer = self
            .topics
            .get_subscription_attributes()
            .subscription_arn(subscription_arn)
            .send()
            .await
            .context("cannot read a subscription")?;
        // The emulator answers with an empty text where there is none, and refuses to take one.
        Ok(answer
            .attributes
            .and_then(|mut attributes| attributes.remove("FilterPolicy"))
            .filter(|policy| !policy.is_empty()))
    }
}

/// Runs one CDK command of the app.
async fn cdk(
    emulator: &Emulator,
    command: &str,
    arguments: &[&str],
    configuration: &Path,
    timeout: Duration,
) -> Result<()> {
    let infra = repository().join("infra");
    let program = infra.join("node_modules/.bin/cdk");
    if !program.is_file() {
        bail!("the CDK command is not installed: run `cargo xtask setup`");
    }
    let assembly = emulator.folder().join("cdk.out");
    let assembly = assembly.to_string_lossy();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let architecture = format!("architecture={architecture}");
    let configuration = format!("configDir={}", configuration.display());
    let arguments: Vec<&str> = [command]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(["--context", "local=true", "--context", &architecture, "--context", &configuration])
        .chain(["--output", &assembly, "--no-notices", "--no-color", "--ci"])
        .collect();
    let mut environment = emulator.client_environment();
    environment.push(("CDK_DISABLE_CLI_TELEMETRY".to_owned(), "true".to_owned()));
    let log = emulator.folder().join(format!("cdk-{command}.log"));
    Supervised::start(&program, &arguments, &infra, &environment, &log)?
        .finish(timeout)
        .await
        .with_context(|| {
            format!("{}\nthe log of cdk {command}: {}", last_lines(&log), log.display())
        })
}

/// The record in an item: its body is JSON, compressed where it is long.
pub(crate) fn record<T: DeserializeOwned>(item: &HashMap<String, AttributeValue>) -> Result<T> {
    if let Some(Ok(json)) = item.get("body").map(AttributeValue::as_s) {
        return Ok(serde_json::from_str(json)?);
    }
    let compressed = item.get("body_gz").and_then(|body| body.as_b().ok()).context("no body")?;
    Ok(serde_json::from_reader(GzDecoder::new(compressed.as_ref()))?)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(20);
    lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}

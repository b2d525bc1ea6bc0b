#![doc = include_str!("../README.md")]

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda::{
    environment::required,
    landed::work,
    logging,
    metrics::{self, Metric},
    queue::Queue,
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::PipelineError;
use pipeline::ingest::{IngestSettings, ingest};
use ports::Ports;

struct Function {
    ports: Ports,
    queue: Queue,
    settings: IngestSettings,
    environment: String,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Error> {
    logging::start();
    let world = World::from_environment().await.with_objects();
    let world = world.with_access()?.with_joins()?.with_queue()?.with_catalog()?;
    let function = Function {
        queue: Queue::from_environment(world.sdk())?,
        ports: world.ports(),
        settings: IngestSettings::new(required("RECORDS_BUCKET")?),
        environment: required("ENVIRONMENT")?,
    };
    run(service_fn(|event: LambdaEvent<SqsEvent>| function.handle(event.payload))).await
}

impl Function {
    /// Works through the messages one by one, so that memory stays that of one file; those that fail are
    /// reported and come again.
    async fn handle(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            if let Err(error) = self.read(&message).await {
                let message_id = message.message_id.clone().unwrap_or_default();
                tracing::error!(message_id, %error, "a message could not be worked through");
                self.count(&[(Metric::WorkFailed, 1)]);
                self.queue.come_again(&message).await;
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message_id;
                response.batch_item_failures.push(failure);
            }
        }
        Ok(response)
    }

    async fn read(&self, message: &SqsMessage) -> Result<(), Error> {
        for work in work(message.body.as_deref().unwrap_or_default())? {
            let read = ingest(&self.ports, &self.settings, &work).await;
            let file = match &read {
                Ok(file) => file.as_ref(),
                Err(PipelineError::File { read, .. }) => read.as_deref(),
                Err(_) => None,
            };
            if let Some(file) = file {
                self.count(&[
                    (Metric::RowsRead, file.row_count),
                    (Metric::RowsQuarantined, file.quarantined.values().sum()),
                    (Metric::Gaps, file.gaps.values().sum()),
                ]);
            }
            read?;
        }
        Ok(())
    }

    fn count(&self, counts: &[(Metric, u64)]) {
        metrics::count(&self.environment, self.ports.clock.now(), counts);
    }
}

#![doc = include_str!("../README.md")]

use aws_lambda_events::{
    dynamodb::Event,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda::{
    changes::owed_alerts,
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::notify::publish_owed;
use ports::Ports;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let world =
        World::from_environment().await.with_incidents()?.with_catalog()?.with_publisher()?;
    let ports = world.ports();
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|event: LambdaEvent<Event>| handle(&ports, &environment, event.payload))).await
}

/// Publishes each owed alert; reports the records from which to come again.
async fn handle(
    ports: &Ports,
    environment: &str,
    event: Event,
) -> Result<DynamoDbEventResponse, Error> {
    let mut response = DynamoDbEventResponse::default();
    for ((incident_id, alert_id), sequence_number) in owed_alerts(&event) {
        if let Err(error) = publish_owed(ports, &incident_id, &alert_id).await {
            tracing::error!(%incident_id, alert_id, %error, "an alert could not be published");
            metrics::count(environment, ports.clock.now(), &[(Metric::WorkFailed, 1)]);
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(sequence_number);
            response.batch_item_failures.push(failure);
        }
    }
    Ok(response)
}

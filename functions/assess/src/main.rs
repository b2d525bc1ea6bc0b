#![doc = include_str!("../README.md")]

use aws_lambda_events::{
    dynamodb::Event,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda::{
    changes::changed_days,
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::assess::assess_day;
use ports::Ports;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let world = World::from_environment().await.with_access()?.with_incidents()?.with_catalog()?;
    let ports = world.ports();
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|event: LambdaEvent<Event>| handle(&ports, &environment, event.payload))).await
}

/// Judges each changed day once, however many of its hours changed; reports the records from which to come again.
///
/// A day that can never be judged is counted, for its alarm, and passed over: coming again would only hold up the
/// days behind it.
async fn handle(
    ports: &Ports,
    environment: &str,
    event: Event,
) -> Result<DynamoDbEventResponse, Error> {
    let mut response = DynamoDbEventResponse::default();
    for ((org_id, agent, day), sequence_number) in changed_days(&event) {
        if let Err(error) = assess_day(ports, &org_id, &agent, day).await {
            tracing::error!(org_id, agent = agent.as_str(), %day, %error, "a day could not be judged");
            metrics::count(environment, ports.clock.now(), &[(Metric::WorkFailed, 1)]);
            if !error.is_permanent() {
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = Some(sequence_number);
                response.batch_item_failures.push(failure);
            }
        }
    }
    Ok(response)
}

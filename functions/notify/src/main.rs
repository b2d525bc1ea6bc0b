#![doc = include_str!("../README.md")]

use aws_lambda_events::{
    dynamodb::Event,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda::{
    changes::{owed_alerts, scheduled_alerts},
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::notify::{Notified, attend, wake};
use ports::{DueAlert, Ports, Wake};
use serde::Deserialize;

/// What this function is woken by.
#[derive(Deserialize)]
#[serde(untagged)]
enum Trigger {
    /// The schedule of an alert.
    Schedule(Wake),
    /// Changed alerts, out of the stream of the incident table.
    Stream(Event),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let world = World::from_environment().await.with_incidents()?.with_catalog()?;
    let ports = world.with_publisher()?.with_schedules()?.ports();
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|event: LambdaEvent<Trigger>| handle(&ports, &environment, event.payload))).await
}

/// Raises what is due where a schedule says so, and sees to each alert that changed.
///
/// A wake-up that fails is an error, so that it comes again. Of a batch the records are told from which to come again.
async fn handle(
    ports: &Ports,
    environment: &str,
    trigger: Trigger,
) -> Result<DynamoDbEventResponse, Error> {
    let mut response = DynamoDbEventResponse::default();
    let event = match trigger {
        Trigger::Stream(event) => event,
        Trigger::Schedule(Wake { due: DueAlert { incident_id, alert_id } }) => {
            wake(ports, &incident_id, &alert_id).await?;
            return Ok(response);
        }
    };
    let count = |metric| metrics::count(environment, ports.clock.now(), &[(metric, 1)]);
    // Whom legal has to hear of goes first; a wake-up can be made a moment later.
    let changed = owed_alerts(&event).into_iter().chain(scheduled_alerts(&event));
    for ((incident_id, alert_id), sequence_number) in changed {
        match attend(ports, &incident_id, &alert_id).await {
            Ok(Notified::NotScheduled) => count(Metric::SchedulesNotMade),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%incident_id, alert_id, %error, "an alert could not be seen to");
                count(Metric::WorkFailed);
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = Some(sequence_number);
                response.batch_item_failures.push(failure);
            }
        }
    }
    Ok(response)
}

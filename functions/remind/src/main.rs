#![doc = include_str!("../README.md")]

use lambda::{
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::remind::sweep;
use ports::Ports;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let ports = World::from_environment().await.with_incidents()?.ports();
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|_: LambdaEvent<Value>| handle(&ports, &environment))).await
}

/// Sweeps once. The heartbeat says that deadlines are watched; what could not be swept has a count, and an alarm,
/// of its own.
async fn handle(ports: &Ports, environment: &str) -> Result<(), Error> {
    let swept = sweep(ports).await?;
    let counts = [
        (Metric::SweepHeartbeat, 1),
        (Metric::AlertsOwed, swept.owed_count),
        (Metric::AlertsUnsent, swept.unsent_count),
        (Metric::ObligationsOverdue, swept.overdue_count),
        (Metric::WorkFailed, swept.failed_count),
    ];
    metrics::count(environment, ports.clock.now(), &counts);
    Ok(())
}

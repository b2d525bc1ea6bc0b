#![doc = include_str!("../README.md")]

use lambda::{
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::{delivery::watch_due, rejudge::rejudge_open, remind::sweep};
use ports::Ports;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let world = World::from_environment().await.with_incidents()?.with_access()?.with_catalog()?;
    let ports = world.with_publisher()?.ports();
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|_: LambdaEvent<Value>| handle(&ports, &environment))).await
}

/// Sweeps once, then judges the duties of open incidents afresh if the law or the configuration has changed, and looks at
/// how the logs of some orgs come. The heartbeat says that deadlines are watched, and is
/// counted before anything else is done; what could not be swept or looked at has a count, and an alarm, of its own.
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
    match rejudge_open(ports).await {
        Ok(rejudged) if rejudged.failed_count == 0 => {}
        Ok(rejudged) => {
            let counts = [(Metric::WorkFailed, rejudged.failed_count)];
            metrics::count(environment, ports.clock.now(), &counts);
        }
        Err(error) => {
            tracing::error!(%error, "it could not be told whether duties are to be judged afresh");
            metrics::count(environment, ports.clock.now(), &[(Metric::WorkFailed, 1)]);
        }
    }
    match watch_due(ports).await {
        // A minute without an org says nothing of blind spots.
        Ok(watched) if watched.org_count == 0 => {}
        Ok(watched) => {
            let counts = [
                (Metric::BlindSpots, watched.blind_spot_count),
                (Metric::WorkFailed, watched.failed_count),
            ];
            metrics::count(environment, ports.clock.now(), &counts);
        }
        Err(error) => {
            tracing::error!(%error, "how logs come could not be looked at");
            metrics::count(environment, ports.clock.now(), &[(Metric::WorkFailed, 1)]);
        }
    }
    Ok(())
}

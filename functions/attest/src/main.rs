#![doc = include_str!("../README.md")]

use lambda::{
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::attest::attest;
use ports::Ports;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let world = World::from_environment().await.with_objects().with_incidents()?.with_catalog()?;
    let ports = world.with_publisher()?.ports();
    let bucket = required("EVIDENCE_BUCKET")?;
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|_: LambdaEvent<Value>| handle(&ports, &bucket, &environment))).await
}

/// One day's run, whatever the event says: a run by hand is as good as the rule's.
async fn handle(ports: &Ports, bucket: &str, environment: &str) -> Result<(), Error> {
    let attested = attest(ports, bucket).await?;
    let counts = [(Metric::AttestHeartbeat, 1), (Metric::ChainsBroken, attested.broken_count)];
    metrics::count(environment, ports.clock.now(), &counts);
    Ok(())
}

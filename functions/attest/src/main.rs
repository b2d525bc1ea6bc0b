#![doc = include_str!("../README.md")]

use lambda::{environment::required, logging, world::World};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use ports::Ports;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let world = World::from_environment().await.with_objects().with_incidents()?.with_catalog()?;
    let ports = world.with_publisher()?.ports();
    let bucket = required("EVIDENCE_BUCKET")?;
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|_: LambdaEvent<Value>| async {
        begin(&ports, &bucket, &environment);
        Ok::<_, Error>(())
    }))
    .await
}

/// One day's run, whatever the event says: a run by hand is as good as the rule's.
fn begin(ports: &Ports, bucket: &str, environment: &str) {
    tracing::info!(now = %ports.clock.now(), bucket, environment, "a day's run began");
}

//! The adapter that fails on purpose: it fails when it should, with the effect that it should have, and is not
//! noticed otherwise.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::sync::{Arc, Mutex};

use chrono::Utc;
use ports::{
    PortError, Ports,
    failing::{Fault, FaultPlan, absent, failing},
};

use crate::{in_memory, suite};

/// Every call meets the same fate; keeps their names.
struct Always(Fault, Mutex<Vec<&'static str>>);

impl Always {
    fn over(ports: &Ports, fault: Fault) -> (Ports, Arc<Self>) {
        let plan = Arc::new(Self(fault, Mutex::default()));
        let dynamic: Arc<dyn FaultPlan> = plan.clone();
        (failing(ports, &dynamic), plan)
    }
}

impl FaultPlan for Always {
    fn next(&self, call: &'static str) -> Fault {
        self.1.lock().unwrap().push(call);
        self.0
    }
}

#[tokio::test]
async fn without_a_fault_the_promises_are_those_of_the_port_behind() {
    let (ports, plan) = Always::over(&in_memory(), Fault::None);
    suite::every_promise(&ports, "records", "00D5g000004Hq3K").await;
    let mut calls = plan.1.lock().unwrap().clone();
    calls.sort_unstable();
    calls.dedup();
    assert_eq!(
        calls,
        [
            "access.agent_day",
            "access.arrivals",
            "access.arrivals_since",
            "access.days",
            "access.delivery_health",
            "access.hour",
            "access.parts",
            "access.put_agent_hour",
            "access.put_arrivals",
            "access.put_day",
            "access.put_delivery_health",
            "access.put_file",
            "access.put_hour",
            "access.put_part",
            "access.put_tampering",
            "access.tampering",
            "catalog.current",
            "catalog.put",
            "catalog.put_refusal",
            "incidents.alert",
            "incidents.alerts",
            "incidents.commit",
            "incidents.incident",
            "incidents.list",
            "incidents.marker",
            "incidents.put_marker",
            "incidents.raw",
            "incidents.timeline",
            "incidents.wanting_attention",
            "joins.announced",
            "joins.callers",
            "joins.put_link",
            "joins.put_seeker",
            "joins.seekers",
            "objects.list",
            "objects.open",
            "objects.open_range",
            "objects.put",
            "publisher.publish",
            "schedules.put",
        ]
    );
}

#[tokio::test]
async fn a_fault_before_has_no_effect_and_one_after_has_it_and_both_say_which_call() {
    for (fault, listed) in [(Fault::Before, 0), (Fault::After, 1)] {
        let sound = in_memory();
        let (ports, _) = Always::over(&sound, fault);
        let error = ports.objects.put("records", "a", b"x".to_vec()).await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { call: "objects.put", .. }), "{error}");
        assert_eq!(error.to_string(), "objects.put did not succeed: fault injected");
        assert_eq!(sound.objects.list("records", "").await.unwrap().len(), listed, "{fault:?}");

        let change = suite::opened("00D5g000004Hq3K", "opens", Utc::now());
        ports.incidents.commit(&change).await.unwrap_err();
        let found = sound.incidents.incident(&change.incident.incident_id).await.unwrap();
        assert_eq!(found.is_some(), listed == 1, "{fault:?}");
        let error = ports.catalog.current().await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { call: "catalog.current", .. }));
    }
}

#[tokio::test]
async fn an_error_of_the_port_itself_is_told_rather_than_the_fault() {
    let (ports, _) = Always::over(&in_memory(), Fault::After);
    let error = ports.objects.open("records", "missing", None).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, PortError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_port_that_was_not_given_names_itself() {
    let ports = absent(in_memory().clock);
    let error = ports.objects.list("records", "").await.unwrap_err().to_string();
    assert_eq!(error, "objects.list did not succeed: this function was not given that port");
    let error = ports.catalog.current().await.unwrap_err().to_string();
    assert!(error.starts_with("catalog.current did not succeed"), "{error}");
}

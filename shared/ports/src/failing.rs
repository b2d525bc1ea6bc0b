//! An adapter that fails on purpose.
//!
//! [`Failing`] stands in front of any port and asks a [`FaultPlan`] before each call. A call may fail before it
//! takes effect, as a refused connection does, or after, as a time-out whose answer was lost does. The second
//! kind is the one that finds lost and doubled work.

use std::{future::poll_fn, ops::Range, sync::Arc, task::Poll};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use eventlog::{
    attribution::AgentKey,
    audit_trail::TamperingRow,
    event_type::EventType,
    joins::{JoinKey, Link, LinkedCaller},
    row::Hour,
};
use incident::{Alert, Change, Incident, IncidentId, TimelineEntry};
use notices::Notice;

use crate::{
    AccessTable, AgentHourRecord, ArrivalsRecord, CatalogTable, Clock, Committed,
    ConfigurationRefusal, Coverage, DayRecord, DeliveryHealthRecord, FileRecord, HourRecord,
    IncidentTable, JoinTable, LandedObject, ObjectReader, ObjectStore, PartRecord, PortError,
    Ports, Publisher, RawIncident, Result, Schedule, Scheduled, Scheduler, StoredConfiguration,
    Which, Work, WorkQueue, Written,
    memory::{
        MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryObjects, MemoryPublisher,
        MemoryQueue, MemorySchedules,
    },
};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It fails and has no effect.
    Before,
    /// It takes effect, and the answer is lost.
    After,
}

/// Decides the fate of each call.
pub trait FaultPlan: Send + Sync {
    /// The fate of the next call, which is named as `incidents.commit`.
    fn next(&self, call: &'static str) -> Fault;

    /// Whether the caller lets others run before its next call. A simulation that runs several steps at once
    /// decides in this way whose call comes next.
    fn gives_way(&self) -> bool {
        false
    }

    /// What a failed call says.
    fn reason(&self) -> String {
        "fault injected".to_owned()
    }
}

/// Ports of which none is there: every call fails and names itself. A function starts from these and adds the
/// ones that it has permission for, so that a forgotten one is found by its first call.
pub fn absent(clock: Arc<dyn Clock>) -> Ports {
    struct Absent;

    impl FaultPlan for Absent {
        fn next(&self, _call: &'static str) -> Fault {
            Fault::Before
        }
        fn reason(&self) -> String {
            "this function was not given that port".to_owned()
        }
    }

    let nothing = Ports {
        objects: Arc::new(MemoryObjects::default()),
        access: Arc::new(MemoryAccess::default()),
        joins: Arc::new(MemoryJoins::default()),
        queue: Arc::new(MemoryQueue::default()),
        incidents: Arc::new(MemoryIncidents::default()),
        catalog: Arc::new(MemoryCatalog::default()),
        schedules: Arc::new(MemorySchedules::new(clock.clone())),
        publisher: Arc::new(MemoryPublisher::default()),
        clock,
    };
    let plan: Arc<dyn FaultPlan> = Arc::new(Absent);
    failing(&nothing, &plan)
}

/// A port behind a fault plan.
pub struct Failing<T: ?Sized> {
    inner: Arc<T>,
    plan: Arc<dyn FaultPlan>,
}

/// Puts every port of `ports`, except the clock, behind the plan.
pub fn failing(ports: &Ports, plan: &Arc<dyn FaultPlan>) -> Ports {
    Ports {
        objects: Arc::new(Failing { inner: ports.objects.clone(), plan: plan.clone() }),
        access: Arc::new(Failing { inner: ports.access.clone(), plan: plan.clone() }),
        joins: Arc::new(Failing { inner: ports.joins.clone(), plan: plan.clone() }),
        queue: Arc::new(Failing { inner: ports.queue.clone(), plan: plan.clone() }),
        incidents: Arc::new(Failing { inner: ports.incidents.clone(), plan: plan.clone() }),
        catalog: Arc::new(Failing { inner: ports.catalog.clone(), plan: plan.clone() }),
        schedules: Arc::new(Failing { inner: ports.schedules.clone(), plan: plan.clone() }),
        publisher: Arc::new(Failing { inner: ports.publisher.clone(), plan: plan.clone() }),
        clock: ports.clock.clone(),
    }
}

impl<T: ?Sized> Failing<T> {
    async fn call<R>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<R>> + Send,
    ) -> Result<R> {
        if self.plan.gives_way() {
            give_way().await;
        }
        match self.plan.next(name) {
            Fault::None => call.await,
            Fault::Before => self.failed(name),
            Fault::After => {
                call.await?;
                self.failed(name)
            }
        }
    }

    fn failed<R>(&self, call: &'static str) -> Result<R> {
        Err(PortError::Unavailable { call, reason: self.plan.reason() })
    }
}

/// Is pending once.
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl ObjectStore for Failing<dyn ObjectStore> {
    async fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectReader> {
        self.call("objects.open", self.inner.open(bucket, key, version)).await
    }
    async fn open_range(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        range: Range<u64>,
    ) -> Result<ObjectReader> {
        self.call("objects.open_range", self.inner.open_range(bucket, key, version, range)).await
    }
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        self.call("objects.put", self.inner.put(bucket, key, body)).await
    }
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        self.call("objects.list", self.inner.list(bucket, prefix)).await
    }
}

#[async_trait]
impl AccessTable for Failing<dyn AccessTable> {
    async fn hour(
        &self,
        org_id: &str,
        event_type: EventType,
        hour: Hour,
    ) -> Result<Option<HourRecord>> {
        self.call("access.hour", self.inner.hour(org_id, event_type, hour)).await
    }
    async fn put_hour(&self, record: &HourRecord, read: Option<Coverage>) -> Result<Written> {
        self.call("access.put_hour", self.inner.put_hour(record, read)).await
    }
    async fn put_agent_hour(&self, record: &AgentHourRecord) -> Result<Written> {
        self.call("access.put_agent_hour", self.inner.put_agent_hour(record)).await
    }
    async fn agent_day(
        &self,
        org_id: &str,
        agent: &AgentKey,
        day: NaiveDate,
    ) -> Result<Vec<AgentHourRecord>> {
        self.call("access.agent_day", self.inner.agent_day(org_id, agent, day)).await
    }
    async fn put_day(&self, record: &DayRecord) -> Result<Written> {
        self.call("access.put_day", self.inner.put_day(record)).await
    }
    async fn days(&self, org_id: &str, agent: &AgentKey) -> Result<Vec<DayRecord>> {
        self.call("access.days", self.inner.days(org_id, agent)).await
    }
    async fn put_file(&self, record: &FileRecord) -> Result<()> {
        self.call("access.put_file", self.inner.put_file(record)).await
    }
    async fn put_part(&self, record: &PartRecord) -> Result<()> {
        self.call("access.put_part", self.inner.put_part(record)).await
    }
    async fn parts(&self, source_hash: &str) -> Result<Vec<PartRecord>> {
        self.call("access.parts", self.inner.parts(source_hash)).await
    }
    async fn arrivals(
        &self,
        org_id: &str,
        event_type: EventType,
        day: NaiveDate,
    ) -> Result<Option<ArrivalsRecord>> {
        self.call("access.arrivals", self.inner.arrivals(org_id, event_type, day)).await
    }
    async fn arrivals_since(&self, org_id: &str, day: NaiveDate) -> Result<Vec<ArrivalsRecord>> {
        self.call("access.arrivals_since", self.inner.arrivals_since(org_id, day)).await
    }
    async fn put_arrivals(&self, record: &ArrivalsRecord) -> Result<Written> {
        self.call("access.put_arrivals", self.inner.put_arrivals(record)).await
    }
    async fn put_tampering(&self, row: &TamperingRow, now: DateTime<Utc>) -> Result<()> {
        self.call("access.put_tampering", self.inner.put_tampering(row, now)).await
    }
    async fn tampering(&self, org_id: &str) -> Result<Vec<TamperingRow>> {
        self.call("access.tampering", self.inner.tampering(org_id)).await
    }
    async fn delivery_health(&self, org_id: &str) -> Result<Option<DeliveryHealthRecord>> {
        self.call("access.delivery_health", self.inner.delivery_health(org_id)).await
    }
    async fn put_delivery_health(&self, record: &DeliveryHealthRecord) -> Result<Written> {
        self.call("access.put_delivery_health", self.inner.put_delivery_health(record)).await
    }
}

#[async_trait]
impl JoinTable for Failing<dyn JoinTable> {
    async fn put_link(&self, link: &Link, now: DateTime<Utc>) -> Result<bool> {
        self.call("joins.put_link", self.inner.put_link(link, now)).await
    }
    async fn announced(&self, link: &Link, now: DateTime<Utc>) -> Result<()> {
        self.call("joins.announced", self.inner.announced(link, now)).await
    }
    async fn callers(&self, key: &JoinKey) -> Result<Vec<LinkedCaller>> {
        self.call("joins.callers", self.inner.callers(key)).await
    }
    async fn put_seeker(
        &self,
        key: &JoinKey,
        source_hash: &str,
        file: &LandedObject,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.call("joins.put_seeker", self.inner.put_seeker(key, source_hash, file, now)).await
    }
    async fn seekers(&self, key: &JoinKey) -> Result<Vec<LandedObject>> {
        self.call("joins.seekers", self.inner.seekers(key)).await
    }
}

#[async_trait]
impl WorkQueue for Failing<dyn WorkQueue> {
    async fn put(&self, work: &Work) -> Result<()> {
        self.call("queue.put", self.inner.put(work)).await
    }
    async fn put_later(&self, work: &Work, delay: TimeDelta) -> Result<()> {
        self.call("queue.put_later", self.inner.put_later(work, delay)).await
    }
}

#[async_trait]
impl IncidentTable for Failing<dyn IncidentTable> {
    async fn incident(&self, incident_id: &IncidentId) -> Result<Option<Incident>> {
        self.call("incidents.incident", self.inner.incident(incident_id)).await
    }
    async fn alert(&self, incident_id: &IncidentId, alert_id: &str) -> Result<Option<Alert>> {
        self.call("incidents.alert", self.inner.alert(incident_id, alert_id)).await
    }
    async fn alerts(&self, incident_id: &IncidentId) -> Result<Vec<Alert>> {
        self.call("incidents.alerts", self.inner.alerts(incident_id)).await
    }
    async fn timeline(&self, incident_id: &IncidentId) -> Result<Vec<TimelineEntry>> {
        self.call("incidents.timeline", self.inner.timeline(incident_id)).await
    }
    async fn raw(&self, incident_id: &IncidentId) -> Result<Option<RawIncident>> {
        self.call("incidents.raw", self.inner.raw(incident_id)).await
    }
    async fn list(&self, which: Which) -> Result<Vec<IncidentId>> {
        self.call("incidents.list", self.inner.list(which)).await
    }
    async fn commit(&self, change: &Change) -> Result<Committed> {
        self.call("incidents.commit", self.inner.commit(change)).await
    }
    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>> {
        self.call("incidents.wanting_attention", self.inner.wanting_attention(now, limit)).await
    }
    async fn marker(&self, name: &str) -> Result<Option<String>> {
        self.call("incidents.marker", self.inner.marker(name)).await
    }
    async fn put_marker(&self, name: &str, value: &str) -> Result<()> {
        self.call("incidents.put_marker", self.inner.put_marker(name, value)).await
    }
}

#[async_trait]
impl CatalogTable for Failing<dyn CatalogTable> {
    async fn current(&self) -> Result<Option<Arc<StoredConfiguration>>> {
        self.call("catalog.current", self.inner.current()).await
    }
    async fn put(&self, configuration: &StoredConfiguration) -> Result<Written> {
        self.call("catalog.put", self.inner.put(configuration)).await
    }
    async fn put_refusal(&self, refusal: &ConfigurationRefusal) -> Result<()> {
        self.call("catalog.put_refusal", self.inner.put_refusal(refusal)).await
    }
}

#[async_trait]
impl Scheduler for Failing<dyn Scheduler> {
    async fn put(&self, schedule: &Schedule) -> Result<Scheduled> {
        self.call("schedules.put", self.inner.put(schedule)).await
    }
}

#[async_trait]
impl Publisher for Failing<dyn Publisher> {
    async fn publish(&self, notice: &Notice) -> Result<String> {
        self.call("publisher.publish", self.inner.publish(notice)).await
    }
}

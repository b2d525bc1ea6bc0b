//! Adapters that keep everything in memory: for the local command, the simulation and tests.
//!
//! They keep the promises of the ports exactly (conditions, whole commits, sorted answers), because the
//! simulation finds faults only against honest stores. Changes are kept as a stream, as DynamoDB would
//! send them.

mod incidents;
mod schedules;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use eventlog::{
    attribution::AgentKey,
    audit_trail::TamperingRow,
    event_type::EventType,
    joins::{JoinKey, Link, LinkedCaller, MAX_CALLERS_PER_KEY},
    row::Hour,
};
use notices::Notice;

use crate::{
    AccessTable, AgentHourRecord, ArrivalsRecord, CatalogTable, Clock, ConfigurationRefusal,
    Coverage, DayRecord, DeliveryHealthRecord, FileRecord, HourRecord, JoinTable, LandedObject,
    ObjectReader, ObjectStore, PartRecord, PortError, Publisher, Result, StoredConfiguration, Work,
    WorkQueue, Written,
};

pub use incidents::MemoryIncidents;
pub use schedules::MemorySchedules;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves the maps whole: every method changes them in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Buckets in memory.
#[derive(Debug, Default)]
pub struct MemoryObjects(Mutex<BTreeMap<(String, String), Vec<u8>>>);

impl MemoryObjects {
    /// All keys with their sizes, for tests.
    pub fn objects(&self) -> BTreeMap<(String, String), Vec<u8>> {
        lock(&self.0).clone()
    }
}

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn open(&self, bucket: &str, key: &str, _version: Option<&str>) -> Result<ObjectReader> {
        let body = lock(&self.0).get(&(bucket.to_owned(), key.to_owned())).cloned();
        let body =
            body.ok_or_else(|| PortError::NotFound { what: format!("s3://{bucket}/{key}") })?;
        Ok(ObjectReader {
            size_bytes: u64::try_from(body.len()).ok(),
            e_tag: None,
            landed_at: None,
            body: Box::pin(std::io::Cursor::new(body)),
        })
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<()> {
        lock(&self.0).insert((bucket.to_owned(), key.to_owned()), body);
        Ok(())
    }

    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        Ok(lock(&self.0)
            .keys()
            .filter(|(of, key)| of == bucket && key.starts_with(prefix))
            .map(|(_, key)| key.clone())
            .collect())
    }
}

#[derive(Debug, Default)]
struct AccessState {
    hours: BTreeMap<(String, EventType, Hour), HourRecord>,
    agent_hours: BTreeMap<(String, AgentKey), BTreeMap<(Hour, EventType), AgentHourRecord>>,
    days: BTreeMap<(String, AgentKey), BTreeMap<NaiveDate, DayRecord>>,
    files: BTreeMap<String, FileRecord>,
    parts: BTreeMap<String, BTreeMap<u32, PartRecord>>,
    arrivals: BTreeMap<String, BTreeMap<(NaiveDate, EventType), ArrivalsRecord>>,
    tampering: BTreeMap<String, BTreeMap<String, TamperingRow>>,
    delivery_health: BTreeMap<String, DeliveryHealthRecord>,
    stream: Vec<(String, AgentKey, NaiveDate)>,
}

/// The access table in memory.
#[derive(Debug, Default)]
pub struct MemoryAccess(Mutex<AccessState>);

impl MemoryAccess {
    /// Takes the days that have to be judged again since the last call, in the order of their writes.
    pub fn take_stream(&self) -> Vec<(String, AgentKey, NaiveDate)> {
        std::mem::take(&mut lock(&self.0).stream)
    }

    /// What became of every file.
    pub fn files(&self) -> Vec<FileRecord> {
        lock(&self.0).files.values().cloned().collect()
    }

    /// When every hour came.
    pub fn all_arrivals(&self) -> Vec<ArrivalsRecord> {
        lock(&self.0).arrivals.values().flat_map(|days| days.values().cloned()).collect()
    }

    /// Every row that tells of the logs themselves, in order.
    pub fn all_tampering(&self) -> Vec<TamperingRow> {
        let state = lock(&self.0);
        let mut rows: Vec<TamperingRow> =
            state.tampering.values().flat_map(|of_org| of_org.values().cloned()).collect();
        rows.sort_unstable();
        rows
    }

    /// Every judged day.
    pub fn all_days(&self) -> Vec<DayRecord> {
        lock(&self.0).days.values().flat_map(|days| days.values().cloned()).collect()
    }

    /// Every agent's hour.
    pub fn all_agent_hours(&self) -> Vec<AgentHourRecord> {
        lock(&self.0).agent_hours.values().flat_map(|hours| hours.values().cloned()).collect()
    }
}

#[async_trait]
impl AccessTable for MemoryAccess {
    async fn hour(
        &self,
        org_id: &str,
        event_type: EventType,
        hour: Hour,
    ) -> Result<Option<HourRecord>> {
        Ok(lock(&self.0).hours.get(&(org_id.to_owned(), event_type, hour)).cloned())
    }

    async fn put_hour(&self, record: &HourRecord, read: Option<Coverage>) -> Result<Written> {
        let mut state = lock(&self.0);
        let key = (record.org_id.clone(), record.event_type, record.hour);
        let there = state.hours.get(&key).map(HourRecord::coverage);
        if !record.coverage().follows(read, there) {
            return Ok(Written::Superseded);
        }
        state.hours.insert(key, record.clone());
        Ok(Written::Yes)
    }

    async fn put_agent_hour(&self, record: &AgentHourRecord) -> Result<Written> {
        let mut state = lock(&self.0);
        let hour = &record.agent_hour;
        let agent = (hour.org_id.clone(), hour.agent.clone());
        let key = (hour.hour, hour.event_type);
        let hours = state.agent_hours.entry(agent).or_default();
        if hours.get(&key).is_some_and(|old| !record.coverage().covers(old.coverage())) {
            return Ok(Written::Superseded);
        }
        hours.insert(key, record.clone());
        let day = hour.hour.start().date_naive();
        state.stream.push((hour.org_id.clone(), hour.agent.clone(), day));
        Ok(Written::Yes)
    }

    async fn agent_day(
        &self,
        org_id: &str,
        agent: &AgentKey,
        day: NaiveDate,
    ) -> Result<Vec<AgentHourRecord>> {
        let state = lock(&self.0);
        let hours = state.agent_hours.get(&(org_id.to_owned(), agent.clone()));
        Ok(hours
            .into_iter()
            .flatten()
            .filter(|((hour, _), _)| hour.start().date_naive() == day)
            .map(|(_, record)| record.clone())
            .collect())
    }

    async fn put_day(&self, record: &DayRecord) -> Result<Written> {
        let mut state = lock(&self.0);
        let findings = &record.findings;
        let days = state.days.entry((findings.org_id.clone(), findings.agent.clone())).or_default();
        let old = days.get(&findings.day);
        if old.is_some_and(|old| !record.coverage().covers(old.coverage())) {
            return Ok(Written::Superseded);
        }
        days.insert(findings.day, record.clone());
        Ok(Written::Yes)
    }

    async fn days(&self, org_id: &str, agent: &AgentKey) -> Result<Vec<DayRecord>> {
        let state = lock(&self.0);
        let days = state.days.get(&(org_id.to_owned(), agent.clone()));
        Ok(days.into_iter().flat_map(|days| days.values().cloned()).collect())
    }

    async fn put_file(&self, record: &FileRecord) -> Result<()> {
        lock(&self.0).files.insert(record.source_hash.clone(), record.clone());
        Ok(())
    }

    async fn put_part(&self, record: &PartRecord) -> Result<()> {
        let mut state = lock(&self.0);
        let parts = state.parts.entry(record.source_hash.clone()).or_default();
        parts.insert(record.number, record.clone());
        Ok(())
    }

    async fn parts(&self, source_hash: &str) -> Result<Vec<PartRecord>> {
        let state = lock(&self.0);
        let parts = state.parts.get(source_hash);
        Ok(parts.into_iter().flat_map(|parts| parts.values().cloned()).collect())
    }

    async fn arrivals(
        &self,
        org_id: &str,
        event_type: EventType,
        day: NaiveDate,
    ) -> Result<Option<ArrivalsRecord>> {
        let state = lock(&self.0);
        let of_org = state.arrivals.get(org_id);
        Ok(of_org.and_then(|days| days.get(&(day, event_type))).cloned())
    }

    async fn arrivals_since(&self, org_id: &str, day: NaiveDate) -> Result<Vec<ArrivalsRecord>> {
        let state = lock(&self.0);
        let of_org = state.arrivals.get(org_id).into_iter().flatten();
        Ok(of_org.filter(|((of, _), _)| *of >= day).map(|(_, record)| record.clone()).collect())
    }

    async fn put_arrivals(&self, record: &ArrivalsRecord) -> Result<Written> {
        let mut state = lock(&self.0);
        let arrivals = &record.arrivals;
        let days = state.arrivals.entry(arrivals.org_id.clone()).or_default();
        let key = (arrivals.day, arrivals.event_type);
        let version = days.get(&key).map_or(0, |there| there.version);
        if record.version != version.saturating_add(1) {
            return Ok(Written::Superseded);
        }
        days.insert(key, record.clone());
        Ok(Written::Yes)
    }

    async fn put_tampering(&self, row: &TamperingRow, _now: DateTime<Utc>) -> Result<()> {
        let mut state = lock(&self.0);
        let of_org = state.tampering.entry(row.org_id.clone()).or_default();
        of_org.insert(row.row_hash.clone(), row.clone());
        Ok(())
    }

    async fn tampering(&self, org_id: &str) -> Result<Vec<TamperingRow>> {
        let state = lock(&self.0);
        let of_org = state.tampering.get(org_id).into_iter().flat_map(BTreeMap::values);
        let mut rows: Vec<TamperingRow> = of_org.cloned().collect();
        rows.sort_unstable();
        Ok(rows)
    }

    async fn delivery_health(&self, org_id: &str) -> Result<Option<DeliveryHealthRecord>> {
        Ok(lock(&self.0).delivery_health.get(org_id).cloned())
    }

    async fn put_delivery_health(&self, record: &DeliveryHealthRecord) -> Result<Written> {
        let mut state = lock(&self.0);
        let version = state.delivery_health.get(&record.org_id).map_or(0, |there| there.version);
        if record.version != version.saturating_add(1) {
            return Ok(Written::Superseded);
        }
        state.delivery_health.insert(record.org_id.clone(), record.clone());
        Ok(Written::Yes)
    }
}

#[derive(Debug, Default)]
struct JoinState {
    /// Whether each was announced.
    links: BTreeMap<JoinKey, BTreeMap<LinkedCaller, bool>>,
    seekers: BTreeMap<JoinKey, BTreeMap<String, LandedObject>>,
}

/// Joins in memory.
#[derive(Debug, Default)]
pub struct MemoryJoins(Mutex<JoinState>);

#[async_trait]
impl JoinTable for MemoryJoins {
    async fn put_link(&self, link: &Link, _now: DateTime<Utc>) -> Result<bool> {
        let mut state = lock(&self.0);
        let callers = state.links.entry(link.key.clone()).or_default();
        Ok(*callers.entry(link.caller.clone()).or_insert(false))
    }

    async fn announced(&self, link: &Link, _now: DateTime<Utc>) -> Result<()> {
        let mut state = lock(&self.0);
        let callers = state.links.entry(link.key.clone()).or_default();
        callers.insert(link.caller.clone(), true);
        Ok(())
    }

    async fn callers(&self, key: &JoinKey) -> Result<Vec<LinkedCaller>> {
        let state = lock(&self.0);
        let links = state.links.get(key);
        let callers = links.into_iter().flat_map(BTreeMap::keys);
        Ok(callers.take(MAX_CALLERS_PER_KEY).cloned().collect())
    }

    async fn put_seeker(
        &self,
        key: &JoinKey,
        source_hash: &str,
        file: &LandedObject,
        _now: DateTime<Utc>,
    ) -> Result<()> {
        let mut state = lock(&self.0);
        let seekers = state.seekers.entry(key.clone()).or_default();
        seekers.insert(source_hash.to_owned(), file.clone());
        Ok(())
    }

    async fn seekers(&self, key: &JoinKey) -> Result<Vec<LandedObject>> {
        let state = lock(&self.0);
        let seekers = state.seekers.get(key);
        Ok(seekers.into_iter().flat_map(|files| files.values().cloned()).collect())
    }
}

/// Work in memory.
#[derive(Debug, Default)]
pub struct MemoryQueue(Mutex<Vec<Work>>);

impl MemoryQueue {
    /// Takes all work that waits, in the order in which it came.
    pub fn take(&self) -> Vec<Work> {
        std::mem::take(&mut lock(&self.0))
    }
}

#[async_trait]
impl WorkQueue for MemoryQueue {
    async fn put(&self, work: &Work) -> Result<()> {
        lock(&self.0).push(work.clone());
        Ok(())
    }

    /// Nothing waits here: whoever takes work decides when.
    async fn put_later(&self, work: &Work, _delay: TimeDelta) -> Result<()> {
        self.put(work).await
    }
}

#[derive(Debug, Default)]
struct CatalogState {
    current: Option<Arc<StoredConfiguration>>,
    refusals: Vec<ConfigurationRefusal>,
}

/// The catalog in memory.
#[derive(Debug, Default)]
pub struct MemoryCatalog(Mutex<CatalogState>);

impl MemoryCatalog {
    /// Every refusal.
    pub fn refusals(&self) -> Vec<ConfigurationRefusal> {
        lock(&self.0).refusals.clone()
    }
}

#[async_trait]
impl CatalogTable for MemoryCatalog {
    async fn current(&self) -> Result<Option<Arc<StoredConfiguration>>> {
        Ok(lock(&self.0).current.clone())
    }

    async fn put(&self, configuration: &StoredConfiguration) -> Result<Written> {
        let mut state = lock(&self.0);
        let version = state.current.as_ref().map_or(0, |current| current.version);
        if configuration.version != version.saturating_add(1) {
            return Ok(Written::Superseded);
        }
        state.current = Some(Arc::new(configuration.clone()));
        Ok(Written::Yes)
    }

    async fn put_refusal(&self, refusal: &ConfigurationRefusal) -> Result<()> {
        lock(&self.0).refusals.push(refusal.clone());
        Ok(())
    }
}

/// A topic that keeps what was published.
#[derive(Debug, Default)]
pub struct MemoryPublisher(Mutex<Vec<Notice>>);

impl MemoryPublisher {
    /// Everything published so far.
    pub fn published(&self) -> Vec<Notice> {
        lock(&self.0).clone()
    }
}

#[async_trait]
impl Publisher for MemoryPublisher {
    async fn publish(&self, notice: &Notice) -> Result<String> {
        let mut published = lock(&self.0);
        published.push(notice.clone());
        Ok(format!("memory-{}", published.len()))
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it, forward or back.
    pub fn set(&self, now: DateTime<Utc>) {
        *lock(&self.0) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *lock(&self.0)
    }
}

//! The pipeline over a list of files.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use assessment::{
    configuration::Configuration,
    delivery::{Arrival, Arrivals, DayArrivals, OVERDUE_HOURS_MIN, OrgDelivery, judge},
    findings::{DayFindings, GapReason, Verdict},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use eventlog::{attribution::AgentKey, audit_trail::TamperingRow};
use futures::{StreamExt as _, stream};
use incident::{Alert, Incident};
use pipeline::{
    PipelineError,
    assess::assess_day,
    ingest::{IngestSettings, LandedObject, ingest},
};
use ports::{
    Clock, DayRecord, FileOutcome, IncidentTable, Ports, StoredConfiguration, SystemClock, Which,
    Work,
    disk::DiskIncidents,
    memory::{
        ManualClock, MemoryAccess, MemoryCatalog, MemoryIncidents, MemoryJoins, MemoryPublisher,
        MemoryQueue, MemorySchedules,
    },
};

use crate::{
    files::{INPUT, LocalObjects},
    folder,
};

/// There is one reader here, and no other that could take a part of a file.
fn settings() -> IngestSettings {
    IngestSettings { whole_bytes_max: u64::MAX, ..IngestSettings::new(RECORDS) }
}

/// Bucket of what is kept while a scan runs.
const RECORDS: &str = "records";

/// An incident, and its newest message.
pub(crate) struct Found {
    pub(crate) incident: Incident,
    pub(crate) news: Option<Alert>,
}

/// What a scan found.
pub(crate) struct Scan {
    pub(crate) configuration: Configuration,
    pub(crate) now: DateTime<Utc>,
    pub(crate) incidents: Vec<Found>,
    pub(crate) file_count: u64,
    /// Files that are no logs and are not meant to be, with the reason.
    pub(crate) ignored: Vec<(String, String)>,
    /// Files that could not be read, or not to their end, with the reason.
    pub(crate) unread: Vec<(String, String)>,
    pub(crate) rows: u64,
    pub(crate) rows_by_event_type: BTreeMap<String, u64>,
    pub(crate) rows_by_agent: BTreeMap<String, u64>,
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    /// Rows of agents that could not be decided, by reason.
    pub(crate) undecided: BTreeMap<GapReason, u64>,
    /// What the logs hold that is not understood, or lack, by name.
    pub(crate) log_gaps: BTreeMap<String, u64>,
    pub(crate) quarantined: BTreeMap<String, u64>,
    /// How the logs of each org have come, as far as files on a disk can tell.
    pub(crate) delivery: BTreeMap<String, OrgDelivery>,
    /// What Setup Audit Trail tells of the logs themselves, in order.
    pub(crate) tampering: Vec<TamperingRow>,
}

pub(crate) async fn scan(
    paths: &[PathBuf],
    configuration: Configuration,
    as_of: Option<DateTime<Utc>>,
    threads: NonZeroUsize,
    keep: Option<&Path>,
) -> anyhow::Result<Scan> {
    let access = Arc::new(MemoryAccess::default());
    let incidents: Arc<dyn IncidentTable> = match keep {
        Some(folder) => Arc::new(DiskIncidents::create(folder::incidents(folder))?),
        None => Arc::new(MemoryIncidents::default()),
    };
    let queue = Arc::new(MemoryQueue::default());
    let clock: Arc<dyn Clock> = match as_of {
        Some(instant) => Arc::new(ManualClock::at(instant)),
        None => Arc::new(SystemClock),
    };
    let objects = LocalObjects::new().context("no temporary folder can be made")?;
    let ports = Ports {
        objects: Arc::new(objects),
        access: access.clone(),
        joins: Arc::new(MemoryJoins::default()),
        queue: queue.clone(),
        incidents,
        catalog: Arc::new(MemoryCatalog::default()),
        // Nobody is woken here: a scan looks once.
        schedules: Arc::new(MemorySchedules::new(clock.clone())),
        publisher: Arc::new(MemoryPublisher::default()),
        clock,
    };
    let now = ports.clock.now();
    let stored = StoredConfiguration {
        version: 1,
        loaded_at: now,
        digest: String::new(),
        configuration: configuration.clone(),
    };
    ports.catalog.put(&stored).await?;

    let FilesFound { files, mut unread } = files_under(paths)?;
    unread.extend(read_all(&ports, &files, threads).await?);
    // Rows of files that were read early may belong to agents that a later one names.
    let settings = settings();
    for work in queue.take() {
        ingest(&ports, &settings, &work).await?;
    }
    // Every hour stands by now, so that each day is judged once and an incident opens with all that is known.
    let changed: BTreeSet<_> = access.take_stream().into_iter().collect();
    if let Some(folder) = keep {
        // Days that these files do not tell of are still part of their incidents.
        for day in folder::days_if_kept(folder)? {
            let DayFindings { org_id, agent, day: date, .. } = &day.findings;
            if !changed.contains(&(org_id.clone(), agent.clone(), *date)) {
                ports.access.put_day(&day).await?;
            }
        }
    }
    for (org_id, agent, day) in &changed {
        assess_day(&ports, org_id, agent, *day).await?;
    }

    let mut scan = Scan {
        configuration,
        now,
        incidents: found(&ports, &changed).await?,
        file_count: u64::try_from(files.len()).unwrap_or(u64::MAX),
        ignored: Vec::new(),
        unread,
        rows: 0,
        rows_by_event_type: BTreeMap::new(),
        rows_by_agent: BTreeMap::new(),
        verdicts: BTreeMap::new(),
        undecided: BTreeMap::new(),
        log_gaps: BTreeMap::new(),
        quarantined: BTreeMap::new(),
        delivery: delivery(&access, now),
        tampering: access.all_tampering(),
    };
    if let Some(folder) = keep {
        folder::keep(folder, &stored, &access.all_days())?;
    }
    scan.sum_up(&access, &changed);
    Ok(scan)
}

/// The org, agent and UTC day of a judgement.
type JudgedDay = (String, AgentKey, NaiveDate);

/// The incidents of the agents that were judged, the worst first. A folder may hold others, of which these files say nothing.
async fn found(ports: &Ports, judged: &BTreeSet<JudgedDay>) -> anyhow::Result<Vec<Found>> {
    let mut all = Vec::new();
    for incident_id in ports.incidents.list(Which::All).await? {
        if let Some(incident) = ports.incidents.incident(&incident_id).await? {
            let is_of_it = |(org_id, agent, day): &JudgedDay| {
                *org_id == incident.org_id && *agent == incident.agent && incident.covers(*day)
            };
            if incident.status.is_done() || !judged.iter().any(is_of_it) {
                continue;
            }
            let alerts = ports.incidents.alerts(&incident_id).await?;
            let of_the_incident = alerts.into_iter().filter(|alert| alert.clock.is_none());
            let news = of_the_incident.max_by_key(|alert| alert.due_at);
            all.push(Found { incident, news });
        }
    }
    all.sort_by(|a, b| {
        let order = |found: &Found| (found.incident.severity(), found.incident.findings.score);
        let by_name = || a.incident.incident_id.cmp(&b.incident.incident_id);
        order(b).cmp(&order(a)).then_with(by_name)
    });
    Ok(all)
}

/// How the logs of each org have come.
///
/// When a file was written on this machine says nothing of when its log came, so no hour is called late here: each
/// counts as if it had come as soon as it was over, and an org is judged as of the moment when its last hour is
/// overdue. What is missing is what did not come between the first and the last hour of the org.
fn delivery(access: &MemoryAccess, now: DateTime<Utc>) -> BTreeMap<String, OrgDelivery> {
    let mut orgs: BTreeMap<String, Arrivals> = BTreeMap::new();
    for record in access.all_arrivals() {
        let DayArrivals { org_id, event_type, hours, .. } = record.arrivals;
        let of_org = orgs.entry(org_id).or_default();
        for (hour, arrival) in hours {
            if hour.start() <= now {
                let over_at = hour.start() + TimeDelta::hours(1);
                of_org.add(event_type, hour, Arrival::at(over_at, arrival.row_count));
            }
        }
    }
    let judged = orgs.into_iter().filter_map(|(org_id, arrivals)| {
        let hours = arrivals.0.values().flat_map(BTreeMap::keys);
        let last = hours.max()?.start();
        let as_of = last + TimeDelta::hours(1 + OVERDUE_HOURS_MIN);
        Some((org_id, judge(&arrivals, &BTreeSet::new(), last, as_of)))
    });
    judged.collect()
}

impl Scan {
    fn sum_up(&mut self, access: &MemoryAccess, judged: &BTreeSet<JudgedDay>) {
        for file in access.files() {
            self.rows = self.rows.saturating_add(file.row_count);
            add_all(&mut self.rows_by_event_type, file.rows_by_event_type);
            add_all(&mut self.log_gaps, file.gaps);
            add_all(&mut self.quarantined, file.quarantined);
            if let FileOutcome::Ignored { reason } = file.outcome {
                self.ignored.push((file.key, reason));
            }
        }
        for DayRecord { findings, .. } in access.all_days() {
            if !judged.contains(&(findings.org_id.clone(), findings.agent.clone(), findings.day)) {
                continue;
            }
            add_all(
                &mut self.rows_by_agent,
                BTreeMap::from([(findings.agent.0.clone(), findings.row_count)]),
            );
            add_all(&mut self.verdicts, findings.verdicts);
            add_all(&mut self.undecided, findings.gaps);
        }
    }
}

fn add_all<K: Ord>(sums: &mut BTreeMap<K, u64>, counts: BTreeMap<K, u64>) {
    for (key, count) in counts {
        let sum = sums.entry(key).or_default();
        *sum = sum.saturating_add(count);
    }
}

/// Reads the files, several at a time, each in a thread of its own; answers with those that could not be read, in order.
async fn read_all(
    ports: &Ports,
    files: &[PathBuf],
    threads: NonZeroUsize,
) -> anyhow::Result<Vec<(String, String)>> {
    let settings = settings();
    let mut progress = Progress::new(files.len());
    let mut unread = Vec::new();
    let mut reading = stream::iter(files)
        .map(|file| {
            let key = file.to_string_lossy().into_owned();
            let landed = LandedObject { bucket: INPUT.to_owned(), key: key.clone(), version: None };
            let (work, settings) = (Work::Read(landed), &settings);
            async move {
                // Files of the same hour can be in each other's way; whoever was, goes on once the other is done.
                loop {
                    match ingest(ports, settings, &work).await {
                        Err(PipelineError::Contended { .. }) => {}
                        read => return (key, read),
                    }
                }
            }
        })
        .buffered(threads.get());
    while let Some((key, read)) = reading.next().await {
        progress.next();
        match read {
            Ok(_) => {}
            Err(PipelineError::File { key, reason, .. }) => unread.push((key, reason)),
            Err(PipelineError::Port(error)) => unread.push((key, error.to_string())),
            Err(error) => return Err(error.into()),
        }
    }
    progress.end();
    Ok(unread)
}

/// What is to be read.
#[derive(Default)]
struct FilesFound {
    files: Vec<PathBuf>,
    /// What of it cannot be looked into, with the reason.
    unread: Vec<(String, String)>,
}

/// All files under the paths, in the order of the paths and then of names, each once. A path that was given has to be
/// there; what cannot be looked into below one is told, and keeps nothing else from being read.
fn files_under(paths: &[PathBuf]) -> anyhow::Result<FilesFound> {
    let mut found = FilesFound::default();
    for path in paths {
        let unreadable = || format!("{} cannot be read", path.display());
        if path == Path::new("-") || !path.metadata().with_context(unreadable)?.is_dir() {
            found.files.push(path.clone());
        } else {
            found.collect(path);
        }
    }
    let mut seen = BTreeSet::new();
    found.files.retain(|file| seen.insert(file.clone()));
    Ok(found)
}

impl FilesFound {
    fn collect(&mut self, folder: &Path) {
        let entries = folder.read_dir().and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        });
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.cannot_read(folder, &error),
        };
        entries.sort_unstable();
        for entry in entries {
            match entry.metadata() {
                // A link to a folder can lead back to where it lies.
                Ok(metadata) if metadata.is_dir() && entry.is_symlink() => {
                    let reason = "a link to a folder is not followed; name the folder itself";
                    self.unread.push((entry.to_string_lossy().into_owned(), reason.to_owned()));
                }
                Ok(metadata) if metadata.is_dir() => self.collect(&entry),
                Ok(_) => self.files.push(entry),
                Err(error) => self.cannot_read(&entry, &error),
            }
        }
    }

    fn cannot_read(&mut self, path: &Path, error: &io::Error) {
        self.unread.push((path.to_string_lossy().into_owned(), error.to_string()));
    }
}

/// A line on standard error that tells how far it is; silent where that is not a terminal.
struct Progress {
    total: usize,
    done: usize,
    shown: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        Self { total, done: 0, shown: io::stderr().is_terminal() }
    }

    fn next(&mut self) {
        self.done = self.done.saturating_add(1);
        if self.shown {
            let _ = write!(io::stderr(), "\r{} of {} files are read", self.done, self.total);
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

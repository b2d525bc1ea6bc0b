//! What a file offers to other files and seeks in them.
//!
//! First it stands that this file seeks a key, and then its owners are looked for; first a link stands, and then the
//! files that seek its key. Whatever the order in which two files come, and wherever one is cut off, one of them sees
//! the other: a link counts as announced only once all that seek it have been sent for.

use std::{collections::BTreeSet, sync::Arc};

use eventlog::joins::{JoinKey, KnownLinks, Link};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ports::{Ports, Result, Work};

use super::reading::Reading;

/// Calls that are under way at a time.
const CALLS_AT_ONCE: usize = 16;

/// Links that wait for their seekers to be sent for. More are not held in memory: they are announced meanwhile.
const UNANNOUNCED_MAX: usize = 4_000;

/// What is known of one file's joins while it is read.
#[derive(Debug)]
pub(super) struct Joining {
    source: Reading,
    /// Whether what it seeks is on record already, and what it offers, too.
    is_on_record: bool,
    /// Links whose seekers have not been sent for.
    unannounced: BTreeSet<Link>,
    found: KnownLinks,
}

impl Joining {
    /// Of a file that is read for the first time.
    pub(super) fn of(source: &Reading) -> Self {
        Self {
            source: source.clone(),
            is_on_record: false,
            unannounced: BTreeSet::new(),
            found: KnownLinks::default(),
        }
    }

    /// Of a file that was read before. It sends for nobody, or two files that join each other would do so for ever.
    pub(super) fn again(source: &Reading) -> Self {
        Self { is_on_record: true, ..Self::of(source) }
    }

    /// Puts links on record.
    pub(super) async fn offer(&mut self, ports: &Ports, links: Vec<Link>) -> Result<()> {
        if self.is_on_record {
            return Ok(());
        }
        let now = self.source.read_at;
        let mut put = stream::iter(links)
            .map(|link| async move {
                let is_announced = ports.joins.put_link(&link, now).await?;
                Ok::<_, ports::PortError>((link, is_announced))
            })
            .buffer_unordered(CALLS_AT_ONCE);
        while let Some((link, is_announced)) = put.try_next().await? {
            if !is_announced {
                self.unannounced.insert(link);
            }
        }
        if self.unannounced.len() >= UNANNOUNCED_MAX { self.announce(ports).await } else { Ok(()) }
    }

    /// Puts on record what the file seeks, and looks for it.
    pub(super) async fn seek(&mut self, ports: &Ports, keys: Vec<JoinKey>) -> Result<()> {
        let Reading { landed, source_hash, read_at: now, .. } = &self.source;
        let is_on_record = self.is_on_record;
        let mut looked = stream::iter(keys)
            .map(|key| async move {
                if !is_on_record {
                    ports.joins.put_seeker(&key, source_hash, landed, *now).await?;
                }
                let callers = ports.joins.callers(&key).await?;
                Ok::<_, ports::PortError>((key, callers))
            })
            .buffer_unordered(CALLS_AT_ONCE);
        while let Some((key, callers)) = looked.try_next().await? {
            if !callers.is_empty() {
                self.found.add(key, callers);
            }
        }
        Ok(())
    }

    /// Sends for the files that seek what this one offers. This file itself needs no sending for.
    pub(super) async fn announce(&mut self, ports: &Ports) -> Result<()> {
        let unannounced = std::mem::take(&mut self.unannounced);
        let mut seekers = BTreeSet::new();
        let mut asked = stream::iter(&unannounced)
            .map(|link| async move {
                let seekers = ports.joins.seekers(&link.key).await?;
                Ok::<_, ports::PortError>((link, seekers))
            })
            .buffer_unordered(CALLS_AT_ONCE);
        while let Some((link, files)) = asked.try_next().await? {
            for file in files {
                // The other parts of a file that is read in parts are read by others.
                if file == self.source.landed && self.source.part.is_none() {
                    self.found.add(link.key.clone(), [link.caller.clone()]);
                } else {
                    seekers.insert(file);
                }
            }
        }
        for file in seekers {
            ports.queue.put(&Work::Join(file)).await?;
        }
        let now = self.source.read_at;
        stream::iter(&unannounced)
            .map(|link| ports.joins.announced(link, now))
            .buffer_unordered(CALLS_AT_ONCE)
            .try_collect::<()>()
            .await
    }

    /// The links that lead to rows of this file, if there are any.
    pub(super) fn found(self) -> Option<Arc<KnownLinks>> {
        (!self.found.is_empty()).then(|| Arc::new(self.found))
    }
}

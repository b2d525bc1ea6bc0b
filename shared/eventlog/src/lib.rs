//! Salesforce event logs: bytes to access rows to tallies. No AWS, no clock, no judgement.
//!
//! **What goes in** is a stream of bytes, anything that is [`std::io::Read`]: an Event Log File as
//! Salesforce serves it, or as a tool re-exported it, as CSV or as JSON; real-time events as JSON, in the
//! envelope of whoever relayed them; the log of a gateway. The format, and plain or gzip, are told from the first
//! bytes, never from a name. Columns are bound by their names, event types by the `EVENT_TYPE` of each row, so one
//! file may hold several types, of several orgs, in any order of columns.
//!
//! **What comes out** of [`reader::read_log`] is, one after another, an [`row::AccessRow`] for each row
//! that an agent made, with its [`attribution::Attribution`]; a [`reader::QuarantinedRow`] for each that
//! could not be read, with the reason and the line; and at the end a [`report::FileReport`] that accounts
//! for every row: agents' rows, other rows, quarantined rows and rows of types that are not read, those that
//! are known to tell of no access apart. Nothing is dropped without being counted. What cannot be judged for
//! want of a column or a type is a [`report::Gap`]. When a file breaks off, the rows before the break have been given, and the error
//! carries the report up to there.
//!
//! Setup Audit Trail, as a query gives it, is read for one thing only: rows that tell of the logs themselves
//! ([`audit_trail`]). They stand in the report.
//!
//! A row that does not say whose it is may be joined to one that does ([`joins`]): the sink is asked, because only whoever
//! holds other files knows.
//!
//! From rows, [`tally::Tally`] adds up what each agent did in one hour of one org: a pure function of a
//! *set* of rows, so that order, split and repetition do not show. [`extract`] is how rows are kept
//! between the two: sorted by their hash, compressed, named by their content, merged without repeats.
//!
//! **The identity of a row** is [`row::AccessRow::row_hash`]: SHA-256 over the known columns of its type,
//! by name, in a fixed order, empty ones left out, aliases resolved. Columns that are reordered, renamed
//! to an alias, added or empty change nothing. `REQUEST_ID` alone is no identity: many rows share it, and
//! a caller can choose it. A real-time event is identified by its `EventIdentifier` within its org and type, so that
//! its streamed and its stored form are one.
//!
//! **What is never kept**: the text of a query, or any value in it; the names, user names and messages
//! that rows hold; headers, titles and descriptions. An access row has names of objects and fields, ids,
//! counts and times; of the records that an event carries, the ids. It also has the address, the client's name and the
//! user agent of the caller, and how its login was secured, because attribution, judgement and evidence need them. Raw
//! bytes leave this crate only with a row in quarantine, bounded,
//! for whoever must repair the export.
//!
//! **Records are counted once.** Rows of many types are echoes of accesses whose records other types count:
//! a count that they lack does not stand for uncounted reads, and one that they have is an estimate that must not be
//! added up ([`event_type::EventType::counts_records`]).
//!
//! Memory does not grow with the file: one buffer up to the limit of a row, bounded counts, and whatever
//! the sink keeps. Limits are in [`reader::ReadLimits`]; what is over them is quarantined or refused with
//! a reason. Hostile input costs time in proportion to its length and cannot make this crate panic.

pub mod address;
mod ahead;
mod anomaly;
pub mod attribution;
pub mod audit_trail;
mod columns;
pub mod event_type;
pub mod extract;
pub mod format;
pub mod joins;
mod json;
mod normalise;
pub mod objects;
pub mod reader;
mod recall;
mod records;
pub mod report;
pub mod row;
pub mod soql;
mod structure;
pub mod tally;
mod timestamp;
pub mod tls;

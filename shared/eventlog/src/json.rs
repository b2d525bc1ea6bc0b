//! JSON: real-time events, rows of Event Log Files that were made objects, and logs of gateways.
//!
//! [`splitter`] finds the objects in the stream, [`envelope`] takes off what relays put around an event, [`binding`]
//! lays its fields out as a row of columns. From there on a row is a row, wherever it came from.

mod binding;
mod container;
mod envelope;
mod gateway;
mod shape;
mod splitter;

use std::io::Read;

use serde_json::Value;

use self::{binding::Binding, envelope::Event, splitter::Splitter};
use crate::{
    audit_trail::{self, AuditRow},
    records::Record,
    report::QuarantineReason,
};

/// What an event is read as.
pub(crate) enum Laid<'a> {
    /// A row under the header that [`Events::columns`] names.
    Row(Record<'a>),
    /// A row of Setup Audit Trail.
    Audit(AuditRow),
}

/// An event laid out as a row, or what could not be read as one.
pub(crate) struct Item<'a> {
    /// Physical line on which it starts, from 1.
    pub(crate) line_number: u64,
    /// Bytes before it, after inflation.
    pub(crate) byte_offset: u64,
    /// The bytes as they stood.
    pub(crate) raw: &'a [u8],
    /// What is in them.
    pub(crate) row: Result<Laid<'a>, QuarantineReason>,
}

/// Reads the events of a stream, one after the other.
pub(crate) struct Events<R> {
    splitter: Splitter<R>,
    binding: Binding,
}

impl<R: Read> Events<R> {
    /// The events in what is left of `source`, which stands at this offset of the file. `org_of_unnamed` is the org of
    /// real-time events that name none.
    pub(crate) fn new(
        source: R,
        byte_offset: u64,
        max_record_bytes: usize,
        max_quarantined_bytes: usize,
        org_of_unnamed: Option<String>,
    ) -> Self {
        let splitter = Splitter::new(source, byte_offset, max_record_bytes, max_quarantined_bytes);
        Self { splitter, binding: Binding::new(org_of_unnamed) }
    }

    /// The columns of every row.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.binding.names()
    }

    /// The next event; `None` at the end.
    pub(crate) fn next_item(&mut self) -> Result<Option<Item<'_>>, std::io::Error> {
        let Some(piece) = self.splitter.next_piece()? else { return Ok(None) };
        let event = match piece.failure {
            Some(reason) => Err(reason),
            None => match serde_json::from_slice(piece.raw) {
                Ok(Value::Object(fields)) => Event::unwrap(fields, piece.org_id),
                _ => Err(QuarantineReason::MalformedJson),
            },
        };
        let row = event.map(|event| {
            if event.name == audit_trail::NAME {
                return Laid::Audit(binding::audit_row(&event));
            }
            Laid::Row(self.binding.bind(&event, piece.line_number, piece.byte_offset))
        });
        Ok(Some(Item {
            line_number: piece.line_number,
            byte_offset: piece.byte_offset,
            raw: piece.raw,
            row,
        }))
    }
}

//! What several tests need: a directory, a sink that keeps everything, rows made up from columns.

use std::{collections::BTreeMap, io::Read, path::Path};

use eventlog::{
    attribution::{AgentDirectory, AgentKey, AttributedBy, Attribution, RegisteredIdentity},
    event_type::EventType,
    reader::{QuarantinedRow, ReadError, ReadLimits, RowSink, SinkError, read_log},
    report::FileReport,
    row::{AccessRow, Identity, JoinKeys, Operation},
    tls::{Tls, TlsProtocol},
};
use proptest::{option, prelude::*};

pub(crate) const ORG: &str = "00D5g000004Hq3K";
pub(crate) const APP: &str = "0H45g0000006mTq";
pub(crate) const USER: &str = "0055g00000Bot01";

/// One agent, registered by its app and by its user.
pub(crate) fn directory() -> AgentDirectory {
    let identity = |kind, value: &str| RegisteredIdentity {
        agent: AgentKey("support-copilot".to_owned()),
        kind,
        value: value.to_owned(),
        purpose: None,
    };
    AgentDirectory::new(
        [identity(AttributedBy::ConnectedApp, APP), identity(AttributedBy::User, USER)],
        ["Salesforce Mobile"],
    )
}

/// Keeps all it gets; fails at the row of that number, counted from 0, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) rows: Vec<(AccessRow, Attribution)>,
    pub(crate) quarantined: Vec<QuarantinedRow>,
    pub(crate) fails_at: Option<usize>,
}

impl RowSink for Kept {
    fn agent_row(&mut self, row: AccessRow, attribution: Attribution) -> Result<(), SinkError> {
        if self.fails_at == Some(self.rows.len()) {
            return Err("the sink is full".into());
        }
        self.rows.push((row, attribution));
        Ok(())
    }

    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError> {
        self.quarantined.push(row);
        Ok(())
    }
}

pub(crate) fn read_with(
    source: impl Read + Send,
    limits: &ReadLimits,
) -> (Kept, Result<FileReport, ReadError>) {
    let mut kept = Kept::default();
    let result = read_log(source, &directory(), limits, &mut kept);
    (kept, result)
}

/// Reads what must be readable.
pub(crate) fn read(data: &[u8]) -> (Kept, FileReport) {
    let (kept, result) = read_with(data, &ReadLimits::default());
    (kept, result.unwrap())
}

/// Reads a fixture; gives the agents' rows by their request id.
pub(crate) fn fixture(name: &str) -> BTreeMap<String, AccessRow> {
    let (kept, report) = read(&fixture_bytes(name));
    assert_eq!(report.quarantined_rows, 0, "{:?}", kept.quarantined);
    kept.rows
        .into_iter()
        .map(|(row, _)| (row.join_keys.request_id.clone().unwrap_or_default(), row))
        .collect()
}

pub(crate) fn fixture_bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// A log of one row, made of the columns given and those that every row has.
pub(crate) fn log_of(event_type: &str, columns: &[(&str, &str)]) -> Vec<u8> {
    let common = [
        ("EVENT_TYPE", event_type),
        ("TIMESTAMP", "20261124091500.128"),
        ("ORGANIZATION_ID", ORG),
        ("USER_ID", USER),
        ("TIMESTAMP_DERIVED", "2026-11-24T09:15:00.128Z"),
    ];
    let columns: Vec<_> = common.iter().chain(columns).collect();
    let mut writer =
        csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(columns.iter().map(|(name, _)| name)).unwrap();
    writer.write_record(columns.iter().map(|(_, value)| value)).unwrap();
    writer.into_inner().unwrap()
}

/// The only row of a log of one row.
pub(crate) fn row_of(event_type: &str, columns: &[(&str, &str)]) -> AccessRow {
    let (mut kept, report) = read(&log_of(event_type, columns));
    assert_eq!((report.rows, report.agent_rows), (1, 1), "{report:?} {:?}", kept.quarantined);
    kept.rows.remove(0).0
}

fn any_tls() -> impl Strategy<Value = Tls> {
    (
        prop::sample::select(vec![TlsProtocol::Tls10, TlsProtocol::Tls12]),
        option::of("AES[0-9]{2}-SHA"),
    )
        .prop_map(|(protocol, cipher_suite)| Tls { protocol, cipher_suite })
}

/// Rows as a busy hour may have them: few objects, ids that repeat, some failures.
pub(crate) fn any_row() -> impl Strategy<Value = AccessRow> {
    (
        any::<u64>(),
        0_i64..3_600,
        proptest::collection::btree_set("[A-D]", 0..3),
        prop::sample::select(vec![Operation::Read, Operation::Export, Operation::Update]),
        option::of(0_u64..5_000),
        proptest::collection::btree_set("003[a-z]{2}", 0..6),
        proptest::collection::btree_set("[A-D]\\.[a-z]{2}", 0..6),
        option::of("10\\.0\\.0\\.[0-9]{1,2}"),
        (any::<bool>(), option::of(any_tls()), option::of(any::<bool>()), option::of("x-[0-9]")),
    )
        .prop_map(|(hash, second, objects, operation, count, ids, fields, address, told)| {
            let (succeeded, tls, counts_against_api_limit, execution) = told;
            AccessRow {
                row_hash: format!("{hash:032x}"),
                joined: None,
                org_id: ORG.to_owned(),
                event_type: EventType::RestApi,
                at: chrono::DateTime::from_timestamp(1_795_500_000 + second, 0).unwrap(),
                identity: Identity::default(),
                join_keys: JoinKeys { execution, ..JoinKeys::default() },
                channel: EventType::RestApi.channel(),
                operation,
                objects,
                fields,
                record_count: count,
                response_bytes: count,
                record_ids: ids,
                source_address: address,
                succeeded,
                tls,
                counts_against_api_limit,
                user_agent_code: None,
                anomaly_score: None,
            }
        })
}

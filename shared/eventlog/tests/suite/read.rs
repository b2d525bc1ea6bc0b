//! Files that are whole, broken, hostile or something else.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use eventlog::{
    event_type::EventType,
    format::LooksLike,
    reader::{QuarantinedRow, ReadError, ReadLimits, read_log},
    report::{CountedGap, FileReport, Gap, QuarantineReason},
};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use crate::support::{Kept, ORG, USER, directory, fixture_bytes, log_of, read, read_with, row_of};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A log of so many rows, no two alike.
fn long_log(rows: usize) -> Vec<u8> {
    let mut data = b"EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,REQUEST_ID\n".to_vec();
    for number in 0..rows {
        let time = format!("202611240915{:02}.{:03}", number % 60, number % 1000);
        data.extend(format!("RestApi,{time},{ORG},{USER},r{number}\n").bytes());
    }
    data
}

#[test]
fn plain_and_gzip_are_the_same_rows() {
    let plain = long_log(1_000);
    let (from_plain, report) = read(&plain);
    let (from_gzip, gzip_report) = read(&gzip(&plain));
    assert_eq!(from_plain.rows, from_gzip.rows);
    assert_eq!(report.rows, 1_000);
    assert_eq!(report.hours, gzip_report.hours);
    assert!(gzip_report.is_gzip && !report.is_gzip);
    assert_eq!(gzip_report.inflated_bytes, report.read_bytes);
    assert!(gzip_report.read_bytes < report.read_bytes);
}

#[test]
fn several_gzip_members_are_one_file() {
    let plain = long_log(1_000);
    let (first, second) = plain.split_at(12_345);
    let (kept, _) = read(&[gzip(first), gzip(second)].concat());
    assert_eq!(kept.rows, read(&plain).0.rows);
}

#[test]
fn a_byte_order_mark_is_stepped_over() {
    let data = [&b"\xEF\xBB\xBF"[..], &long_log(2)].concat();
    assert_eq!(read(&data).1.agent_rows, 2);
}

#[test]
fn nothing_and_a_header_alone_are_files_without_rows() {
    let (_, report) = read(b"");
    assert!(report.is_empty());
    let (_, report) = read(b"\n\n");
    assert!(report.is_empty());
    let (_, report) = read(&fixture_bytes("header_only.csv"));
    assert_eq!((report.rows, report.columns), (0, 32));
    assert!(!report.is_empty());
}

#[test]
fn what_is_no_event_log_is_refused_by_its_name() {
    for (data, looks_like) in [
        (&b"PAR1...."[..], LooksLike::Parquet),
        (b"PK\x03\x04....", LooksLike::Zip),
        (b"<html><body>Session expired</body></html>", LooksLike::Markup),
        (b"\x00\x01\x02\x03", LooksLike::Binary),
        (b"name,city\nErika,Berlin\n", LooksLike::OtherText),
    ] {
        for data in [data.to_vec(), gzip(data)] {
            let (kept, result) = read_with(data.as_slice(), &ReadLimits::default());
            let error = result.unwrap_err();
            assert!(
                matches!(&error, ReadError::NotAnEventLogFile { looks_like: it } if *it == looks_like),
                "{error:?}"
            );
            let sentence = error.to_string();
            assert!(sentence.contains("no event log but") && !sentence.contains("Erika"));
            assert!(error.is_permanent() && error.partial().is_none() && kept.rows.is_empty());
        }
    }
}

#[test]
fn the_rows_before_a_cut_are_given_and_reported() {
    let whole = gzip(&long_log(50_000));
    let cut = &whole[..whole.len() / 2];
    let (kept, result) = read_with(cut, &ReadLimits::default());
    let error = result.unwrap_err();
    assert!(matches!(error, ReadError::TruncatedGzip { .. }), "{error:?}");
    let partial = error.partial().unwrap();
    assert!(partial.rows > 1_000 && partial.rows < 50_000, "{}", partial.rows);
    assert_eq!(usize::try_from(partial.agent_rows).unwrap(), kept.rows.len());
    assert_eq!(kept.rows, read(&long_log(50_000)).0.rows[..kept.rows.len()]);
}

#[test]
fn corrupt_gzip_is_told_from_a_cut() {
    let mut data = gzip(&long_log(50_000));
    let middle = data.len() / 2;
    for byte in &mut data[middle..middle + 200] {
        *byte ^= 0x5A;
    }
    let error = read_with(data.as_slice(), &ReadLimits::default()).1.unwrap_err();
    assert!(matches!(error, ReadError::CorruptGzip { .. }), "{error:?}");
}

#[test]
fn a_source_that_fails_is_no_fault_of_the_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset"))
        }
    }
    for data in [long_log(5_000), gzip(&long_log(5_000))] {
        let half = &data[..data.len() - 20];
        let (kept, result) = read_with(half.chain(Broken), &ReadLimits::default());
        let error = result.unwrap_err();
        assert!(matches!(error, ReadError::Source { .. }), "{error:?}");
        assert!(!error.is_permanent());
        assert!(!kept.rows.is_empty());
        assert_eq!(error.partial().map(|it| it.agent_rows), u64::try_from(kept.rows.len()).ok());
    }
    let error = read_with(Broken, &ReadLimits::default()).1.unwrap_err();
    assert!(matches!(error, ReadError::Source { .. }));
}

#[test]
fn a_bomb_is_refused_by_ratio_and_by_size() {
    let header = b"EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID\n";
    let bomb = gzip(&[&header[..], &vec![b'\n'; 4 << 20]].concat());
    let by_ratio = ReadLimits { ratio_applies_above_bytes: 1 << 20, ..ReadLimits::default() };
    let by_size = ReadLimits { max_inflated_bytes: 1 << 20, ..ReadLimits::default() };
    for limits in [by_ratio, by_size] {
        let error = read_with(bomb.as_slice(), &limits).1.unwrap_err();
        assert!(matches!(error, ReadError::InflationBomb { .. }), "{error:?}");
        let inflated = error.partial().unwrap().inflated_bytes;
        assert!(inflated < 2 << 20, "stopped only after {inflated} bytes");
    }
    assert!(read_with(bomb.as_slice(), &ReadLimits::default()).1.is_ok());
}

#[test]
fn a_sink_that_fails_stops_the_reading() {
    let mut sink = Kept { fails_at: Some(3), ..Kept::default() };
    let error =
        read_log(&*long_log(10), &directory(), &ReadLimits::default(), &mut sink).unwrap_err();
    assert!(matches!(error, ReadError::Sink { .. }));
    assert!(error.to_string().contains("the sink is full"));
    assert_eq!(sink.rows.len(), 3);
}

#[test]
fn rows_that_cannot_be_read_are_set_aside_with_their_line_and_reason() {
    let data = format!(
        "EVENT_TYPE,TIMESTAMP,TIMESTAMP_DERIVED,ORGANIZATION_ID,USER_ID,CLIENT_NAME\n\
         RestApi,20261124091500,,{ORG},{USER},\n\
         RestApi,,,{ORG},{USER},\n\
         RestApi,yesterday,,{ORG},{USER},\n\
         \n\
         RestApi,20261124091500,,,{USER},\n\
         RestApi,20261124091500,,somewhere,{USER},\n\
         ,20261124091500,,{ORG},{USER},\n\
         RestApi,20261124091500,,{ORG}\n\
         RestApi,20261124091500,,{ORG},{USER},,,\n\
         RestApi,20261124091500,,{ORG},{USER},,more\n\
         RestApi,20261124091500,,{ORG},{USER},\"a\" b\n"
    );
    let mut data = data.into_bytes();
    data.extend(format!("RestApi,20261124091500,,{ORG},{USER},caf").bytes());
    data.extend(b"\xE9\n");
    data.extend(format!("RestApi,20261124091500,,{ORG},{USER},\"open\n").bytes());
    let (kept, report) = read(&data);
    let set_aside: Vec<_> =
        kept.quarantined.iter().map(|row| (row.line_number, row.reason)).collect();
    assert_eq!(
        set_aside,
        [
            (3, QuarantineReason::NoTime),
            (4, QuarantineReason::BadTime),
            (6, QuarantineReason::NoOrganization),
            (7, QuarantineReason::BadOrganization),
            (8, QuarantineReason::NoEventType),
            (9, QuarantineReason::FieldCount),
            (11, QuarantineReason::FieldCount),
            (12, QuarantineReason::MalformedQuoting),
            (13, QuarantineReason::InvalidText),
            (14, QuarantineReason::UnterminatedQuote),
        ]
    );
    assert_eq!((report.rows, report.agent_rows, report.quarantined_rows), (12, 2, 10));
    assert_eq!(report.quarantined.values().sum::<u64>(), 10);
    let second = &kept.quarantined[1];
    let offset = usize::try_from(second.byte_offset).unwrap();
    assert!(data[offset..].starts_with(&second.raw));
    assert_eq!(kept.quarantined[8].column, Some("CLIENT_NAME"));
}

#[test]
fn a_row_over_the_limit_is_set_aside_and_the_next_one_read() {
    let mut data = b"EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,QUERY\n".to_vec();
    for size in [10, 100_000, 10] {
        let query = "x".repeat(size);
        data.extend(format!("RestApi,20261124091500,{ORG},{USER},\"{query}\"\n").bytes());
    }
    let limits =
        ReadLimits { max_row_bytes: 1_000, max_quarantined_bytes: 100, ..ReadLimits::default() };
    let (kept, result) = read_with(data.as_slice(), &limits);
    assert_eq!(result.unwrap().agent_rows, 2);
    assert_eq!(kept.quarantined[0].reason, QuarantineReason::Oversized);
    assert_eq!((kept.quarantined[0].line_number, kept.quarantined[0].raw.len()), (3, 100));
}

#[test]
fn a_missing_column_and_an_unknown_type_are_gaps_with_their_names() {
    let (_, report) = read(
        format!(
            "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID\nRestApi,20261124091500,{ORG}\nNeverHeardOf,x,y\n"
        )
        .as_bytes(),
    );
    let missing = |event_type, column: &str, rows| CountedGap {
        gap: Gap::MissingColumn { event_type, column: column.to_owned() },
        rows,
    };
    assert_eq!(
        report.gaps,
        [
            missing(Some(EventType::RestApi), "USER_ID", 1),
            CountedGap { gap: Gap::UnknownEventType { name: "NeverHeardOf".to_owned() }, rows: 1 },
        ]
    );
    assert_eq!((report.other_rows, report.unread_rows), (1, 1));

    let (kept, report) = read(
        format!("TIMESTAMP,ORGANIZATION_ID,USER_ID\n20261124091500,{ORG},{USER}\n").as_bytes(),
    );
    assert_eq!(report.gaps, [missing(None, "EVENT_TYPE", 1)]);
    assert_eq!(kept.quarantined[0].reason, QuarantineReason::NoEventType);
}

#[test]
fn a_header_in_the_middle_binds_anew() {
    let data = format!(
        "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID\nRestApi,20261124091500,{ORG},{USER}\n\
         ORGANIZATION_ID,USER_ID,EVENT_TYPE,TIMESTAMP,ROWS_PROCESSED\n\
         {ORG},{USER},RestApi,20261124101500,5\n"
    );
    let (kept, report) = read(data.as_bytes());
    assert_eq!((report.rows, report.agent_rows), (2, 2));
    assert_eq!(kept.rows[1].0.record_count, Some(5));
    assert_eq!(report.hours.len(), 2);
}

/// A person's row must not vouch for a row under another header whose values are the same and mean something else.
#[test]
fn who_acted_is_told_by_columns_and_not_by_values_alone() {
    let (person, text) = ("0055g00000Ann01", "0Xx5g000000NEWW");
    let data = format!(
        "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,CLIENT_NAME\n\
         RestApi,20261124091500,{ORG},{person},{text}\n\
         EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,BOT_ID\n\
         RestApi,20261124091501,{ORG},{person},{text}\n"
    );
    let (kept, report) = read(data.as_bytes());
    assert_eq!((report.rows, report.agent_rows), (2, 1));
    assert_eq!(kept.rows[0].0.identity.bot_id.as_deref(), Some(text));
}

#[test]
fn a_file_may_hold_several_types_and_orgs() {
    let other_org = "00D5g000004Zz9Z";
    let data = format!(
        "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID\n\
         Report,20261124091500,{ORG},{USER}\nLogin,20261124091500,{other_org},0055g00000Ann01\n"
    );
    let (kept, report) = read(data.as_bytes());
    assert_eq!(kept.rows[0].0.event_type, EventType::Report);
    let hours: Vec<_> = report
        .hours
        .iter()
        .map(|it| (&*it.org_id, it.event_type, it.rows, it.agent_rows))
        .collect();
    assert_eq!(hours, [(ORG, EventType::Report, 1, 1), (other_org, EventType::Login, 1, 0)]);
}

#[test]
fn the_report_survives_json() {
    let (_, report) = read(&long_log(3));
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<eventlog::report::FileReport>(&json).unwrap(), report);
}

#[test]
fn no_literal_of_a_row_comes_into_its_access_row() {
    let canary = "canary-7f3a";
    let row = row_of(
        "RestApi",
        &[
            ("QUERY", &format!("SELECT Id FROM Contact WHERE Email = '{canary}'")),
            (
                "URI",
                &format!("/services/data/v61.0/query?q=SELECT+Id+FROM+Lead+WHERE+X='{canary}'"),
            ),
            ("USER_NAME", canary),
            ("EXCEPTION_MESSAGE", canary),
            ("MEDIA_TYPE", canary),
        ],
    );
    assert!(!serde_json::to_string(&row).unwrap().contains(canary));
    assert!(row.objects.contains("Contact") && row.objects.contains("Lead"));
}

const HASHED: [(&str, &str); 4] = [
    ("REQUEST_ID", "4qXreqA"),
    ("BOT_ID", "0Xx5g0000008aBc"),
    ("ENTITY_NAME", "Contact"),
    ("ROWS_PROCESSED", "25"),
];

#[test]
fn each_known_column_is_part_of_a_rows_identity() {
    let hash = row_of("RestApi", &HASHED).row_hash;
    assert_eq!(hash.len(), 32);
    for position in 0..HASHED.len() {
        let mut columns = HASHED;
        columns[position].1 = "1Xx5g0000008aBc";
        assert_ne!(row_of("RestApi", &columns).row_hash, hash, "{columns:?}");
    }
    assert_ne!(row_of("ApexRestApi", &HASHED).row_hash, hash);
}

#[test]
fn a_value_moved_to_another_column_is_another_row() {
    let first = row_of("RestApi", &[("SESSION_KEY", "a"), ("LOGIN_KEY", "")]);
    let second = row_of("RestApi", &[("SESSION_KEY", ""), ("LOGIN_KEY", "a")]);
    assert_ne!(first.row_hash, second.row_hash);
}

#[test]
fn a_value_that_spells_out_the_next_column_is_another_row() {
    let first = row_of("RestApi", &[("LOGIN_KEY", "a"), ("MEDIA_TYPE", "b")]);
    let second = row_of("RestApi", &[("LOGIN_KEY", "aMEDIA_TYPEb"), ("MEDIA_TYPE", "")]);
    assert_ne!(first.row_hash, second.row_hash);
}

#[test]
fn org_and_time_are_part_of_a_rows_identity() {
    let log = String::from_utf8(log_of("RestApi", &[])).unwrap();
    let hash = |log: &str| read(log.as_bytes()).0.rows[0].0.row_hash.clone();
    for (from, to) in [(ORG, "00D5g000004Zz9Z"), (".128Z", ".129Z"), (".128\"", ".129\"")] {
        let changed = log.replace(from, to);
        assert_ne!(changed, log);
        assert_ne!(hash(&changed), hash(&log), "{from}");
    }
}

proptest! {
    #[test]
    fn order_alias_unknown_and_empty_columns_do_not_change_a_rows_identity(
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
        aliased in any::<bool>(),
    ) {
        let mut columns: Vec<(&str, &str)> = HASHED.to_vec();
        columns.extend([("SOME_NEW_COLUMN", "surprise"), ("QUERY", ""), ("CLIENT_IP", "")]);
        if aliased {
            columns[1].0 = "BOT_IDENTIFIER";
        }
        let shuffled: Vec<_> = order.iter().map(|position| columns[*position]).collect();
        prop_assert_eq!(row_of("RestApi", &shuffled).row_hash, row_of("RestApi", &HASHED).row_hash);
    }

    #[test]
    fn a_row_is_read_in_company_as_it_is_alone(
        rows in proptest::collection::vec(
            (
                prop::sample::select(vec!["RestApi", "API", "Login", "URI", "LightningError", "Nope", ""]),
                prop::sample::select(vec![
                    "2026-11-24T09:15:00.128Z", "2026-11-24T09:59:59.999Z", "2026-11-24T10:00:00.000Z",
                    "2026-11-24T10:15:00+0100", "2026-11-24T09:15:60.000Z", "2026-11-24T09:15", "",
                ]),
                prop::sample::select(vec![ORG, "00D5g000004Zz9ZEAQ", "00D", ""]),
                prop::sample::select(vec![USER, "0055g00000Ann01", ""]),
                // By headers whose columns differ, and that say different things of the same values.
                prop::sample::select(vec!["CLIENT_NAME", "BOT_ID", "CONNECTED_APP_NAME", "USER_AGENT", "QUERY"]),
                prop::sample::select(vec!["", "0Xx5g000000NEWW", "curl/8.1", "Salesforce Mobile"]),
            ),
            1..30,
        )
    ) {
        let (mut together, mut alone) = (Vec::new(), Kept::default());
        let (mut counts, mut hours) = ([0_u64; 4], BTreeMap::new());
        let sums = |report: &FileReport| {
            [report.rows, report.agent_rows, report.unread_rows, report.quarantined_rows]
        };
        for (event_type, at, org, user, column, value) in rows {
            let data = format!(
                "EVENT_TYPE,TIMESTAMP_DERIVED,ORGANIZATION_ID,USER_ID,{column}\n\
                 {event_type},{at},{org},{user},{value}\n"
            );
            together.extend_from_slice(data.as_bytes());
            let (kept, report) = read(data.as_bytes());
            alone.rows.extend(kept.rows);
            alone.quarantined.extend(kept.quarantined);
            for (sum, count) in counts.iter_mut().zip(sums(&report)) {
                *sum += count;
            }
            for hour in report.hours {
                let known = hours.entry((hour.org_id, hour.event_type, hour.hour)).or_insert((0, 0));
                *known = (known.0 + hour.rows, known.1 + hour.agent_rows);
            }
        }
        let (kept, report) = read(&together);
        prop_assert_eq!(kept.rows, alone.rows);
        let reasons = |kept: &[QuarantinedRow]| -> Vec<_> {
            kept.iter().map(|row| (row.reason, row.column, row.raw.clone())).collect()
        };
        prop_assert_eq!(reasons(&kept.quarantined), reasons(&alone.quarantined));
        prop_assert_eq!(sums(&report), counts);
        let counted: BTreeMap<_, _> = report
            .hours
            .into_iter()
            .map(|it| ((it.org_id, it.event_type, it.hour), (it.rows, it.agent_rows)))
            .collect();
        prop_assert_eq!(counted, hours);
    }

    #[test]
    fn any_bytes_are_read_or_refused(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_with(data.as_slice(), &ReadLimits::default());
        let with_header = [&b"EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,QUERY,URI\n"[..], &data].concat();
        let (kept, result) = read_with(with_header.as_slice(), &ReadLimits::default());
        if let Ok(report) = result {
            prop_assert_eq!(
                report.rows,
                report.agent_rows + report.other_rows + report.unread_rows + report.quarantined_rows
            );
            prop_assert_eq!(u64::try_from(kept.quarantined.len()).unwrap(), report.quarantined_rows);
        }
    }

    #[test]
    fn any_values_of_an_agents_row_are_read_or_set_aside(
        event_type in prop::sample::select(EventType::ALL.to_vec()),
        values in proptest::collection::vec("\\PC{0,30}", 12),
    ) {
        let names = ["URI", "QUERY", "METHOD", "ENTITY_NAME", "ENTITY_TYPE", "API_RESOURCE", "QUERY_IDENTIFIER",
            "ROWS_PROCESSED", "RESULT_SIZE_MB", "URI_ID_DERIVED", "TRANSACTION_TYPE", "RENDERING_TYPE"];
        let columns: Vec<_> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
        let (_, report) = read(&log_of(event_type.name(), &columns));
        prop_assert_eq!(report.rows, 1);
    }
}

#[test]
fn a_row_of_commas_alone_is_set_aside_whatever_its_length() {
    let row = format!("RestApi,20261124091500.000,{ORG},{USER},r1\n");
    for commas in [4_095, 4_096, 100_000, 2_000_000] {
        let header = "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,REQUEST_ID\n";
        let log = format!("{header}{row}{}\n{row}", ",".repeat(commas));
        let (kept, report) = read(log.as_bytes());
        assert_eq!(kept.rows.len(), 2, "{commas}");
        let reasons: Vec<_> = report.quarantined.into_iter().collect();
        let reason = if commas < 4_096 {
            // Few enough to be told apart: the first field says that there is no type.
            QuarantineReason::NoEventType
        } else {
            QuarantineReason::FieldCount
        };
        assert_eq!(reasons, [(reason, 1)], "{commas}");
    }
}

#[test]
fn rows_behind_a_very_long_one_are_found_as_before() {
    let row = |request: &str| format!("RestApi,20261124091500.000,{ORG},{USER},\"{request}\"\n");
    let mut log = "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,REQUEST_ID\n".to_owned();
    log += &row(&"long, ".repeat(300_000));
    for number in 0..20_000 {
        log += &row(&format!("r{number}"));
    }
    let (kept, report) = read(log.as_bytes());
    assert_eq!((kept.rows.len(), report.agent_rows), (20_001, 20_001));
}

#[test]
fn headers_without_end_are_set_aside_and_equal_ones_passed_over() {
    let row = format!("RestApi,20261124091500.000,{ORG},{USER}\n");
    let header = |last| format!("EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,{last}\n");
    let equal = header("USER_ID").repeat(5_000) + &row;
    assert_eq!(read(equal.as_bytes()).1.agent_rows, 1);
    let mut differing = String::new();
    for _ in 0..1_500 {
        differing += &(header("USER_ID") + &header("SOMETHING"));
    }
    // The last that counts names the user, and those that equal it are passed over.
    let (kept, report) = read((differing + &row).as_bytes());
    assert_eq!((report.rows, kept.rows.len()), (1_001, 1));
    assert_eq!(report.quarantined[&QuarantineReason::TooManyHeaders], 1_000);
}

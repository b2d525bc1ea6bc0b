//! What breaks naive readers, each quirk under its number in the list of known ones. Numbers 10 to 12
//! concern real-time events, 13 is tested with the timestamps.

use std::collections::BTreeSet;

use crate::support::{APP, ORG, USER, fixture, fixture_bytes, read, row_of};

#[test]
fn quirk_1_a_value_that_holds_quotes_loses_one_pair() {
    let rows = fixture("quirk_1_triple_quotes.csv");
    let row = &rows["4qXreqA"];
    assert_eq!(row.identity.client_name.as_deref(), Some("Acme, the \"\"best\"\""));
    assert_eq!(row.objects, BTreeSet::from(["Contact".to_owned()]));
}

#[test]
fn quirk_2_separators_braces_and_newlines_stay_inside_their_field() {
    let rows = fixture("quirk_2_separators_inside_fields.csv");
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["first", "second"]);
    assert!(rows.values().all(|row| row.record_count == Some(25)));
}

#[test]
fn quirk_2_a_field_of_two_million_characters_is_read() {
    let message = "x".repeat(2_300_000);
    let row = row_of("RestApi", &[("EXCEPTION_MESSAGE", &message), ("ROWS_PROCESSED", "7")]);
    assert_eq!(row.record_count, Some(7));
}

#[test]
fn quirk_3_a_merged_header_key_is_a_column_that_nobody_knows() {
    let rows = fixture("quirk_3_merged_header_key.csv");
    assert_eq!(rows["4qXreqA"].record_count, Some(25));
}

#[test]
fn quirk_4_the_derived_timestamp_is_preferred_and_the_other_stands_in() {
    let rows = fixture("quirk_4_timestamps.csv");
    let at = |name: &str| rows[name].at.to_rfc3339();
    assert_eq!(at("three"), "2026-11-24T09:15:00.128+00:00");
    assert_eq!(at("two"), "2026-11-24T09:15:00.130+00:00");
    assert_eq!(at("none"), "2026-11-24T09:15:00+00:00");
    assert_eq!(at("derived first"), "2026-11-24T09:15:00.101+00:00");
}

#[test]
fn quirk_5_an_address_has_one_spelling_and_salesforce_itself_a_name() {
    let rows = fixture("quirk_5_addresses.csv");
    let address = |name: &str| rows[name].source_address.as_deref();
    assert_eq!(address("0"), Some("Salesforce.com IP"));
    assert_eq!(address("1"), None);
    assert_eq!(address("2"), Some("2001:db8::17"));
    assert_eq!(address("3"), address("2"));
}

#[test]
fn quirk_6_ids_of_any_length_are_the_same_15_characters() {
    let rows = fixture("quirk_6_ids.csv");
    assert_eq!(rows.len(), 3);
    for row in rows.values() {
        assert_eq!(row.org_id, ORG);
        assert_eq!(row.identity.user_id.as_deref(), Some(USER));
        assert_eq!(row.identity.connected_app_id.as_deref(), Some(APP));
    }
}

#[test]
fn quirk_7_floats_are_numbers_and_minus_one_and_empty_are_unknown() {
    let rows = fixture("quirk_7_numbers.csv");
    let numbers = |name: &str| (rows[name].record_count, rows[name].response_bytes);
    assert_eq!(numbers("float"), (Some(1_000_364), Some(12_000)));
    assert_eq!(numbers("unknown"), (None, None));
    assert_eq!(numbers("empty"), (None, None));
}

#[test]
fn quirk_8_a_numeric_user_agent_is_not_taken_for_a_name() {
    let rows = fixture("quirk_8_user_agents.csv");
    assert_eq!((rows["code"].user_agent_code, rows["text"].user_agent_code), (Some(9_998), None));
    assert_eq!(rows["code"].identity.user_agent, None);
    assert_eq!(rows["text"].identity.user_agent.as_deref(), Some("acme-agent/1.0"));
}

#[test]
fn quirk_9_columns_inserted_in_the_middle_change_nothing() {
    let rows: BTreeSet<_> = ["26", "28", "32"]
        .map(|count| fixture(&format!("quirk_9_login_{count}_columns.csv")).remove("4qXlogin"))
        .into();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = rows.first().unwrap().as_ref().unwrap();
    assert_eq!(row.identity.user_agent.as_deref(), Some("python-requests/2.32.4"));
    assert_eq!(row.source_address.as_deref(), Some("203.0.113.9"));
}

#[test]
fn quirk_14_the_platforms_own_rows_are_nobodys_but_not_every_row_that_claims_to_be_one() {
    let (kept, report) = read(&fixture_bytes("quirk_14_platform_rows.csv"));
    assert_eq!((report.agent_rows, report.other_rows), (2, 1));
    let kept: Vec<_> =
        kept.rows.iter().filter_map(|(row, _)| row.join_keys.request_id.as_deref()).collect();
    assert_eq!(kept, ["claims to be", "from outside"]);
}

#[test]
fn an_unquoted_export_and_one_with_spaces_are_the_same_row_as_the_quoted_original() {
    let quoted = fixture("quirk_8_user_agents.csv");
    let unquoted = fixture("unquoted_export.csv");
    let spaced = fixture("spaces_after_commas.csv");
    assert_eq!(unquoted, spaced);
    assert_eq!(unquoted["4qXreqA"].record_count, quoted["code"].record_count);
}

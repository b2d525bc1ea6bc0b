//! The big file is a `RestApi` file like any other.

use std::collections::BTreeSet;

use worlds::{
    World,
    big_file::{self, Callers},
};

#[test]
fn a_big_file_has_the_header_rows_and_agents_that_it_says() {
    let mut bytes = Vec::new();
    let said = big_file::write(20_000, 1, &mut bytes).unwrap();
    assert_eq!(said.bytes, u64::try_from(bytes.len()).unwrap());
    let rest =
        World::quiet(1, 1).files.into_iter().find(|file| file.event_type == "RestApi").unwrap();

    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().unwrap().clone();
    assert!(header.iter().eq(rest.header.iter().map(AsRef::as_ref)));
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (user, request, time, derived) =
        (at("USER_ID"), at("REQUEST_ID"), at("TIMESTAMP"), at("TIMESTAMP_DERIVED"));

    let (mut rows, mut agent_rows) = (0, 0);
    let (mut requests, mut users) = (BTreeSet::new(), BTreeSet::new());
    for record in reader.records() {
        let record = record.unwrap();
        rows += 1;
        agent_rows += u64::from(record[user].contains("Bot"));
        requests.insert(record[request].to_owned());
        users.insert(record[user].to_owned());
        let instant: chrono::DateTime<chrono::Utc> = record[derived].parse().unwrap();
        assert_eq!(instant.format("%Y%m%d%H%M%S%.3f").to_string(), record[time]);
        assert!(record[time].starts_with("2026112409"));
    }
    assert_eq!((rows, agent_rows), (said.rows, said.agent_rows));
    assert_eq!(requests.len(), 20_000);
    assert!(users.len() > 20);
    assert!((250..=300).contains(&agent_rows), "{agent_rows}");
    assert!((350..=500).contains(&(said.bytes / said.rows)), "{}", said.bytes / said.rows);
}

#[test]
fn the_agents_rows_do_not_grow_with_the_file() {
    let agent_rows = |rows| big_file::write(rows, 1, &mut std::io::sink()).unwrap().agent_rows;
    assert_eq!(agent_rows(1), 1);
    assert_eq!(agent_rows(50), 50);
    assert!(agent_rows(30_000) <= 300);
}

#[test]
fn a_file_of_many_callers_has_as_many_groups_as_asked_for() {
    let mut bytes = Vec::new();
    let said = big_file::write_of(16_000, 1, Callers::Groups(2_000), &mut bytes).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let [user, derived, object, client] =
        ["USER_ID", "USER_ID_DERIVED", "ENTITY_NAME", "CLIENT_NAME"].map(at);

    let (mut groups, mut agent_rows, mut rows) = (BTreeSet::new(), 0, 0);
    for record in reader.records() {
        let record = record.unwrap();
        assert_eq!(record[user].len(), 15);
        assert!(record[derived].starts_with(&record[user]) && record[derived].len() == 18);
        rows += 1;
        agent_rows += u64::from(record[user].contains("Bot"));
        groups.insert([user, object, client].map(|column| record[column].to_owned()));
    }
    assert_eq!((rows, agent_rows), (said.rows, said.agent_rows));
    // Eight rows for each group: one in three thousand stays without any. The agent has groups of its own.
    assert!((1_990..=2_005).contains(&groups.len()), "{}", groups.len());
}

//! The sample configuration is read, and every kind of mistake is answered with place, reason and remedy.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use assessment::{
    configuration::{Address, Configuration, ConfigurationFile, ConfigurationFiles},
    findings::SeverityLevel,
    registry::IdentityKind,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/configuration");

fn files() -> ConfigurationFiles {
    let files = ConfigurationFiles::NAMES.map(|stem| {
        let name = format!("{stem}.yaml");
        let text = std::fs::read_to_string(format!("{FOLDER}/{name}")).unwrap();
        (name, text)
    });
    ConfigurationFiles::from_folder(files).unwrap()
}

/// Puts `mistake` in the place of `right` in one file and gives back the problems, one a line.
fn problems_after(
    file: fn(&mut ConfigurationFiles) -> &mut ConfigurationFile,
    right: &str,
    mistake: &str,
) -> String {
    let mut files = files();
    let file = file(&mut files);
    assert!(file.text.contains(right), "{right} is not in {}", file.name);
    file.text = file.text.replacen(right, mistake, 1);
    Configuration::parse(&files).unwrap_err().to_string()
}

fn agents(files: &mut ConfigurationFiles) -> &mut ConfigurationFile {
    &mut files.agents
}

fn orgs(files: &mut ConfigurationFiles) -> &mut ConfigurationFile {
    &mut files.orgs
}

fn recipients(files: &mut ConfigurationFiles) -> &mut ConfigurationFile {
    &mut files.recipients
}

fn organisation(files: &mut ConfigurationFiles) -> &mut ConfigurationFile {
    &mut files.organisation
}

fn data_map(files: &mut ConfigurationFiles) -> &mut ConfigurationFile {
    &mut files.data_map
}

#[test]
fn the_logs_that_have_to_come_are_named_as_salesforce_spells_them() {
    let mut sound = files();
    let zone = "time_zone: Europe/Berlin\n";
    let with = |names: &str| format!("{zone}    expected_logs: [{names}]\n");
    sound.orgs.text = sound.orgs.text.replacen(zone, &with("RestApi, API"), 1);
    let configuration = Configuration::parse(&sound).unwrap();
    let expected = configuration.orgs.iter().map(|org| org.expected_logs.len());
    assert_eq!(expected.collect::<Vec<_>>(), [2, 0]);
    let problem = problems_after(orgs, zone, &with("RestAPI"));
    assert!(problem.contains("`RestAPI` is not known; did you mean RestApi?"), "{problem}");
    let twice = problems_after(orgs, zone, &with("API, API"));
    assert!(twice.contains("expected_logs"), "{twice}");
}

#[test]
fn a_folder_is_read_whole() {
    let configuration = Configuration::parse(&files()).unwrap();
    assert_eq!(configuration.organisation.country, "DE");
    assert_eq!(configuration.orgs.len(), 2);
    let recipient = &configuration.recipients[1];
    assert_eq!(recipient.minimum_severity, Some(SeverityLevel::Medium));
    assert!(matches!(&recipient.address, Address::Webhook(url) if url.starts_with("https://")));
    assert_eq!(configuration.registry.agents.len(), 2);
    let agent = &configuration.registry.agents["desk-agent"];
    assert_eq!(agent.identities[0].kind, IdentityKind::Bot);
    assert_eq!(agent.identities[1].purpose.as_deref(), Some("answer-cases"));
    assert_eq!(agent.purposes[0].records_per_hour, Some(400));
    assert_eq!(configuration.data_map.object("Intake__c").population, Some(9400));
    assert_eq!(configuration.identities().count(), 4);
    assert_eq!(configuration.people_applications().collect::<Vec<_>>(), ["Field Mobile"]);
}

#[test]
fn the_configuration_that_is_deployed_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/config");
    let files = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?.to_owned();
        path.is_file().then(|| (name, std::fs::read_to_string(&path).unwrap()))
    });
    let files = ConfigurationFiles::from_folder(files.collect::<Vec<_>>()).unwrap();
    let configuration = Configuration::parse(&files).unwrap_or_else(|error| panic!("\n{error}"));
    assert!(configuration.registry.agents.contains_key("support-copilot"));
}

#[test]
fn a_configuration_survives_storage() {
    let configuration = Configuration::parse(&files()).unwrap();
    let stored = serde_json::to_string(&configuration).unwrap();
    assert_eq!(serde_json::from_str::<Configuration>(&stored).unwrap(), configuration);
}

#[test]
fn json_is_read_like_yaml() {
    let mut files = files();
    let name = "orgs.json".to_owned();
    let text = r#"{"orgs": [
        {"org_id": "00Dxx0000001gPL", "name": "Live", "kind": "production", "time_zone": "UTC"},
        {"org_id": "00Dxx0000001gPM", "name": "Try", "kind": "sandbox", "time_zone": "UTC"}]}"#;
    files.orgs = ConfigurationFile { name, text: text.to_owned() };
    assert_eq!(Configuration::parse(&files).unwrap().orgs.len(), 2);
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_one() {
    insta::assert_snapshot!(problems_after(agents, "operations:", "operatons:"), @r"
    agents.yaml:14:9: agents[0].purposes[0].operations is missing; add `operations:` here
    agents.yaml:17:9: agents[0].purposes[0].operatons is not known; did you mean operations?
    ");
}

#[test]
fn an_unknown_word_is_answered_with_the_nearest_one() {
    insta::assert_snapshot!(problems_after(agents, "describe]", "descrbe]"), @"agents.yaml:17:36: agents[0].purposes[0].operations: `descrbe` is not known; did you mean describe?");
    insta::assert_snapshot!(problems_after(agents, "contract", "because"), @"agents.yaml:15:23: agents[0].purposes[0].lawful_basis: `because` is not known; use one of consent, contract, legal_obligation, vital_interests, public_task, legitimate_interests");
}

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let mut files = files();
    files.organisation.text = files.organisation.text.replace("country: DE", "country: Germany");
    files.orgs.text = files.orgs.text.replace("sandbox", "sandpit");
    files.agents.text = files
        .agents
        .text
        .replace("records_per_hour: 400", "records_per_hour: 0")
        .replace("[read, export]", "[read, exprot]");
    insta::assert_snapshot!(Configuration::parse(&files).unwrap_err(), @r"
    organisation.yaml:2:10: country: `Germany` is no country code; write two capital letters, ISO 3166-1 alpha-2, as in DE
    orgs.yaml:8:11: orgs[1].kind: `sandpit` is not known; use one of production, sandbox
    agents.yaml:19:27: agents[0].purposes[0].records_per_hour is 0; write 1 or more, or take the line out for no limit
    agents.yaml:30:28: agents[1].purposes[0].operations: `exprot` is not known; did you mean export?
    ");
}

#[test]
fn an_unknown_org_is_refused() {
    insta::assert_snapshot!(problems_after(agents, "[00Dxx0000001gPL]", "[00Dxx0000001gPX]"), @"agents.yaml:25:12: agents[1].orgs: the org `00Dxx0000001gPX` is not in the orgs file; did you mean 00Dxx0000001gPL?");
}

#[test]
fn an_identity_belongs_to_one_agent() {
    insta::assert_snapshot!(problems_after(agents, "client: Copier/2", "user: 005xx000001Desk"), @"agents.yaml:27:9: `005xx000001Desk` of night-copy is claimed by desk-agent in line 9; an identity belongs to one agent; keep it with the one that uses it");
}

#[test]
fn an_app_is_the_agents_or_the_peoples() {
    insta::assert_snapshot!(problems_after(agents, "Field Mobile", "Copy Machine"), @"agents.yaml:22:5: `Copy Machine` is an identity of night-copy and stands among people_applications; decide for one: an agent's app is not used by people");
}

#[test]
fn a_purpose_of_an_identity_must_exist() {
    insta::assert_snapshot!(problems_after(agents, "purpose: answer-cases", "purpose: answer-case"), @"agents.yaml:10:18: agents[0].identities[1].purpose: the agent has no purpose `answer-case`; did you mean answer-cases?");
}

#[test]
fn bad_ids_are_refused_with_what_is_wrong_with_them() {
    insta::assert_snapshot!(problems_after(agents, "0Xxxx0000008aBc", "0Xxxx0000008aB"), @"agents.yaml:8:14: agents[0].identities[0].bot: `0Xxxx0000008aB` has 14 characters; a Salesforce id has 15 or 18; copy it again");
    insta::assert_snapshot!(problems_after(agents, "005xx000001Desk", "003xx000001Desk"), @"agents.yaml:9:15: agents[0].identities[1].user: `003xx000001Desk` does not start with 005; copy the id of the right kind of record");
    insta::assert_snapshot!(problems_after(agents, "0Xxxx0000008aBc", "0Xxxx0000008aBcXXX"), @"agents.yaml:8:14: agents[0].identities[0].bot: `0Xxxx0000008aBcXXX` does not fit its own last three characters; copy it again");
}

#[test]
fn ids_of_18_characters_are_cut_to_15() {
    let mut files = files();
    files.orgs.text = files.orgs.text.replace("00Dxx0000001gPL", "00Dxx0000001gPLEAY");
    assert_eq!(Configuration::parse(&files).unwrap().orgs[0].org_id, "00Dxx0000001gPL");
}

#[test]
fn duplicates_are_refused_with_the_line_of_the_first() {
    insta::assert_snapshot!(problems_after(agents, "name: night-copy", "name: desk-agent"), @"agents.yaml:22:11: agents[1].name: `desk-agent` stands already in line 4; keep one of the two, or give this one another name");
    insta::assert_snapshot!(problems_after(orgs, "00Dxx0000001gPM", "00Dxx0000001gPL"), @r"
    orgs.yaml:6:13: orgs[1].org_id: `00Dxx0000001gPL` stands already in line 2; keep one of the two, or give this one another name
    agents.yaml:6:29: agents[0].orgs: the org `00Dxx0000001gPM` is not in the orgs file; did you mean 00Dxx0000001gPL?
    ");
    insta::assert_snapshot!(problems_after(agents, "    title: Desk agent", "    owner: Desk agent"), @"agents.yaml:11:5: agents[0].owner stands already in line 5; keep one of the two");
}

#[test]
fn hours_must_leave_some_time_and_name_a_zone() {
    insta::assert_snapshot!(problems_after(agents, "to: \"05:00\"", "to: \"22:00\""), @"agents.yaml:33:15: agents[1].purposes[0].hours.to equals from, which leaves no time or all of it; write another end, or take `hours` out to allow any time");
    insta::assert_snapshot!(problems_after(agents, "from: \"22:00\"", "from: 10 pm"), @"agents.yaml:32:17: agents[1].purposes[0].hours.from: `10 pm` is no time of day; write hours and minutes in quotes, as in \"05:00\"");
    insta::assert_snapshot!(problems_after(agents, "Europe/Berlin", "Europe/Berln"), @"agents.yaml:34:22: agents[1].purposes[0].hours.time_zone: `Europe/Berln` is no time zone; did you mean Europe/Berlin?");
}

#[test]
fn a_recipient_has_one_address_of_the_right_shape() {
    insta::assert_snapshot!(problems_after(recipients, "https://", "http://"), @"recipients.yaml:5:14: recipients[1].webhook does not start with https://; write it as in https://alerts.example.com/breachclock");
    insta::assert_snapshot!(problems_after(recipients, "https://alerts", "https://me:secret@alerts"), @"recipients.yaml:5:14: recipients[1].webhook carries a user name; write it as in https://alerts.example.com/breachclock");
    insta::assert_snapshot!(problems_after(recipients, "legal@example.com", "legal.example.com"), @"recipients.yaml:3:12: recipients[0].email is no e-mail address; write one address, as in legal@example.com");
    insta::assert_snapshot!(problems_after(recipients, "    email: legal@example.com\n", ""), @"recipients.yaml:2:5: recipients[0] has neither an email nor a webhook; add `email:` or `webhook:` here");
    insta::assert_snapshot!(problems_after(recipients, "minimum_severity: medium", "email: a@example.com"), @"recipients.yaml:5:14: recipients[1] has both an email and a webhook; make two recipients of it");
}

#[test]
fn a_mistake_in_the_data_map_is_refused() {
    insta::assert_snapshot!(problems_after(data_map, "special_category", "special"), @"data-map.yaml:3:15: objects[0].category: `special` is not known; use one of non_personal, contact_identity, behavioural, identity_number, financial_credentials, criminal, special_category");
    insta::assert_snapshot!(problems_after(data_map, "9400", "9 400"), @"data-map.yaml:4:17: objects[0].population is not a whole number; write digits only, 1 or more");
}

#[test]
fn what_is_not_yaml_is_refused_with_the_place() {
    insta::assert_snapshot!(problems_after(organisation, "name: Example", "name: [Example"), @"organisation.yaml:2:8: this is not YAML: illegal placement of ':' indicator; check indentation, colons and quotes around here");
}

#[test]
fn aliases_and_second_documents_are_refused() {
    insta::assert_snapshot!(problems_after(organisation, "DE\ntime_zone: Europe/Berlin", "&x DE\ntime_zone: *x"), @"organisation.yaml:3:12: aliases (`*name`) are not read here; write the value out");
    insta::assert_snapshot!(problems_after(organisation, "environment: test", "environment: test\n---\nmore: 1"), @"organisation.yaml:6:1: the file holds a second document; keep one, and take out the line `---`");
}

#[test]
fn an_empty_file_says_what_belongs_in_it() {
    let mut files = files();
    files.orgs.text = "# nothing yet\n".to_owned();
    let error = Configuration::parse(&files).unwrap_err();
    assert_eq!(
        error.problems[0].to_string(),
        "orgs.yaml:1:1: the file is empty, not a mapping of keys to values; give it the keys orgs"
    );
}

#[test]
fn an_empty_data_map_leaves_the_built_in_one() {
    let mut files = files();
    files.data_map.text = "# nothing of our own\n".to_owned();
    let configuration = Configuration::parse(&files).unwrap();
    assert!(configuration.data_map.object("Contact").person_object);
}

#[test]
fn a_missing_file_and_a_file_given_twice_are_told() {
    let missing = ConfigurationFiles::from_folder([
        ("config/orgs.yaml".to_owned(), String::new()),
        ("config/orgs.json".to_owned(), String::new()),
        ("config/agents.yml".to_owned(), String::new()),
        ("config/README.md".to_owned(), String::new()),
    ]);
    insta::assert_snapshot!(missing.unwrap_err(), @r"
    config/orgs.json:1:1: config/orgs.yaml is the same file with another ending; keep one of the two
    organisation.yaml:1:1: the file is missing from the configuration folder; add organisation.yaml
    recipients.yaml:1:1: the file is missing from the configuration folder; add recipients.yaml
    data-map.yaml:1:1: the file is missing from the configuration folder; add data-map.yaml
    ");
}

//! The sample configuration is read, and every kind of mistake is answered with place, reason and remedy.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeSet, fmt::Write as _};

use assessment::{
    configuration::{Address, Configuration, ConfigurationFile, ConfigurationFiles},
    findings::SeverityLevel,
    registry::IdentityKind,
};
use deadlines::{
    FactForm, Facts, InternalTargets, Law, LawSettings, LimitUnit, ReminderPolicy, TriggerKind,
};
use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/configuration");

fn files() -> ConfigurationFiles {
    let names = ConfigurationFiles::NAMES.into_iter().chain(ConfigurationFiles::OPTIONAL_NAMES);
    let files = names.map(|stem| {
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

fn law(files: &mut ConfigurationFiles) -> &mut ConfigurationFile {
    files.law.as_mut().unwrap()
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
    let settings = &configuration.law;
    assert_eq!(settings.duties.len(), 3);
    assert_eq!(settings.law().unwrap().regime("own-client").unwrap().applies_when.len(), 2);
}

#[test]
fn facts_are_read_in_the_form_in_which_they_are_asked_for() {
    let facts = Configuration::parse(&files()).unwrap().law.facts;
    let fact = |name| facts.get(name).cloned();
    assert_eq!(fact("listed_company"), Some(json!(false)));
    assert_eq!(fact("hipaa_role"), Some(json!("business_associate")));
    assert_eq!(fact("sector"), Some(json!(["software", "telecom"])));
    assert_eq!(fact("contract.notice_hours"), Some(json!(48)));
    let by_place = json!({"by_place": {"JP": 900, "US-CA": {"lower": 400, "upper": 900}}});
    assert_eq!(fact("subject_count"), Some(by_place));
    assert_eq!(fact("ai.annex"), Some(json!("III")));
    assert_eq!(fact("ai.high_risk"), None, "without a value it is not known");
    assert_eq!(fact("top_tier_client"), Some(json!(true)), "an own duty asks for it");
}

#[test]
fn what_is_given_replaces_the_default_of_that_name_and_no_other() {
    let law = Configuration::parse(&files()).unwrap().law;
    let (targets, defaults) = (&law.targets, InternalTargets::default());
    assert_eq!(targets.hours, 36);
    assert_eq!(targets.hours_by_severity["critical"], 12);
    assert_eq!(targets.hours_by_severity["high"], defaults.hours_by_severity["high"]);
    assert_eq!(targets.hours_by_regime["own-insurer"], 6);
    assert_eq!(targets.hours_by_regime["eu-gdpr-33-2"], defaults.hours_by_regime["eu-gdpr-33-2"]);
    let (reminders, defaults) = (&law.reminders, ReminderPolicy::default());
    assert_eq!(reminders.general.remaining_percent, [50, 10]);
    assert_eq!(reminders.general.repeat_hours, None, "the plan is replaced whole");
    assert_eq!(reminders.possible, defaults.possible);
    assert_eq!(reminders.by_severity["critical"].repeat_hours, Some(2));
    assert_eq!(reminders.by_severity["high"], defaults.by_severity["high"]);
    assert_eq!(reminders.by_regime["eu-gdpr-33-1"].remaining_minutes, [0_u32; 0]);
}

#[test]
fn without_the_file_of_the_law_or_with_nothing_in_it_the_defaults_stand() {
    let mut files = files();
    files.law.as_mut().unwrap().text = "# nothing of our own\n".to_owned();
    assert_eq!(Configuration::parse(&files).unwrap().law, LawSettings::default());
    files.law = None;
    let configuration = Configuration::parse(&files).unwrap();
    assert_eq!(configuration.law, LawSettings::default());
    let mut stored = serde_json::to_value(&configuration).unwrap();
    stored.as_object_mut().unwrap().remove("law");
    let older: Configuration = serde_json::from_value(stored).unwrap();
    assert_eq!(older, configuration, "stored before there was such a file");
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
    organisation.yaml:2:10: country: `Germany` is no country code; did you mean DE (Germany)?
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

#[test]
fn the_places_of_persons_are_codes_of_countries_or_of_parts_of_them() {
    let with = |codes: &str| format!("kind: production\n    subject_countries: [{codes}]");
    let mut sound = files();
    sound.orgs.text = sound.orgs.text.replacen("kind: production", &with("DE, US-CA, FR-75"), 1);
    let configuration = Configuration::parse(&sound).unwrap();
    let of = |org: usize| configuration.orgs[org].subject_countries.iter().collect::<Vec<_>>();
    assert_eq!(of(0), ["DE", "FR-75", "US-CA"]);
    assert!(of(1).is_empty());
    let problems = |codes: &str| problems_after(orgs, "kind: production", &with(codes));
    insta::assert_snapshot!(problems("DE, UK, Austria, us-ca, US-XX, 12345"), @r"
    orgs.yaml:5:29: orgs[0].subject_countries: `UK` is no code of a country or a part of one; did you mean GB (United Kingdom)?
    orgs.yaml:5:33: orgs[0].subject_countries: `Austria` is no code of a country or a part of one; did you mean AT (Austria)?
    orgs.yaml:5:42: orgs[0].subject_countries: `us-ca` is no code of a country or a part of one; did you mean US-CA (California)?
    orgs.yaml:5:49: orgs[0].subject_countries: `US-XX` is no code of a country or a part of one; did you mean US-TX (Texas)?
    orgs.yaml:5:56: orgs[0].subject_countries: `12345` is no code of a country or a part of one; write ISO 3166-1 alpha-2, as in DE, or with a part of the country, as in US-CA
    ");
    insta::assert_snapshot!(problems("DE, US-CA, DE"), @"orgs.yaml:5:36: orgs[0].subject_countries: `DE` stands already in line 5; keep one of the two, or give this one another name");
}

#[test]
fn the_country_of_the_establishment_is_one_that_there_is() {
    let mut sound = files();
    sound.organisation.text = sound.organisation.text.replace("country: DE", "country: AT");
    assert_eq!(Configuration::parse(&sound).unwrap().organisation.country, "AT");
    insta::assert_snapshot!(problems_after(organisation, "country: DE", "country: UK"), @"organisation.yaml:2:10: country: `UK` is no country code; did you mean GB (United Kingdom)?");
    insta::assert_snapshot!(problems_after(organisation, "country: DE", "country: US-CA"), @"organisation.yaml:2:10: country: `US-CA` is no country code; write two capital letters, ISO 3166-1 alpha-2, as in DE");
    insta::assert_snapshot!(problems_after(organisation, "country: DE", "country: 99999"), @"organisation.yaml:2:10: country: `99999` is no country code; write two capital letters, ISO 3166-1 alpha-2, as in DE");
}

#[test]
fn the_region_names_one_of_the_authorities_of_the_country() {
    let with = |country: &str, region: &str| format!("country: {country}\nregion: {region}");
    let mut sound = files();
    sound.organisation.text =
        sound.organisation.text.replace("country: DE", &with("DE", "Nordrhein-Westfalen"));
    let organisation_of = |files| Configuration::parse(files).unwrap().organisation;
    assert_eq!(organisation_of(&sound).region.as_deref(), Some("Nordrhein-Westfalen"));
    assert_eq!(organisation_of(&files()).region, None);
    let problems =
        |country, region| problems_after(organisation, "country: DE", &with(country, region));
    insta::assert_snapshot!(problems("DE", "Nordrhein-Westphalen"), @"organisation.yaml:3:9: region: no authority of DE goes by `Nordrhein-Westphalen`; did you mean Nordrhein-Westfalen?");
    insta::assert_snapshot!(problems("DE", "Bayern"), @"organisation.yaml:3:9: region: no authority of DE goes by `Bayern`; use one of Bund, Baden-Württemberg, Bayern (nicht-öffentlich), Bayern (öffentlich), Berlin, Brandenburg, Bremen, Hamburg, Hessen, Mecklenburg-Vorpommern, Niedersachsen, Nordrhein-Westfalen, Rheinland-Pfalz, Saarland, Sachsen, Sachsen-Anhalt, Schleswig-Holstein, Thüringen");
    insta::assert_snapshot!(problems("FR", "Alsace"), @"organisation.yaml:3:9: region: the authorities of FR are not told apart by region; take the line out");
}

#[test]
fn a_fact_that_nobody_asks_for_is_refused_with_the_nearest_one() {
    insta::assert_snapshot!(problems_after(law, "listed_company:", "listed_compny:"), @"law.yaml:3:3: facts.listed_compny is asked for by no law and no own duty; did you mean listed_company?");
    insta::assert_snapshot!(problems_after(law, "    annex:", "    anex:"), @"law.yaml:11:5: facts.ai.anex is asked for by no law and no own duty; did you mean ai.annex?");
    insta::assert_snapshot!(problems_after(law, "top_tier_client: true", "top_tier_clients: true"), @"law.yaml:13:3: facts.top_tier_clients is asked for by no law and no own duty; did you mean top_tier_client?");
    insta::assert_snapshot!(problems_after(law, "listed_company:", "colour_of_the_door:"), @"law.yaml:3:3: facts.colour_of_the_door is asked for by no law and no own duty; docs/LAW.md tells what each law asks for");
}

#[test]
fn whatever_a_law_asks_for_can_be_declared() {
    const SAID_ELSEWHERE: [&str; 3] =
        ["establishment_country", "subject_country", "subject_region"];
    let asked = Law::embedded().unwrap().asked_facts();
    let mut wanted = Facts::default();
    let mut text = "facts:\n".to_owned();
    for (name, fact) in asked.iter().filter(|(name, _)| !SAID_ELSEWHERE.contains(&name.as_str())) {
        let value = match fact.form {
            FactForm::Truth => json!(true),
            FactForm::Number => json!(7),
            FactForm::Words => json!(fact.words),
            FactForm::Place => json!("DE"),
        };
        writeln!(text, "  {name}: {value}").unwrap();
        wanted = wanted.with(name, value);
    }
    let mut files = files();
    law(&mut files).text = text;
    assert_eq!(Configuration::parse(&files).unwrap().law.facts, wanted);
}

#[test]
fn a_fact_is_declared_once_whether_in_its_group_or_by_its_whole_name() {
    let problem = problems_after(law, "  top_tier_client:", "  ai.annex: I\n  top_tier_client:");
    insta::assert_snapshot!(problem, @"law.yaml:13:3: facts: `ai.annex` stands already in line 11; keep one of the two, or give this one another name");
}

#[test]
fn an_interval_may_have_no_width() {
    let mut files = files();
    let file = law(&mut files);
    file.text = file.text.replacen("lower: 400", "lower: 900", 1);
    assert!(Configuration::parse(&files).is_ok());
}

#[test]
fn a_fact_that_is_said_elsewhere_is_not_said_twice() {
    for (fact, place) in [
        ("subject_country: DE", "subject_countries"),
        ("subject_region: US-CA", "subject_countries"),
        ("authority_region: Berlin", "region"),
        ("establishment_country: DE", "country"),
        ("severity: high", "judged from the logs"),
    ] {
        let problems = problems_after(law, "listed_company: false", fact);
        assert!(problems.starts_with("law.yaml:3:3: facts."), "{problems}");
        assert!(
            problems.contains("is not declared here") && problems.contains(place),
            "{problems}"
        );
    }
}

#[test]
fn a_value_of_another_form_would_answer_no_and_is_refused() {
    let problems = |right, mistake| problems_after(law, right, mistake);
    insta::assert_snapshot!(problems("listed_company: false", "listed_company: no"), @"law.yaml:3:19: facts.listed_company: `no` is neither true nor false; write one of the two");
    insta::assert_snapshot!(problems("listed_company: false", "listed_company: [false]"), @"law.yaml:3:19: facts.listed_company is a list, not a single value; write one value behind the colon");
    insta::assert_snapshot!(problems("business_associate", "buisness_associate"), @"law.yaml:4:15: facts.hipaa_role: `buisness_associate` is asked for by no law; did you mean business_associate?");
    insta::assert_snapshot!(problems("[software, telecom]", "[software, telekom, software]"), @r"
    law.yaml:2:22: facts.sector: `telekom` is asked for by no law; did you mean telecom?
    law.yaml:2:31: facts.sector: `software` stands already in line 2; keep one of the two, or give this one another name
    ");
    insta::assert_snapshot!(problems("[software, telecom]", "[]"), @"law.yaml:2:11: facts.sector is an empty list; name at least one, or write a word such as none");
    insta::assert_snapshot!(problems("notice_hours: 48", "notice_hours: two days"), @"law.yaml:5:26: facts.contract.notice_hours: `two days` is no whole number; write digits only");
    insta::assert_snapshot!(problems("lower: 400", "lower: 1000"), @"law.yaml:9:35: facts.subject_count.by_place.US-CA.upper is less than lower; exchange the two");
    insta::assert_snapshot!(problems("lower: 400, ", ""), @"law.yaml:9:14: facts.subject_count.by_place.US-CA.lower is missing; add `lower:` here, 0 where nothing is known");
    insta::assert_snapshot!(problems("US-CA: {", "US-CX: {"), @"law.yaml:9:7: facts.subject_count.by_place.US-CX: `US-CX` is no place that a law is of; did you mean US-CA (California)?");
    insta::assert_snapshot!(problems("sector: [software, telecom]", "sector: {lower: 1}"), @"law.yaml:2:11: facts.sector is a mapping of keys to values, not a single value; write one value behind the colon");
}

#[test]
fn an_own_duty_names_words_of_the_law_data() {
    let problems = |right, mistake| problems_after(law, right, mistake);
    insta::assert_snapshot!(problems("starts_at: aware", "starts_at: awre"), @"law.yaml:27:16: duties[0].starts_at: `awre` is not known; did you mean aware?");
    insta::assert_snapshot!(problems("counting: business-days-br", "counting: business-days-bra"), @"law.yaml:39:15: duties[1].counting: `business-days-bra` is not known; did you mean business-days-br?");
    insta::assert_snapshot!(problems("extension: eu-1182-3-4", "extension: eu-1182-3-44"), @"law.yaml:40:16: duties[1].extension: `eu-1182-3-44` is not known; did you mean eu-1182-3-4?");
    insta::assert_snapshot!(problems("content_ref: gdpr-33-3", "content_ref: gdpr-33-33"), @"law.yaml:30:18: duties[0].content_ref: `gdpr-33-33` is not known; did you mean gdpr-33-3?");
    insta::assert_snapshot!(problems("unit: business_days", "unit: working_days"), @"law.yaml:38:29: duties[1].limit.unit: `working_days` is not known; use one of hours, days, months, business_days");
    insta::assert_snapshot!(problems("group: EEA", "group: EAE"), @"law.yaml:26:58: duties[0].applies_when[1].of[2].group: `EAE` is not known; did you mean EEA?");
    insta::assert_snapshot!(problems("op: gte", "op: gtee"), @"law.yaml:24:18: duties[0].applies_when[1].of[0].op: `gtee` is not known; did you mean gte?");
    insta::assert_snapshot!(problems("title: Notice to the insurer", "titel: Notice"), @r"
    law.yaml:41:5: duties[2].title is missing; add `title:` here
    law.yaml:42:5: duties[2].titel is not known; did you mean title?
    ");
}

#[test]
fn an_own_duty_must_be_countable() {
    let problems = |right, mistake| problems_after(law, right, mistake);
    insta::assert_snapshot!(problems("    counting: business-days-br\n", ""), @"law.yaml:38:12: duties[1].limit needs a calendar of working days; add `counting:` with one of business-days-br, business-days-co, business-days-eg, business-days-us, business-days-us-sec");
    insta::assert_snapshot!(problems("counting: business-days-br", "counting: calendar-days"), @"law.yaml:39:15: duties[1].counting: calendar-days does not count working days; docs/LAW.md tells what each rule does");
    insta::assert_snapshot!(problems("extension: eu-1182-3-4", "extension: exact-hours"), @"law.yaml:40:16: duties[1].extension: exact-hours changes no end; docs/LAW.md tells what each rule does");
    insta::assert_snapshot!(problems("value: 24", "value: 0"), @"law.yaml:28:20: duties[0].limit.value: `0` is no whole number from 1 to 10000; write digits only");
    insta::assert_snapshot!(problems("    limit: {value: 3, unit: business_days}\n", ""), @r"
    law.yaml:38:15: duties[1].counting stands without a limit; add `limit:`, or take the line out for an internal target
    law.yaml:39:16: duties[1].extension stands without a limit; add `limit:`, or take the line out for an internal target
    ");
    insta::assert_snapshot!(problems("value: 48, unit: hours", "value: 2, unit: days"), @"law.yaml:29:57: duties[0].second_limit.unit: `days` is not known; use one of hours");
}

#[test]
fn an_own_duty_stands_once() {
    insta::assert_snapshot!(problems_after(law, "id: works-council", "id: client"), @"law.yaml:32:9: duties[1].id: `client` stands already in line 15; keep one of the two, or give this one another name");
    insta::assert_snapshot!(problems_after(law, "id: works-council", "id: Works Council"), @"law.yaml:32:9: duties[1].id: `Works Council` is no plain name; use up to 64 small letters, digits and hyphens, a letter first");
}

#[test]
fn a_condition_of_an_own_duty_asks_for_a_fact_in_its_form() {
    let problems = |right, mistake| problems_after(law, right, mistake);
    let right = "op: gte, fact: subject_count, value: 100";
    insta::assert_snapshot!(problems(right, "op: gte, fact: subject_counts, value: 100"), @"law.yaml:24:29: duties[0].applies_when[1].of[0].fact: `subject_counts` is asked for by no law; did you mean subject_count? A fact of your own needs a name that is less like it");
    insta::assert_snapshot!(problems(right, "op: gte, fact: sector, value: 100"), @"law.yaml:24:29: duties[0].applies_when[1].of[0].fact: `sector` is a word, not a number; compare it with eq or in");
    insta::assert_snapshot!(problems(right, "op: eq, fact: listed_company, value: yes"), @"law.yaml:24:51: duties[0].applies_when[1].of[0].value: `yes` is neither true nor false; write one of the two");
    insta::assert_snapshot!(problems(right, "op: eq, fact: Our fact, value: 1"), @"law.yaml:24:28: duties[0].applies_when[1].of[0].fact: `Our fact` is no name of a fact; use up to 64 small letters, digits and underscores, a letter first");
    insta::assert_snapshot!(problems(right, "op: eq, fact: subject_count, values: [100]"), @r"
    law.yaml:24:13: duties[0].applies_when[1].of[0].value is missing; add `value:` here
    law.yaml:24:43: duties[0].applies_when[1].of[0].values does not go with this `op:`; it takes fact and value
    ");
    insta::assert_snapshot!(problems(right, "op: in, fact: subject_country, values: [DE, UK]"), @"law.yaml:24:58: duties[0].applies_when[1].of[0].values: `UK` is no code of a country or a part of one; did you mean GB (United Kingdom)?");
    insta::assert_snapshot!(problems(right, "op: gt, fact: seats_sold, value: many"), @"law.yaml:24:47: duties[0].applies_when[1].of[0].value: `many` is no whole number; write digits only");
    insta::assert_snapshot!(problems(right, "op: in, fact: hit, values: [true, big]"), @"law.yaml:24:48: duties[0].applies_when[1].of[0].values: `big` is neither true nor false; write one of the two");
    insta::assert_snapshot!(problems(right, "op: all, of: []"), @"law.yaml:24:27: duties[0].applies_when[1].of[0].of is an empty list; name at least one");
}

#[test]
fn a_mistake_in_a_duty_is_told_once() {
    let problems = problems_after(law, "starts_at: aware", "starts_at: awake");
    assert_eq!(
        problems.lines().count(),
        1,
        "own-client is still known to the reminders: {problems}"
    );
}

#[test]
fn targets_and_reminders_name_regimes_and_severities_that_there_are() {
    let problems = |right, mistake| problems_after(law, right, mistake);
    insta::assert_snapshot!(problems("hours_by_severity: {critical", "hours_by_severity: {critica1"), @"law.yaml:49:23: targets.hours_by_severity: `critica1` is not known; did you mean critical?");
    insta::assert_snapshot!(problems("eu-gdpr-34:", "eu-gdpr-43:"), @"law.yaml:50:21: targets.hours_by_regime: there is no regime `eu-gdpr-43`; did you mean eu-gdpr-34?");
    insta::assert_snapshot!(problems("own-insurer: 6", "insurer: 6"), @"law.yaml:50:37: targets.hours_by_regime: there is no regime `insurer`; did you mean own-insurer?");
    insta::assert_snapshot!(problems("eu-gdpr-34:", "eu-gdpr-33-1:"), @"law.yaml:50:21: targets.hours_by_regime: eu-gdpr-33-1 has a limit of its own, so no target counts for it; take the line out; to be told earlier, name it under `reminders: by_regime:`");
    insta::assert_snapshot!(problems("own-insurer: 6", "own-client: 6"), @"law.yaml:50:37: targets.hours_by_regime: own-client has a limit of its own, so no target counts for it; take the line out; to be told earlier, name it under `reminders: by_regime:`");
    insta::assert_snapshot!(problems("    critical: {rem", "    criticial: {rem"), @"law.yaml:54:5: reminders.by_severity: `criticial` is not known; did you mean critical?");
    insta::assert_snapshot!(problems("own-client: {rem", "something-else: {rem"), @"law.yaml:57:5: reminders.by_regime: there is no regime `something-else`; docs/LAW.md lists the regimes; a duty of your own is `own-` and its id");
    insta::assert_snapshot!(problems("  general:", "  generally:"), @"law.yaml:52:3: reminders.generally is not known; did you mean general?");
}

#[test]
fn the_numbers_of_targets_and_reminders_have_bounds() {
    let problems = |right, mistake| problems_after(law, right, mistake);
    insta::assert_snapshot!(problems("hours: 36", "hours: 0"), @"law.yaml:48:10: targets.hours: `0` is no whole number from 1 to 10000; write digits only");
    insta::assert_snapshot!(problems("[75, 50, 25]", "[100, 99, 1, 0, 50, 50]"), @r"
    law.yaml:54:36: reminders.by_severity.critical.remaining_percent: `100` is no whole number from 1 to 99; write digits only
    law.yaml:54:48: reminders.by_severity.critical.remaining_percent: `0` is no whole number from 1 to 99; write digits only
    law.yaml:54:55: reminders.by_severity.critical.remaining_percent: `50` stands already in line 54; keep one of the two, or give this one another name
    ");
    insta::assert_snapshot!(problems("[120]", "[an hour]"), @"law.yaml:52:62: reminders.general.remaining_minutes: `an hour` is no whole number from 1 to 527040; write digits only");
    insta::assert_snapshot!(problems("repeat_hours: 2", "repeat_hours: -2"), @"law.yaml:54:63: reminders.by_severity.critical.repeat_hours: `-2` is no whole number from 1 to 10000; write digits only");
    insta::assert_snapshot!(problems("{remaining_percent: []}", "{}"), @"law.yaml:56:19: reminders.by_regime.eu-gdpr-33-1 plans nothing; add `remaining_percent:` or `remaining_minutes:`, `[]` for no reminder before the end");
    insta::assert_snapshot!(problems("{remaining_percent: []}", ""), @"law.yaml:56:17: reminders.by_regime.eu-gdpr-33-1 is empty, not a mapping of keys to values; give it the keys remaining_percent, remaining_minutes, repeat_hours");
}

#[test]
fn the_file_of_the_law_is_neither_missed_nor_counted_for_another() {
    let missing = |files: &[&str]| {
        ConfigurationFiles::missing_from(files.iter().copied()).collect::<Vec<_>>()
    };
    let four = ["orgs.yml", "organisation.yaml", "recipients.yaml", "data-map.json"];
    assert_eq!(missing(&four), ["agents"]);
    assert_eq!(missing(&[&four[..], &["law.yaml"]].concat()), ["agents"]);
    assert_eq!(missing(&[&four[..], &["agents.yaml"]].concat()), [""; 0]);
    assert_eq!(missing(&["README.md"]).len(), 5);
}

/// The app holds the same files against the same law data before anything is deployed.
#[test]
fn what_the_app_refuses_is_refused_here_at_the_same_places() {
    let folder =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/test/fixtures/configuration/wrong-law");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let mut files = files();
    law(&mut files).text = read("law.yaml");
    let place = |line: &str| line.splitn(4, ':').take(3).collect::<Vec<_>>().join(":");
    let of_app: BTreeSet<String> = read("expected.txt").lines().map(place).collect();
    let error = Configuration::parse(&files).unwrap_err().to_string();
    let ours: BTreeSet<String> = error.lines().map(place).collect();
    assert_eq!(ours, of_app);
}

#[test]
fn the_schema_of_the_law_has_the_words_of_the_law() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/config/schemas/law.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let words = |pointer: &str| schema.pointer(pointer).unwrap().clone();
    assert_eq!(words("/$defs/moment/enum"), json!(TriggerKind::ALL));
    let law = Law::embedded().unwrap();
    let groups: BTreeSet<&str> = law.places().groups().collect();
    let of_schema: BTreeSet<String> =
        serde_json::from_value(words("/$defs/condition/properties/group/enum")).unwrap();
    assert_eq!(of_schema.iter().map(String::as_str).collect::<BTreeSet<_>>(), groups);
    let units: Vec<LimitUnit> =
        serde_json::from_value(words("/$defs/duty/properties/limit/properties/unit/enum")).unwrap();
    assert_eq!(units.len(), 4);
}

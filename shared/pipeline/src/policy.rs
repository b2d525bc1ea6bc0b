//! What decides duties beside the incident: the law, and what the organisation declared.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use assessment::configuration::{Configuration, Org};
use deadlines::{
    Facts, Law, LawError, Organisation, OwnDuty, country_of, gdpr_applies_by_establishment,
};
use incident::Policy;

use crate::Result;

/// The policy for incidents of an org.
///
/// The organisation is taken for the controller (GDPR Art. 4(7)), and what looks like a breach for one, until it declares
/// or a person says otherwise. Of an org that is not declared, nobody knows where its persons live.
pub fn policy(configuration: &Configuration, org_id: &str) -> Result<Policy> {
    let organisation = &configuration.organisation;
    let mut facts = Facts::default()
        .with("role", "controller")
        .with("personal_data_breach", true)
        .with("establishment_country", organisation.country.as_str());
    if let Some(applies) = gdpr_applies_by_establishment(&organisation.country) {
        facts = facts.with("gdpr_applies", applies);
    }
    if let Some(region) = &organisation.region {
        facts = facts.with("authority_region", region.as_str());
    }
    let law = embedded()?;
    if let Some(org) = configuration.org(org_id) {
        facts = with_places(facts, org, &law);
    }
    for (name, value) in configuration.law.facts.iter() {
        facts = facts.with(name, value.clone());
    }
    let law = with_own_duties(&law, &configuration.law.duties)?;
    Ok(Policy {
        law,
        facts,
        organisation: Organisation {
            time_zone: organisation.time_zone,
            targets: configuration.law.targets.clone(),
        },
        reminders: configuration.law.reminders.clone(),
    })
}

/// Countries of the persons, and the regions among them: `US-CA` is in `US`. Where a country stands alone that has parts
/// with laws of their own, its parts are not known, and neither is whether those that are named are all.
fn with_places(facts: Facts, org: &Org, law: &Law) -> Facts {
    if org.subject_countries.is_empty() {
        return facts;
    }
    let countries: BTreeSet<&str> =
        org.subject_countries.iter().map(|place| country_of(place)).collect();
    let has_parts = |country: &str| {
        let mut parts = law.places().names().filter(|(code, _)| *code != country);
        parts.any(|(code, _)| country_of(code) == country)
    };
    let facts = facts.with("subject_country", countries.into_iter().collect::<Vec<_>>());
    if org.subject_countries.iter().any(|place| country_of(place) == place && has_parts(place)) {
        return facts;
    }
    let is_part = |place: &&str| country_of(place) != *place;
    let regions: Vec<&str> =
        org.subject_countries.iter().map(String::as_str).filter(is_part).collect();
    facts.with("subject_region", regions)
}

/// The law with the organisation's own duties, made once for as long as these stay the same.
fn with_own_duties(law: &Arc<Law>, duties: &[OwnDuty]) -> std::result::Result<Arc<Law>, LawError> {
    static LAST: Mutex<Option<(Vec<OwnDuty>, Arc<Law>)>> = Mutex::new(None);
    if duties.is_empty() {
        return Ok(law.clone());
    }
    // What another thread left half done is no worse than nothing: it is compared before it is used.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, law)) = last.as_ref()
        && of == duties
    {
        return Ok(law.clone());
    }
    let law = Arc::new(law.as_ref().clone().and_own_duties(duties.to_vec())?);
    *last = Some((duties.to_vec(), law.clone()));
    Ok(law)
}

/// The law that this version was built with, read once.
fn embedded() -> std::result::Result<Arc<Law>, LawError> {
    static LAW: OnceLock<Arc<Law>> = OnceLock::new();
    if let Some(law) = LAW.get() {
        return Ok(law.clone());
    }
    let law = Arc::new(Law::embedded()?);
    Ok(LAW.get_or_init(|| law).clone())
}

#[cfg(test)]
mod tests {
    use assessment::configuration::OrgKind;

    use super::*;

    fn org(places: &[&str]) -> Org {
        Org {
            org_id: "00D5g000004Hq3K".to_owned(),
            name: "Test".to_owned(),
            kind: OrgKind::Production,
            time_zone: chrono_tz::Europe::Berlin,
            expected_logs: BTreeSet::new(),
            subject_countries: places.iter().map(|place| (*place).to_owned()).collect(),
        }
    }

    #[test]
    fn a_part_names_its_country_and_a_country_with_parts_of_its_own_leaves_them_open() {
        let law = embedded().unwrap();
        let known = |places: &[&str]| {
            let facts = with_places(Facts::default(), &org(places), &law);
            let known = |name| facts.get(name).map(ToString::to_string);
            (known("subject_country"), known("subject_region"))
        };
        let list = |text: &str| Some(text.to_owned());
        assert_eq!(known(&[]), (None, None));
        assert_eq!(known(&["DE", "US-CA"]), (list(r#"["DE","US"]"#), list(r#"["US-CA"]"#)));
        assert_eq!(known(&["DE"]), (list(r#"["DE"]"#), list("[]")));
        assert_eq!(known(&["US", "US-CA"]), (list(r#"["US"]"#), None));
    }

    #[test]
    fn the_law_with_own_duties_is_made_once_for_as_long_as_they_stay() {
        let law = embedded().unwrap();
        let duty = |hours: u32| -> OwnDuty {
            serde_json::from_value(serde_json::json!({
                "id": "insurer", "title": "Notice of a claim", "basis": "Cyber policy",
                "who_notifies": "us", "who_is_told": "the insurer", "starts_at": "aware",
                "limit": { "value": hours, "unit": "hours" },
            }))
            .unwrap()
        };
        let first = with_own_duties(&law, &[duty(24)]).unwrap();
        let again = with_own_duties(&law, &[duty(24)]).unwrap();
        let other = with_own_duties(&law, &[duty(48)]).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &other));
        assert!(Arc::ptr_eq(&law, &with_own_duties(&law, &[]).unwrap()));
    }
}

//! What decides duties beside the incident: the law, and what the organisation declared.

use std::sync::{Arc, OnceLock};

use assessment::configuration::{Configuration, Org};
use deadlines::{Facts, Law, LawError, Organisation, gdpr_applies_by_establishment};
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
    if let Some(org) = configuration.org(org_id) {
        facts = with_places(facts, org);
    }
    for (name, value) in configuration.law.facts.iter() {
        facts = facts.with(name, value.clone());
    }
    let law = embedded()?;
    let own = configuration.law.duties.clone();
    let law =
        if own.is_empty() { law } else { Arc::new(law.as_ref().clone().and_own_duties(own)?) };
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

/// Countries of the persons, and the regions among them: `US-CA` is in `US`.
fn with_places(facts: Facts, org: &Org) -> Facts {
    if org.subject_countries.is_empty() {
        return facts;
    }
    let regions: Vec<&str> = org
        .subject_countries
        .iter()
        .map(String::as_str)
        .filter(|code| code.contains('-'))
        .collect();
    let mut countries: Vec<&str> = org
        .subject_countries
        .iter()
        .map(|code| code.split_once('-').map_or(code.as_str(), |(country, _)| country))
        .collect();
    countries.sort_unstable();
    countries.dedup();
    facts.with("subject_country", countries).with("subject_region", regions)
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

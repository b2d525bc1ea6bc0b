//! The facts that the law's conditions ask for, as a lawyer would ask.

/// What is not known, in words that follow on "depends on"; `None` for a fact that has only its name.
pub fn fact_words(fact: &str) -> Option<&'static str> {
    Some(match fact {
        "risk" => "how high the risk to the persons is",
        "personal_data_breach" => "whether it is a personal data breach",
        "role" => "whether the organisation is controller or processor of the data",
        "gdpr_applies" => "whether the GDPR applies to the organisation",
        "uk_gdpr_applies" => "whether the UK GDPR applies to the organisation",
        "fadp_applies" => "whether the Swiss data protection act (FADP) applies",
        "establishment_country" => "in which country the organisation is established",
        "establishment" => {
            "whether the organisation is established in a zone with a law of its own"
        }
        "authority_country" => "which country's authority is competent",
        "authority_region" => "which part of the country or of its public sector it belongs to",
        "controller_kind" => "whether the organisation is an institution of the EU",
        "subject_country" => "in which countries the persons live",
        "subject_region" => "in which states or provinces the persons live",
        "subject_count" => "how many persons are affected",
        "subject_count_in_region" => "how many of the persons live in that state",
        "data_categories" => "which kinds of data were concerned",
        "data_unintelligible" => "whether the data were unintelligible to whoever got them",
        "sector" => "which sector the organisation belongs to",
        "customer_sector" => "which sector the customers belong to",
        "hipaa_role" => "whether the organisation is under HIPAA, and as what",
        "unsecured_phi" => {
            "whether unsecured health information in the sense of HIPAA was among the data"
        }
        "listed_company" => "whether the organisation is listed under US securities law",
        "foreign_private_issuer" => "whether the organisation is a foreign private issuer",
        "materiality_determined" => {
            "whether the incident was determined to be material to investors"
        }
        "missing_information_available" => {
            "whether information that was missing has become available"
        }
        "bank_regulator" => "which US authority supervises the bank",
        "notification_incident" => {
            "whether it is a notification incident under the US banking rule"
        }
        "reportable_cyber_incident" => {
            "whether it is a reportable cyber incident of a US credit union"
        }
        "unencrypted_customer_information_acquired" => {
            "whether unencrypted customer information was acquired"
        }
        "ransom_paid" => "whether a ransom was paid",
        "malicious_actor" => "whether somebody acted with malicious intent",
        "external_unauthorised_access" => "whether somebody from outside had access",
        "critical_infrastructure" => "whether the organisation runs critical infrastructure",
        "significant_incident" => "whether the incident is significant under NIS2",
        "significant_impact" => "whether the incident has a significant impact on the service",
        "significant_disruption" => "whether an essential service was disrupted significantly",
        "core_function_disrupted" => "whether a core function was disrupted",
        "incident_level" => "which grade the incident has under Chinese law",
        "classification.major" => "whether the incident is classified as major under DORA",
        "product_with_digital_elements" => "whether a product with digital elements is concerned",
        "actively_exploited_vulnerability" => "whether a vulnerability is actively exploited",
        "severe_incident" => "whether the security of a product is severely impaired",
        "ai.serious_incident" => "whether it is a serious incident under the AI Act",
        "ai.high_risk" => "whether the AI system is a high-risk one under the AI Act",
        "needed_for_protection_or_fdpic_demand" => {
            "whether the persons have to be told for their protection, or the Swiss authority demands it"
        }
        "notification.complete" => "whether the first notification held all that the law asks for",
        "small_processing_agent" => "whether the organisation is a small agent under Brazilian law",
        "notice_to_other_authority_required" => "whether another authority has to be told",
        "material_harm_to_operations_likely" => "whether material harm to operations is likely",
        "ransomware_material" => "whether ransomware got into a material part of the systems",
        "customer_pii_or_cpni_breach" => {
            "whether customers' personal or telephone records (PII, CPNI) were disclosed"
        }
        "ai.annex" => "which annex of the AI Act the system falls under",
        "cpni_breach" => "whether customers' telephone records (CPNI) were disclosed",
        _ => return None,
    })
}

/// The same with the name that stands for it in `law.yaml` and in `show`.
pub(crate) fn named(fact: &str) -> String {
    match fact_words(fact) {
        Some(words) => format!("{words} ({fact})"),
        None => format!("the fact {fact}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use deadlines::Law;

    use super::*;

    #[test]
    fn every_fact_that_three_duties_ask_for_has_words() {
        let law = Law::embedded().unwrap();
        let mut asking: BTreeMap<&str, usize> = BTreeMap::new();
        for regime in &law.regimes {
            let facts = regime.applies_when.iter().flat_map(|condition| condition.facts());
            for fact in facts.collect::<std::collections::BTreeSet<_>>() {
                *asking.entry(fact).or_default() += 1;
            }
        }
        let without: Vec<&str> = asking
            .into_iter()
            .filter(|(fact, duties)| *duties >= 3 && fact_words(fact).is_none())
            .map(|(fact, _)| fact)
            .collect();
        assert_eq!(without, Vec::<&str>::new());
    }

    #[test]
    fn a_fact_without_words_is_called_by_its_name() {
        assert_eq!(named("risk"), "how high the risk to the persons is (risk)");
        assert_eq!(named("own.question"), "the fact own.question");
    }
}

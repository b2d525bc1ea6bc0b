//! Countries: the groups they belong to, their time zones, and the authorities that are told.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::law::LawError;

const EMBEDDED_PLACES: &str = include_str!("../law/places.json");
const EMBEDDED_AUTHORITIES: &str = include_str!("../law/authorities.json");

/// A data protection authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// ISO 3166-1 alpha-2, or `EU` for the authority over the institutions of the Union.
    pub country: String,
    /// The part of the country or of its public sector, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its own name.
    pub name: String,
    /// Its name in English.
    pub english_name: String,
    /// How it wants to be told.
    pub channel: String,
    /// Languages, ISO 639-1.
    pub languages: Vec<String>,
    /// Whether it has a form of its own; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_form: Option<bool>,
    /// Whether the entry was checked against a source.
    pub verified: bool,
    /// What is uncertain.
    pub note: String,
}

/// What is known of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    groups: BTreeMap<String, BTreeSet<String>>,
    holiday_calendars: BTreeMap<String, String>,
    time_zones: BTreeMap<String, Tz>,
    names: BTreeMap<String, String>,
    countries_by_region: BTreeSet<String>,
    authorities: Vec<Authority>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacesFile {
    #[serde(rename = "schema")]
    _schema: String,
    groups: BTreeMap<String, BTreeSet<String>>,
    holiday_calendars: BTreeMap<String, String>,
    time_zones: BTreeMap<String, Tz>,
    /// Every country: the codes are those of the time zone database (`iso3166.tab`), the names those of Unicode CLDR.
    countries: BTreeMap<String, String>,
    /// The parts of the countries in which they have laws of their own: ISO 3166-2.
    regions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthoritiesFile {
    #[serde(rename = "schema")]
    _schema: String,
    authorities: Vec<Authority>,
}

impl Places {
    pub(crate) fn embedded() -> Result<Self, LawError> {
        let places: PlacesFile = LawError::reading("places.json", EMBEDDED_PLACES)?;
        let AuthoritiesFile { authorities, .. } =
            LawError::reading("authorities.json", EMBEDDED_AUTHORITIES)?;
        let PlacesFile { groups, holiday_calendars, time_zones, countries, regions, .. } = places;
        let countries_by_region = regions.keys().map(|code| country_of(code).to_owned()).collect();
        let mut names = countries;
        names.extend(regions);
        Ok(Self { groups, holiday_calendars, time_zones, names, countries_by_region, authorities })
    }

    /// Whether `code` is a place: a country by ISO 3166-1 alpha-2, as `DE`, or a part of one by ISO 3166-2, as `US-CA`.
    /// Of a country whose parts have laws of their own the part must be one that there is; of any other, where no law
    /// looks at it, the form of the code is enough.
    pub fn is_place(&self, code: &str) -> bool {
        let country = country_of(code);
        match code.split_once('-') {
            _ if self.names.contains_key(code) => true,
            Some((_, part)) => {
                self.names.contains_key(country)
                    && !self.countries_by_region.contains(country)
                    && (1..=3).contains(&part.len())
                    && part.chars().all(|character| {
                        character.is_ascii_uppercase() || character.is_ascii_digit()
                    })
            }
            None => false,
        }
    }

    /// The places that have a name here, as `DE` with `Germany` and `US-CA` with `California`, by code.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(code, name)| (code.as_str(), name.as_str()))
    }

    /// The groups of countries, as `EU`.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The words by which the authorities of a country are told apart, where it has several.
    pub fn authority_regions(&self, country: &str) -> Vec<&str> {
        let of_country = self.authorities.iter().filter(|known| known.country == country);
        of_country.filter_map(|known| known.region.as_deref()).collect()
    }

    /// Whether a country belongs to a group, as `DE` to `EU`.
    pub fn is_in(&self, country: &str, group: &str) -> bool {
        self.groups.get(group).is_some_and(|members| members.contains(country))
    }

    pub(crate) fn has_group(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    /// The time zone of a place: of a part of a country that of the country, unless the part has its own. Of a
    /// country with several zones, that of its capital.
    pub fn time_zone(&self, place: &str) -> Option<Tz> {
        self.time_zones.get(place).or_else(|| self.time_zones.get(country_of(place))).copied()
    }

    /// The name of the holiday calendar of a country or part of one.
    pub(crate) fn holiday_calendar<'a>(&'a self, place: &'a str) -> &'a str {
        self.holiday_calendars.get(place).map_or(place, String::as_str)
    }

    /// All authorities that are on file.
    pub fn all_authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// The authorities of a country. Several where the country has several and `region` does not say which.
    pub fn authorities(&self, country: &str, region: Option<&str>) -> Vec<&Authority> {
        let country = country_of(country);
        let of_country =
            || self.authorities.iter().filter(|authority| authority.country == country);
        let of_region: Vec<&Authority> = match region {
            Some(region) => {
                of_country().filter(|known| known.region.as_deref() == Some(region)).collect()
            }
            None => Vec::new(),
        };
        if !of_region.is_empty() {
            return of_region;
        }
        // An authority without a region is the one for everybody whom no other takes.
        let general: Vec<&Authority> =
            of_country().filter(|authority| authority.region.is_none()).collect();
        if general.is_empty() { of_country().collect() } else { general }
    }
}

/// The country of a place: `GB` of `GB-EAW`, and of `GB`.
pub fn country_of(place: &str) -> &str {
    place.split_once('-').map_or(place, |(country, _)| country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_named_by_country_and_region() {
        let places = Places::embedded().unwrap();
        let names = |country, region| {
            places
                .authorities(country, region)
                .into_iter()
                .map(|authority| authority.english_name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("AT", None), ["Austrian Data Protection Authority"]);
        assert_eq!(names("DE", Some("Berlin")), ["Berlin Commissioner"]);
        assert_eq!(names("ES", None), ["Spanish Data Protection Agency"]);
        assert_eq!(names("GB-EAW", None), ["UK data protection regulator"]);
        assert_eq!(names("DE", None).len(), 18, "one of these, and a person must say which");
        assert!(names("US", None).is_empty());
    }

    #[test]
    fn a_place_is_a_country_or_a_part_of_one() {
        let places = Places::embedded().unwrap();
        for code in ["DE", "GB", "NA", "US", "US-CA", "US-PR", "CA-QC", "DE-BY", "GB-ENG", "FR-75"]
        {
            assert!(places.is_place(code), "{code}");
        }
        for code in [
            "", "D", "XX", "UK", "EU", "de", "US-", "US-XX", "US-ca", "CA-XX", "DE-", "DE-BAYE",
            "XX-YY",
        ] {
            assert!(!places.is_place(code), "{code}");
        }
        assert_eq!(places.names().filter(|(code, _)| code.len() == 2).count(), 249);
    }

    #[test]
    fn every_place_that_the_law_names_is_one() {
        let law = crate::law::Law::embedded().unwrap();
        let places = law.places();
        // Free zones with laws of their own, and words of the law data: not ISO 3166.
        let others = ["AE-ADGM", "AE-DIFC", "EEA", "EU", "US-STATES"];
        for regime in &law.regimes {
            let jurisdiction = &*regime.jurisdiction;
            assert!(
                places.is_place(jurisdiction) || others.contains(&jurisdiction),
                "{jurisdiction}"
            );
        }
        assert!(places.groups.values().flatten().all(|country| places.is_place(country)));
    }

    #[test]
    fn authorities_of_one_country_are_told_apart_by_region() {
        let places = Places::embedded().unwrap();
        assert_eq!(places.authority_regions("DE").len(), 18);
        assert!(places.authority_regions("DE").contains(&"Berlin"));
        assert!(places.authority_regions("AT").is_empty());
    }

    #[test]
    fn a_part_of_a_country_has_its_own_zone_or_that_of_the_country() {
        let places = Places::embedded().unwrap();
        assert_eq!(places.time_zone("CA-AB"), Some(chrono_tz::America::Edmonton));
        assert_eq!(places.time_zone("CA-QC"), places.time_zone("CA"));
        assert_ne!(places.time_zone("CA-AB"), places.time_zone("CA"));
        assert_eq!(places.time_zone("XX"), None);
    }

    #[test]
    fn every_country_of_the_eea_has_an_authority_and_a_zone() {
        let places = Places::embedded().unwrap();
        for country in &places.groups["EEA"] {
            assert!(!places.authorities(country, None).is_empty(), "{country}");
            assert!(places.time_zone(country).is_some(), "{country}");
        }
        assert!(places.is_in("DE", "EU") && !places.is_in("NO", "EU") && places.is_in("NO", "EEA"));
    }
}

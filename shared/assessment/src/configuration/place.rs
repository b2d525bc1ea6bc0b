//! Countries and their parts, by the codes of ISO 3166.

use deadlines::Places;

use crate::{
    document::{Node, Text},
    problem::{Problems, nearest},
    section::{Section, quoted, scalar},
};

/// Codes that people write for others: exceptionally reserved in ISO 3166, and used by the institutions of the EU.
const USUAL_MISTAKES: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// A country that must be there.
pub(super) fn country(
    section: &Section<'_>,
    key: &str,
    places: &Places,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let text = section.text(key, problems)?;
    if text.text.len() == 2 && places.is_place(&text.text) {
        return Some(text.text);
    }
    let countries = || places.names().filter(|(code, _)| code.len() == 2);
    problems.add(
        text.at,
        format!("{}: {} is no country code", section.place(key), quoted(&text.text)),
        meant(&text.text, countries).unwrap_or_else(|| {
            "write two capital letters, ISO 3166-1 alpha-2, as in DE".to_owned()
        }),
    );
    None
}

/// A country or a part of one.
pub(super) fn place(
    node: &Node,
    path: &str,
    places: &Places,
    problems: &mut Problems<'_>,
) -> Option<Text> {
    let text = scalar(node, path, problems)?;
    if places.is_place(&text.text) {
        return Some(text);
    }
    problems.add(
        text.at,
        format!("{path}: {} is no code of a country or a part of one", quoted(&text.text)),
        meant_place(&text.text, places),
    );
    None
}

/// What to do about a code that is none.
pub(super) fn meant_place(given: &str, places: &Places) -> String {
    meant(given, || places.names()).unwrap_or_else(|| {
        "write ISO 3166-1 alpha-2, as in DE, or with a part of the country, as in US-CA".to_owned()
    })
}

/// The place that was probably meant: by its code in other letters, by its name, and only then by a code that is
/// nearly the same, because of two letters nearly every change is another country.
fn meant<'law, I: Iterator<Item = (&'law str, &'law str)>>(
    given: &str,
    names: impl Fn() -> I,
) -> Option<String> {
    let usual = USUAL_MISTAKES.iter().find(|(wrong, _)| wrong.eq_ignore_ascii_case(given));
    let code = usual.map(|(_, right)| *right).or_else(|| {
        let by_case = || names().find(|(code, _)| code.eq_ignore_ascii_case(given));
        let name = nearest(given, names().map(|(_, name)| name));
        let by_name = || name.and_then(|near| names().find(|(_, name)| *name == near));
        by_case()
            .or_else(by_name)
            .map(|(code, _)| code)
            .or_else(|| nearest(given, names().map(|(code, _)| code)))
    })?;
    let name = names().find(|(known, _)| *known == code).map(|(_, name)| name)?;
    Some(format!("did you mean {code} ({name})?"))
}

/// The part of the organisation's country that says which of its authorities is told.
pub(super) fn authority_region(
    section: &Section<'_>,
    country: &str,
    places: &Places,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let region = section.optional_text("region", problems)?;
    let regions = places.authority_regions(country);
    if regions.contains(&region.text.as_str()) {
        return Some(region.text);
    }
    let (reason, remedy) = if regions.is_empty() {
        let reason = format!("the authorities of {country} are not told apart by region");
        (reason, "take the line out".to_owned())
    } else {
        let reason = format!("no authority of {country} goes by {}", quoted(&region.text));
        (reason, crate::problem::suggest(&region.text, &regions))
    };
    problems.add(region.at, format!("{}: {reason}", section.place("region")), remedy);
    None
}

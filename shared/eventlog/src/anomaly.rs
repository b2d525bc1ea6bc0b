//! Scores of anomaly events on one scale.

use crate::event_type::EventType;

/// One kind of event a line, and its largest score.
static SCALES: &str = include_str!("../data/anomaly_scores.txt");

/// The score in hundredths of the largest one, 0 to 100. `None` where the scale of this kind is not known, or the score
/// is not on it: nobody can say what it means.
pub(crate) fn normalised_score(event_type: EventType, text: &str) -> Option<u8> {
    let largest: f64 = SCALES.lines().find_map(|line| {
        let (name, largest) = line.split_once(' ')?;
        (name == event_type.name()).then(|| largest.parse().ok())?
    })?;
    let score: f64 = text.parse().ok()?;
    let hundredths = (0.0..=largest).contains(&score).then_some(score / largest * 100.0)?;
    (0..=100_u8).rev().find(|whole| f64::from(*whole) <= hundredths + 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_a_part_of_the_largest() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0.834", Some(83)),
            ("0.835001", Some(84)),
            ("1", Some(100)),
            ("1e-7", Some(0)),
            ("1.01", None),
            ("83.4", None),
            ("-0.1", None),
            ("NaN", None),
            ("high", None),
        ] {
            assert_eq!(normalised_score(EventType::ApiAnomalyEvent, text), expected, "{text}");
        }
    }

    #[test]
    fn a_scale_that_nobody_states_is_not_guessed() {
        assert_eq!(normalised_score(EventType::UniversalAnomalyEvent, "0.5"), None);
    }

    #[test]
    fn every_line_names_a_kind_of_anomaly() {
        for line in SCALES.lines().filter(|line| !line.starts_with('#')) {
            let (name, largest) = line.split_once(' ').unwrap();
            assert!(EventType::from_name(name).unwrap().is_anomaly(), "{name}");
            assert!(largest.parse::<f64>().unwrap() > 0.0, "{line}");
        }
    }
}

//! Severity by the matrix: data category by number of persons, then what makes it better or worse.
//!
//! The matrix is data (`data/severity-matrix.json`): cells, modifiers and the settling of risk against level.
//! It is monotone: more persons or a worse category never lower the level or the risk, under any set of
//! modifiers. The result is a proposal to the person who decides, under GDPR Art. 33(1) and 34(1).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};

use crate::{
    findings::{DataCategory, Risk, Severity, SeverityLevel},
    words::{count, level_name, risk_name},
};

/// What makes a breach better or worse than its cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modifier {
    /// Children, patients, employees against their employer: GDPR recital 75.
    VulnerablePersons,
    /// Somebody wanted the data.
    Malicious,
    /// The recipient is known and bound.
    RecipientKnown,
    /// Seen only inside the controller.
    InternalOnly,
    /// The agent read more than its purpose allows, and nothing reached anybody without authority.
    PurposeOnly,
    /// No direct identifiers, and the key is elsewhere.
    Pseudonymous,
    /// Lawfully public before.
    AlreadyPublic,
    /// Unintelligible to whoever got it: GDPR Art. 34(3)(a).
    Encrypted,
    /// Blocked before anyone read it.
    ContainedBeforeAccess,
    /// Only availability or integrity was hit, and restored promptly.
    Recoverable,
    /// Only availability or integrity was hit, and restored late.
    RecoverableWithEffort,
    /// Damage has happened.
    HarmMaterialised,
    /// Being known at all endangers the person.
    SafetyCritical,
}

/// One category with its own number of persons and its own modifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// What kind of data.
    pub category: DataCategory,
    /// At least so many persons.
    pub subjects_lower: u64,
    /// At most so many; `None` where nobody can say, which counts as the highest band.
    pub subjects_upper: Option<u64>,
    /// What makes it better or worse.
    pub modifiers: BTreeSet<Modifier>,
}

/// The worst of the exposures, at the upper bound of persons, with the level at the lower bound beside it.
pub fn severity(exposures: &[Exposure]) -> Severity {
    let worst = exposures
        .iter()
        .map(|exposure| (judge(exposure.category, exposure.subjects_upper, exposure), exposure))
        .max_by_key(|((level, risk), exposure)| (*level, *risk, exposure.category));
    let level_at_lower = exposures
        .iter()
        .map(|exposure| judge(exposure.category, Some(exposure.subjects_lower), exposure).0)
        .max()
        .unwrap_or(SeverityLevel::Info);
    let matrix_version = MATRIX.version.clone();
    let Some((_, deciding)) = worst else {
        return Severity {
            level: SeverityLevel::Info,
            risk: Risk::Unlikely,
            level_at_lower: SeverityLevel::Info,
            category: DataCategory::NonPersonal,
            arithmetic: "No data was exposed: info.".to_owned(),
            matrix_version,
        };
    };
    // The worst level and the worst risk need not come from the same category.
    let all = exposures
        .iter()
        .map(|exposure| judge(exposure.category, exposure.subjects_upper, exposure));
    let (level, risk) = all.fold((SeverityLevel::Info, Risk::Unlikely), |worst, (level, risk)| {
        (worst.0.max(level), worst.1.max(risk))
    });
    Severity {
        level,
        risk,
        level_at_lower,
        category: deciding.category,
        arithmetic: arithmetic(deciding, (level, risk), level_at_lower),
        matrix_version,
    }
}

fn arithmetic(
    deciding: &Exposure,
    (level, risk): (SeverityLevel, Risk),
    level_at_lower: SeverityLevel,
) -> String {
    let upper = match deciding.subjects_upper {
        Some(upper) => format!("at most {} persons", count(upper)),
        None => "an unknown number of persons, taken as 10,000 or more".to_owned(),
    };
    let label = MATRIX.label(deciding.category);
    let modified = if deciding.modifiers.is_empty() {
        String::new()
    } else {
        let names: Vec<&str> =
            deciding.modifiers.iter().map(|modifier| MATRIX.name(*modifier)).collect();
        format!(" with {}", names.join(", "))
    };
    let provisional = if level_at_lower == level {
        String::new()
    } else {
        let (lower, level) = (count(deciding.subjects_lower), level_name(level_at_lower));
        format!("; provisional, since at the lower bound ({lower}) it would be {level}")
    };
    let (level, risk) = (level_name(level), risk_name(risk));
    format!("{label}, {upper}{modified}: {level}, {risk}{provisional}.")
}

/// Level and risk of one category at one number of persons.
fn judge(
    category: DataCategory,
    subjects: Option<u64>,
    exposure: &Exposure,
) -> (SeverityLevel, Risk) {
    let cell = MATRIX.cell(category, subjects);
    // An `info` cell touches nobody, and nothing makes that worse or better.
    if cell.0 == SeverityLevel::Info {
        return cell;
    }
    let mut state = cell;
    let mut reached = false;
    for stage in Stage::ORDER {
        for modifier in &exposure.modifiers {
            let Some(entry) = MATRIX.modifier(*modifier) else { continue };
            if entry.stage != stage {
                continue;
            }
            // Those of one reach say the same thing; only one counts.
            if stage == Stage::Reach && std::mem::replace(&mut reached, true) {
                continue;
            }
            state = MATRIX.settle(entry.op.apply(state));
        }
    }
    state
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Raise,
    Reach,
    Lower,
    Cap,
    Floor,
}

impl Stage {
    const ORDER: [Self; 5] = [Self::Raise, Self::Reach, Self::Lower, Self::Cap, Self::Floor];
}

/// What a modifier does: moves by a step, or holds level and risk under a cap or over a floor.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Op {
    Step { level: Step, risk: Step },
    Cap { level_max: SeverityLevel, risk_max: Risk },
    Floor { level_min: SeverityLevel, risk_min: Risk },
}

#[derive(Clone, Copy, Deserialize)]
enum Step {
    #[serde(rename = "+1")]
    Up,
    #[serde(rename = "-1")]
    Down,
}

impl Op {
    fn apply(self, (level, risk): (SeverityLevel, Risk)) -> (SeverityLevel, Risk) {
        match self {
            Self::Step { level: level_step, risk: risk_step } => {
                (step_level(level, level_step), step_risk(risk, risk_step))
            }
            Self::Cap { level_max, risk_max } => (level.min(level_max), risk.min(risk_max)),
            Self::Floor { level_min, risk_min } => (level.max(level_min), risk.max(risk_min)),
        }
    }
}

/// One step, never below `low`: a breach of personal data is never less.
fn step_level(level: SeverityLevel, step: Step) -> SeverityLevel {
    use SeverityLevel::{Critical, High, Info, Low, Medium};
    match (step, level) {
        (Step::Up, Info | Low) | (Step::Down, High) => Medium,
        (Step::Up, Medium) | (Step::Down, Critical) => High,
        (Step::Up, High | Critical) => Critical,
        (Step::Down, Info | Low | Medium) => Low,
    }
}

fn step_risk(risk: Risk, step: Step) -> Risk {
    match (step, risk) {
        (Step::Up, Risk::Unlikely) | (Step::Down, Risk::HighRisk) => Risk::Risk,
        (Step::Up, Risk::Risk | Risk::HighRisk) => Risk::HighRisk,
        (Step::Down, Risk::Unlikely | Risk::Risk) => Risk::Unlikely,
    }
}

#[derive(Deserialize)]
struct Matrix {
    #[serde(rename = "matrix_version")]
    version: String,
    categories: Vec<CategoryEntry>,
    bands: Vec<Band>,
    cells: BTreeMap<DataCategory, BTreeMap<String, Cell>>,
    modifiers: Vec<ModifierEntry>,
    settle: BTreeMap<SeverityLevel, Vec<Risk>>,
}

#[derive(Deserialize)]
struct CategoryEntry {
    id: DataCategory,
    rank: u32,
    label: String,
}

#[derive(Deserialize)]
struct Band {
    id: String,
    min: u64,
}

#[derive(Deserialize)]
struct Cell {
    level: SeverityLevel,
    risk: Risk,
}

#[derive(Deserialize)]
struct ModifierEntry {
    id: Modifier,
    stage: Stage,
    op: Op,
    why: String,
}

impl Matrix {
    fn cell(&self, category: DataCategory, subjects: Option<u64>) -> (SeverityLevel, Risk) {
        let subjects = subjects.unwrap_or(u64::MAX);
        let worst = (SeverityLevel::Critical, Risk::HighRisk);
        let Some(band) = self.bands.iter().rev().find(|band| band.min <= subjects) else {
            return worst;
        };
        self.cells
            .get(&category)
            .and_then(|row| row.get(&band.id))
            .map_or(worst, |cell| (cell.level, cell.risk))
    }

    fn settle(&self, (level, risk): (SeverityLevel, Risk)) -> (SeverityLevel, Risk) {
        let Some(allowed) = self.settle.get(&level) else { return (level, risk) };
        let (low, high) = (allowed.iter().min(), allowed.iter().max());
        match (low, high) {
            (Some(low), Some(high)) => (level, risk.clamp(*low, *high)),
            _ => (level, risk),
        }
    }

    fn modifier(&self, modifier: Modifier) -> Option<&ModifierEntry> {
        self.modifiers.iter().find(|entry| entry.id == modifier)
    }

    fn name(&self, modifier: Modifier) -> &str {
        self.modifier(modifier).map_or("", |entry| entry.why.as_str())
    }

    fn label(&self, category: DataCategory) -> &str {
        self.categories
            .iter()
            .find(|entry| entry.id == category)
            .map_or("", |entry| entry.label.as_str())
    }
}

/// How bad a category is in itself: 0 for no personal data, 4 for GDPR Art. 9 and 10.
pub fn rank(category: DataCategory) -> u32 {
    MATRIX.categories.iter().find(|entry| entry.id == category).map_or(0, |entry| entry.rank)
}

static MATRIX: LazyLock<Matrix> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is compiled in and read by every test")]
    let matrix = serde_json::from_str(include_str!("../data/severity-matrix.json"))
        .expect("data/severity-matrix.json has the shape of Matrix");
    matrix
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CATEGORIES: [DataCategory; 7] = [
        DataCategory::NonPersonal,
        DataCategory::ContactIdentity,
        DataCategory::Behavioural,
        DataCategory::IdentityNumber,
        DataCategory::FinancialCredentials,
        DataCategory::Criminal,
        DataCategory::SpecialCategory,
    ];

    #[derive(Deserialize)]
    struct OracleCase {
        id: String,
        category: DataCategory,
        lower: u64,
        upper: u64,
        modifiers: BTreeSet<Modifier>,
        further_categories: Vec<Further>,
        level: SeverityLevel,
        risk: Risk,
        level_at_lower: Option<SeverityLevel>,
    }

    #[derive(Deserialize)]
    struct Further {
        category: DataCategory,
        subjects_upper: u64,
        modifiers: BTreeSet<Modifier>,
    }

    #[test]
    fn every_matrix_case_of_the_oracle_comes_out_as_decided() {
        let cases: Vec<OracleCase> =
            serde_json::from_str(include_str!("../tests/fixtures/severity_oracle.json")).unwrap();
        assert_eq!(cases.len(), 94);
        let mut wrong = Vec::new();
        for case in cases {
            let mut exposures = vec![Exposure {
                category: case.category,
                subjects_lower: case.lower,
                subjects_upper: Some(case.upper),
                modifiers: case.modifiers,
            }];
            exposures.extend(case.further_categories.into_iter().map(|further| Exposure {
                category: further.category,
                subjects_lower: further.subjects_upper,
                subjects_upper: Some(further.subjects_upper),
                modifiers: further.modifiers,
            }));
            let found = severity(&exposures);
            let lower_differs =
                case.level_at_lower.is_some_and(|level| level != found.level_at_lower);
            if (found.level, found.risk) != (case.level, case.risk) || lower_differs {
                wrong.push(format!("{}: {:?} {:?}", case.id, found.level, found.risk));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    fn exposure(category: DataCategory, upper: Option<u64>, lower: u64) -> Exposure {
        let modifiers = BTreeSet::new();
        Exposure { category, subjects_lower: lower, subjects_upper: upper, modifiers }
    }

    #[test]
    fn an_unknown_number_counts_as_the_highest_band_and_says_so() {
        let found = severity(&[exposure(DataCategory::ContactIdentity, None, 3)]);
        assert_eq!(found.level, SeverityLevel::High);
        assert_eq!(found.risk, Risk::HighRisk);
        assert_eq!(found.level_at_lower, SeverityLevel::Low);
        assert_eq!(
            found.arithmetic,
            "contact and identity: name, e-mail, phone, address, birth date, employer, job, an unknown \
             number of persons, taken as 10,000 or more: high, high risk; provisional, since at the lower \
             bound (3) it would be low."
        );
    }

    #[test]
    fn nothing_exposed_is_info() {
        assert_eq!(severity(&[]).level, SeverityLevel::Info);
        let nobody = severity(&[exposure(DataCategory::SpecialCategory, Some(0), 0)]);
        assert_eq!(nobody.level, SeverityLevel::Info);
    }

    #[test]
    fn every_modifier_is_in_the_matrix() {
        for entry in &MATRIX.modifiers {
            assert!(!entry.why.is_empty());
        }
        assert_eq!(MATRIX.modifiers.len(), 13);
    }

    proptest! {
        /// More persons, or a worse category, never lower the level or the risk, whatever the modifiers.
        #[test]
        fn more_is_never_milder(
            category in prop::sample::select(CATEGORIES.to_vec()),
            other in prop::sample::select(CATEGORIES.to_vec()),
            subjects in 0_u64..20_000,
            more in 0_u64..20_000,
            modifiers in prop::collection::btree_set(
                prop::sample::select(MATRIX.modifiers.iter().map(|entry| entry.id).collect::<Vec<_>>()),
                0..6,
            ),
        ) {
            let judged = |category, subjects: u64| {
                let exposure = Exposure {
                    category,
                    subjects_lower: 0,
                    subjects_upper: Some(subjects),
                    modifiers: modifiers.clone(),
                };
                let found = severity(&[exposure]);
                (found.level, found.risk)
            };
            let (level, risk) = judged(category, subjects);
            let (more_level, more_risk) = judged(category, subjects + more);
            prop_assert!(more_level >= level && more_risk >= risk);
            let (mild, bad) = if rank(category) <= rank(other) { (category, other) } else { (other, category) };
            let (mild_level, mild_risk) = judged(mild, subjects);
            let (bad_level, bad_risk) = judged(bad, subjects);
            prop_assert!(bad_level >= mild_level && bad_risk >= mild_risk);
        }
    }
}

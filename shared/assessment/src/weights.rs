//! What each signal weighs: the one place where points are given.
//!
//! An incident opens at [`crate::INCIDENT_SCORE`] (40). "Touched" means read, exported, created, changed or
//! deleted; describing an object's shape or logging in touches nobody's data. Decades are powers of ten of
//! the records touched: 10 is one, 1,000 is three.
//!
//! | rule | personal data touched | otherwise |
//! |---|---|---|
//! | object outside purpose | 45 contact, 48 behavioural, 52 identity numbers and money, 58 Art. 9 and 10; and 4 a decade; at most 80 | 8 |
//! | operation outside purpose | 42 export and delete, 35 read and update, 25 create; and 2 a rank above contact, 2 a decade; at most 50 | 8 non-personal, 5 describe |
//! | channel outside purpose | 15; and 2 a rank, 2 a decade; at most 30 | 5 |
//! | records per hour, per day | below 1.5 times the limit 15 to 19; from there 25 and 10 a doubling; and 5 for identity numbers and money, 10 for Art. 9 and 10; at most 60 | 10 |
//! | outside hours | 20 | 5 |
//! | wrong org | 70 | 30 |
//! | no purpose | 45 | 10 |
//! | undeclared agent | 20; 30 from 100 records, 45 from 1,000, 60 from 10,000; Art. 9 and 10: 30, 45 from 10, 60 from 100; identity numbers and money: 20, 30 from 10, 45 from 100, 60 from 1,000 | no signal |
//! | outdated TLS | – | 8 |
//!
//! Below TLS 1.2 (RFC 8996) others on the way may have read what the agent was given. That anybody did shows in no
//! log, so that it weighs as a broken rule without personal data: by itself, and with a login to the wrong org, it is a note.
//!
//! Below 1.5 times the limit an hour is busy rather than wrong, so that even both limits passed by a little
//! do not open an incident over contact data. Every weight is monotone: more records, worse categories and
//! more operations never lower it.

use std::collections::BTreeMap;

use eventlog::row::Operation;

use crate::{
    findings::{DataCategory, Rule},
    severity::rank,
};

/// Version of this table. Findings carry it; a change of any number changes it.
pub const SCORING_VERSION: &str = "2026-11-25.2";

/// Whether an operation touches records: describing and logging in do not.
pub(crate) fn touches(operation: Operation) -> bool {
    !matches!(operation, Operation::Describe | Operation::Login)
}

/// Records touched, by what was done and what they hold. Records that no log counted count as one a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched(BTreeMap<(Operation, DataCategory), u64>);

impl Touched {
    pub(crate) fn add(&mut self, operation: Operation, category: DataCategory, records: u64) {
        let known = self.0.entry((operation, category)).or_default();
        *known = known.saturating_add(records);
    }

    /// Records of personal data by category, summed over the operations that touch.
    fn personal(&self) -> BTreeMap<DataCategory, u64> {
        let mut by_category: BTreeMap<DataCategory, u64> = BTreeMap::new();
        for ((operation, category), records) in &self.0 {
            if touches(*operation) && *category != DataCategory::NonPersonal {
                let known = by_category.entry(*category).or_default();
                *known = known.saturating_add(*records);
            }
        }
        by_category
    }

    /// The weight of a rule that was broken by these records. Volumes have [`volume_weight`].
    pub(crate) fn weight(&self, rule: Rule) -> u32 {
        let personal = self.personal();
        let any = !personal.is_empty();
        let by_category = |points: fn(DataCategory, u64) -> u32| {
            personal.iter().map(|(category, records)| points(*category, *records)).max()
        };
        match rule {
            Rule::ObjectOutsidePurpose => by_category(object_points).unwrap_or(8),
            Rule::OperationOutsidePurpose => self.operation_weight(),
            Rule::ChannelOutsidePurpose => by_category(channel_points).unwrap_or(5),
            Rule::OutsideHours => {
                if any {
                    20
                } else {
                    5
                }
            }
            Rule::WrongOrg => {
                if any {
                    70
                } else {
                    30
                }
            }
            Rule::NoPurpose => {
                if any {
                    45
                } else {
                    10
                }
            }
            Rule::UndeclaredAgent => self.undeclared_weight(),
            Rule::OutdatedTls => 8,
            Rule::RecordsPerHour | Rule::RecordsPerDay => 0,
        }
    }

    fn operation_weight(&self) -> u32 {
        let points = |(operation, category, records): (Operation, DataCategory, u64)| {
            let base = match operation {
                Operation::Describe | Operation::Login | Operation::Other => return 5,
                _ if category == DataCategory::NonPersonal => return 8,
                Operation::Export | Operation::Delete => 42,
                Operation::Read | Operation::Update => 35,
                Operation::Create => 25,
            };
            let above_contact = rank(category).saturating_sub(1);
            capped(base, &[(2, above_contact), (2, decades(records))], 50)
        };
        self.0
            .iter()
            .map(|((operation, category), records)| points((*operation, *category, *records)))
            .max()
            .unwrap_or(0)
    }

    fn undeclared_weight(&self) -> u32 {
        let personal = self.personal();
        let records_from = |rank_min: u32| {
            personal
                .iter()
                .filter(|(category, _)| rank(**category) >= rank_min)
                .fold(None, |sum: Option<u64>, (_, records)| {
                    Some(sum.unwrap_or(0).saturating_add(*records))
                })
        };
        let step = |records: Option<u64>, steps: &[(u64, u32)]| {
            let records = records?;
            steps.iter().filter(|(from, _)| *from <= records).map(|(_, points)| *points).max()
        };
        [
            step(records_from(1), &[(0, 20), (100, 30), (1_000, 45), (10_000, 60)]),
            step(records_from(3), &[(0, 20), (10, 30), (100, 45), (1_000, 60)]),
            step(records_from(4), &[(0, 30), (10, 45), (100, 60)]),
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(0)
    }
}

fn object_points(category: DataCategory, records: u64) -> u32 {
    let base = match rank(category) {
        0 | 1 => 45,
        2 => 48,
        3 => 52,
        _ => 58,
    };
    capped(base, &[(4, decades(records))], 80)
}

fn channel_points(category: DataCategory, records: u64) -> u32 {
    capped(15, &[(2, rank(category)), (2, decades(records))], 30)
}

/// The weight of `counted` records where `limit` were declared, in a period whose worst data is `category`.
/// 0 where the limit was kept.
pub(crate) fn volume_weight(counted: u64, limit: u64, category: DataCategory) -> u32 {
    if counted <= limit {
        return 0;
    }
    if category == DataCategory::NonPersonal {
        return 10;
    }
    let for_category = match rank(category) {
        0..=2 => 0,
        3 => 5,
        _ => 10,
    };
    let ratio_milli = ratio_milli(counted, limit);
    let points = if ratio_milli < 1_500 {
        // 15 to 19: a point for each eighth of the limit.
        let eighths = ratio_milli.saturating_sub(1_000) / 125;
        capped(15, &[(1, u32::try_from(eighths).unwrap_or(u32::MAX))], 19)
    } else {
        capped(25, &[(1, tenths_of_doublings(ratio_milli))], 60)
    };
    capped(points, &[(1, for_category)], 60)
}

/// `counted` as thousandths of `limit`.
pub(crate) fn ratio_milli(counted: u64, limit: u64) -> u64 {
    let ratio = u128::from(counted).saturating_mul(1_000) / u128::from(limit.max(1));
    u64::try_from(ratio).unwrap_or(u64::MAX)
}

/// 10 · log2 of a ratio in thousandths, rounded down.
fn tenths_of_doublings(ratio_milli: u64) -> u32 {
    /// 1000 · 2^(k/10) for k of 0 to 9, rounded up, so that no ratio gets a point early.
    const STEPS_MILLI: [u64; 10] =
        [1_000, 1_072, 1_149, 1_232, 1_320, 1_415, 1_516, 1_625, 1_742, 1_867];
    let mut ratio_milli = ratio_milli;
    let mut points: u32 = 0;
    while ratio_milli >= 2_000 {
        ratio_milli /= 2;
        points = points.saturating_add(10);
    }
    let within = STEPS_MILLI.iter().skip(1).filter(|step| **step <= ratio_milli).count();
    points.saturating_add(u32::try_from(within).unwrap_or(0))
}

/// How often ten goes into a number: 0 below 10, 3 for 1,000.
fn decades(number: u64) -> u32 {
    number.checked_ilog10().unwrap_or(0)
}

fn capped(base: u32, additions: &[(u32, u32)], most: u32) -> u32 {
    additions
        .iter()
        .fold(base, |sum, (points, times)| sum.saturating_add(points.saturating_mul(*times)))
        .min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::INCIDENT_SCORE;

    fn touched(operation: Operation, category: DataCategory, records: u64) -> Touched {
        let mut touched = Touched::default();
        touched.add(operation, category, records);
        touched
    }

    #[test]
    fn doublings_are_counted_in_tenths() {
        assert_eq!(tenths_of_doublings(1_000), 0);
        assert_eq!(tenths_of_doublings(1_499), 5);
        assert_eq!(tenths_of_doublings(2_000), 10);
        assert_eq!(tenths_of_doublings(8_000), 30);
        assert_eq!(tenths_of_doublings(2_830), 15);
    }

    #[test]
    fn the_weight_of_a_volume_grows_with_the_ratio() {
        let contact = |counted| volume_weight(counted, 1_000, DataCategory::ContactIdentity);
        assert_eq!(contact(1_000), 0);
        assert_eq!(contact(1_001), 15);
        assert_eq!(contact(1_499), 18);
        assert_eq!(contact(1_500), 30);
        assert_eq!(contact(2_000), 35);
        assert_eq!(contact(3_000), 40);
        assert_eq!(contact(1_000_000), 60);
    }

    #[test]
    fn both_limits_passed_by_a_little_do_not_open_over_contact_data() {
        let most = volume_weight(1_499, 1_000, DataCategory::ContactIdentity);
        assert!(most * 2 < INCIDENT_SCORE);
    }

    #[test]
    fn twice_the_limit_of_health_data_opens() {
        let weight = volume_weight(2_000, 1_000, DataCategory::SpecialCategory);
        assert!(weight >= INCIDENT_SCORE);
    }

    #[test]
    fn exporting_or_deleting_personal_data_opens_by_itself() {
        for operation in [Operation::Export, Operation::Delete] {
            let weight = touched(operation, DataCategory::ContactIdentity, 0)
                .weight(Rule::OperationOutsidePurpose);
            assert!(weight >= INCIDENT_SCORE);
        }
    }

    #[test]
    fn an_undeclared_agent_opens_from_a_thousand_contacts_or_ten_health_records() {
        let weight = |category, records| {
            touched(Operation::Read, category, records).weight(Rule::UndeclaredAgent)
        };
        assert!(weight(DataCategory::ContactIdentity, 99) < INCIDENT_SCORE);
        assert!(weight(DataCategory::ContactIdentity, 999) < INCIDENT_SCORE);
        assert!(weight(DataCategory::ContactIdentity, 1_000) >= INCIDENT_SCORE);
        assert!(weight(DataCategory::SpecialCategory, 9) < INCIDENT_SCORE);
        assert!(weight(DataCategory::SpecialCategory, 10) >= INCIDENT_SCORE);
        assert_eq!(weight(DataCategory::NonPersonal, 50_000), 0);
    }

    #[test]
    fn non_personal_data_opens_nothing_but_in_the_wrong_org() {
        let product = touched(Operation::Export, DataCategory::NonPersonal, 1_000_000);
        for rule in [
            Rule::ObjectOutsidePurpose,
            Rule::OperationOutsidePurpose,
            Rule::ChannelOutsidePurpose,
            Rule::OutsideHours,
            Rule::NoPurpose,
            Rule::UndeclaredAgent,
            Rule::WrongOrg,
            Rule::OutdatedTls,
        ] {
            assert!(product.weight(rule) < INCIDENT_SCORE, "{rule:?}");
        }
    }
}

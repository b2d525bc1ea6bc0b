//! Internal targets for duties to which the law gives no number.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::law::{LimitUnit, Regime};

/// How soon a duty "without undue delay" is to be met in-house. A target is never the law's limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InternalTargets {
    /// Hours for a duty that has no entry below.
    pub hours: u32,
    /// Hours by severity, as `critical`.
    pub hours_by_severity: BTreeMap<String, u32>,
    /// Hours by regime; they go before the severity.
    pub hours_by_regime: BTreeMap<String, u32>,
}

impl Default for InternalTargets {
    fn default() -> Self {
        let by_severity = [("critical", 24), ("high", 24), ("medium", 48), ("low", 72)];
        // What the next in the chain of notice needs before its own 72 hours are spent.
        let by_regime = [("eu-gdpr-33-2", 24), ("uk-gdpr-33-2", 24), ("ch-fadp-24-3", 24)];
        let owned = |entries: &[(&str, u32)]| {
            entries.iter().map(|(name, hours)| ((*name).to_owned(), *hours)).collect()
        };
        Self {
            hours: 72,
            hours_by_severity: owned(&by_severity),
            hours_by_regime: owned(&by_regime),
        }
    }
}

/// Where a target comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetBasis {
    /// The configuration, or its defaults.
    Configuration,
    /// Guidance of the authority.
    Guidance,
}

/// An internal target. It alerts like a deadline and is always shown as a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternalTarget {
    /// When; absent where the start is not known.
    pub at: Option<DateTime<Utc>>,
    /// Elapsed hours from the start.
    pub hours: u32,
    /// Where it comes from.
    pub basis: TargetBasis,
}

impl InternalTargets {
    /// The target of a duty without a limit.
    pub(crate) fn of(
        &self,
        regime: &Regime,
        severity: Option<&str>,
        start: Option<DateTime<Utc>>,
    ) -> InternalTarget {
        let configured = self.hours_by_regime.get(&regime.id).copied();
        let guidance = regime
            .guidance_limit
            .filter(|limit| limit.unit == LimitUnit::Hours)
            .map(|limit| limit.value);
        let by_severity =
            severity.and_then(|severity| self.hours_by_severity.get(severity)).copied();
        let general = by_severity.unwrap_or(self.hours);
        let (hours, basis) = match (configured, guidance) {
            (Some(hours), _) => (hours, TargetBasis::Configuration),
            (None, Some(hours)) if hours <= general => (hours, TargetBasis::Guidance),
            (None, _) => (general, TargetBasis::Configuration),
        };
        let at =
            start.and_then(|start| start.checked_add_signed(TimeDelta::hours(i64::from(hours))));
        InternalTarget { at, hours, basis }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;

    #[test]
    fn the_regime_goes_before_the_severity_and_guidance_before_a_looser_default() {
        let law = Law::embedded().unwrap();
        let targets = InternalTargets::default();
        let hours = |id: &str, severity| {
            let target = targets.of(law.regime(id).unwrap(), severity, None);
            (target.hours, target.basis)
        };
        assert_eq!(hours("eu-gdpr-33-2", Some("low")), (24, TargetBasis::Configuration));
        assert_eq!(hours("eu-gdpr-34", None), (72, TargetBasis::Configuration));
        assert_eq!(hours("eu-gdpr-34", Some("critical")), (24, TargetBasis::Configuration));
        assert_eq!(hours("nz-privacy-2020-114", None), (72, TargetBasis::Guidance));
        assert_eq!(hours("nz-privacy-2020-114", Some("high")), (24, TargetBasis::Configuration));
    }
}

//! The moments that start clocks.

use serde::{Deserialize, Serialize};

/// The moment that starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// The access itself.
    Occurred,
    /// The log that tells of it was written.
    Logged,
    /// That log reached us.
    Landed,
    /// Our judgement.
    Detected,
    /// Awareness of the one who has the duty.
    Aware,
    /// The finding that the incident is one to be notified.
    Assessed,
    /// The classification of the incident.
    Classified,
    /// A listed company's finding that the incident is material.
    MaterialityDetermined,
    /// A causal link between an AI system and the incident, or its reasonable likelihood.
    CausalLinkEstablished,
    /// The first notification went out.
    InitialSent,
    /// The notification proper went out.
    NotificationSent,
    /// The latest intermediate report went out.
    IntermediateSent,
    /// The handling of the incident came to its end.
    IncidentHandled,
    /// A corrective or mitigating measure is available.
    CorrectiveMeasureAvailable,
}

impl TriggerKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Occurred,
        Self::Logged,
        Self::Landed,
        Self::Detected,
        Self::Aware,
        Self::Assessed,
        Self::Classified,
        Self::MaterialityDetermined,
        Self::CausalLinkEstablished,
        Self::InitialSent,
        Self::NotificationSent,
        Self::IntermediateSent,
        Self::IncidentHandled,
        Self::CorrectiveMeasureAvailable,
    ];

    /// Whether it is the sending of another duty's message.
    pub const fn is_sending(self) -> bool {
        matches!(self, Self::InitialSent | Self::NotificationSent | Self::IntermediateSent)
    }

    /// The word for a sentence.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Occurred => "occurrence",
            Self::Logged => "logging",
            Self::Landed => "arrival of the log",
            Self::Detected => "detection",
            Self::Aware => "awareness",
            Self::Assessed => "assessment",
            Self::Classified => "classification",
            Self::MaterialityDetermined => "determination of materiality",
            Self::CausalLinkEstablished => "establishment of a causal link",
            Self::InitialSent => "first notification",
            Self::NotificationSent => "notification",
            Self::IntermediateSent => "intermediate report",
            Self::IncidentHandled => "end of handling",
            Self::CorrectiveMeasureAvailable => "availability of a corrective measure",
        }
    }

    /// What to ask where the moment is not on record.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Occurred => "When did it happen?",
            Self::Logged => "When was the log written that tells of it?",
            Self::Landed => "When did the log arrive?",
            Self::Detected => "When was it detected?",
            Self::Aware => "When did the organisation become aware?",
            Self::Assessed => "When was it assessed as an incident to be notified?",
            Self::Classified => "When was the incident classified?",
            Self::MaterialityDetermined => "When was the incident determined to be material?",
            Self::CausalLinkEstablished => "When was a causal link established?",
            Self::InitialSent => "When was the first notification sent?",
            Self::NotificationSent => "When was the notification sent?",
            Self::IntermediateSent => "When was the latest intermediate report sent?",
            Self::IncidentHandled => "When was the handling of the incident finished?",
            Self::CorrectiveMeasureAvailable => "When did a corrective measure become available?",
        }
    }
}

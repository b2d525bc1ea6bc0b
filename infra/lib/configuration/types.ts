/** From harmless to worst, as in the severity matrix. */
export const SEVERITY_LEVELS = ['info', 'low', 'medium', 'high', 'critical'] as const;

export type SeverityLevel = (typeof SEVERITY_LEVELS)[number];

/** What the stack itself needs of organisation.yaml. */
export interface Organisation {
  readonly name: string;
  readonly environment: string;
  readonly landing_retention_days?: number;
  readonly operations_email?: string;
}

/** One entry of recipients.yaml: an email address or a webhook, and what it wants to hear. */
export interface Recipient {
  readonly name: string;
  readonly email?: string;
  readonly webhook?: string;
  readonly minimum_severity?: SeverityLevel;
  readonly orgs?: readonly string[];
}

/** The part of the checked configuration that the stack is made from; the functions read the rest. */
export interface Configuration {
  readonly organisation: Organisation;
  readonly recipients: readonly Recipient[];
}

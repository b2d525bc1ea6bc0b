import { Duration, RemovalPolicy, type IResource } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';

/** How long function logs stay: a quarter, so that the questions an incident raises can still be answered. */
export const LOG_RETENTION = logs.RetentionDays.THREE_MONTHS;

/** How long a message may wait in a queue: the longest SQS allows. */
export const QUEUE_RETENTION = Duration.days(14);

/** Landed logs are raw personal data: gone after this, unless organisation.yaml says otherwise. */
export const LANDING_RETENTION_DAYS = 35;

/** A replaced or deleted version in the landing bucket. */
export const LANDING_NONCURRENT_RETENTION = Duration.days(7);

/** Access rows of agents: a year and a month, so that a year can be looked back on in full. */
export const EXTRACTS_RETENTION = Duration.days(400);

/** Rows that could not be read: as long as the logs they came from, by default. */
export const QUARANTINE_RETENTION = Duration.days(35);

/** Access logs of the buckets. */
export const ACCESS_LOG_RETENTION = Duration.days(365);

/** How long what the evidence bucket was given can be neither changed nor deleted. No rule deletes it afterwards either. */
export const EVIDENCE_LOCK = Duration.days(365);

/** What holds evidence outlives the stack: deleting it takes a person who means it. */
export function retained<T extends IResource>(resource: T): T {
  resource.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return resource;
}

import { Duration } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

import { acknowledge } from './acknowledge.ts';
import {
  ACCESS_LOG_RETENTION,
  EVIDENCE_LOCK,
  EXTRACTS_RETENTION,
  LANDING_NONCURRENT_RETENTION,
  QUARANTINE_RETENTION,
  retained,
} from './retention.ts';
import type { EvidenceLock } from './settings.ts';

/** The index of the incident table that finds what is due: partition `due_shard`, sort key `due_at`. */
export const DUE_INDEX = 'due';

/** The attribute that DynamoDB deletes by. */
export const TIME_TO_LIVE_ATTRIBUTE = 'expires_at';

/** The prefixes of the records bucket. */
export const EXTRACTS_PREFIX = 'extracts/';
export const QUARANTINE_PREFIX = 'quarantine/';

/** The prefix of the evidence bucket under which the heads of timelines lie. */
export const HEADS_PREFIX = 'heads/';

export interface BucketsProps {
  readonly key: kms.IKey;
  readonly landingRetentionDays: number;
  readonly evidenceLock: EvidenceLock;
}

/**
 * The buckets: where logs land, where what was read from them is kept, where the configuration lies, where evidence is
 * locked.
 */
export class Buckets extends Construct {
  readonly landing: s3.Bucket;
  readonly records: s3.Bucket;
  readonly configuration: s3.Bucket;
  readonly evidence: s3.Bucket;

  constructor(scope: Construct, id: string, props: BucketsProps) {
    super(scope, id);
    const accessLogs = retained(
      new s3.Bucket(this, 'AccessLogs', {
        // S3 delivers access logs into buckets with S3's own encryption only.
        encryption: s3.BucketEncryption.S3_MANAGED,
        blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
        enforceSSL: true,
        versioned: true,
        objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycleRules: [
          {
            expiration: ACCESS_LOG_RETENTION,
            noncurrentVersionExpiration: LANDING_NONCURRENT_RETENTION,
            abortIncompleteMultipartUploadAfter: Duration.days(1),
          },
        ],
      }),
    );
    acknowledge(
      accessLogs,
      'AwsSolutions-S1',
      'This is the bucket the access logs of the others go to; logging it into itself would never end.',
    );

    const bucket = (
      name: string,
      prefix: string,
      lifecycleRules: s3.LifecycleRule[],
      more: Partial<s3.BucketProps> = {},
    ): s3.Bucket =>
      retained(
        new s3.Bucket(this, name, {
          encryption: s3.BucketEncryption.KMS,
          encryptionKey: props.key,
          bucketKeyEnabled: true,
          blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
          enforceSSL: true,
          minimumTLSVersion: 1.2,
          versioned: true,
          objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
          serverAccessLogsBucket: accessLogs,
          serverAccessLogsPrefix: prefix,
          lifecycleRules: [
            { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
            ...lifecycleRules,
          ],
          ...more,
        }),
      );

    this.landing = bucket('Landing', 'landing/', [
      {
        id: 'landed-logs',
        expiration: Duration.days(props.landingRetentionDays),
        noncurrentVersionExpiration: LANDING_NONCURRENT_RETENTION,
      },
    ]);
    this.records = bucket('Records', 'records/', [
      {
        id: 'extracts',
        prefix: EXTRACTS_PREFIX,
        expiration: EXTRACTS_RETENTION,
        noncurrentVersionExpiration: QUARANTINE_RETENTION,
      },
      {
        id: 'quarantine',
        prefix: QUARANTINE_PREFIX,
        expiration: QUARANTINE_RETENTION,
        noncurrentVersionExpiration: LANDING_NONCURRENT_RETENTION,
      },
    ]);
    // Every version of the configuration stays: which registry judged an access is evidence.
    this.configuration = bucket('Configuration', 'configuration/', []);
    // Evidence stays, too: a head of an old timeline proves it as well as that of a new one.
    this.evidence = bucket('Evidence', 'evidence/', [], {
      objectLockEnabled: true,
      objectLockDefaultRetention: LOCKS[props.evidenceLock](EVIDENCE_LOCK),
    });

    for (const source of [this.landing, this.configuration]) announceToEventBridge(source);
  }
}

const LOCKS: Record<EvidenceLock, (duration: Duration) => s3.ObjectLockRetention> = {
  compliance: (duration) => s3.ObjectLockRetention.compliance(duration),
  governance: (duration) => s3.ObjectLockRetention.governance(duration),
};

/** The tables, each with its own small set of keys; all are on demand, encrypted and recoverable. */
export class Tables extends Construct {
  readonly access: dynamodb.Table;
  readonly incident: dynamodb.Table;
  readonly catalog: dynamodb.Table;

  constructor(scope: Construct, id: string, props: { readonly key: kms.IKey }) {
    super(scope, id);
    const table = (name: string, more: Partial<dynamodb.TableProps>): dynamodb.Table =>
      retained(
        new dynamodb.Table(this, name, {
          partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
          sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
          billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
          encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
          encryptionKey: props.key,
          pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
          deletionProtection: true,
          ...more,
        }),
      );
    const streamed: Partial<dynamodb.TableProps> = {
      stream: dynamodb.StreamViewType.NEW_IMAGE,
      timeToLiveAttribute: TIME_TO_LIVE_ATTRIBUTE,
    };
    this.access = table('Access', streamed);
    this.incident = table('Incident', streamed);
    this.incident.addGlobalSecondaryIndex({
      indexName: DUE_INDEX,
      partitionKey: { name: 'due_shard', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'due_at', type: dynamodb.AttributeType.STRING },
      projectionType: dynamodb.ProjectionType.ALL,
    });
    this.catalog = table('Catalog', {});
  }
}

/** The ARN of the stream of a table that has one. */
export function streamArnOf(table: dynamodb.Table): string {
  if (table.tableStreamArn === undefined) throw new Error(`${table.node.path} has no stream`);
  return table.tableStreamArn;
}

/**
 * Turns on EventBridge for a bucket by the property of the bucket itself. The construct library would do it
 * with a custom resource: one more function, with rights on every bucket, that could fail.
 */
function announceToEventBridge(bucket: s3.Bucket): void {
  const resource = bucket.node.defaultChild as s3.CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}

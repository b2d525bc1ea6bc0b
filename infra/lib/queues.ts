import type { Duration } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { acknowledge } from './acknowledge.ts';
import { QUEUE_RETENTION } from './retention.ts';

/** A queue as all of ours are: encrypted with our key, reached over TLS only, kept as long as SQS can. */
export function encryptedQueue(
  scope: Construct,
  id: string,
  key: kms.IKey,
  more: { readonly visibilityTimeout?: Duration; readonly deadLetterQueue?: sqs.DeadLetterQueue } = {},
): sqs.Queue {
  return new sqs.Queue(scope, id, {
    encryption: sqs.QueueEncryption.KMS,
    encryptionMasterKey: key,
    enforceSSL: true,
    retentionPeriod: QUEUE_RETENTION,
    ...more,
  });
}

/** The last stop of what failed: nothing reads it but a person, and an alarm tells when it holds something. */
export function deadLetterQueue(scope: Construct, id: string, key: kms.IKey): sqs.Queue {
  const queue = encryptedQueue(scope, id, key);
  acknowledge(
    queue,
    'AwsSolutions-SQS3',
    'This queue is itself the last stop of what failed; an alarm watches it.',
  );
  return queue;
}

import { Duration } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { shortId } from './configuration/salesforce-id.ts';
import { SEVERITY_LEVELS, type Recipient } from './configuration/types.ts';

/**
 * How SNS repeats a delivery to an https endpoint that does not answer: at once, then three times every 20
 * seconds, then ten times at growing distances. SNS refuses a policy that may take more than an hour in all; after that
 * the alert is a dead letter.
 */
const HTTPS_DELIVERY: sns.DeliveryPolicy = {
  healthyRetryPolicy: {
    numRetries: 14,
    numNoDelayRetries: 1,
    numMinDelayRetries: 3,
    minDelayTarget: Duration.seconds(20),
    maxDelayTarget: Duration.seconds(340),
    backoffFunction: sns.BackoffFunction.EXPONENTIAL,
  },
};

export interface AlertsProps {
  readonly key: kms.IKey;
  readonly recipients: readonly Recipient[];
  /** Takes the alerts that an https endpoint did not accept. */
  readonly deadLetterQueue: sqs.IQueue;
}

/** The topic that alerts go out on, and who gets them. */
export class Alerts extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, props: AlertsProps) {
    super(scope, id);
    this.topic = encryptedTopic(this, 'Topic', props.key, 'Breachclock alerts');
    for (const recipient of props.recipients) {
      const filterPolicy = filterPolicyOf(recipient);
      const filter = filterPolicy === undefined ? {} : { filterPolicy };
      if (recipient.email !== undefined) {
        new sns.Subscription(this, `Email ${recipient.name}`, {
          topic: this.topic,
          protocol: sns.SubscriptionProtocol.EMAIL,
          endpoint: recipient.email,
          ...filter,
        });
      }
      if (recipient.webhook !== undefined) {
        new sns.Subscription(this, `Webhook ${recipient.name}`, {
          topic: this.topic,
          protocol: sns.SubscriptionProtocol.HTTPS,
          endpoint: recipient.webhook,
          // The envelope carries the signature that the receiver checks.
          rawMessageDelivery: false,
          deliveryPolicy: HTTPS_DELIVERY,
          deadLetterQueue: props.deadLetterQueue,
          ...filter,
        });
      }
    }
  }
}

/** A topic as all of ours are: encrypted with our key, signed by SHA-256, reached over TLS only. */
export function encryptedTopic(scope: Construct, id: string, key: kms.IKey, displayName: string): sns.Topic {
  return new sns.Topic(scope, id, {
    displayName,
    masterKey: key,
    signatureVersion: '2',
    enforceSSL: true,
  });
}

/** What a recipient wants to hear, as a filter over the message attributes; nothing means everything. */
export function filterPolicyOf(recipient: Recipient): Record<string, sns.SubscriptionFilter> | undefined {
  const policy: Record<string, sns.SubscriptionFilter> = {};
  if (recipient.minimum_severity !== undefined) {
    policy['severity'] = anyOf(SEVERITY_LEVELS.slice(SEVERITY_LEVELS.indexOf(recipient.minimum_severity)));
  }
  // An empty list filters nothing.
  if (recipient.orgs !== undefined && recipient.orgs.length > 0)
    policy['org'] = anyOf(recipient.orgs.map(shortId));
  return Object.keys(policy).length === 0 ? undefined : policy;
}

function anyOf(allowlist: readonly string[]): sns.SubscriptionFilter {
  return sns.SubscriptionFilter.stringFilter({ allowlist: [...allowlist] });
}

import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

import { retained } from './retention.ts';

/** What a service does with a key to put a message into an encrypted queue or topic. */
const SEND_ENCRYPTED = ['kms:Decrypt', 'kms:GenerateDataKey'];

/**
 * The two customer-managed keys: one for data at rest, one for messages that leave. Who may read an alert
 * need not be able to read a log.
 */
export class Keys extends Construct {
  /** Encrypts buckets, tables and queues. */
  readonly data: kms.Key;
  /** Encrypts the topics. */
  readonly messages: kms.Key;

  constructor(scope: Construct, id: string, props: { readonly environment: string }) {
    super(scope, id);
    this.data = retained(
      new kms.Key(this, 'Data', {
        description: `Breachclock ${props.environment}: logs, records, tables and queues`,
        alias: `breachclock-${props.environment}-data`,
        enableKeyRotation: true,
      }),
    );
    this.messages = retained(
      new kms.Key(this, 'Messages', {
        description: `Breachclock ${props.environment}: alerts on their way`,
        alias: `breachclock-${props.environment}-messages`,
        enableKeyRotation: true,
      }),
    );
    // The account and not the rule is the condition: a rule's ARN here would close a circle of references.
    allowSending(this.data, 'events.amazonaws.com', {
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
    });
    allowSending(this.messages, 'cloudwatch.amazonaws.com', {
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
    });
  }

  /** Lets SNS put what it could not deliver from this topic into an encrypted dead-letter queue. */
  allowDeadLettersOf(topicArn: string): void {
    allowSending(this.data, 'sns.amazonaws.com', { ArnEquals: { 'aws:SourceArn': topicArn } });
  }
}

function allowSending(key: kms.Key, service: string, conditions: iam.Conditions): void {
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: `SendingBy${service.split('.')[0]}`,
      principals: [new iam.ServicePrincipal(service)],
      actions: SEND_ENCRYPTED,
      // In a key policy `*` means this key.
      resources: ['*'],
      conditions,
    }),
  );
}

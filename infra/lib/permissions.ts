import { Aws } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

import { streamArnOf } from './storage.ts';

// The grant methods of the construct library allow families of actions (`s3:GetObject*`, `kms:ReEncrypt*`).
// A role here names each action and each resource, so that a reader sees all a function can do.

/** Writing a function's own log. The ARN of a log group covers its streams. */
export function writeLog(group: logs.ILogGroup): iam.PolicyStatement {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [group.logGroupArn]);
}

/** Reading any object of a bucket; without the right to list, a deleted object reads as "denied". */
export function readObjects(bucket: s3.IBucket): iam.PolicyStatement[] {
  return [
    allow(['s3:GetObject', 's3:GetObjectVersion'], [bucket.arnForObjects('*')]),
    allow(['s3:ListBucket'], [bucket.bucketArn]),
  ];
}

/** Reading and writing the objects under some prefixes of a bucket. */
export function readAndWriteObjects(bucket: s3.IBucket, prefixes: readonly string[]): iam.PolicyStatement[] {
  const objects = prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));
  return [
    allow(['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], objects),
    allow(['s3:ListBucket'], [bucket.bucketArn]),
  ];
}

/**
 * Reading and writing evidence: objects that are small, and locked once they are there. Without the right to list, one that
 * is not there reads as "denied".
 */
export function readAndWriteEvidence(bucket: s3.IBucket, prefix: string): iam.PolicyStatement[] {
  return [
    allow(['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects(`${prefix}*`)]),
    allow(['s3:ListBucket'], [bucket.bucketArn]),
  ];
}

/** The item actions that the functions use. A transaction is allowed by the actions it is made of. */
export type ItemAction = 'GetItem' | 'Query' | 'PutItem';

export function useItems(table: dynamodb.ITable, actions: readonly ItemAction[]): iam.PolicyStatement {
  return allow(
    actions.map((action) => `dynamodb:${action}`),
    [table.tableArn],
  );
}

export function queryIndex(table: dynamodb.ITable, index: string): iam.PolicyStatement {
  return allow(['dynamodb:Query'], [`${table.tableArn}/index/${index}`]);
}

/** What an event source mapping needs to read the stream of a table. */
export function readStream(table: dynamodb.Table): iam.PolicyStatement[] {
  return [
    allow(
      ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      [streamArnOf(table)],
    ),
    // Listing is asked for the streams of the table, before there is one to name.
    allow(['dynamodb:ListStreams'], [`${table.tableArn}/stream/*`]),
  ];
}

/** What an event source mapping needs to read a queue. */
export function consumeQueue(queue: sqs.IQueue): iam.PolicyStatement {
  return allow(
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
    [queue.queueArn],
  );
}

export function sendToQueue(queue: sqs.IQueue): iam.PolicyStatement {
  return allow(['sqs:SendMessage'], [queue.queueArn]);
}

/** Lets one rule, and nothing else, put events into a queue. */
export function allowRuleToSend(queue: sqs.IQueue, rule: events.IRule): void {
  queue.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'EventsOfOneRule',
      principals: [new iam.ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
    }),
  );
}

export function publish(topic: sns.ITopic): iam.PolicyStatement {
  return allow(['sns:Publish'], [topic.topicArn]);
}

/** Calling one function. */
export function invoke(functionArn: string): iam.PolicyStatement {
  return allow(['lambda:InvokeFunction'], [functionArn]);
}

/** Making the schedules of one group, and moving those that were made. */
export function makeSchedules(arnOfEach: string): iam.PolicyStatement {
  return allow(
    ['scheduler:CreateSchedule', 'scheduler:GetSchedule', 'scheduler:UpdateSchedule'],
    [arnOfEach],
  );
}

/** Handing one role to one service, and to no other. */
export function passRole(role: iam.IRole, service: string): iam.PolicyStatement {
  const statement = allow(['iam:PassRole'], [role.roleArn]);
  statement.addCondition('StringEquals', { 'iam:PassedToService': service });
  return statement;
}

/** The services through which a function may have its key used; never the key by itself. */
export type KeyedService = 'dynamodb' | 's3' | 'sns' | 'sqs';

/** Reading what is encrypted. */
export function decryptWith(key: kms.IKey, services: readonly KeyedService[]): iam.PolicyStatement {
  return useKey(key, ['kms:Decrypt', 'kms:DescribeKey'], services);
}

/** Sending into what is encrypted. */
export function sendEncryptedWith(key: kms.IKey, services: readonly KeyedService[]): iam.PolicyStatement {
  return useKey(key, ['kms:Decrypt', 'kms:GenerateDataKey'], services);
}

/** Reading and writing what is encrypted. */
export function encryptWith(key: kms.IKey, services: readonly KeyedService[]): iam.PolicyStatement {
  return useKey(
    key,
    [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    services,
  );
}

function useKey(key: kms.IKey, actions: string[], services: readonly KeyedService[]): iam.PolicyStatement {
  const statement = allow(actions, [key.keyArn]);
  statement.addCondition('StringEquals', {
    'kms:ViaService': services.map((service) => `${service}.${Aws.REGION}.amazonaws.com`),
  });
  return statement;
}

function allow(actions: string[], resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources });
}

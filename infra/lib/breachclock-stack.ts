import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { acknowledge } from './acknowledge.ts';
import { Alerts } from './alerts.ts';
import type { Configuration } from './configuration/types.ts';
import { Keys } from './keys.ts';
import { Operations } from './operations.ts';
import * as permissions from './permissions.ts';
import { deadLetterQueue, encryptedQueue } from './queues.ts';
import { LANDING_RETENTION_DAYS } from './retention.ts';
import { Schedules, SCHEDULER_SERVICE } from './schedules.ts';
import { evidenceLockOf, paceOf, type FunctionName, type Settings } from './settings.ts';
import {
  Buckets,
  DUE_INDEX,
  EXTRACTS_PREFIX,
  HEADS_PREFIX,
  QUARANTINE_PREFIX,
  streamArnOf,
  Tables,
} from './storage.ts';
import { functionNameOf, SuiteFunction, type SuiteFunctionProps } from './suite-function.ts';

export interface BreachclockStackProps extends StackProps {
  readonly settings: Settings;
  readonly configuration: Configuration;
  readonly environment: string;
}

/** The whole of Breachclock in one account and region; the flow is drawn in the README. */
export class BreachclockStack extends Stack {
  private readonly settings: Settings;
  private readonly environmentName: string;
  private readonly keys: Keys;
  private readonly buckets: Buckets;
  private readonly tables: Tables;
  private readonly operations: Operations;

  constructor(scope: Construct, id: string, props: BreachclockStackProps) {
    super(scope, id, props);
    const { configuration, environment } = props;
    this.settings = props.settings;
    this.environmentName = environment;
    this.keys = new Keys(this, 'Keys', { environment });
    this.buckets = new Buckets(this, 'Buckets', {
      key: this.keys.data,
      landingRetentionDays: configuration.organisation.landing_retention_days ?? LANDING_RETENTION_DAYS,
      evidenceLock: evidenceLockOf(this.settings, environment),
    });
    this.tables = new Tables(this, 'Tables', { key: this.keys.data });
    this.operations = new Operations(this, 'Operations', {
      environment,
      key: this.keys.messages,
      email: configuration.organisation.operations_email,
    });

    const undeliveredAlerts = this.deadLetters(
      'UndeliveredAlerts',
      'A webhook did not accept an alert after all retries. Tell the recipient by another way.',
    );
    const alerts = new Alerts(this, 'Alerts', {
      key: this.keys.messages,
      recipients: configuration.recipients,
      deadLetterQueue: undeliveredAlerts,
    });
    this.keys.allowDeadLettersOf(alerts.topic.topicArn);
    this.operations.watchDeliveries(alerts.topic);

    const schedules = new Schedules(this, 'Schedules', {
      environment,
      targetName: functionNameOf(environment, 'notify'),
      deadLetterQueue: this.deadLetters(
        'SchedulesFailed',
        'The schedule of a reminder could not call notify. The sweep watches the same reminder; see the log of notify.',
      ),
      key: this.keys.data,
    });

    const landing = this.landingQueue();
    const functions = [
      this.ingest(landing.queue),
      this.assess(),
      this.notify(alerts, schedules),
      this.remind(alerts),
      this.catalog(),
      this.attest(alerts),
    ];
    for (const suite of functions) this.operations.watchFunction(suite);
    this.operations.watchHeartbeats();
    this.operations.watchCounts();

    const outputs: Record<string, string> = {
      LandingBucket: this.buckets.landing.bucketName,
      RecordsBucket: this.buckets.records.bucketName,
      ConfigurationBucket: this.buckets.configuration.bucketName,
      EvidenceBucket: this.buckets.evidence.bucketName,
      AccessTable: this.tables.access.tableName,
      IncidentTable: this.tables.incident.tableName,
      CatalogTable: this.tables.catalog.tableName,
      AlertTopicArn: alerts.topic.topicArn,
      OperationsTopicArn: this.operations.topic.topicArn,
      LandingQueueUrl: landing.queue.queueUrl,
      LandingDeadLetterQueueUrl: landing.deadLetters.queueUrl,
      DataKeyArn: this.keys.data.keyArn,
      ScheduleGroup: schedules.group.ref,
    };
    for (const suite of functions) outputs[`${pascal(suite.name)}Function`] = suite.function.functionName;
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  /**
   * Landed objects reach the queue through EventBridge: the bucket, the rule and the queue are plain resources
   * with no circle between them, and the same event can later feed another rule. A notification straight from
   * bucket to queue would need a custom resource, or a queue policy that cannot name the bucket.
   */
  private landingQueue(): { queue: sqs.Queue; deadLetters: sqs.Queue } {
    const pace = paceOf(this.settings);
    const deadLetters = this.deadLetters(
      'LandingDeadLetters',
      'A landed log could not be read. The message names the object; mend it, then redrive the queue.',
    );
    const queue = encryptedQueue(this, 'LandingQueue', this.keys.data, {
      visibilityTimeout: pace.landingVisibilityTimeout,
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: pace.landingMaxReceiveCount },
    });
    if (this.settings.local) {
      acknowledge(
        queue,
        'CloudFormation-Validate::E3505',
        'The emulator waits out the visibility timeout of a failed message in full; a second delivery changes nothing.',
      );
    }
    const landed = new events.Rule(this, 'LogLanded', {
      description: 'A Salesforce log landed: have it read',
      eventPattern: objectCreatedIn(this.buckets.landing),
    });
    // What EventBridge cannot hand to the queue has the same shape as what it can, so it may be redriven, too.
    landed.addTarget({
      bind: () => ({ arn: queue.queueArn, deadLetterConfig: { arn: deadLetters.queueArn } }),
    });
    for (const receiver of [queue, deadLetters]) permissions.allowRuleToSend(receiver, landed);
    return { queue, deadLetters };
  }

  private ingest(queue: sqs.IQueue): SuiteFunction {
    const { access, catalog } = this.tables;
    const { landing, records } = this.buckets;
    const everyObject = 'Logs land under names that the exporter chooses.';
    const byContent = 'Extracts and quarantined rows are stored under the hash of their content.';
    const suite = this.suiteFunction('ingest', {
      description: 'Reads landed logs, attributes rows to agents, tallies them by the hour',
      variables: {
        ACCESS_TABLE: access.tableName,
        CATALOG_TABLE: catalog.tableName,
        LANDING_QUEUE_URL: queue.queueUrl,
        RECORDS_BUCKET: records.bucketName,
      },
      memoryMegabytes: 1024,
      timeout: paceOf(this.settings).ingestTimeout,
      permissions: [
        permissions.consumeQueue(queue),
        // Files whose rows may now be joined are read once more.
        permissions.sendToQueue(queue),
        ...permissions.readObjects(landing),
        ...permissions.readAndWriteObjects(records, [EXTRACTS_PREFIX, QUARANTINE_PREFIX]),
        permissions.useItems(access, ['GetItem', 'Query', 'PutItem']),
        permissions.useItems(catalog, ['GetItem']),
        permissions.encryptWith(this.keys.data, ['dynamodb', 's3', 'sqs']),
      ],
      wildcards: {
        [`Resource::<${this.nameOf(landing)}.Arn>/*`]: everyObject,
        [`Resource::<${this.nameOf(records)}.Arn>/${EXTRACTS_PREFIX}*`]: byContent,
        [`Resource::<${this.nameOf(records)}.Arn>/${QUARANTINE_PREFIX}*`]: byContent,
      },
    });
    new lambda.EventSourceMapping(suite, 'Queue', {
      target: suite.function,
      eventSourceArn: queue.queueArn,
      // A large file must not take its neighbours down with it.
      batchSize: 1,
      maxConcurrency: 50,
      reportBatchItemFailures: true,
    });
    return suite;
  }

  private assess(): SuiteFunction {
    const { access, catalog, incident } = this.tables;
    const failures = this.deadLetters(
      'AssessFailures',
      'Tallies were not judged after all retries. The message names the shard and the sequence numbers.',
    );
    const suite = this.suiteFunction('assess', {
      description: 'Judges tallies against the registry, opens and extends incidents',
      variables: {
        ACCESS_TABLE: access.tableName,
        CATALOG_TABLE: catalog.tableName,
        INCIDENT_TABLE: incident.tableName,
      },
      memoryMegabytes: 512,
      timeout: Duration.seconds(60),
      permissions: [
        ...permissions.readStream(access),
        permissions.sendToQueue(failures),
        permissions.useItems(access, ['Query', 'PutItem']),
        permissions.useItems(incident, ['GetItem', 'Query', 'PutItem']),
        permissions.useItems(catalog, ['GetItem']),
        permissions.encryptWith(this.keys.data, ['dynamodb', 'sqs']),
      ],
      wildcards: this.streamWildcard(access),
    });
    // Nothing else finds a day that was not judged: it is tried for as long as the stream holds it. What can never be
    // judged is passed over by the function, with an alarm.
    this.readStream(suite, access, failures, {
      sort: 'HOUR#',
      batchSize: 100,
      parallelizationFactor: 4,
    });
    return suite;
  }

  private notify(alerts: Alerts, schedules: Schedules): SuiteFunction {
    const { catalog, incident } = this.tables;
    const failures = this.deadLetters(
      'NotifyFailures',
      'Owed alerts were not published after all retries. The sweep offers them again; see the log of notify.',
    );
    const group = this.getLogicalId(schedules.group);
    const suite = this.suiteFunction('notify', {
      description: 'Publishes each alert that is owed; makes a schedule for each that is planned',
      variables: {
        ALERT_TOPIC_ARN: alerts.topic.topicArn,
        CATALOG_TABLE: catalog.tableName,
        INCIDENT_TABLE: incident.tableName,
        SCHEDULE_DEAD_LETTERS_ARN: schedules.deadLettersArn,
        SCHEDULE_GROUP: schedules.group.ref,
        SCHEDULE_ROLE_ARN: schedules.role.roleArn,
        SCHEDULE_TARGET_ARN: schedules.targetArn,
      },
      memoryMegabytes: 256,
      timeout: Duration.seconds(30),
      permissions: [
        ...permissions.readStream(incident),
        permissions.sendToQueue(failures),
        permissions.publish(alerts.topic),
        permissions.useItems(incident, ['GetItem', 'Query', 'PutItem']),
        permissions.useItems(catalog, ['GetItem']),
        permissions.makeSchedules(schedules.arnOfEach),
        permissions.passRole(schedules.role, SCHEDULER_SERVICE),
        permissions.encryptWith(this.keys.data, ['dynamodb', 'sqs']),
        permissions.encryptWith(this.keys.messages, ['sns']),
      ],
      wildcards: {
        ...this.streamWildcard(incident),
        [`Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/<${group}>/*`]:
          'A schedule is named after the alert that it is for; the right covers the group of this stack only.',
      },
    });
    // A schedule hands its event over and does not wait for notify: what fails then is Lambda's to try again and to keep.
    suite.sendFailuresTo(failures, { attempts: 2, maxAge: Duration.hours(6) });
    this.readStream(suite, incident, failures, {
      sort: 'ALERT#',
      batchSize: 10,
      parallelizationFactor: 2,
      // The sweep offers the alert again.
      retryAttempts: 10,
    });
    return suite;
  }

  private remind(alerts: Alerts): SuiteFunction {
    const { access, catalog, incident } = this.tables;
    const failures = this.deadLetters(
      'RemindFailures',
      'A sweep for due alerts failed. The next minute sweeps again; see the log of remind.',
    );
    const suite = this.suiteFunction('remind', {
      description:
        'Every minute: finds due alerts, marks them owed, raises what is overdue; looks for missing logs',
      variables: {
        ACCESS_TABLE: access.tableName,
        ALERT_TOPIC_ARN: alerts.topic.topicArn,
        CATALOG_TABLE: catalog.tableName,
        INCIDENT_TABLE: incident.tableName,
      },
      memoryMegabytes: 256,
      timeout: Duration.seconds(50),
      permissions: [
        permissions.sendToQueue(failures),
        permissions.useItems(incident, ['GetItem', 'Query', 'PutItem']),
        permissions.queryIndex(incident, DUE_INDEX),
        permissions.useItems(access, ['GetItem', 'Query', 'PutItem']),
        permissions.useItems(catalog, ['GetItem']),
        permissions.publish(alerts.topic),
        permissions.encryptWith(this.keys.data, ['dynamodb', 'sqs']),
        permissions.encryptWith(this.keys.messages, ['sns']),
      ],
      // Two sweeps at once would find the same alerts twice; harmless, but a waste.
      reservedConcurrency: 1,
    });
    // A late sweep is worth nothing: the next one looks at the same index.
    const retry = { attempts: 0, maxAge: Duration.minutes(1) };
    suite.sendFailuresTo(failures, retry);
    new events.Rule(this, 'EveryMinute', {
      description: 'The sweep for due alerts',
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [
        new targets.LambdaFunction(suite.function, {
          deadLetterQueue: failures,
          retryAttempts: retry.attempts,
          maxEventAge: retry.maxAge,
        }),
      ],
    });
    return suite;
  }

  private catalog(): SuiteFunction {
    const { catalog } = this.tables;
    const { configuration } = this.buckets;
    const failures = this.deadLetters(
      'CatalogFailures',
      'A configuration file was not loaded; the last good one stays in force. See the log of catalog.',
    );
    const suite = this.suiteFunction('catalog', {
      description: 'Loads the registry and the rest of the configuration from S3',
      variables: { CATALOG_TABLE: catalog.tableName, CONFIGURATION_BUCKET: configuration.bucketName },
      memoryMegabytes: 256,
      timeout: Duration.seconds(60),
      permissions: [
        permissions.sendToQueue(failures),
        ...permissions.readObjects(configuration),
        permissions.useItems(catalog, ['GetItem', 'PutItem']),
        permissions.encryptWith(this.keys.data, ['dynamodb', 's3', 'sqs']),
      ],
      wildcards: {
        [`Resource::<${this.nameOf(configuration)}.Arn>/*`]:
          'Every file of the configuration is read, whatever its name.',
      },
    });
    suite.sendFailuresTo(failures, { attempts: 2, maxAge: Duration.hours(6) });
    new events.Rule(this, 'ConfigurationChanged', {
      description: 'A configuration file was put: have it loaded',
      eventPattern: objectCreatedIn(configuration),
      targets: [new targets.LambdaFunction(suite.function, { deadLetterQueue: failures })],
    });
    return suite;
  }

  private attest(alerts: Alerts): SuiteFunction {
    const { catalog, incident } = this.tables;
    const { evidence } = this.buckets;
    const failures = this.deadLetters(
      'AttestFailures',
      'The daily run failed after all retries. Mend what the log of attest names, then run it by hand.',
    );
    const suite = this.suiteFunction('attest', {
      description: 'Every day: locks the heads of the timelines away, tells legal how many clocks are open',
      variables: {
        ALERT_TOPIC_ARN: alerts.topic.topicArn,
        CATALOG_TABLE: catalog.tableName,
        EVIDENCE_BUCKET: evidence.bucketName,
        INCIDENT_TABLE: incident.tableName,
      },
      memoryMegabytes: 256,
      timeout: Duration.minutes(5),
      permissions: [
        permissions.sendToQueue(failures),
        permissions.useItems(incident, ['GetItem', 'Query']),
        permissions.queryIndex(incident, DUE_INDEX),
        permissions.useItems(catalog, ['GetItem']),
        permissions.publish(alerts.topic),
        ...permissions.readAndWriteEvidence(evidence, HEADS_PREFIX),
        permissions.encryptWith(this.keys.data, ['dynamodb', 's3', 'sqs']),
        permissions.encryptWith(this.keys.messages, ['sns']),
      ],
      wildcards: {
        [`Resource::<${this.nameOf(evidence)}.Arn>/${HEADS_PREFIX}*`]:
          'A head is named after its day and its incident, which are not known here.',
      },
    });
    // A notice that comes hours late is better than none.
    const retry = { attempts: 2, maxAge: Duration.hours(6) };
    suite.sendFailuresTo(failures, retry);
    new events.Rule(this, 'EveryDay', {
      description: 'The daily notice, and the heads of the timelines',
      // UTC, as all rules are: the same hour on every day of the year.
      schedule: events.Schedule.cron({ hour: '6', minute: '0' }),
      targets: [
        new targets.LambdaFunction(suite.function, {
          deadLetterQueue: failures,
          retryAttempts: retry.attempts,
          maxEventAge: retry.maxAge,
        }),
      ],
    });
    return suite;
  }

  private suiteFunction(
    name: FunctionName,
    props: Omit<SuiteFunctionProps, 'name' | 'settings' | 'environment'>,
  ): SuiteFunction {
    return new SuiteFunction(this, pascal(name), {
      name,
      settings: this.settings,
      environment: this.environmentName,
      ...props,
    });
  }

  private readStream(
    suite: SuiteFunction,
    table: dynamodb.Table,
    failures: sqs.IQueue,
    {
      sort,
      ...pace
    }: {
      /** What the sort keys of the items start with that the function is for. */
      readonly sort: string;
      readonly batchSize: number;
      readonly parallelizationFactor: number;
      readonly retryAttempts?: number;
    },
  ): void {
    new lambda.EventSourceMapping(suite, 'Stream', {
      target: suite.function,
      eventSourceArn: streamArnOf(table),
      startingPosition: lambda.StartingPosition.TRIM_HORIZON,
      maxBatchingWindow: Duration.seconds(0),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // A stream holds its records for 24 hours: ask for the failure while the record can still be read.
      maxRecordAge: Duration.hours(22),
      onFailure: { bind: () => ({ destination: failures.queueArn }) },
      // What DynamoDB deletes by age is no news.
      filters: [
        lambda.FilterCriteria.filter({
          eventName: lambda.FilterRule.or('INSERT', 'MODIFY'),
          dynamodb: { Keys: { sk: { S: lambda.FilterRule.beginsWith(sort) } } },
        }),
      ],
      ...pace,
    });
    this.operations.watchStreamReader(suite);
  }

  private deadLetters(id: string, alarmDescription: string): sqs.Queue {
    const queue = deadLetterQueue(this, id, this.keys.data);
    this.operations.watchDeadLetters(spaced(id), queue, alarmDescription);
    return queue;
  }

  private streamWildcard(table: dynamodb.Table): Record<string, string> {
    return {
      [`Resource::<${this.nameOf(table)}.Arn>/stream/*`]:
        'Lambda lists the streams of the table before it knows the one to read; the right covers this table only.',
    };
  }

  /** The logical id of a resource, as findings of cdk-nag name it. */
  private nameOf(resource: s3.Bucket | dynamodb.Table): string {
    const element = resource.node.defaultChild as s3.CfnBucket | dynamodb.CfnTable;
    return this.getLogicalId(element);
  }
}

function objectCreatedIn(bucket: s3.IBucket): events.EventPattern {
  return {
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket: { name: [bucket.bucketName] } },
  };
}

function pascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function spaced(id: string): string {
  return id.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

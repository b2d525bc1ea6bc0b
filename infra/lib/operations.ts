import { Aws, Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { encryptedTopic } from './alerts.ts';
import type { SuiteFunction } from './suite-function.ts';

/** The namespace of the metrics that the functions write into their logs (embedded metric format). */
export const METRIC_NAMESPACE = 'Breachclock';

export interface OperationsProps {
  readonly environment: string;
  readonly key: kms.IKey;
  /** Gets a mail when an alarm rises or falls. */
  readonly email: string | undefined;
}

/** The alarms, and the topic on which they reach who operates the stack. */
export class Operations extends Construct {
  readonly topic: sns.Topic;
  private readonly environment: string;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    this.environment = props.environment;
    this.topic = encryptedTopic(this, 'Topic', props.key, 'Breachclock operations');
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    if (props.email !== undefined) {
      new sns.Subscription(this, 'Email', {
        topic: this.topic,
        protocol: sns.SubscriptionProtocol.EMAIL,
        endpoint: props.email,
      });
    }
  }

  /** One message in a dead-letter queue is one too many. */
  watchDeadLetters(name: string, queue: sqs.IQueue, description: string): void {
    this.alarm(name, description, {
      metric: queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      threshold: 1,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  }

  /** Errors and throttles of a function; a throttle now and then is Lambda pacing itself. */
  watchFunction(suite: SuiteFunction): void {
    const period = Duration.minutes(1);
    this.alarm(
      `${suite.name} errors`,
      `The function ${suite.name} failed in three minutes of five. Its log names the error; the events are retried.`,
      {
        metric: suite.function.metricErrors({ period }),
        threshold: 1,
        evaluationPeriods: 5,
        datapointsToAlarm: 3,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      },
    );
    this.alarm(
      `${suite.name} throttles`,
      `The function ${suite.name} was refused capacity in three minutes of five. Raise the account's concurrency limit.`,
      {
        metric: suite.function.metricThrottles({ period }),
        threshold: 1,
        evaluationPeriods: 5,
        datapointsToAlarm: 3,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      },
    );
  }

  /** A stream that is not read falls behind: its records are gone after 24 hours. */
  watchStreamReader(suite: SuiteFunction): void {
    this.alarm(
      `${suite.name} falls behind`,
      `The function ${suite.name} reads its stream more than five minutes late. Records older than 24 hours are lost.`,
      {
        metric: suite.function.metric('IteratorAge', { period: Duration.minutes(1), statistic: 'Maximum' }),
        threshold: Duration.minutes(5).toMilliseconds(),
        evaluationPeriods: 3,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      },
    );
  }

  /** SNS gave up on a recipient. */
  watchDeliveries(topic: sns.ITopic): void {
    this.alarm(
      'alerts not delivered',
      'SNS could not deliver an alert to a recipient. Tell the recipient by another way, then mend the subscription.',
      {
        metric: topic.metricNumberOfNotificationsFailed({ period: Duration.minutes(1), statistic: 'Sum' }),
        threshold: 1,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      },
    );
  }

  /** What runs by the clock says that it ran; silence is the failure it cannot report itself. */
  watchHeartbeats(): void {
    const silence = {
      threshold: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    };
    this.alarm(
      'sweep stopped',
      'The sweep for due alerts has not run for five minutes: deadlines are watched by their schedules only. See the log of remind.',
      { ...silence, metric: this.metric('SweepHeartbeat', 'Sum'), evaluationPeriods: 5 },
    );
    this.alarm(
      'daily notice missing',
      'The daily run has not come to its end for 26 hours: legal has no notice, and no timeline was attested. See the log of attest.',
      {
        ...silence,
        // A run each day at the same hour, and two hours for one that is tried again. CloudWatch looks back for more than
        // a day only where a period is an hour or longer.
        metric: this.metric('AttestHeartbeat', 'Sum', Duration.hours(1)),
        evaluationPeriods: 26,
      },
    );
  }

  /** What the functions count that a person has to look at. */
  watchCounts(): void {
    const atLeastOnce = {
      threshold: 1,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    };
    this.alarm(
      'alerts unsent',
      'An alert is past the time it was owed and has not gone out. See the logs of remind and notify.',
      { ...atLeastOnce, metric: this.metric('AlertsUnsent', 'Maximum') },
    );
    this.alarm(
      'reminders not scheduled',
      'A reminder got no schedule of its own. The sweep still watches it; only the second way is missing. See the log of notify.',
      { ...atLeastOnce, metric: this.metric('SchedulesNotMade', 'Sum') },
    );
    this.alarm(
      'work failed',
      'A file, a day or an alert could not be worked through. It comes again, or is in the dead letters; see the logs.',
      { ...atLeastOnce, metric: this.metric('WorkFailed', 'Sum') },
    );
    this.alarm(
      'records not whole',
      'The record of an incident is not what its timeline leads to. Do not change it; run `breachclock incident verify` and keep what it says.',
      { ...atLeastOnce, metric: this.metric('ChainsBroken', 'Maximum') },
    );
    this.alarm(
      'configuration refused',
      'A configuration was refused; the last good one stays in force. The catalog table says why.',
      { ...atLeastOnce, metric: this.metric('ConfigurationRefused', 'Sum') },
    );
    this.alarm(
      'rows quarantined',
      'Rows of a log could not be read. They lie under quarantine/ in the records bucket, with their reasons.',
      { ...atLeastOnce, metric: this.metric('RowsQuarantined', 'Sum') },
    );
    this.alarm(
      'blind spots',
      'Logs of an org stay away against their habit: what agents do there is not seen. The alert says which and what to check.',
      {
        threshold: 1,
        // Each org is looked at once an hour. The alarm holds from one look to the next.
        metric: this.metric('BlindSpots', 'Maximum', Duration.hours(1)),
        evaluationPeriods: 2,
        datapointsToAlarm: 1,
        treatMissingData: cloudwatch.TreatMissingData.IGNORE,
      },
    );
  }

  private metric(metricName: string, statistic: string, period = Duration.minutes(1)): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { Environment: this.environment },
      period,
      statistic,
    });
  }

  private alarm(
    name: string,
    alarmDescription: string,
    props: Omit<cloudwatch.AlarmProps, 'alarmName' | 'alarmDescription' | 'evaluationPeriods'> & {
      readonly evaluationPeriods?: number;
    },
  ): void {
    const action = new SnsAction(this.topic);
    const alarm = new cloudwatch.Alarm(this, `Alarm ${name}`, {
      alarmName: `breachclock-${this.environment}: ${name}`,
      alarmDescription,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      ...props,
    });
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
}

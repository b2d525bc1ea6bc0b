import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import * as permissions from './permissions.ts';

/** The service that schedules belong to, as roles name it. */
export const SCHEDULER_SERVICE = 'scheduler.amazonaws.com';

export interface SchedulesProps {
  /** The environment's name; part of the group's name. */
  readonly environment: string;
  /** The name of the function that every schedule calls. */
  readonly targetName: string;
  /** Takes what a schedule could not hand to the function. */
  readonly deadLetterQueue: sqs.IQueue;
  /** The key of that queue. */
  readonly key: kms.IKey;
}

/**
 * The second way in which a due reminder is noticed, beside the sweep: a schedule of its own, made while the stack runs by
 * the function that it will call. Here is where the schedules live, and as whom they act.
 *
 * The function is named and not referred to. It is told of this role, so a reference back to it would close a circle.
 */
export class Schedules extends Construct {
  readonly group: scheduler.CfnScheduleGroup;
  /** As whom a schedule calls the function. */
  readonly role: iam.Role;
  /** The function that a schedule calls. */
  readonly targetArn: string;
  /** The queue that takes what a schedule could not hand over. */
  readonly deadLettersArn: string;
  /** Every schedule of the group, as rights name them. */
  readonly arnOfEach: string;

  constructor(scope: Construct, id: string, props: SchedulesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.group = new scheduler.CfnScheduleGroup(this, 'Group', { name: `breachclock-${props.environment}` });
    this.arnOfEach = stack.formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `${this.group.ref}/*`,
    });
    this.targetArn = stack.formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: props.targetName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.deadLettersArn = props.deadLetterQueue.queueArn;
    this.role = new iam.Role(this, 'Role', {
      description: `What a schedule of the group breachclock-${props.environment} may do`,
      // Scheduler names the group when it takes on the role, never the schedule.
      assumedBy: new iam.ServicePrincipal(SCHEDULER_SERVICE, {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnEquals: { 'aws:SourceArn': this.group.attrArn },
        },
      }),
      inlinePolicies: {
        work: new iam.PolicyDocument({
          statements: [
            permissions.invoke(this.targetArn),
            // Scheduler sends dead letters as this role, not as itself.
            permissions.sendToQueue(props.deadLetterQueue),
            permissions.sendEncryptedWith(props.key, ['sqs']),
          ],
        }),
      },
    });
  }
}

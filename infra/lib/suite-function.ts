import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { acknowledge } from './acknowledge.ts';
import { writeLog } from './permissions.ts';
import { LOG_RETENTION } from './retention.ts';
import { assetFolder, type FunctionName, type Settings } from './settings.ts';

export interface SuiteFunctionProps {
  readonly name: FunctionName;
  readonly description: string;
  readonly settings: Settings;
  /** The environment's name; part of the function's name and handed to the function. */
  readonly environment: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMegabytes: number;
  readonly timeout: Duration;
  /** All that the function may do beside writing its log. */
  readonly permissions: readonly iam.PolicyStatement[];
  /** Why resource names in `permissions` end in `*`, by the finding of cdk-nag. */
  readonly wildcards?: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
}

/** The name that a function of the suite has in an account. */
export function functionNameOf(environment: string, name: FunctionName): string {
  return `breachclock-${environment}-${name}`;
}

/** One function of the suite: a Rust `bootstrap` with a role and a log group of its own. */
export class SuiteFunction extends Construct {
  readonly name: FunctionName;
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: SuiteFunctionProps) {
    super(scope, id);
    this.name = props.name;
    const functionName = functionNameOf(props.environment, props.name);

    const logGroup = new logs.LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: LOG_RETENTION,
      // Its name is fixed: one left behind would stand in the way of the next deployment. Evidence is in tables.
      removalPolicy: RemovalPolicy.DESTROY,
    });

    const role = new iam.Role(this, 'Role', {
      description: `What the function ${functionName} may do`,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        work: new iam.PolicyDocument({ statements: [writeLog(logGroup), ...props.permissions] }),
      },
    });
    for (const [finding, reason] of Object.entries(props.wildcards ?? {})) {
      acknowledge(role, `AwsSolutions-IAM5[${finding}]`, reason);
    }

    this.function = new lambda.Function(this, 'Function', {
      functionName,
      description: props.description,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: props.settings.architecture,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(assetFolder(props.settings, props.name)),
      // Grants made elsewhere must not widen the role: what it may do stands above, whole.
      role: role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment: { ENVIRONMENT: props.environment, RUST_LOG: 'info', ...props.variables },
      memorySize: props.memoryMegabytes,
      timeout: props.timeout,
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
  }

  /** Where an event goes that was given to the function directly and failed for good. */
  sendFailuresTo(queue: sqs.IQueue, retry: { attempts: number; maxAge: Duration }): void {
    new lambda.EventInvokeConfig(this, 'Invocation', {
      function: this.function,
      retryAttempts: retry.attempts,
      maxEventAge: retry.maxAge,
      onFailure: {
        bind: () => ({ destination: queue.queueArn }),
      },
    });
  }
}

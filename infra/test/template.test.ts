import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Match } from 'aws-cdk-lib/assertions';

import { FUNCTION_NAMES } from '../lib/settings.ts';
import { buildApp, configurationWith, resourcesOf, templateOf, type Resource } from './support.ts';

// The emulator enforces no policy and drops encryption, lifecycle, TTL and recovery from templates: what a
// deployment on it cannot show is asserted here, on the template that an account would get.
const built = buildApp();
const template = templateOf(built);
const resources = template.toJSON()['Resources'] as Record<string, Resource>;

const only = (type: string, part: string): Resource => {
  const found = resourcesOf(template, type).filter(([id]) => id.startsWith(part));
  assert.equal(found.length, 1, `${found.length} resources of ${type} begin with ${part}`);
  return found[0]![1];
};
const idOf = (type: string, part: string): string =>
  resourcesOf(template, type)
    .map(([id]) => id)
    .find((id) => id.startsWith(part))!;
const functionNamed = (name: string): Resource =>
  resourcesOf(template, 'AWS::Lambda::Function')
    .map(([, resource]) => resource)
    .find((resource) => resource.Properties['FunctionName'] === `breachclock-demo-${name}`)!;
const dataKey = (): object => ({ 'Fn::GetAtt': [idOf('AWS::KMS::Key', 'KeysData'), 'Arn'] });
const messageKey = (): object => ({ 'Fn::GetAtt': [idOf('AWS::KMS::Key', 'KeysMessages'), 'Arn'] });

describe('the stack', () => {
  it('is named after the environment', () => {
    assert.equal(built.stack.stackName, 'Breachclock-demo');
    assert.equal(buildApp({ environment: 'drill' }).stack.stackName, 'Breachclock-drill');
  });

  it('says where everything is', () => {
    assert.deepEqual(Object.keys(template.findOutputs('*')).sort(), [
      'AccessTable',
      'AlertTopicArn',
      'AssessFunction',
      'AttestFunction',
      'CatalogFunction',
      'CatalogTable',
      'ConfigurationBucket',
      'DataKeyArn',
      'EvidenceBucket',
      'IncidentTable',
      'IngestFunction',
      'LandingBucket',
      'LandingDeadLetterQueueUrl',
      'LandingQueueUrl',
      'NotifyFunction',
      'OperationsTopicArn',
      'RecordsBucket',
      'RemindFunction',
      'ScheduleGroup',
    ]);
  });

  it('holds no resource that calls home: no custom resource, no function but ours', () => {
    assert.deepEqual(
      resourcesOf(template, 'AWS::Lambda::Function')
        .map(([, { Properties }]) => Properties['FunctionName'])
        .sort(),
      FUNCTION_NAMES.map((name) => `breachclock-demo-${name}`).sort(),
    );
    assert.deepEqual(
      Object.values(resources).filter(({ Type }) => /^Custom::|CustomResource/.test(Type)),
      [],
    );
  });

  it('keeps evidence when it is deleted', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key']) {
      for (const [id, resource] of resourcesOf(template, type)) {
        assert.equal(resource.DeletionPolicy, 'Retain', id);
        assert.equal(resource.UpdateReplacePolicy, 'Retain', id);
      }
    }
  });

  it('is the same app on the emulator, but for times, counts and the architecture', () => {
    const local = buildApp({ local: 'true', architecture: 'x86_64' });
    const localResources = templateOf(local).toJSON()['Resources'] as Record<string, Resource>;
    const different = Object.keys({ ...resources, ...localResources }).filter(
      (id) =>
        JSON.stringify(withoutAssets(resources[id])) !== JSON.stringify(withoutAssets(localResources[id])),
    );
    assert.deepEqual(
      different.map((id) => resources[id]?.Type).filter((type) => type !== 'AWS::Lambda::Function'),
      ['AWS::SQS::Queue'],
    );
    const queue = localResources[idOf('AWS::SQS::Queue', 'LandingQueue')]!.Properties;
    assert.equal(queue['VisibilityTimeout'], 5);
    assert.equal(queue['RedrivePolicy'].maxReceiveCount, 3);
  });
});

describe('keys', () => {
  it('are ours, two, and rotate', () => {
    template.resourceCountIs('AWS::KMS::Key', 2);
    template.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  it('let services in only to send, and only from this account or topic', () => {
    for (const [id, { Properties }] of resourcesOf(template, 'AWS::KMS::Key')) {
      for (const statement of Properties['KeyPolicy'].Statement as Statement[]) {
        if (statement.Principal?.Service === undefined) continue;
        assert.deepEqual(listOf(statement.Action), ['kms:Decrypt', 'kms:GenerateDataKey'], id);
        assert.match(JSON.stringify(statement.Condition), /aws:Source(Account|Arn)/, id);
      }
    }
  });
});

describe('buckets', () => {
  const policyOf = (bucket: string): Statement[] =>
    resourcesOf(template, 'AWS::S3::BucketPolicy').find(
      ([, { Properties }]) => Properties['Bucket'].Ref === bucket,
    )![1].Properties['PolicyDocument'].Statement as Statement[];

  it('are versioned, closed to the public, and reached over TLS only', () => {
    template.resourceCountIs('AWS::S3::Bucket', 5);
    template.allResourcesProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    for (const [id] of resourcesOf(template, 'AWS::S3::Bucket')) assertTlsOnly(policyOf(id), id);
  });

  for (const name of ['Landing', 'Records', 'Configuration', 'Evidence']) {
    it(`${name} is encrypted with our key and logs who reads it`, () => {
      const { Properties } = only('AWS::S3::Bucket', `Buckets${name}`);
      assert.deepEqual(Properties['BucketEncryption'].ServerSideEncryptionConfiguration, [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { KMSMasterKeyID: dataKey(), SSEAlgorithm: 'aws:kms' },
        },
      ]);
      assert.deepEqual(Properties['LoggingConfiguration'], {
        DestinationBucketName: { Ref: idOf('AWS::S3::Bucket', 'BucketsAccessLogs') },
        LogFilePrefix: `${name.toLowerCase()}/`,
      });
    });
  }

  const lifecycle = (name: string): Record<string, unknown>[] =>
    only('AWS::S3::Bucket', `Buckets${name}`).Properties['LifecycleConfiguration'].Rules;

  it('forget landed logs after 35 days and replaced ones after 7', () => {
    assert.deepEqual(lifecycle('Landing'), [
      {
        Id: 'abandoned-uploads',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        Status: 'Enabled',
      },
      {
        Id: 'landed-logs',
        ExpirationInDays: 35,
        NoncurrentVersionExpiration: { NoncurrentDays: 7 },
        Status: 'Enabled',
      },
    ]);
  });

  it('forget landed logs when organisation.yaml says', () => {
    const organisation = `
name: Meridian Cloud GmbH
country: DE
time_zone: Europe/Berlin
environment: demo
data_protection_officer: DPO
landing_retention_days: 10
`;
    const configDir = configurationWith({ 'organisation.yaml': organisation });
    templateOf(buildApp({ configDir })).hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ Id: 'landed-logs', ExpirationInDays: 10 })]),
      },
    });
  });

  it('forget extracts after 400 days and quarantined rows after 35', () => {
    const [, extracts, quarantine] = lifecycle('Records');
    assert.deepEqual([extracts?.['Prefix'], extracts?.['ExpirationInDays']], ['extracts/', 400]);
    assert.deepEqual([quarantine?.['Prefix'], quarantine?.['ExpirationInDays']], ['quarantine/', 35]);
  });

  for (const [what, name] of [
    ['a configuration', 'Configuration'],
    ['evidence', 'Evidence'],
  ] as const) {
    it(`never forget ${what}`, () => {
      assert.deepEqual(
        lifecycle(name).map((rule) => rule['Id']),
        ['abandoned-uploads'],
      );
    });
  }

  const locked = (context: Record<string, string>): [string, string, unknown][] =>
    resourcesOf(templateOf(buildApp(context)), 'AWS::S3::Bucket')
      .filter(([, { Properties }]) => Properties['ObjectLockEnabled'] !== undefined)
      .map(([id, { Properties }]) => {
        assert.equal(Properties['ObjectLockEnabled'], true);
        const { ObjectLockEnabled, Rule } = Properties['ObjectLockConfiguration'];
        assert.equal(ObjectLockEnabled, 'Enabled');
        assert.deepEqual(Object.keys(Rule.DefaultRetention).sort(), ['Days', 'Mode']);
        return [id.replace(/[0-9A-F]{8}$/, ''), Rule.DefaultRetention.Mode, Rule.DefaultRetention.Days];
      });

  it('lock evidence for a year, and against everybody unless it is a demo or the emulator', () => {
    const lock = (mode: string): [string, string, number][] => [['BucketsEvidence', mode, 365]];
    assert.deepEqual(locked({ environment: 'production' }), lock('COMPLIANCE'));
    assert.deepEqual(locked({ environment: 'demo' }), lock('GOVERNANCE'));
    assert.deepEqual(locked({ environment: 'production', local: 'true' }), lock('GOVERNANCE'));
  });

  it('lock evidence as the deployment says', () => {
    assert.equal(locked({ environment: 'production', evidenceLock: 'governance' })[0]?.[1], 'GOVERNANCE');
    assert.equal(locked({ environment: 'demo', evidenceLock: 'compliance' })[0]?.[1], 'COMPLIANCE');
  });
});

describe('tables', () => {
  it('are on demand, encrypted with our key, recoverable, and guarded against deletion', () => {
    template.resourceCountIs('AWS::DynamoDB::Table', 3);
    template.allResourcesProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: dataKey() },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });
  });

  for (const name of ['Access', 'Incident']) {
    it(`${name} streams new images and forgets by expires_at`, () => {
      const { Properties } = only('AWS::DynamoDB::Table', `Tables${name}`);
      assert.deepEqual(Properties['StreamSpecification'], { StreamViewType: 'NEW_IMAGE' });
      assert.deepEqual(Properties['TimeToLiveSpecification'], { AttributeName: 'expires_at', Enabled: true });
    });
  }

  it('Catalog neither streams nor forgets', () => {
    const { Properties } = only('AWS::DynamoDB::Table', 'TablesCatalog');
    assert.equal(Properties['StreamSpecification'], undefined);
    assert.equal(Properties['TimeToLiveSpecification'], undefined);
  });

  it('Incident finds what is due by index', () => {
    assert.deepEqual(only('AWS::DynamoDB::Table', 'TablesIncident').Properties['GlobalSecondaryIndexes'], [
      {
        IndexName: 'due',
        KeySchema: [
          { AttributeName: 'due_shard', KeyType: 'HASH' },
          { AttributeName: 'due_at', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ]);
  });
});

describe('queues', () => {
  it('are encrypted with our key, kept for 14 days, and reached over TLS only', () => {
    template.allResourcesProperties('AWS::SQS::Queue', {
      KmsMasterKeyId: dataKey(),
      MessageRetentionPeriod: 14 * 24 * 3600,
    });
    const policies = resourcesOf(template, 'AWS::SQS::QueuePolicy');
    for (const [id] of resourcesOf(template, 'AWS::SQS::Queue')) {
      const statements = policies
        .filter(([, { Properties }]) => JSON.stringify(Properties['Queues']).includes(`"${id}"`))
        .flatMap(([, { Properties }]) => Properties['PolicyDocument'].Statement as Statement[]);
      assertTlsOnly(statements, id);
    }
  });

  it('hand a landed log out ten times, then to the dead letters', () => {
    const { Properties } = only('AWS::SQS::Queue', 'LandingQueue');
    assert.deepEqual(Properties['RedrivePolicy'], {
      deadLetterTargetArn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'LandingDeadLetters'), 'Arn'] },
      maxReceiveCount: 10,
    });
    assert.equal(Properties['VisibilityTimeout'], functionNamed('ingest').Properties['Timeout'] + 60);
  });

  it('are each watched: all but the landing queue hold what failed', () => {
    const failures = resourcesOf(template, 'AWS::SQS::Queue')
      .map(([id]) => id)
      .filter((id) => !id.startsWith('LandingQueue'));
    const watched = resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Properties)
      .filter((alarm) => alarm['MetricName'] === 'ApproximateNumberOfMessagesVisible')
      .map((alarm) => {
        assert.equal(alarm['Threshold'], 1);
        assert.equal(alarm['EvaluationPeriods'], 1);
        assert.equal(alarm['ComparisonOperator'], 'GreaterThanOrEqualToThreshold');
        return alarm['Dimensions'][0].Value['Fn::GetAtt'][0] as string;
      });
    assert.deepEqual(watched.sort(), failures.sort());
    assert.equal(failures.length, 8);
  });
});

describe('functions', () => {
  it('run on arm64 unless told otherwise', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'provided.al2023',
      Architectures: ['arm64'],
    });
    templateOf(buildApp({ architecture: 'x86_64' })).allResourcesProperties('AWS::Lambda::Function', {
      Architectures: ['x86_64'],
    });
  });

  it('have a role of their own', () => {
    const roles = resourcesOf(template, 'AWS::Lambda::Function').map(
      ([, { Properties }]) => Properties['Role']['Fn::GetAtt'][0] as string,
    );
    assert.equal(new Set(roles).size, FUNCTION_NAMES.length);
  });

  it('have a log group of their own that is kept for 90 days', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', FUNCTION_NAMES.length);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
    for (const name of FUNCTION_NAMES) {
      template.hasResourceProperties('AWS::Logs::LogGroup', {
        LogGroupName: `/aws/lambda/breachclock-demo-${name}`,
      });
      assert.ok(functionNamed(name).Properties['LoggingConfig'].LogGroup.Ref);
    }
  });

  const variables: Record<(typeof FUNCTION_NAMES)[number], string[]> = {
    ingest: [
      'ACCESS_TABLE',
      'CATALOG_TABLE',
      'ENVIRONMENT',
      'LANDING_QUEUE_URL',
      'RECORDS_BUCKET',
      'RUST_LOG',
    ],
    assess: ['ACCESS_TABLE', 'CATALOG_TABLE', 'ENVIRONMENT', 'INCIDENT_TABLE', 'RUST_LOG'],
    notify: [
      'ALERT_TOPIC_ARN',
      'CATALOG_TABLE',
      'ENVIRONMENT',
      'INCIDENT_TABLE',
      'RUST_LOG',
      'SCHEDULE_DEAD_LETTERS_ARN',
      'SCHEDULE_GROUP',
      'SCHEDULE_ROLE_ARN',
      'SCHEDULE_TARGET_ARN',
    ],
    remind: ['ACCESS_TABLE', 'ALERT_TOPIC_ARN', 'CATALOG_TABLE', 'ENVIRONMENT', 'INCIDENT_TABLE', 'RUST_LOG'],
    catalog: ['CATALOG_TABLE', 'CONFIGURATION_BUCKET', 'ENVIRONMENT', 'RUST_LOG'],
    attest: [
      'ALERT_TOPIC_ARN',
      'CATALOG_TABLE',
      'ENVIRONMENT',
      'EVIDENCE_BUCKET',
      'INCIDENT_TABLE',
      'RUST_LOG',
    ],
  };
  for (const name of FUNCTION_NAMES) {
    it(`${name} is told where its things are`, () => {
      const given = functionNamed(name).Properties['Environment'].Variables as Record<string, unknown>;
      assert.deepEqual(Object.keys(given).sort(), variables[name]);
      assert.equal(given['ENVIRONMENT'], 'demo');
    });
  }

  it('ingest takes landed logs one by one and reports failures', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'LandingQueue'), 'Arn'] },
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: Match.anyValue() },
    });
  });

  for (const [table, failures, sort, retries] of [
    ['Access', 'AssessFailures', 'HOUR#', undefined],
    ['Incident', 'NotifyFailures', 'ALERT#', 10],
  ] as const) {
    it(`the stream of ${table} is read from its start; what fails for good goes to ${failures}`, () => {
      template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        EventSourceArn: { 'Fn::GetAtt': [idOf('AWS::DynamoDB::Table', `Tables${table}`), 'StreamArn'] },
        StartingPosition: 'TRIM_HORIZON',
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        MaximumRetryAttempts: retries ?? Match.absent(),
        MaximumRecordAgeInSeconds: 22 * 3600,
        MaximumBatchingWindowInSeconds: 0,
        DestinationConfig: {
          OnFailure: { Destination: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', failures), 'Arn'] } },
        },
        FilterCriteria: {
          Filters: [
            {
              Pattern: JSON.stringify({
                eventName: ['INSERT', 'MODIFY'],
                dynamodb: { Keys: { sk: { S: [{ prefix: sort }] } } },
              }),
            },
          ],
        },
      });
    });
  }

  it('remind sweeps every minute, one at a time, and its failures are kept', () => {
    assert.equal(functionNamed('remind').Properties['ReservedConcurrentExecutions'], 1);
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [idOf('AWS::Lambda::Function', 'Remind'), 'Arn'] },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'RemindFailures'), 'Arn'] } },
        }),
      ],
    });
  });

  it('attest runs every day at 06:00 UTC; it is tried twice more, and its failures are kept', () => {
    const attest = idOf('AWS::Lambda::Function', 'Attest');
    const failures = { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'AttestFailures'), 'Arn'] };
    assert.equal(functionNamed('attest').Properties['Timeout'], 300);
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'cron(0 6 * * ? *)',
      State: 'ENABLED',
      Targets: [
        {
          Arn: { 'Fn::GetAtt': [attest, 'Arn'] },
          Id: Match.anyValue(),
          DeadLetterConfig: { Arn: failures },
          RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 6 * 3600 },
        },
      ],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: attest },
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: failures } },
    });
  });

  it('an object in the landing bucket goes to the queue, one in the configuration bucket to catalog', () => {
    for (const [bucket, target] of [
      ['Landing', idOf('AWS::SQS::Queue', 'LandingQueue')],
      ['Configuration', idOf('AWS::Lambda::Function', 'Catalog')],
    ] as const) {
      assert.deepEqual(only('AWS::S3::Bucket', `Buckets${bucket}`).Properties['NotificationConfiguration'], {
        EventBridgeConfiguration: { EventBridgeEnabled: true },
      });
      template.hasResourceProperties('AWS::Events::Rule', {
        EventPattern: {
          source: ['aws.s3'],
          'detail-type': ['Object Created'],
          detail: { bucket: { name: [{ Ref: idOf('AWS::S3::Bucket', `Buckets${bucket}`) }] } },
        },
        Targets: [
          Match.objectLike({
            Arn: { 'Fn::GetAtt': [target, 'Arn'] },
            DeadLetterConfig: Match.anyValue(),
          }),
        ],
      });
    }
  });
});

describe('schedules', () => {
  const given = functionNamed('notify').Properties['Environment'].Variables as Record<string, unknown>;

  it('have a group of their own, named after the environment', () => {
    const groupOf = (app: ReturnType<typeof buildApp>): unknown => {
      const [[, { Properties }], ...more] = resourcesOf(templateOf(app), 'AWS::Scheduler::ScheduleGroup') as [
        [string, Resource],
      ];
      assert.deepEqual(more, []);
      return Properties['Name'];
    };
    assert.equal(groupOf(built), 'breachclock-demo');
    assert.equal(groupOf(buildApp({ environment: 'drill' })), 'breachclock-drill');
  });

  it('are made by notify, which is told the group, the role and the queue', () => {
    assert.deepEqual(given['SCHEDULE_GROUP'], { Ref: idOf('AWS::Scheduler::ScheduleGroup', 'Schedules') });
    assert.deepEqual(given['SCHEDULE_ROLE_ARN'], {
      'Fn::GetAtt': [idOf('AWS::IAM::Role', 'SchedulesRole'), 'Arn'],
    });
    assert.deepEqual(given['SCHEDULE_DEAD_LETTERS_ARN'], {
      'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'SchedulesFailed'), 'Arn'],
    });
  });

  it('call notify, by the name that it has', () => {
    const { 'Fn::Join': parts } = given['SCHEDULE_TARGET_ARN'] as { 'Fn::Join': [string, unknown[]] };
    assert.equal(
      parts[1].at(-1),
      `:function:${functionNamed('notify').Properties['FunctionName'] as string}`,
    );
  });

  it('hand over and do not wait: what notify fails at is tried twice more and then kept', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: idOf('AWS::Lambda::Function', 'Notify') },
      MaximumRetryAttempts: 2,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'NotifyFailures'), 'Arn'] } },
      },
    });
  });
});

describe('topics', () => {
  it('are encrypted with our key, signed by SHA-256, and reached over TLS only', () => {
    template.resourceCountIs('AWS::SNS::Topic', 2);
    template.allResourcesProperties('AWS::SNS::Topic', {
      KmsMasterKeyId: messageKey(),
      SignatureVersion: '2',
    });
    for (const [id] of resourcesOf(template, 'AWS::SNS::Topic')) {
      const statements = resourcesOf(template, 'AWS::SNS::TopicPolicy')
        .filter(([, { Properties }]) => JSON.stringify(Properties['Topics']).includes(`"${id}"`))
        .flatMap(([, { Properties }]) => Properties['PolicyDocument'].Statement as Statement[]);
      assert.ok(statements.some(deniesPlainText), id);
    }
  });

  const recipients = `
recipients:
  - name: legal
    email: legal@example.com
  - name: security
    webhook: https://alerts.example.com/a
    minimum_severity: medium
    orgs: [00D5g000004Hq3KEAS]
  - name: board
    email: board@example.com
    minimum_severity: critical
    orgs: []
`;
  const toRecipients = templateOf(
    buildApp({ configDir: configurationWith({ 'recipients.yaml': recipients }) }),
  );

  it('tell each recipient what it asked for', () => {
    const filters = resourcesOf(toRecipients, 'AWS::SNS::Subscription').map(([, { Properties }]) => [
      Properties['Protocol'],
      Properties['Endpoint'],
      Properties['FilterPolicy'],
    ]);
    assert.deepEqual(filters, [
      ['email', 'legal@example.com', undefined],
      [
        'https',
        'https://alerts.example.com/a',
        { severity: ['medium', 'high', 'critical'], org: ['00D5g000004Hq3K'] },
      ],
      ['email', 'board@example.com', { severity: ['critical'] }],
    ]);
  });

  it('try a webhook again for most of an hour, then keep what it did not take', () => {
    const [, { Properties }] = resourcesOf(toRecipients, 'AWS::SNS::Subscription').find(
      ([, resource]) => resource.Properties['Protocol'] === 'https',
    )!;
    assert.equal(Properties['RawMessageDelivery'], false);
    assert.deepEqual(Properties['RedrivePolicy'], {
      deadLetterTargetArn: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue', 'UndeliveredAlerts'), 'Arn'] },
    });
    const policy = Properties['DeliveryPolicy'].healthyRetryPolicy as Record<string, number>;
    // SNS refuses a policy that may take more than an hour in all.
    assert.ok(longest(policy) <= 3600, `${longest(policy)} s`);
    assert.ok(longest(policy) >= 3000, `${longest(policy)} s`);
  });
});

describe('alarms', () => {
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const about = (metric: string): Record<string, any>[] =>
    alarms.filter((alarm) => alarm['MetricName'] === metric);

  it('say what happened and reach the operations topic, rising and falling', () => {
    const topic = [{ Ref: idOf('AWS::SNS::Topic', 'OperationsTopic') }];
    for (const alarm of alarms) {
      assert.ok(alarm['AlarmDescription'].length > 40, alarm['AlarmName']);
      assert.deepEqual(alarm['AlarmActions'], topic);
      assert.deepEqual(alarm['OKActions'], topic);
    }
  });

  it('watch every function for errors and throttles', () => {
    assert.equal(about('Errors').length, FUNCTION_NAMES.length);
    assert.equal(about('Throttles').length, FUNCTION_NAMES.length);
  });

  it('watch both stream readers for falling behind', () => {
    assert.equal(about('IteratorAge').length, 2);
    for (const alarm of about('IteratorAge')) assert.equal(alarm['Threshold'], 300_000);
  });

  it('watch that alerts are delivered', () => {
    assert.equal(about('NumberOfNotificationsFailed').length, 1);
  });

  it('take five silent minutes of the sweep for its death', () => {
    const [alarm] = about('SweepHeartbeat');
    assert.equal(alarm?.['Namespace'], 'Breachclock');
    assert.deepEqual(alarm?.['Dimensions'], [{ Name: 'Environment', Value: 'demo' }]);
    assert.equal(alarm?.['TreatMissingData'], 'breaching');
    assert.equal(alarm?.['Period'] * alarm?.['EvaluationPeriods'], 300);
    assert.equal(alarm?.['ComparisonOperator'], 'LessThanThreshold');
  });

  it('take 26 hours without a daily run for a missing notice', () => {
    const [alarm] = about('AttestHeartbeat');
    assert.equal(alarm?.['AlarmName'], 'breachclock-demo: daily notice missing');
    assert.equal(alarm?.['Namespace'], 'Breachclock');
    assert.deepEqual(alarm?.['Dimensions'], [{ Name: 'Environment', Value: 'demo' }]);
    assert.equal(alarm?.['Statistic'], 'Sum');
    assert.equal(alarm?.['Threshold'], 1);
    assert.equal(alarm?.['TreatMissingData'], 'breaching');
    assert.equal(alarm?.['Period'] * alarm?.['EvaluationPeriods'], 26 * 3600);
    assert.equal(alarm?.['DatapointsToAlarm'], undefined);
    assert.equal(alarm?.['ComparisonOperator'], 'LessThanThreshold');
  });

  it('look back for no longer than CloudWatch can: a day, and seven where a period is an hour or more', () => {
    for (const alarm of alarms) {
      const [period, periods] = [alarm['Period'] as number, alarm['EvaluationPeriods'] as number];
      assert.ok(period * periods <= (period < 3600 ? 1 : 7) * 24 * 3600, alarm['AlarmName']);
    }
  });

  it('tell of a reminder without a schedule, and of a schedule that could not call', () => {
    const [alarm] = about('SchedulesNotMade');
    assert.equal(alarm?.['AlarmName'], 'breachclock-demo: reminders not scheduled');
    assert.equal(alarm?.['Statistic'], 'Sum');
    assert.equal(alarm?.['Threshold'], 1);
    assert.equal(alarm?.['TreatMissingData'], 'notBreaching');
    assert.match(alarm?.['AlarmDescription'], /sweep still watches it/);
    const names = alarms.map((each) => each['AlarmName']);
    assert.ok(names.includes('breachclock-demo: schedules failed'), names.join());
  });

  it('watch for unsent alerts, refused configurations and quarantined rows', () => {
    for (const metric of ['AlertsUnsent', 'ConfigurationRefused', 'RowsQuarantined', 'WorkFailed']) {
      assert.equal(about(metric)[0]?.['Threshold'], 1, metric);
    }
  });

  it('keep a blind spot in alarm from one look to the next', () => {
    const [alarm] = about('BlindSpots');
    assert.equal(alarm?.['Threshold'], 1);
    assert.equal(alarm?.['Statistic'], 'Maximum');
    // Each org is looked at once an hour; two hours hold a look even where one was late.
    assert.equal(alarm?.['Period'] * alarm?.['EvaluationPeriods'], 7200);
    assert.equal(alarm?.['DatapointsToAlarm'], 1);
    assert.equal(alarm?.['TreatMissingData'], 'ignore');
  });

  it('let CloudWatch publish to the operations topic, from this account only', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });

  it('are mailed to operations_email', () => {
    const organisation = `
name: Meridian Cloud GmbH
country: DE
time_zone: Europe/Berlin
environment: demo
data_protection_officer: DPO
operations_email: operations@example.com
`;
    const configDir = configurationWith({ 'organisation.yaml': organisation });
    templateOf(buildApp({ configDir })).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'operations@example.com',
    });
  });
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: { readonly Service?: string; readonly AWS?: unknown };
  readonly Condition?: Record<string, Record<string, unknown>>;
}

function listOf(value: string | string[]): string[] {
  return Array.isArray(value) ? value : [value];
}

function deniesPlainText(statement: Statement): boolean {
  return (
    statement.Effect === 'Deny' &&
    JSON.stringify(statement.Condition) === '{"Bool":{"aws:SecureTransport":"false"}}' &&
    JSON.stringify(statement.Principal).includes('*')
  );
}

function assertTlsOnly(statements: readonly Statement[], id: string): void {
  const denial = statements.find(deniesPlainText);
  assert.ok(denial, `${id} can be reached without TLS`);
  assert.match(listOf(denial.Action).join(), /^(s3|sqs):\*$/, id);
}

/** Seconds that SNS may keep trying at the most: each growing distance as long as the longest. */
function longest(policy: Record<string, number>): number {
  const { minDelayTarget = 0, maxDelayTarget = 0, numRetries = 0, numNoDelayRetries = 0 } = policy;
  const steady = policy['numMinDelayRetries'] ?? 0;
  return steady * minDelayTarget + (numRetries - numNoDelayRetries - steady) * maxDelayTarget;
}

/** A resource without what changes with the content of its asset. */
function withoutAssets(resource: Resource | undefined): unknown {
  if (resource === undefined) return undefined;
  const { Code: _code, ...properties } = resource.Properties;
  return { ...resource, Properties: properties };
}

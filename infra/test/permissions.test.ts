import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FUNCTION_NAMES, type FunctionName } from '../lib/settings.ts';
import { buildApp, resourcesOf, templateOf, type Resource } from './support.ts';

const template = templateOf(buildApp());

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

const roles = resourcesOf(template, 'AWS::IAM::Role');

const statementsOf = ({ Properties }: Resource): Statement[] =>
  (Properties['Policies'] as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(
    (policy) => policy.PolicyDocument.Statement,
  );

const scheduleRole = roles.find(([id]) => id.startsWith('SchedulesRole'))![1];

/** What a role may do, one action and resource a line. */
const rightsOf = (role: Resource): string[] =>
  statementsOf(role).flatMap((statement) => {
    assert.equal(statement.Effect, 'Allow');
    return listOf(statement.Action).flatMap((action) =>
      listOf(statement.Resource).map((resource) => `${action} ${shownResource(resource)}`),
    );
  });

function roleOf(name: FunctionName): Resource {
  const [, lambda] = resourcesOf(template, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties['FunctionName'] === `breachclock-demo-${name}`,
  )!;
  const id = lambda.Properties['Role']['Fn::GetAtt'][0] as string;
  return roles.find(([role]) => role === id)![1];
}

/** A resource as a reader would name it: the construct, and what follows its ARN. */
function shownResource(resource: unknown): string {
  return JSON.stringify(resource)
    .replace(/\{"Fn::GetAtt":\["(\w+?)(?:[0-9A-F]{8})?","(?:Arn|StreamArn)"\]\}/g, (_, id) => `<${id}>`)
    .replace(/\{"Ref":"([\w:]+?)(?:[0-9A-F]{8})?"\}/g, '<$1>')
    .replace(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_, parts: string) => parts.replaceAll(/[",]/g, ''))
    .replaceAll('"', '');
}

describe('roles', () => {
  it('are those of the functions and of their schedules, and no policy hangs on them from elsewhere', () => {
    assert.equal(roles.length, FUNCTION_NAMES.length + 1);
    template.resourceCountIs('AWS::IAM::Policy', 0);
    template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    for (const [id, { Properties }] of roles) assert.equal(Properties['ManagedPolicyArns'], undefined, id);
  });

  it('name every action in full', () => {
    const wild = roles.flatMap(([id, role]) =>
      statementsOf(role)
        .flatMap((statement) => listOf(statement.Action))
        .filter((action) => action.includes('*'))
        .map((action) => `${id} ${action}`),
    );
    assert.deepEqual(wild, []);
  });

  it('name every resource; the only open ends are names below one bucket, table or group', () => {
    const wild = roles
      .flatMap(([, role]) => statementsOf(role).flatMap((statement) => listOf(statement.Resource)))
      .map(shownResource)
      .filter((resource) => resource.includes('*'));
    assert.deepEqual([...new Set(wild)].sort(), [
      '<BucketsConfiguration>/*', // any file of the configuration
      '<BucketsEvidence>/heads/*', // named after a day and an incident
      '<BucketsLanding>/*', // logs land under names that the exporter chooses
      '<BucketsRecords>/extracts/*', // named by the hash of their content
      '<BucketsRecords>/quarantine/*', // named by the hash of their content
      '<TablesAccess>/stream/*', // Lambda lists the streams before it knows the one to read
      '<TablesIncident>/stream/*', // as above
      'arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/<SchedulesGroup>/*', // named after alerts
    ]);
  });

  it('use a key through the service it is for, never by itself', () => {
    for (const [id, role] of roles) {
      for (const statement of statementsOf(role)) {
        if (!listOf(statement.Action).some((action) => action.startsWith('kms:'))) continue;
        assert.ok(statement.Condition?.['StringEquals']?.['kms:ViaService'], id);
      }
    }
  });

  it('are assumed by Lambda only, and the one of the schedules by Scheduler only', () => {
    for (const [id, role] of roles) {
      const [statement, ...more] = role.Properties['AssumeRolePolicyDocument'].Statement;
      const service = role === scheduleRole ? 'scheduler.amazonaws.com' : 'lambda.amazonaws.com';
      assert.deepEqual(more, [], id);
      assert.equal(statement.Action, 'sts:AssumeRole', id);
      assert.deepEqual(statement.Principal, { Service: service }, id);
    }
  });

  it('of the schedules is taken on for one group of this account only', () => {
    const [{ Condition }] = scheduleRole.Properties['AssumeRolePolicyDocument'].Statement;
    const [[group]] = resourcesOf(template, 'AWS::Scheduler::ScheduleGroup') as [[string, Resource]];
    assert.deepEqual(Condition, {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
      ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [group, 'Arn'] } },
    });
  });

  it('are handed over to Scheduler only, one of them, and by notify only', () => {
    const handing = roles.flatMap(([id, role]) =>
      statementsOf(role)
        .filter((statement) => listOf(statement.Action).includes('iam:PassRole'))
        .map((statement) => ({ id, statement })),
    );
    assert.equal(handing.length, 1);
    const [{ id, statement }] = handing as [{ id: string; statement: Statement }];
    assert.match(id, /^NotifyRole/);
    assert.deepEqual(listOf(statement.Resource).map(shownResource), ['<SchedulesRole>']);
    assert.deepEqual(statement.Condition, {
      StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
    });
  });
});

// Everything each function may do, beside its log and its keys. A line more here is a decision.
const ALLOWED: Record<FunctionName, string[]> = {
  ingest: [
    'dynamodb:GetItem <TablesAccess>',
    'dynamodb:GetItem <TablesCatalog>',
    'dynamodb:PutItem <TablesAccess>',
    'dynamodb:Query <TablesAccess>',
    's3:AbortMultipartUpload <BucketsRecords>/extracts/*',
    's3:AbortMultipartUpload <BucketsRecords>/quarantine/*',
    's3:GetObject <BucketsLanding>/*',
    's3:GetObject <BucketsRecords>/extracts/*',
    's3:GetObject <BucketsRecords>/quarantine/*',
    's3:GetObjectVersion <BucketsLanding>/*',
    's3:ListBucket <BucketsLanding>',
    's3:ListBucket <BucketsRecords>',
    's3:PutObject <BucketsRecords>/extracts/*',
    's3:PutObject <BucketsRecords>/quarantine/*',
    'sqs:ChangeMessageVisibility <LandingQueue>',
    'sqs:DeleteMessage <LandingQueue>',
    'sqs:GetQueueAttributes <LandingQueue>',
    'sqs:ReceiveMessage <LandingQueue>',
    'sqs:SendMessage <LandingQueue>',
  ],
  assess: [
    'dynamodb:DescribeStream <TablesAccess>',
    'dynamodb:GetItem <TablesCatalog>',
    'dynamodb:GetItem <TablesIncident>',
    'dynamodb:GetRecords <TablesAccess>',
    'dynamodb:GetShardIterator <TablesAccess>',
    'dynamodb:ListStreams <TablesAccess>/stream/*',
    'dynamodb:PutItem <TablesAccess>',
    'dynamodb:PutItem <TablesIncident>',
    'dynamodb:Query <TablesAccess>',
    'dynamodb:Query <TablesIncident>',
    'sqs:SendMessage <AssessFailures>',
  ],
  notify: [
    'dynamodb:DescribeStream <TablesIncident>',
    'dynamodb:GetItem <TablesCatalog>',
    'dynamodb:GetItem <TablesIncident>',
    'dynamodb:GetRecords <TablesIncident>',
    'dynamodb:GetShardIterator <TablesIncident>',
    'dynamodb:ListStreams <TablesIncident>/stream/*',
    'dynamodb:PutItem <TablesIncident>',
    'dynamodb:Query <TablesIncident>',
    'iam:PassRole <SchedulesRole>',
    'scheduler:CreateSchedule arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/<SchedulesGroup>/*',
    'scheduler:GetSchedule arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/<SchedulesGroup>/*',
    'scheduler:UpdateSchedule arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/<SchedulesGroup>/*',
    'sns:Publish <AlertsTopic>',
    'sqs:SendMessage <NotifyFailures>',
  ],
  remind: [
    'dynamodb:GetItem <TablesAccess>',
    'dynamodb:GetItem <TablesCatalog>',
    'dynamodb:GetItem <TablesIncident>',
    'dynamodb:PutItem <TablesAccess>',
    'dynamodb:PutItem <TablesIncident>',
    'dynamodb:Query <TablesAccess>',
    'dynamodb:Query <TablesIncident>',
    'dynamodb:Query <TablesIncident>/index/due',
    'sns:Publish <AlertsTopic>',
    'sqs:SendMessage <RemindFailures>',
  ],
  catalog: [
    'dynamodb:GetItem <TablesCatalog>',
    'dynamodb:PutItem <TablesCatalog>',
    's3:GetObject <BucketsConfiguration>/*',
    's3:GetObjectVersion <BucketsConfiguration>/*',
    's3:ListBucket <BucketsConfiguration>',
    'sqs:SendMessage <CatalogFailures>',
  ],
  attest: [
    'dynamodb:GetItem <TablesCatalog>',
    'dynamodb:GetItem <TablesIncident>',
    'dynamodb:Query <TablesIncident>',
    'dynamodb:Query <TablesIncident>/index/due',
    's3:GetObject <BucketsEvidence>/heads/*',
    's3:ListBucket <BucketsEvidence>',
    's3:PutObject <BucketsEvidence>/heads/*',
    'sns:Publish <AlertsTopic>',
    'sqs:SendMessage <AttestFailures>',
  ],
};

describe('permissions', () => {
  for (const name of FUNCTION_NAMES) {
    it(`${name} may do this and no more`, () => {
      const beside = rightsOf(roleOf(name)).filter((line) => !/^(kms|logs):/.test(line));
      assert.deepEqual(beside.sort(), ALLOWED[name]);
    });
  }

  it('a schedule may call notify, leave what it could not hand over, and no more', () => {
    assert.deepEqual(rightsOf(scheduleRole).sort(), [
      'kms:Decrypt <KeysData>',
      'kms:GenerateDataKey <KeysData>',
      'lambda:InvokeFunction arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:breachclock-demo-notify',
      'sqs:SendMessage <SchedulesFailed>',
    ]);
  });
});

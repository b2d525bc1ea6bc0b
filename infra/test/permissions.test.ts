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
    .replace(/\{"Ref":"(\w+?)(?:[0-9A-F]{8})?"\}/g, '<$1>')
    .replace(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_, parts: string) => parts.replaceAll(/[",]/g, ''))
    .replaceAll('"', '');
}

describe('roles', () => {
  it('are those of the functions, and no policy hangs on them from elsewhere', () => {
    assert.equal(roles.length, FUNCTION_NAMES.length);
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

  it('name every resource; the only open ends are object names and streams, below one bucket or table', () => {
    const wild = roles
      .flatMap(([, role]) => statementsOf(role).flatMap((statement) => listOf(statement.Resource)))
      .map(shownResource)
      .filter((resource) => resource.includes('*'));
    assert.deepEqual([...new Set(wild)].sort(), [
      '<BucketsConfiguration>/*', // any file of the configuration
      '<BucketsLanding>/*', // logs land under names that the exporter chooses
      '<BucketsRecords>/extracts/*', // named by the hash of their content
      '<BucketsRecords>/quarantine/*', // named by the hash of their content
      '<TablesAccess>/stream/*', // Lambda lists the streams before it knows the one to read
      '<TablesIncident>/stream/*', // as above
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

  it('are assumed by Lambda only', () => {
    for (const [id, { Properties }] of roles) {
      const [statement, ...more] = Properties['AssumeRolePolicyDocument'].Statement;
      assert.deepEqual(more, [], id);
      assert.deepEqual(statement.Principal, { Service: 'lambda.amazonaws.com' }, id);
    }
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
};

describe('permissions', () => {
  for (const name of FUNCTION_NAMES) {
    it(`${name} may do this and no more`, () => {
      const allowed = statementsOf(roleOf(name)).flatMap((statement) => {
        assert.equal(statement.Effect, 'Allow');
        return listOf(statement.Action).flatMap((action) =>
          listOf(statement.Resource).map((resource) => `${action} ${shownResource(resource)}`),
        );
      });
      const beside = allowed.filter((line) => !/^(kms|logs):/.test(line));
      assert.deepEqual(beside.sort(), ALLOWED[name]);
    });
  }
});

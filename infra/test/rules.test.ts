import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import * as s3 from 'aws-cdk-lib/aws-s3';

import type { BreachclockApp } from '../lib/app.ts';
import { buildApp } from './support.ts';

const WITH_RULES = { withRules: true };

/** The rules that a synthesis finds broken. */
function brokenRules({ app }: BreachclockApp): string[] {
  const exitCode = process.exitCode;
  try {
    app.synth();
    return [];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ValidationFailed') throw error;
    const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as Report;
    return report.pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName));
  } finally {
    // A broken rule marks the process as failed, which is for the command line; here it is what is looked for.
    process.exitCode = exitCode;
  }
}

interface Report {
  readonly pluginReports: readonly { readonly violations: readonly { readonly ruleName: string }[] }[];
}

describe('the AwsSolutions rules of cdk-nag', () => {
  it('find nothing', () => {
    assert.deepEqual(brokenRules(buildApp({}, WITH_RULES)), []);
  });

  it('find nothing in the local form', () => {
    assert.deepEqual(brokenRules(buildApp({ local: 'true' }, WITH_RULES)), []);
  });

  it('would find a careless bucket', () => {
    const built = buildApp({}, WITH_RULES);
    new s3.Bucket(built.stack, 'Careless');
    const broken = brokenRules(built);
    assert.ok(
      broken.some((rule) => rule.includes('AwsSolutions-S1')),
      broken.join(),
    );
    assert.ok(
      broken.some((rule) => rule.includes('AwsSolutions-S10')),
      broken.join(),
    );
  });
});

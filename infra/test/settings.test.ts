import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { FUNCTION_NAMES } from '../lib/settings.ts';
import { buildApp, temporaryFolder } from './support.ts';

describe('settings', () => {
  it('refuse an architecture that Lambda does not have', () => {
    assert.throws(() => buildApp({ architecture: 'sparc' }), {
      message: 'context architecture=sparc is not known; use arm64 or x86_64',
    });
  });

  it('refuse anything but true and false for local', () => {
    assert.throws(() => buildApp({ local: 'yes' }), {
      message: 'context local=yes is not known; use true or false',
    });
  });

  it('refuse an environment that cannot stand in names', () => {
    assert.throws(() => buildApp({ environment: 'My drill' }), {
      message:
        'context environment=My drill is no plain word; use up to 32 small letters, digits and hyphens, a letter first',
    });
  });

  it('refuse a lock that S3 does not have', () => {
    assert.throws(() => buildApp({ evidenceLock: 'COMPLIANCE' }), {
      message: 'context evidenceLock=COMPLIANCE is not known; use compliance or governance',
    });
  });

  it('say how to build what is not built', () => {
    const assetsDir = temporaryFolder();
    for (const name of FUNCTION_NAMES) mkdirSync(join(assetsDir, name));
    assert.throws(() => buildApp({ assetsDir }), /ingest holds no bootstrap; build the functions first/);
  });
});

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { INFRA_FOLDER } from '../lib/settings.ts';
import { buildApp } from './support.ts';

// Runs cfn-lint over the template that an account would get: `npm run lint:cfn`.
const { app, stack } = buildApp();
const template = join(app.synth().directory, stack.templateFile);

const installed = resolve(INFRA_FOLDER, '..', '.tools', 'venv', 'bin', 'cfn-lint');
const cfnLint = existsSync(installed) ? installed : 'cfn-lint';
const { error, status } = spawnSync(cfnLint, [template], { cwd: INFRA_FOLDER, stdio: 'inherit' });
if (error !== undefined) {
  process.stderr.write(
    `cfn-lint did not start (${error.message}); run \`cargo xtask setup\`, which puts it into .tools/venv\n`,
  );
}
process.exitCode = status ?? 1;
if (process.exitCode === 0) process.stdout.write('cfn-lint: nothing found\n');

import { resolve } from 'node:path';

import { ConfigurationProblems } from '../lib/configuration/problem.ts';
import { readConfiguration } from '../lib/configuration/read.ts';
import { INFRA_FOLDER } from '../lib/settings.ts';

// Checks a configuration folder without building anything: `npm run validate -- DIR`.
const folder = process.argv[2] ?? resolve(INFRA_FOLDER, 'config');
try {
  const { organisation } = readConfiguration(folder);
  process.stdout.write(`${folder} holds up: ${organisation.name}, environment ${organisation.environment}\n`);
} catch (error) {
  if (!(error instanceof ConfigurationProblems)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

import { breachclockApp } from '../lib/app.ts';
import { ConfigurationProblems } from '../lib/configuration/problem.ts';

try {
  breachclockApp().app.synth();
} catch (error) {
  if (!(error instanceof ConfigurationProblems)) throw error;
  // The problems are for the person who edits the files; a stack trace would only hide them.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

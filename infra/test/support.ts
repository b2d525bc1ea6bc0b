import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Template } from 'aws-cdk-lib/assertions';

import { breachclockApp, type BreachclockApp } from '../lib/app.ts';
import { FUNCTION_NAMES, INFRA_FOLDER } from '../lib/settings.ts';

export const SAMPLE_CONFIGURATION = join(INFRA_FOLDER, 'config');

const temporaryFolders: string[] = [];
process.on('exit', () =>
  temporaryFolders.forEach((folder) => rmSync(folder, { recursive: true, force: true })),
);

/** A folder that is gone when the process is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'breachclock-infra-'));
  temporaryFolders.push(folder);
  return folder;
}

/** Function folders that only look like built ones: nothing here runs them. */
export function placeholderAssets(): string {
  const folder = temporaryFolder();
  for (const name of FUNCTION_NAMES) {
    mkdirSync(join(folder, name));
    const bootstrap = join(folder, name, 'bootstrap');
    writeFileSync(bootstrap, `placeholder of ${name}\n`);
    chmodSync(bootstrap, 0o755);
  }
  return folder;
}

/** The sample configuration with some files replaced. */
export function configurationWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const name of readdirSync(SAMPLE_CONFIGURATION).filter((name) => name.endsWith('.yaml'))) {
    cpSync(join(SAMPLE_CONFIGURATION, name), join(folder, name));
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** The app as `cdk synth` builds it, but held to the rules of cdk-nag only where a test is about them. */
export function buildApp(
  context: Readonly<Record<string, string>> = {},
  options = { withRules: false },
): BreachclockApp {
  return breachclockApp(
    { outdir: temporaryFolder(), context: { assetsDir: placeholderAssets(), ...context } },
    options,
  );
}

export function templateOf({ stack }: BreachclockApp): Template {
  return Template.fromStack(stack);
}

/** A resource of a template, loosely typed: the tests look into its properties. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, any>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export function resourcesOf(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.findResources(type)) as [string, Resource][];
}

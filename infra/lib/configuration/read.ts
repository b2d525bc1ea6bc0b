import { readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

import { INFRA_FOLDER } from '../settings.ts';
import { crossCheck } from './cross-check.ts';
import { ConfigurationProblems, type Problem } from './problem.ts';
import { SchemaCheck } from './schema-check.ts';
import { SourceFile } from './source-file.ts';
import type { Configuration, Organisation, Recipient } from './types.ts';

/** The files of a configuration folder, by the names of their schemas. */
export const CONFIGURATION_FILES = ['organisation', 'orgs', 'recipients', 'agents', 'data-map'] as const;

type ConfigurationFile = (typeof CONFIGURATION_FILES)[number];

const REPOSITORY_FOLDER = resolve(INFRA_FOLDER, '..');
const SCHEMA_FOLDER = join(INFRA_FOLDER, 'config', 'schemas');

/**
 * Reads and checks a configuration folder as a whole.
 *
 * @throws ConfigurationProblems that name every problem with file, line, column and what to do.
 */
export function readConfiguration(folder: string): Configuration {
  const check = new SchemaCheck(SCHEMA_FOLDER);
  const problems: Problem[] = [];
  const sources = new Map<ConfigurationFile, SourceFile>();
  for (const name of CONFIGURATION_FILES) {
    const path = join(folder, `${name}.yaml`);
    const shownAs = shownFile(path);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push({
        file: shownAs,
        line: 1,
        column: 1,
        message: `cannot be read: ${reason}; add the file`,
      });
      continue;
    }
    const source = new SourceFile(shownAs, text);
    problems.push(...source.syntaxProblems);
    if (source.syntaxProblems.length > 0) continue;
    problems.push(...check.problemsOf(name, source));
    sources.set(name, source);
  }
  if (problems.length > 0) throw new ConfigurationProblems(problems);

  const source = (name: ConfigurationFile): SourceFile => {
    const found = sources.get(name);
    if (found === undefined) throw new Error(`${name}.yaml was not read`);
    return found;
  };
  const crossed = crossCheck({
    orgs: source('orgs'),
    recipients: source('recipients'),
    agents: source('agents'),
    dataMap: source('data-map'),
  });
  if (crossed.length > 0) throw new ConfigurationProblems(crossed);

  return {
    organisation: source('organisation').value as Organisation,
    recipients: (source('recipients').value as { recipients: Recipient[] }).recipients,
  };
}

/** A file of this repository is shown from its root, any other in full. */
function shownFile(path: string): string {
  const absolute = resolve(path);
  return absolute.startsWith(REPOSITORY_FOLDER + sep) ? relative(REPOSITORY_FOLDER, absolute) : absolute;
}

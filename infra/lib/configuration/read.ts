import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';

import { INFRA_FOLDER } from '../settings.ts';
import { crossCheck } from './cross-check.ts';
import { ConfigurationProblems, type Problem } from './problem.ts';
import { SchemaCheck } from './schema-check.ts';
import { SourceFile } from './source-file.ts';
import type { Configuration, Organisation, Recipient } from './types.ts';

/** The files that must be in a configuration folder, by the names of their schemas. */
export const CONFIGURATION_FILES = ['organisation', 'orgs', 'recipients', 'agents', 'data-map'] as const;

/** The files that may be in it. */
export const OPTIONAL_CONFIGURATION_FILES = ['law'] as const;

/** Files that may say nothing of their own: what is built in stands. */
const MAY_BE_EMPTY: readonly string[] = ['data-map', 'law'];

const REPOSITORY_FOLDER = resolve(INFRA_FOLDER, '..');

/** JSON is a part of YAML. */
const ENDINGS = ['yaml', 'yml', 'json'];

/** Where the schemas are, for editors and for this check alike. */
export const SCHEMA_FOLDER = join(INFRA_FOLDER, 'config', 'schemas');

/**
 * Reads and checks a configuration folder as a whole.
 *
 * The functions check the same files by the same rules when they load them; here a mistake is found before
 * anything is deployed.
 *
 * @throws ConfigurationProblems that name every problem with file, line, column and what to do.
 */
export function readConfiguration(folder: string): Configuration {
  const check = new SchemaCheck(SCHEMA_FOLDER);
  const problems: Problem[] = [];
  const sources = new Map<string, SourceFile>();
  const optional = OPTIONAL_CONFIGURATION_FILES.filter((name) => pathOf(folder, name) !== undefined);
  for (const name of [...CONFIGURATION_FILES, ...optional]) {
    const source = open(folder, name, problems);
    if (source === undefined) continue;
    sources.set(name, source);
    if (MAY_BE_EMPTY.includes(name) && source.value === undefined) continue;
    problems.push(...check.problemsOf(name, source));
  }
  problems.push(
    ...crossCheck({
      organisation: sources.get('organisation'),
      orgs: sources.get('orgs'),
      recipients: sources.get('recipients'),
      agents: sources.get('agents'),
      dataMap: sources.get('data-map'),
      law: sources.get('law'),
    }),
  );

  const organisation = sources.get('organisation');
  const recipients = sources.get('recipients');
  if (problems.length > 0 || organisation === undefined || recipients === undefined) {
    throw new ConfigurationProblems(inReadingOrder(problems));
  }
  return {
    organisation: organisation.value as Organisation,
    recipients: (recipients.value as { recipients: Recipient[] }).recipients,
  };
}

function open(folder: string, name: string, problems: Problem[]): SourceFile | undefined {
  const path = pathOf(folder, name) ?? join(folder, `${name}.yaml`);
  const file = shownFile(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = isMissing
      ? `the file is missing from the configuration folder; add ${name}.yaml`
      : `the file cannot be read; see that it is a file that you may read`;
    problems.push({ file, line: 1, column: 1, message: reason });
    return undefined;
  }
  const source = new SourceFile(file, text);
  problems.push(...source.syntaxProblems);
  return source.syntaxProblems.length === 0 ? source : undefined;
}

function pathOf(folder: string, name: string): string | undefined {
  return ENDINGS.map((ending) => join(folder, `${name}.${ending}`)).find((path) => existsSync(path));
}

/** File by file in the order they were read, and from the top of each to its end. */
function inReadingOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  return [...problems].sort(
    (left, right) =>
      files.indexOf(left.file) - files.indexOf(right.file) ||
      left.line - right.line ||
      left.column - right.column,
  );
}

/** A file of this repository is shown from its root, any other in full. */
function shownFile(path: string): string {
  const absolute = resolve(path);
  return absolute.startsWith(REPOSITORY_FOLDER + sep) ? relative(REPOSITORY_FOLDER, absolute) : absolute;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

import { advice, alternatives } from './nearest.ts';
import type { Problem } from './problem.ts';
import { shownPath, type SourceFile, type Step } from './source-file.ts';

const FORMATS: Readonly<
  Record<string, { readonly test: (value: string) => boolean; readonly expects: string }>
> = {
  'time-zone': {
    test: isTimeZone,
    expects: 'is not a time zone; use a name of the IANA database, such as Europe/Berlin',
  },
  'email-address': {
    test: (value) => /^[^\s@<>,;]+@[^\s@<>,;.]+(\.[^\s@<>,;.]+)+$/.test(value),
    expects: 'is not an email address; use one such as legal@example.com',
  },
  'https-address': {
    test: isHttpsAddress,
    expects: 'is not an https address; alerts leave encrypted only: use one that begins with https://',
  },
};

/** Holds configuration files against the JSON Schemas in a folder. */
export class SchemaCheck {
  private readonly ajv = new Ajv2020({ allErrors: true, verbose: true, keywords: ['patternErrorMessage'] });
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    for (const [name, format] of Object.entries(FORMATS)) this.ajv.addFormat(name, format.test);
  }

  /** All that is wrong with a file, by the schema `NAME.json`. */
  problemsOf(name: string, source: SourceFile): Problem[] {
    const schema = JSON.parse(readFileSync(join(this.folder, `${name}.json`), 'utf8')) as object;
    const validate: ValidateFunction = this.ajv.compile(schema);
    if (validate(source.value)) return [];
    const errors = validate.errors ?? [];
    return errors.filter((error) => !isInsideChoice(error)).map((error) => problemOf(error, source));
  }
}

/** What each branch of a choice lacks is told once, by the choice. */
function isInsideChoice(error: ErrorObject): boolean {
  return /\/oneOf\/\d+\//.test(error.schemaPath);
}

function problemOf(error: ErrorObject, source: SourceFile): Problem {
  const path = stepsOf(error.instancePath, source.value);
  const where = shownPath(path);
  const at = (message: string): Problem => source.problemWithValue(path, `${where} ${message}`.trimStart());
  const schema = error.parentSchema as SchemaPart;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      const known = Object.keys(schema.properties ?? {});
      return source.problemWithKey(
        path,
        key,
        `${shownPath([...path, key])} is not known; ${advice(key, known)}`,
      );
    }
    case 'required': {
      const key = String(error.params['missingProperty']);
      return at(`has no ${key}; add it`);
    }
    case 'oneOf': {
      const choices = (schema.oneOf ?? []).flatMap((choice) => choice.required ?? []);
      const given = choices.filter((choice) => isRecord(error.data) && choice in error.data);
      const reason = given.length === 0 ? 'has none' : `has ${given.join(' and ')}`;
      return at(`${reason}; give exactly one of ${alternatives(choices)}`);
    }
    case 'enum': {
      const known = (schema.enum ?? []).map(String);
      return at(`is ${shownValue(error.data)}, which is not known; ${advice(String(error.data), known)}`);
    }
    case 'type':
      return at(
        `is ${kindOf(error.data)}; it must be ${TYPE_NAMES[String(error.params['type'])] ?? 'something else'}`,
      );
    case 'pattern':
      return at(`is ${shownValue(error.data)}; it ${schema.patternErrorMessage ?? 'has another form'}`);
    case 'format':
      return at(
        `is ${shownValue(error.data)}, which ${FORMATS[String(error.params['format'])]?.expects ?? ''}`,
      );
    case 'minimum':
      return at(`is ${shownValue(error.data)}; it must be at least ${String(error.params['limit'])}`);
    case 'maximum':
      return at(`is ${shownValue(error.data)}; it must be at most ${String(error.params['limit'])}`);
    case 'minItems':
    case 'minLength':
      return at('is empty; give at least one');
    case 'maxLength':
      return at(`is too long; use at most ${String(error.params['limit'])} characters`);
    case 'uniqueItems':
      return at(
        `names the same entry twice (${String(error.params['j'])} and ${String(error.params['i'])}); remove one`,
      );
    default:
      return at(`${error.message ?? 'is not valid'}; see the schema`);
  }
}

interface SchemaPart {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly oneOf?: readonly { readonly required?: readonly string[] }[];
  readonly enum?: readonly unknown[];
  readonly patternErrorMessage?: string;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  integer: 'a whole number',
  object: 'a map of keys and values',
  string: 'text; put it in quotes',
};

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys and values';
  return shownValue(value);
}

function shownValue(value: unknown): string {
  return JSON.stringify(value);
}

/** Ajv points with a JSON Pointer; a list's places are numbers. */
function stepsOf(pointer: string, root: unknown): Step[] {
  const steps: Step[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const step: Step = Array.isArray(value) ? Number(key) : key;
    value = Array.isArray(value) ? value[Number(key)] : isRecord(value) ? value[key] : undefined;
    steps.push(step);
  }
  return steps;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTimeZone(value: string): boolean {
  // The runtime takes offsets such as +01:00 for zones, too; they know nothing of summer time.
  if (!/^[A-Za-z]/.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

function isHttpsAddress(value: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === 'https:' && new URL(value).hostname !== '';
}

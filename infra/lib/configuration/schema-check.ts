import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';

import { lawData } from './law-data.ts';
import { nearest, quoted, suggest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { idMessage, isSalesforceId } from './salesforce-id.ts';
import { shownPath, type SourceFile, type Step } from './source-file.ts';

interface Format {
  readonly test: (value: string) => boolean;
  /** What is wrong, and what to do. */
  readonly message: (value: string) => string;
  /** An address may hold a name or a secret: it is not repeated. */
  readonly isPrivate?: boolean;
}

const FORMATS: Readonly<Record<string, Format>> = {
  'time-zone': { test: isTimeZone, message: timeZoneMessage },
  'salesforce-id': { test: isSalesforceId, message: idMessage },
  country: {
    test: (value) => lawData().isCountry(value),
    message: (value) => `is no country code; ${lawData().meantCountry(value)}`,
  },
  place: {
    test: (value) => lawData().isPlace(value),
    message: (value) => `is no code of a country or a part of one; ${lawData().meantPlace(value)}`,
  },
  'counting-rule': {
    test: (value) => lawData().countingRules.includes(value),
    message: (value) => `is not known; ${suggest(value, lawData().countingRules)}`,
  },
  'content-list': {
    test: (value) => lawData().contentLists.includes(value),
    message: (value) => `is not known; ${suggest(value, lawData().contentLists)}`,
  },
  'email-address': {
    test: (value) => value.length <= 254 && /^[^\s@,]+@[^\s@,.]+(\.[^\s@,.]+)+$/.test(value),
    message: () => 'is no e-mail address; write one address, as in legal@example.com',
    isPrivate: true,
  },
  'https-address': {
    test: (value) => addressFault(value) === undefined,
    message: (value) => `${addressFault(value)}; write it as in https://alerts.example.com/breachclock`,
    isPrivate: true,
  },
};

/** Holds configuration files against the JSON Schemas in a folder. */
export class SchemaCheck {
  private readonly ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    coerceTypes: true,
    allowUnionTypes: true,
    keywords: ['oneOfErrorMessages', 'patternErrorMessage', 'minPropertiesErrorMessage'],
  });
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    for (const [name, format] of Object.entries(FORMATS)) this.ajv.addFormat(name, format.test);
  }

  /** All that is wrong with a file, by the schema `NAME.json`. */
  problemsOf(name: string, source: SourceFile): Problem[] {
    const schema = JSON.parse(readFileSync(join(this.folder, `${name}.json`), 'utf8')) as object;
    const validate = this.ajv.compile(schema);
    if (validate(source.value)) return [];
    return (validate.errors ?? [])
      .filter((error) => !isToldElsewhere(error))
      .flatMap((error) => problemOf(error, source) ?? []);
  }
}

/** What each branch of a choice lacks is told by the choice; what a condition asked for, by what it asked. */
function isToldElsewhere(error: ErrorObject): boolean {
  return error.keyword === 'if' || /\/oneOf\/\d+\//.test(error.schemaPath);
}

function problemOf(error: ErrorObject, source: SourceFile): Problem | undefined {
  const path = stepsOf(error.instancePath, source.value);
  const place = placeOf(path, error.data);
  const schema = error.parentSchema as SchemaPart;
  const value = error.data as unknown;
  // A value is repeated to who wrote it; a whole list or map is not.
  const at = (message: string): Problem => source.problemWithValue(path, `${place} ${message}`);
  const atValue = (message: string): Problem =>
    source.problemWithValue(path, `${place}: ${quoted(value)} ${message}`);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      const known = Object.keys(schema.properties ?? {});
      return source.problemWithKey(
        path,
        key,
        `${shownPath([...path, key])} is not known; ${suggest(key, known)}`,
      );
    }
    case 'required': {
      const key = String(error.params['missingProperty']);
      return source.problemWithValue(path, `${shownPath([...path, key])} is missing; add \`${key}:\` here`);
    }
    case 'oneOf': {
      const choices = (schema.oneOf ?? []).flatMap((choice) => choice.required ?? []);
      const given = isRecord(value) ? Object.keys(value).filter((key) => choices.includes(key)) : [];
      const second = given[1];
      return second === undefined
        ? at(schema.oneOfErrorMessages?.none ?? `has none of ${choices.join(', ')}; give it one of them`)
        : source.problemWithKey(
            path,
            second,
            `${place} ${schema.oneOfErrorMessages?.several ?? `has more than one of ${choices.join(', ')}; keep one`}`,
          );
    }
    case 'enum':
      return atValue(`is not known; ${suggest(String(value), (schema.enum ?? []).map(String))}`);
    case 'type':
      return at(typeMessage(String(error.params['type']), value, Object.keys(schema.properties ?? {})));
    case 'pattern':
      return value === ''
        ? undefined
        : atValue(schema.patternErrorMessage ?? 'has another form; see the schema');
    case 'format': {
      const format = FORMATS[String(error.params['format'])];
      if (value === '' || format === undefined) return at('is empty; write a value');
      const message = format.message(String(value));
      return format.isPrivate === true ? at(message) : atValue(message);
    }
    case 'minimum':
      return at(
        `is ${String(value)}; write ${String(error.params['limit'])} or more, or take the line out for no limit`,
      );
    case 'maximum':
      return at(`is ${String(value)}; write ${String(error.params['limit'])} or less`);
    case 'minItems':
      return at('is an empty list; name at least one');
    case 'minLength':
      return at('is empty; write a value');
    case 'maxLength':
      return at(`is too long; use up to ${String(error.params['limit'])} characters`);
    case 'minProperties':
      return at(schema.minPropertiesErrorMessage ?? 'says nothing; give it a key');
    case 'uniqueItems': {
      const [first, second] = [Number(error.params['j']), Number(error.params['i'])];
      const repeated = (value as readonly unknown[])[Math.max(first, second)];
      const line = source.lineOf([...path, Math.min(first, second)]);
      return source.problemWithValue(
        [...path, Math.max(first, second)],
        `${place}: ${quoted(repeated)} stands already in line ${line}; keep one of the two, or give this one another name`,
      );
    }
    default:
      return at(`${error.message ?? 'is not valid'}; see the schema`);
  }
}

interface SchemaPart {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly oneOf?: readonly { readonly required?: readonly string[] }[];
  readonly enum?: readonly unknown[];
  readonly oneOfErrorMessages?: { readonly none: string; readonly several: string };
  readonly patternErrorMessage?: string;
  readonly minPropertiesErrorMessage?: string;
}

function typeMessage(wanted: string, value: unknown, keys: readonly string[]): string {
  switch (wanted) {
    case 'array':
      return `is ${kindOf(value)}, not a list; write it as a list, each item behind \`- \` or in [brackets]`;
    case 'object':
      return `is ${kindOf(value)}, not a mapping of keys to values; ${keys.length === 0 ? 'write `name: value` below it' : `give it the keys ${keys.join(', ')}`}`;
    case 'integer':
      return 'is not a whole number; write digits only, 1 or more';
    case 'boolean':
      return 'is neither true nor false; write one of the two';
    default:
      return `is ${kindOf(value)}, not a single value; write one value behind the colon`;
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping of keys to values';
  return 'a single value';
}

/** An item of a list is known by its text; the list's name is place enough. */
function placeOf(path: readonly Step[], value: unknown): string {
  const isWordInList = typeof path.at(-1) === 'number' && typeof value === 'string';
  return shownPath(isWordInList ? path.slice(0, -1) : path) || 'the file';
}

/** Ajv points with a JSON Pointer; a list's places are numbers. */
function stepsOf(pointer: string, root: unknown): Step[] {
  const steps: Step[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(value) ? Number(key) : key);
    value = Array.isArray(value) ? value[Number(key)] : isRecord(value) ? value[key] : undefined;
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

function timeZoneMessage(value: string): string {
  const meant = nearest(value, Intl.supportedValuesOf('timeZone'));
  return `is no time zone; ${meant === undefined ? 'write an IANA name such as Europe/Berlin' : `did you mean ${meant}?`}`;
}

function addressFault(value: string): string | undefined {
  if (!value.startsWith('https://')) return 'does not start with https://';
  if (/\s/.test(value)) return 'holds a space';
  if (!URL.canParse(value)) return 'names no host';
  const { username, password } = new URL(value);
  // Credentials in a URL end up in every log that the URL passes.
  return username === '' && password === '' ? undefined : 'carries a user name';
}

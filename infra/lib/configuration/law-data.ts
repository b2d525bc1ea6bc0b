import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { INFRA_FOLDER } from '../settings.ts';
import { nearest } from './nearest.ts';

const LAW_FOLDER = resolve(INFRA_FOLDER, '..', 'shared', 'deadlines', 'law');

/** Facts whose values are places. */
const PLACE_FACTS = ['authority_country', 'establishment_country', 'subject_country', 'subject_region'];

/** Codes that people write for others. */
const USUAL_MISTAKES: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

/** In which form a fact is asked for. A value of another form would answer no where nothing is known. */
export type FactForm = 'truth' | 'number' | 'words' | 'place';

/** A fact that somebody asks for, and the words that it is compared with. */
export interface AskedFact {
  readonly form: FactForm;
  readonly words: Set<string>;
}

/** A condition, as far as the facts in it go. */
interface Condition {
  readonly op: string;
  readonly of?: readonly Condition[];
  readonly fact?: string;
  readonly value?: unknown;
  readonly values?: readonly unknown[];
}

interface Regime {
  readonly id: string;
  readonly applies_when: readonly Condition[];
  readonly exempt_when?: readonly Condition[];
  readonly limit?: object;
  readonly limit_from_fact?: string;
  readonly counting?: string;
  readonly bites_from?: { readonly fact: string; readonly days: Readonly<Record<string, string>> };
}

interface CountingRule {
  readonly id: string;
  readonly method: string;
  readonly not_when?: readonly Condition[];
  readonly doubtful_when?: readonly Condition[];
}

/** What each method of counting counts, by the unit of a limit; the others move an end, or are a convention. */
const COUNTED_UNITS: Readonly<Record<string, string>> = {
  elapsed_hours: 'hours',
  calendar_days: 'days',
  days_after_year_end: 'days',
  calendar_months: 'months',
  working_days: 'business_days',
  date_of_next_year: '',
};

interface Authority {
  readonly country: string;
  readonly region?: string;
}

/** The names of the law data: the same files that the functions were built with. */
export class LawData {
  /** Every regime, and whether it has a limit of its own. */
  readonly regimes: ReadonlyMap<string, boolean>;
  readonly countingRules: readonly string[];
  private readonly methods: ReadonlyMap<string, string>;
  readonly contentLists: readonly string[];
  readonly groups: readonly string[];
  readonly askedFacts: ReadonlyMap<string, AskedFact>;
  private readonly countries: ReadonlyMap<string, string>;
  private readonly regions: ReadonlyMap<string, string>;
  private readonly authorities: readonly Authority[];

  constructor() {
    const regimes = ['europe', 'us', 'world'].flatMap(
      (part) => read<{ regimes: Regime[] }>(`regimes-${part}.json`).regimes,
    );
    const rules = read<{ rules: CountingRule[] }>('counting-rules.json').rules;
    const places = read<Record<'groups' | 'countries' | 'regions', object>>('places.json');
    this.regimes = new Map(
      regimes.map(({ id, limit, counting }) => [id, limit !== undefined || counting !== undefined]),
    );
    this.countingRules = rules.map((rule) => rule.id);
    this.methods = new Map(rules.map((rule) => [rule.id, rule.method]));
    this.contentLists = Object.keys(read<object>('content.json')).sort();
    this.groups = Object.keys(places.groups);
    this.countries = new Map(Object.entries(places.countries));
    this.regions = new Map(Object.entries(places.regions));
    this.authorities = read<{ authorities: Authority[] }>('authorities.json').authorities;
    this.askedFacts = askedFacts(regimes, rules);
  }

  /** The unit that a rule counts; undefined for one that counts none. */
  unitOf(rule: string): string | undefined {
    return COUNTED_UNITS[this.methods.get(rule) ?? ''];
  }

  /** Whether a rule moves an end that was counted. */
  movesAnEnd(rule: string): boolean {
    return this.unitOf(rule) === undefined && this.methods.get(rule) !== 'convention';
  }

  isCountry(code: string): boolean {
    return this.countries.has(code);
  }

  /**
   * Whether a code is a country or a part of one. Of a country whose parts have laws of their own the part must be one
   * that there is; of any other the form of the code is enough.
   */
  isPlace(code: string): boolean {
    if (this.countries.has(code) || this.regions.has(code)) return true;
    const [country = '', part] = code.split(/-(.*)/s);
    const hasParts = [...this.regions.keys()].some((region) => region.startsWith(`${country}-`));
    return part !== undefined && /^[A-Z0-9]{1,3}$/.test(part) && this.countries.has(country) && !hasParts;
  }

  /** The country that was probably meant, or how to write one. */
  meantCountry(given: string): string {
    return meant(given, this.countries) ?? 'write two capital letters, ISO 3166-1 alpha-2, as in DE';
  }

  /** The country or the part of one that was probably meant, or how to write one. */
  meantPlace(given: string): string {
    return (
      meant(given, new Map([...this.countries, ...this.regions])) ??
      'write ISO 3166-1 alpha-2, as in DE, or with a part of the country, as in US-CA'
    );
  }

  /** The words by which the authorities of a country are told apart, where it has several. */
  authorityRegions(country: string): string[] {
    return this.authorities.flatMap((known) =>
      known.country === country && known.region !== undefined ? [known.region] : [],
    );
  }
}

let loaded: LawData | undefined;

/** Read once: it is a third of a megabyte. */
export function lawData(): LawData {
  loaded ??= new LawData();
  return loaded;
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(LAW_FOLDER, name), 'utf8')) as T;
}

/** By its code in other letters, by its name, and only then by a code that is nearly the same. */
function meant(given: string, names: ReadonlyMap<string, string>): string | undefined {
  const near = nearest(given, [...names.values()]);
  const code =
    USUAL_MISTAKES[given.toUpperCase()] ??
    [...names.keys()].find((known) => known.toLowerCase() === given.toLowerCase()) ??
    [...names].find(([, name]) => name === near)?.[0] ??
    nearest(given, [...names.keys()]);
  return code === undefined ? undefined : `did you mean ${code} (${names.get(code)})?`;
}

function askedFacts(regimes: readonly Regime[], rules: readonly CountingRule[]): Map<string, AskedFact> {
  const asked = new Map<string, AskedFact>();
  const note = (fact: string, form: FactForm, words: readonly unknown[] = []): void => {
    const known = asked.get(fact) ?? { form, words: new Set() };
    words.forEach((word) => typeof word === 'string' && known.words.add(word));
    asked.set(fact, known);
  };
  const ask = ({ op, of, fact, value, values = [value] }: Condition): void => {
    of?.forEach(ask);
    if (fact === undefined) return;
    if (['gt', 'gte', 'lt', 'lte'].includes(op)) note(fact, 'number');
    else if (op === 'in_group') note(fact, 'place');
    else note(fact, formOf(fact, values[0]), values);
  };
  PLACE_FACTS.forEach((fact) => note(fact, 'place'));
  for (const { applies_when, exempt_when = [], limit_from_fact, bites_from } of regimes) {
    [...applies_when, ...exempt_when].forEach(ask);
    if (limit_from_fact !== undefined) note(limit_from_fact, 'number');
    if (bites_from !== undefined) note(bites_from.fact, 'words', Object.keys(bites_from.days));
  }
  for (const { not_when = [], doubtful_when = [] } of rules) [...not_when, ...doubtful_when].forEach(ask);
  return asked;
}

function formOf(fact: string, value: unknown): FactForm {
  if (typeof value === 'boolean') return 'truth';
  if (typeof value === 'number') return 'number';
  return PLACE_FACTS.includes(fact) ? 'place' : 'words';
}

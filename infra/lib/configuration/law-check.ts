import { duplicates, entriesOf, isEntry, textOf, type Entry } from './entries.ts';
import { lawData, type AskedFact, type FactForm } from './law-data.ts';
import { nearest, quoted, suggest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { shownPath, type SourceFile, type Step } from './source-file.ts';
import { SEVERITY_LEVELS } from './types.ts';

/** Facts that have a place of their own. Said twice, they could contradict each other. */
const SAID_ELSEWHERE: Readonly<Record<string, string>> = {
  authority_region: 'write it as `region:` in the organisation file',
  establishment_country: 'it is `country:` of the organisation file; take it out',
  severity: 'it is judged from the logs; take it out',
  subject_country: 'write it as `subject_countries:` of each org in the orgs file',
  subject_region: 'write it as `subject_countries:` of each org in the orgs file',
};

const COMPARISONS: readonly unknown[] = ['gt', 'gte', 'lt', 'lte'];

const NOUNS: Readonly<Record<FactForm, string>> = {
  truth: 'true or false',
  number: 'a number',
  words: 'a word',
  place: 'a place',
};

/** The units of a limit, for a sentence. */
const UNIT_WORDS: Readonly<Record<string, string>> = {
  hours: 'hours',
  days: 'days',
  months: 'months',
  business_days: 'working days',
};

/** The part of the country that says which of its authorities is told. */
export function regionProblems(source: SourceFile): Problem[] {
  const { country, region } = isEntry(source.value) ? source.value : {};
  const [given, of] = [textOf(region), textOf(country)];
  if (given === undefined || of === undefined || !lawData().isCountry(of)) return [];
  const regions = lawData().authorityRegions(of);
  if (regions.includes(given)) return [];
  const message =
    regions.length === 0
      ? `the authorities of ${of} are not told apart by region; take the line out`
      : `no authority of ${of} goes by ${quoted(given)}; ${suggest(given, regions)}`;
  return [source.problemWithValue(['region'], `region: ${message}`)];
}

/** What of law.yaml no schema can see: the facts, regimes and rules that there are. */
export function lawProblems(source: SourceFile): Problem[] {
  return new LawCheck(source).problems();
}

/** Collects the problems of one file; what is not as the schema wants it is passed over. */
class LawCheck {
  private readonly asked = new Map<string, AskedFact>(lawData().askedFacts);
  private readonly declared = new Map<string, number>();
  private readonly found: Problem[] = [];
  private readonly source: SourceFile;

  constructor(source: SourceFile) {
    this.source = source;
    this.asked.set('severity', { form: 'words', words: new Set(SEVERITY_LEVELS) });
  }

  problems(): Problem[] {
    const file = isEntry(this.source.value) ? this.source.value : {};
    const duties = entriesOf(file, 'duties');
    const ids = duties.map((duty) => textOf(duty['id']));
    this.found.push(...duplicates(this.source, ids, (index) => ['duties', index, 'id']));
    duties.forEach((duty, index) => this.duty(duty, ['duties', index]));
    if (isEntry(file['facts'])) this.facts(file['facts']);

    const regimes = new Map(lawData().regimes);
    for (const duty of duties) {
      const id = textOf(duty['id']);
      if (id !== undefined) regimes.set(`own-${id}`, duty['limit'] !== undefined);
    }
    this.regimes(file, ['targets', 'hours_by_regime'], regimes, { withoutLimit: true });
    this.regimes(file, ['reminders', 'by_regime'], regimes, { withoutLimit: false });
    return this.found;
  }

  private at(path: readonly Step[], message: string): void {
    this.found.push(this.source.problemWithValue(path, `${shownPath(path)}${message}`));
  }

  private atKey(path: readonly Step[], key: string, message: string): void {
    this.found.push(this.source.problemWithKey(path, key, message));
  }

  private duty(duty: Entry, path: readonly Step[]): void {
    this.limit(duty, path);
    entriesOf(duty, 'applies_when').forEach((condition, index) =>
      this.condition(condition, [...path, 'applies_when', index]),
    );
  }

  private limit(duty: Entry, path: readonly Step[]): void {
    const law = lawData();
    if (duty['limit'] === undefined) {
      for (const key of ['counting', 'extension', 'second_limit']) {
        if (duty[key] === undefined) continue;
        const remedy = 'add `limit:`, or take the line out for an internal target';
        this.at([...path, key], ` stands without a limit; ${remedy}`);
      }
      return;
    }
    const unit = isEntry(duty['limit']) ? textOf(duty['limit']['unit']) : undefined;
    const [counting, extension] = [textOf(duty['counting']), textOf(duty['extension'])];
    if (unit === 'business_days' && counting === undefined) {
      const names = law.countingRules.filter((rule) => law.unitOf(rule) === unit).sort();
      const remedy = `add \`counting:\` with one of ${names.join(', ')}`;
      this.at([...path, 'limit'], ` needs a calendar of working days; ${remedy}`);
    }
    const remedy = 'docs/LAW.md tells what each rule does';
    const words = UNIT_WORDS[unit ?? ''];
    if (counting !== undefined && law.countingRules.includes(counting) && words !== undefined) {
      const counted = law.unitOf(counting);
      if (counted !== unit) {
        const what = counted === undefined ? 'a limit' : words;
        this.at([...path, 'counting'], `: ${counting} does not count ${what}; ${remedy}`);
      }
    }
    if (extension !== undefined && law.countingRules.includes(extension) && !law.movesAnEnd(extension)) {
      this.at([...path, 'extension'], `: ${extension} changes no end; ${remedy}`);
    }
  }

  private condition(condition: Entry, path: readonly Step[]): void {
    entriesOf(condition, 'of').forEach((part, index) => this.condition(part, [...path, 'of', index]));
    const fact = textOf(condition['fact']);
    if (fact === undefined) return;
    const values = Array.isArray(condition['values']) ? (condition['values'] as unknown[]) : [];
    const given = [condition['value'], ...values].filter((value) => typeof value === 'string');
    const wanted = COMPARISONS.includes(condition['op'])
      ? 'number'
      : condition['op'] === 'in_group'
        ? 'place'
        : undefined;
    const known = this.asked.get(fact);
    if (known === undefined) {
      const near = nearest(fact, [...lawData().askedFacts.keys(), 'severity']);
      if (near !== undefined) {
        const remedy = `did you mean ${near}? A fact of your own needs a name that is less like it`;
        return this.at([...path, 'fact'], `: ${quoted(fact)} is asked for by no law; ${remedy}`);
      }
      if (!/^[a-z][a-z0-9_]{0,63}$/.test(fact)) {
        const remedy = 'use up to 64 small letters, digits and underscores, a letter first';
        return this.at([...path, 'fact'], `: ${quoted(fact)} is no name of a fact; ${remedy}`);
      }
      this.asked.set(fact, { form: wanted ?? formOf(given[0]), words: new Set() });
    } else if (wanted !== undefined && known.form !== wanted) {
      const message = `${quoted(fact)} is ${NOUNS[known.form]}, not ${NOUNS[wanted]}`;
      return this.at([...path, 'fact'], `: ${message}; compare it with eq or in`);
    }
    if (condition['value'] !== undefined) this.value(fact, condition['value'], [...path, 'value']);
    values.forEach((value, index) => this.value(fact, value, [...path, 'values', index]));
  }

  private facts(facts: Entry): void {
    for (const [key, value] of Object.entries(facts)) {
      const isGroup =
        !this.asked.has(key) &&
        isEntry(value) &&
        [...this.asked.keys()].some((name) => name.startsWith(`${key}.`));
      if (isGroup) {
        for (const [part, inner] of Object.entries(value)) {
          this.fact(`${key}.${part}`, inner, ['facts', key], part);
        }
      } else {
        this.fact(key, value, ['facts'], key);
      }
    }
  }

  private fact(name: string, value: unknown, path: readonly Step[], key: string): void {
    const elsewhere = SAID_ELSEWHERE[name];
    if (elsewhere !== undefined) {
      return this.atKey(path, key, `facts.${name} is not declared here; ${elsewhere}`);
    }
    if (!this.asked.has(name)) {
      const near = nearest(name, [...this.asked.keys()]);
      const remedy =
        near === undefined ? 'docs/LAW.md tells what each law asks for' : `did you mean ${near}?`;
      return this.atKey(path, key, `facts.${name} is asked for by no law and no own duty; ${remedy}`);
    }
    const at = [...path, key];
    const earlier = this.declared.get(name);
    if (earlier === undefined) {
      this.declared.set(name, this.source.lineOf(at));
    } else {
      const remedy = 'keep one of the two, or give this one another name';
      this.atKey(path, key, `facts: ${quoted(name)} stands already in line ${earlier}; ${remedy}`);
    }
    if (!isEntry(value) || value['by_place'] === undefined) return this.atOnePlace(name, value, at);
    const byPlace = isEntry(value['by_place']) ? value['by_place'] : {};
    for (const [place, inner] of Object.entries(byPlace)) {
      if (!lawData().isPlace(place) && !lawData().groups.includes(place)) {
        const message = `${quoted(place)} is no place that a law is of; ${lawData().meantPlace(place)}`;
        this.atKey([...at, 'by_place'], place, `${shownPath([...at, 'by_place', place])}: ${message}`);
      }
      this.atOnePlace(name, inner, [...at, 'by_place', place]);
    }
  }

  private atOnePlace(name: string, value: unknown, path: readonly Step[]): void {
    const form = this.asked.get(name)?.form;
    if (Array.isArray(value) && (form === 'words' || form === 'place')) {
      if (value.length === 0) {
        this.at(path, ' is an empty list; name at least one, or write a word such as none');
      }
      value.forEach((item, index) => this.value(name, item, [...path, index]));
    } else if (isEntry(value) && form === 'number') {
      for (const [key, end] of Object.entries(value)) {
        if (key === 'lower' || key === 'upper') this.value(name, end, [...path, key]);
        else {
          const message = `is not known; ${suggest(key, ['lower', 'upper'])}`;
          this.atKey(path, key, `${shownPath([...path, key])} ${message}`);
        }
      }
      if (value['lower'] === undefined) {
        this.at(path, '.lower is missing; add `lower:` here, 0 where nothing is known');
      } else if (Number(value['upper']) < Number(value['lower'])) {
        this.at([...path, 'upper'], ' is less than lower; exchange the two');
      }
    } else {
      this.value(name, value, path);
    }
  }

  /** One value of a fact, in the form in which it is asked for. A word that is nearly one of the law's is a slip. */
  private value(fact: string, value: unknown, path: readonly Step[]): void {
    const asked = this.asked.get(fact);
    if (asked === undefined) return;
    if (Array.isArray(value) || isEntry(value)) {
      const kind = Array.isArray(value) ? 'a list' : 'a mapping of keys to values';
      return this.at(path, ` is ${kind}, not a single value; write one value behind the colon`);
    }
    const text = String(value);
    const place = typeof path.at(-1) === 'number' ? path.slice(0, -1) : path;
    const refuse = (message: string): void => {
      const shown = `${shownPath(place)}: ${quoted(text)} ${message}`;
      this.found.push(this.source.problemWithValue(path, shown));
    };
    if (asked.form === 'truth') {
      if (text !== 'true' && text !== 'false') {
        refuse('is neither true nor false; write one of the two');
      }
    } else if (asked.form === 'number') {
      if (!/^[0-9]+$/.test(text)) refuse('is no whole number; write digits only');
    } else if (asked.form === 'place') {
      if (!lawData().isPlace(text)) {
        refuse(`is no code of a country or a part of one; ${lawData().meantPlace(text)}`);
      }
    } else if (!asked.words.has(text)) {
      const near = nearest(text, [...asked.words]);
      if (near !== undefined) refuse(`is asked for by no law; did you mean ${near}?`);
    }
  }

  private regimes(
    file: Entry,
    path: readonly [string, string],
    regimes: ReadonlyMap<string, boolean>,
    { withoutLimit }: { readonly withoutLimit: boolean },
  ): void {
    const [section, key] = path;
    const inSection = isEntry(file[section]) ? file[section][key] : undefined;
    for (const name of Object.keys(isEntry(inSection) ? inSection : {})) {
      const hasLimit = regimes.get(name);
      if (hasLimit === undefined) {
        const own = regimes.has(`own-${name}`) ? `own-${name}` : nearest(name, [...regimes.keys()]);
        const remedy =
          own === undefined
            ? 'docs/LAW.md lists the regimes; a duty of your own is `own-` and its id'
            : `did you mean ${own}?`;
        this.atKey(path, name, `${shownPath(path)}: there is no regime ${quoted(name)}; ${remedy}`);
      } else if (withoutLimit && hasLimit) {
        const reason = `${name} has a limit of its own, so no target counts for it`;
        const remedy = 'take the line out; to be told earlier, name it under `reminders: by_regime:`';
        this.atKey(path, name, `${shownPath(path)}: ${reason}; ${remedy}`);
      }
    }
  }
}

/** Of a fact of the customer's own, its first value tells the form. */
function formOf(value: unknown): FactForm {
  if (value === 'true' || value === 'false') return 'truth';
  return /^[0-9]+$/.test(String(value)) ? 'number' : 'words';
}

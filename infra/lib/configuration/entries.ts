import { quoted } from './nearest.ts';
import type { Problem } from './problem.ts';
import { shownPath, type SourceFile, type Step } from './source-file.ts';

/** A map of a configuration file. */
export type Entry = Readonly<Record<string, unknown>>;

export function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function itemsOf(value: unknown, key: string): readonly unknown[] {
  const list = isEntry(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

/** The maps in a list, each at its place: what is no map holds its place, empty. */
export function entriesOf(value: unknown, key: string): readonly Entry[] {
  return itemsOf(value, key).map((item) => (isEntry(item) ? item : {}));
}

export function namesOf(entries: readonly Entry[]): (string | undefined)[] {
  return entries.map((entry) => textOf(entry['name']));
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Names that stand a second time, with the line of the first. */
export function duplicates(
  source: SourceFile,
  names: readonly (string | undefined)[],
  pathOf: (index: number) => Step[],
): Problem[] {
  const first = new Map<string, number>();
  return names.flatMap((name, index) => {
    if (name === undefined) return [];
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      return [];
    }
    const path = pathOf(index);
    const place = shownPath(typeof path.at(-1) === 'number' ? path.slice(0, -1) : path);
    const line = source.lineOf(pathOf(earlier));
    return [
      source.problemWithValue(
        path,
        `${place}: ${quoted(name)} stands already in line ${line}; keep one of the two, or give this one another name`,
      ),
    ];
  });
}

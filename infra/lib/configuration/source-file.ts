import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
} from 'yaml';

import type { Problem } from './problem.ts';

/** A step into a document: a key of a map or a place in a list. */
export type Step = string | number;

/** A configuration file whose values can be traced back to line and column. */
export class SourceFile {
  readonly shownAs: string;
  /**
   * What the file says, in lists, maps and text. Nothing is taken for a number here: an id may be made of
   * digits alone. A key without a value counts as absent.
   */
  readonly value: unknown;
  /** What the YAML parser refused. */
  readonly syntaxProblems: readonly Problem[];
  private readonly document: Document.Parsed;
  private readonly lines = new LineCounter();

  constructor(shownAs: string, text: string) {
    this.shownAs = shownAs;
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, schema: 'failsafe' });
    const problems = this.document.errors.map((error) => this.problemAt(error.pos[0], syntaxMessage(error)));
    visit(this.document, {
      Alias: (_, alias) => {
        problems.push(
          this.problemAt(alias.range?.[0] ?? 0, 'aliases (`*name`) are not read here; write the value out'),
        );
      },
    });
    this.syntaxProblems = problems;
    this.value = problems.length === 0 ? plain(this.document.contents) : undefined;
  }

  /** A problem with the value at a path, placed where the value begins. */
  problemWithValue(path: readonly Step[], message: string): Problem {
    return this.problemAt(this.offsetOfValue(path), message);
  }

  /** A problem with a key of the map at a path, placed where the key begins. */
  problemWithKey(path: readonly Step[], key: string, message: string): Problem {
    const pair = this.pairOf(path, key);
    const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
    return this.problemAt(offset ?? this.offsetOfValue(path), message);
  }

  /** The line in which the value at a path begins, counted from 1. */
  lineOf(path: readonly Step[]): number {
    return this.problemWithValue(path, '').line;
  }

  private pairOf(path: readonly Step[], key: string): Pair | undefined {
    const map = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    if (!isMap(map)) return undefined;
    return map.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  }

  private offsetOfValue(path: readonly Step[]): number {
    for (let length = path.length; length > 0; length -= 1) {
      const node = this.document.getIn(path.slice(0, length), true) as Node | undefined;
      if (isScalar(node) || isMap(node) || isSeq(node)) return node.range?.[0] ?? 0;
    }
    return this.document.contents?.range[0] ?? 0;
  }

  private problemAt(offset: number, message: string): Problem {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.shownAs, line: Math.max(line, 1), column: Math.max(col, 1), message };
  }
}

/** A path as people write it: `agents[0].purposes[1].objects`. */
export function shownPath(path: readonly Step[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

function syntaxMessage(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'a key stands twice in one place; keep one of the two';
    case 'MULTIPLE_DOCS':
      return 'the file holds a second document; keep one, and take out the line `---`';
    default:
      return `this is not YAML: ${error.message}; check indentation, colons and quotes around here`;
  }
}

function plain(node: unknown): unknown {
  if (isMap(node)) {
    const entries = node.items
      .map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', plain(pair.value)] as const)
      .filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries);
  }
  if (isSeq(node)) return node.items.map((item) => plain(item) ?? '');
  if (!isScalar(node) || isAlias(node)) return undefined;
  const text = String(node.value).trim();
  const isAbsent = node.type === 'PLAIN' && ['', '~', 'null', 'Null', 'NULL'].includes(text);
  return isAbsent ? undefined : text;
}

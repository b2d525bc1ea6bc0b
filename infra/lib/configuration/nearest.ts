import { distance } from 'fastest-levenshtein';

/** The known word that is most like a wrong one, when it is like enough to have been meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.edits - right.edits);
  const best = ranked[0];
  if (best === undefined) return undefined;
  return best.edits <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined;
}

/** "a, b or c". */
export function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** What to do about a word that is not known. */
export function advice(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? `use ${alternatives(known)}` : `did you mean ${meant}?`;
}

import compare from 'damerau-levenshtein';

/** The known word that is most like a wrong one, when it is like enough to have been meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const given = word.toLowerCase();
  const allowed = Math.min(Math.max(Math.floor([...given].length / 3), 1), 4);
  const ranked = known
    .map((candidate) => ({ candidate, edits: compare(given, candidate.toLowerCase()).steps }))
    .filter(({ edits }) => edits <= allowed)
    .sort((left, right) => left.edits - right.edits);
  return ranked[0]?.candidate;
}

/** What to do about a word that is not known. */
export function suggest(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? `use one of ${known.join(', ')}` : `did you mean ${meant}?`;
}

/** What somebody wrote, short enough to be repeated to them. */
export function quoted(value: unknown): string {
  const shown = [...String(value)].filter((character) => !/\p{Cc}/u.test(character));
  return `\`${shown.slice(0, 60).join('')}${shown.length > 60 ? '…' : ''}\``;
}

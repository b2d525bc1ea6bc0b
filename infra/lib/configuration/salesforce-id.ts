/**
 * The three characters that make an id of 15 safe where letter case is lost: one for each five, whose bits
 * say which of the five are capitals.
 */
function suffixOf(short: string): string {
  const symbols = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
  return [0, 5, 10]
    .map((start) => {
      const bits = [...short.slice(start, start + 5)].reduce(
        (sum, character, place) => sum + (/[A-Z]/.test(character) ? 1 << place : 0),
        0,
      );
      return symbols.charAt(bits);
    })
    .join('');
}

/** Whether an id is 15 letters and digits, or 18 of which the last three fit the others. */
export function isSalesforceId(id: string): boolean {
  if (/^[A-Za-z0-9]{15}$/.test(id)) return true;
  return /^[A-Za-z0-9]{18}$/.test(id) && id.slice(15).toUpperCase() === suffixOf(id.slice(0, 15));
}

/** An id of 18 characters is the one of 15 with its checksum behind it; anything else stays as it is. */
export function shortId(id: string): string {
  return isSalesforceId(id) ? id.slice(0, 15) : id;
}

/** What is wrong with an id that is none, and what to do. */
export function idMessage(id: string): string {
  if (!/^[A-Za-z0-9]*$/.test(id)) return 'is no Salesforce id; write its 15 or 18 letters and digits alone';
  if (id.length !== 15 && id.length !== 18) {
    return `has ${id.length} characters; a Salesforce id has 15 or 18; copy it again`;
  }
  return 'does not fit its own last three characters; copy it again';
}

import { duplicates, entriesOf, isEntry, itemsOf, namesOf, textOf, type Entry } from './entries.ts';
import { lawProblems, regionProblems } from './law-check.ts';
import { quoted, suggest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { isSalesforceId, shortId } from './salesforce-id.ts';
import { shownPath, type SourceFile, type Step } from './source-file.ts';

const IDENTITY_KINDS = ['bot', 'planner', 'connected_app', 'user', 'client', 'user_agent'] as const;

/** The files as far as they could be read; what in them is not as the schema wants it is passed over here. */
export interface Sources {
  readonly organisation: SourceFile | undefined;
  readonly orgs: SourceFile | undefined;
  readonly recipients: SourceFile | undefined;
  readonly agents: SourceFile | undefined;
  readonly dataMap: SourceFile | undefined;
  readonly law: SourceFile | undefined;
}

/** What no single schema can see: names that must be unique, and names that must exist in another file. */
export function crossCheck({ organisation, orgs, recipients, agents, dataMap, law }: Sources): Problem[] {
  const orgIds = orgs === undefined ? [] : entriesOf(orgs.value, 'orgs').map((org) => orgIdOf(org['org_id']));
  const known = [...new Set(orgIds.filter((id) => id !== undefined))];
  return [
    ...(orgs === undefined ? [] : duplicates(orgs, orgIds, (index) => ['orgs', index, 'org_id'])),
    ...(recipients === undefined ? [] : recipientProblems(recipients, known)),
    ...(agents === undefined ? [] : registryProblems(agents, known)),
    ...(organisation === undefined ? [] : regionProblems(organisation)),
    ...(dataMap === undefined ? [] : dataMapProblems(dataMap)),
    ...(law === undefined ? [] : lawProblems(law)),
  ];
}

function recipientProblems(source: SourceFile, orgIds: readonly string[]): Problem[] {
  const recipients = entriesOf(source.value, 'recipients');
  return [
    ...duplicates(source, namesOf(recipients), (index) => ['recipients', index, 'name']),
    ...recipients.flatMap((recipient, index) =>
      orgProblems(source, recipient, orgIds, ['recipients', index, 'orgs']),
    ),
  ];
}

function registryProblems(source: SourceFile, orgIds: readonly string[]): Problem[] {
  const agents = entriesOf(source.value, 'agents');
  return [
    ...duplicates(source, namesOf(agents), (index) => ['agents', index, 'name']),
    ...agents.flatMap((agent, index) => [
      ...orgProblems(source, agent, orgIds, ['agents', index, 'orgs']),
      ...purposeProblems(source, agent, ['agents', index]),
    ]),
    ...identityProblems(source, agents, itemsOf(source.value, 'people_applications')),
  ];
}

function purposeProblems(source: SourceFile, agent: Entry, path: readonly Step[]): Problem[] {
  const purposes = entriesOf(agent, 'purposes');
  const names = namesOf(purposes);
  const known = names.filter((name) => name !== undefined);
  const problems = duplicates(source, names, (place) => [...path, 'purposes', place, 'name']);
  entriesOf(agent, 'identities').forEach((identity, place) => {
    const purpose = textOf(identity['purpose']);
    if (purpose === undefined || known.includes(purpose)) return;
    const at = [...path, 'identities', place, 'purpose'];
    const reason = `${shownPath(at)}: the agent has no purpose ${quoted(purpose)}`;
    problems.push(source.problemWithValue(at, `${reason}; ${suggest(purpose, known)}`));
  });
  purposes.forEach((purpose, place) => {
    // Counts are numbers by now: the check against the schema has made them so where it could.
    const { records_per_hour: hourly, records_per_day: daily } = purpose;
    if (typeof hourly === 'number' && typeof daily === 'number' && daily < hourly) {
      const at = [...path, 'purposes', place, 'records_per_day'];
      problems.push(
        source.problemWithValue(
          at,
          `${shownPath(at)} is less than records_per_hour; exchange the two numbers, or take one out`,
        ),
      );
    }
    const hours = isEntry(purpose['hours']) ? purpose['hours'] : {};
    const from = textOf(hours['from']);
    if (from !== undefined && from === textOf(hours['to'])) {
      const at = [...path, 'purposes', place, 'hours', 'to'];
      problems.push(
        source.problemWithValue(
          at,
          `${shownPath(at)} equals from, which leaves no time or all of it; write another end, or take \`hours\` out to allow any time`,
        ),
      );
    }
  });
  return problems;
}

/** Two agents must not be known by the same sign: a row could not be given to either. */
function identityProblems(
  source: SourceFile,
  agents: readonly Entry[],
  peopleApplications: readonly unknown[],
): Problem[] {
  const claims = new Map<string, { agent: string; line: number }>();
  const people = new Set(peopleApplications.map((app) => shortId(textOf(app) ?? '')));
  const problems: Problem[] = [];
  agents.forEach((agent, index) => {
    const name = textOf(agent['name']) ?? 'an agent without a name';
    entriesOf(agent, 'identities').forEach((identity, place) => {
      const path = ['agents', index, 'identities', place];
      for (const kind of IDENTITY_KINDS) {
        const value = textOf(identity[kind]);
        if (value === undefined) continue;
        const claim = `${kind} ${comparable(kind, value)}`;
        const earlier = claims.get(claim);
        if (earlier === undefined) {
          claims.set(claim, { agent: name, line: source.lineOf(path) });
        } else {
          problems.push(
            source.problemWithValue(
              path,
              `${quoted(value)} of ${name} is claimed by ${earlier.agent} in line ${earlier.line}; an identity belongs to one agent; keep it with the one that uses it`,
            ),
          );
        }
        if (kind === 'connected_app' && people.has(shortId(value))) {
          problems.push(
            source.problemWithValue(
              path,
              `${quoted(value)} is an identity of ${name} and stands among people_applications; decide for one: an agent's app is not used by people`,
            ),
          );
        }
      }
    });
  });
  return problems;
}

/** Names are compared without regard to letter case; ids that differ in case differ. */
function comparable(kind: (typeof IDENTITY_KINDS)[number], value: string): string {
  return kind === 'client' || kind === 'user_agent' ? value.toLowerCase() : shortId(value);
}

function dataMapProblems(source: SourceFile): Problem[] {
  const objects = entriesOf(source.value, 'objects');
  return [
    ...duplicates(
      source,
      objects.map((entry) => textOf(entry['object'])?.toLowerCase()),
      (index) => ['objects', index, 'object'],
    ),
    ...objects.flatMap((entry, index) =>
      duplicates(
        source,
        entriesOf(entry, 'fields').map((field) => textOf(field['field'])?.toLowerCase()),
        (place) => ['objects', index, 'fields', place, 'field'],
      ),
    ),
  ];
}

function orgProblems(
  source: SourceFile,
  entry: Entry,
  known: readonly string[],
  path: readonly Step[],
): Problem[] {
  const used = itemsOf(entry, 'orgs').map(orgIdOf);
  const unknown = used.flatMap((org, index) =>
    org === undefined || known.includes(org)
      ? []
      : [
          source.problemWithValue(
            [...path, index],
            `${shownPath(path)}: the org ${quoted(org)} is not in the orgs file; ${suggest(org, known)}`,
          ),
        ],
  );
  return [...duplicates(source, used, (index) => [...path, index]), ...unknown];
}

/** The 15 characters of an org's id; an id that is none is told by the schema. */
function orgIdOf(value: unknown): string | undefined {
  const id = textOf(value);
  return id !== undefined && id.startsWith('00D') && isSalesforceId(id) ? shortId(id) : undefined;
}

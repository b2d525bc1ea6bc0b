import { quoted, suggest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { shortId } from './salesforce-id.ts';
import { shownPath, type SourceFile, type Step } from './source-file.ts';

const IDENTITY_KINDS = ['bot', 'planner', 'connected_app', 'user', 'client', 'user_agent'] as const;

type IdentityKind = (typeof IDENTITY_KINDS)[number];

type Identity = Readonly<Partial<Record<IdentityKind | 'purpose', string>>>;

interface Purpose {
  readonly name: string;
  readonly records_per_hour?: number;
  readonly records_per_day?: number;
  readonly hours?: { readonly from: string; readonly to: string };
}

interface Agent {
  readonly name: string;
  readonly orgs: readonly string[];
  readonly identities: readonly Identity[];
  readonly purposes?: readonly Purpose[];
}

interface DataObject {
  readonly object: string;
  readonly fields?: readonly { readonly field: string }[];
}

/** The files that hold against their schemas; one that does not is absent, and is not looked into further. */
export interface CheckedSources {
  readonly orgs: SourceFile | undefined;
  readonly recipients: SourceFile | undefined;
  readonly agents: SourceFile | undefined;
  readonly dataMap: SourceFile | undefined;
}

/** What no single schema can see: names that must be unique, and names that must exist in another file. */
export function crossCheck({ orgs, recipients, agents, dataMap }: CheckedSources): Problem[] {
  const orgIds =
    orgs === undefined
      ? undefined
      : (orgs.value as { orgs: { org_id: string }[] }).orgs.map((org) => org.org_id);
  return [
    ...(orgs === undefined
      ? []
      : duplicates(orgs, (orgIds ?? []).map(shortId), (index) => ['orgs', index, 'org_id'])),
    ...(recipients === undefined ? [] : recipientProblems(recipients, orgIds)),
    ...(agents === undefined ? [] : registryProblems(agents, orgIds)),
    ...(dataMap === undefined ? [] : dataMapProblems(dataMap)),
  ];
}

function recipientProblems(source: SourceFile, orgIds: readonly string[] | undefined): Problem[] {
  const { recipients } = source.value as { recipients: { name: string; orgs?: string[] }[] };
  return [
    ...duplicates(source, namesOf(recipients), (index) => ['recipients', index, 'name']),
    ...recipients.flatMap((recipient, index) =>
      orgProblems(source, recipient.orgs ?? [], orgIds, ['recipients', index, 'orgs']),
    ),
  ];
}

function registryProblems(source: SourceFile, orgIds: readonly string[] | undefined): Problem[] {
  const registry = source.value as { people_applications?: string[]; agents: Agent[] };
  return [
    ...duplicates(source, namesOf(registry.agents), (index) => ['agents', index, 'name']),
    ...registry.agents.flatMap((agent, index) => [
      ...orgProblems(source, agent.orgs, orgIds, ['agents', index, 'orgs']),
      ...purposeProblems(source, agent, ['agents', index]),
    ]),
    ...identityProblems(source, registry.agents, registry.people_applications ?? []),
  ];
}

function purposeProblems(source: SourceFile, agent: Agent, path: readonly Step[]): Problem[] {
  const purposes = agent.purposes ?? [];
  const names = namesOf(purposes);
  const problems = duplicates(source, names, (place) => [...path, 'purposes', place, 'name']);
  agent.identities.forEach(({ purpose }, place) => {
    if (purpose === undefined || names.includes(purpose)) return;
    const at = [...path, 'identities', place, 'purpose'];
    problems.push(
      source.problemWithValue(
        at,
        `${shownPath(at)}: the agent has no purpose ${quoted(purpose)}; ${suggest(purpose, names)}`,
      ),
    );
  });
  purposes.forEach(({ records_per_hour: hourly, records_per_day: daily, hours }, place) => {
    if (hourly !== undefined && daily !== undefined && daily < hourly) {
      const at = [...path, 'purposes', place, 'records_per_day'];
      problems.push(
        source.problemWithValue(
          at,
          `${shownPath(at)} is less than records_per_hour; exchange the two numbers, or take one out`,
        ),
      );
    }
    if (hours !== undefined && hours.from === hours.to) {
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
  agents: readonly Agent[],
  peopleApplications: readonly string[],
): Problem[] {
  const claims = new Map<string, { agent: string; line: number }>();
  const people = new Set(peopleApplications.map(shortId));
  const problems: Problem[] = [];
  agents.forEach((agent, index) => {
    agent.identities.forEach((identity, place) => {
      for (const kind of IDENTITY_KINDS) {
        const value = identity[kind];
        if (value === undefined) continue;
        const path = ['agents', index, 'identities', place];
        const claim = `${kind} ${kind === 'client' || kind === 'user_agent' ? value.toLowerCase() : shortId(value)}`;
        const earlier = claims.get(claim);
        if (earlier === undefined) {
          claims.set(claim, { agent: agent.name, line: source.lineOf(path) });
        } else {
          problems.push(
            source.problemWithValue(
              path,
              `${quoted(value)} of ${agent.name} is claimed by ${earlier.agent} in line ${earlier.line}; an identity belongs to one agent; keep it with the one that uses it`,
            ),
          );
        }
        if (kind === 'connected_app' && people.has(shortId(value))) {
          problems.push(
            source.problemWithValue(
              path,
              `${quoted(value)} is an identity of ${agent.name} and stands among people_applications; decide for one: an agent's app is not used by people`,
            ),
          );
        }
      }
    });
  });
  return problems;
}

function dataMapProblems(source: SourceFile): Problem[] {
  const { objects = [] } = source.value as { objects?: DataObject[] };
  return [
    ...duplicates(
      source,
      objects.map((entry) => entry.object.toLowerCase()),
      (index) => ['objects', index, 'object'],
    ),
    ...objects.flatMap((entry, index) =>
      duplicates(
        source,
        (entry.fields ?? []).map(({ field }) => field.toLowerCase()),
        (place) => ['objects', index, 'fields', place, 'field'],
      ),
    ),
  ];
}

function orgProblems(
  source: SourceFile,
  used: readonly string[],
  known: readonly string[] | undefined,
  path: readonly Step[],
): Problem[] {
  const problems = duplicates(source, used.map(shortId), (index) => [...path, index]);
  if (known === undefined) return problems;
  const ids = [...new Set(known.map(shortId))];
  used.forEach((org, index) => {
    if (ids.includes(shortId(org))) return;
    problems.push(
      source.problemWithValue(
        [...path, index],
        `${shownPath(path)}: the org ${quoted(org)} is not in the orgs file; ${suggest(shortId(org), ids)}`,
      ),
    );
  });
  return problems;
}

function duplicates(
  source: SourceFile,
  names: readonly string[],
  pathOf: (index: number) => Step[],
): Problem[] {
  const first = new Map<string, number>();
  return names.flatMap((name, index) => {
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

function namesOf(entries: readonly { readonly name: string }[]): string[] {
  return entries.map((entry) => entry.name);
}

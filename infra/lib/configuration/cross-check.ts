import { advice } from './nearest.ts';
import type { Problem } from './problem.ts';
import type { SourceFile, Step } from './source-file.ts';
import { shownPath } from './source-file.ts';

/** The kinds of identity whose value is a Salesforce id. */
const ID_KINDS = ['bot', 'planner', 'user', 'connected_app'] as const;
const NAME_KINDS = ['client', 'user_agent'] as const;

interface Identity {
  readonly purpose?: string;
  readonly [kind: string]: string | undefined;
}

interface Agent {
  readonly name: string;
  readonly orgs: readonly string[];
  readonly identities: readonly Identity[];
  readonly purposes: readonly {
    readonly name: string;
    readonly hours?: { readonly from: string; readonly to: string };
  }[];
}

/** The five files, each known to hold against its schema. */
export interface CheckedSources {
  readonly orgs: SourceFile;
  readonly recipients: SourceFile;
  readonly agents: SourceFile;
  readonly dataMap: SourceFile;
}

/** What no single schema can see: names that must be unique, and names that must exist in another file. */
export function crossCheck(sources: CheckedSources): Problem[] {
  const orgs = (sources.orgs.value as { orgs: { org_id: string }[] }).orgs;
  const recipients = (sources.recipients.value as { recipients: { name: string; orgs?: string[] }[] })
    .recipients;
  const registry = sources.agents.value as { people_applications?: string[]; agents: Agent[] };
  const objects = (sources.dataMap.value as { objects: { object: string }[] }).objects;
  const orgIds = orgs.map((org) => org.org_id);

  return [
    ...duplicates(sources.orgs, orgIds.map(shortId), (index) => ['orgs', index, 'org_id']),
    ...duplicates(sources.recipients, namesOf(recipients), (index) => ['recipients', index, 'name']),
    ...recipients.flatMap((recipient, index) =>
      unknownOrgs(sources.recipients, recipient.orgs ?? [], orgIds, ['recipients', index]),
    ),
    ...duplicates(sources.agents, namesOf(registry.agents), (index) => ['agents', index, 'name']),
    ...registry.agents.flatMap((agent, index) => agentProblems(sources.agents, agent, index, orgIds)),
    ...sharedIdentities(sources.agents, registry.agents, registry.people_applications ?? []),
    ...duplicates(
      sources.dataMap,
      objects.map((entry) => entry.object.toLowerCase()),
      (index) => ['objects', index, 'object'],
    ),
  ];
}

function agentProblems(
  source: SourceFile,
  agent: Agent,
  index: number,
  orgIds: readonly string[],
): Problem[] {
  const path: Step[] = ['agents', index];
  const purposes = namesOf(agent.purposes);
  return [
    ...unknownOrgs(source, agent.orgs, orgIds, path),
    ...duplicates(source, purposes, (place) => [...path, 'purposes', place, 'name']),
    ...agent.identities.flatMap((identity, place) =>
      identity.purpose === undefined || purposes.includes(identity.purpose)
        ? []
        : [
            at(
              source,
              [...path, 'identities', place, 'purpose'],
              `is ${JSON.stringify(identity.purpose)}, which is no purpose of this agent; ${advice(identity.purpose, purposes)}`,
            ),
          ],
    ),
    ...agent.purposes.flatMap((purpose, place) =>
      purpose.hours === undefined || purpose.hours.from !== purpose.hours.to
        ? []
        : [
            at(
              source,
              [...path, 'purposes', place, 'hours', 'to'],
              'is the same as from, so no time is left; leave hours out when it may always work',
            ),
          ],
    ),
  ];
}

/** Two agents must not be known by the same sign: a row could not be given to either. */
function sharedIdentities(
  source: SourceFile,
  agents: readonly Agent[],
  peopleApplications: readonly string[],
): Problem[] {
  const owners = new Map<string, string>();
  const people = new Set(peopleApplications);
  const problems: Problem[] = [];
  agents.forEach((agent, index) => {
    agent.identities.forEach((identity, place) => {
      for (const kind of [...ID_KINDS, ...NAME_KINDS]) {
        const value = identity[kind];
        if (value === undefined) continue;
        const path = ['agents', index, 'identities', place, kind];
        const key = `${kind} ${kind === 'client' || kind === 'user_agent' ? value : shortId(value)}`;
        const owner = owners.get(key);
        if (owner !== undefined) {
          problems.push(
            at(
              source,
              path,
              `is ${JSON.stringify(value)}, which ${owner} has already; an identity belongs to one agent`,
            ),
          );
        }
        owners.set(key, agent.name);
        if (kind === 'connected_app' && people.has(value)) {
          problems.push(
            at(
              source,
              path,
              `is ${JSON.stringify(value)}, which people_applications names, too; remove one of the two`,
            ),
          );
        }
      }
    });
  });
  return problems;
}

function unknownOrgs(
  source: SourceFile,
  used: readonly string[],
  known: readonly string[],
  path: readonly Step[],
): Problem[] {
  const ids = new Set(known.map(shortId));
  return used.flatMap((org, index) =>
    ids.has(shortId(org))
      ? []
      : [
          at(
            source,
            [...path, 'orgs', index],
            `is ${JSON.stringify(org)}, which orgs.yaml does not name; ${advice(org, known)}`,
          ),
        ],
  );
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
    return [
      at(source, pathOf(index), `is the same as ${shownPath(pathOf(earlier))}; each must be named once`),
    ];
  });
}

function at(source: SourceFile, path: readonly Step[], message: string): Problem {
  return source.problemWithValue(path, `${shownPath(path)} ${message}`);
}

function namesOf(entries: readonly { readonly name: string }[]): string[] {
  return entries.map((entry) => entry.name);
}

/** An id of 18 characters is the one of 15 with a checksum behind it. */
function shortId(id: string): string {
  return /^[A-Za-z0-9]{18}$/.test(id) ? id.slice(0, 15) : id;
}

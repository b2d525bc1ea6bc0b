import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Ajv2020 } from 'ajv/dist/2020.js';

import { ConfigurationProblems } from '../lib/configuration/problem.ts';
import { CONFIGURATION_FILES, readConfiguration, SCHEMA_FOLDER } from '../lib/configuration/read.ts';
import { INFRA_FOLDER } from '../lib/settings.ts';
import { configurationWith, SAMPLE_CONFIGURATION } from './support.ts';

const CASES = join(INFRA_FOLDER, 'test', 'fixtures', 'configuration');
const EXPECTED = 'expected.txt';

function problemsOf(folder: string): string {
  try {
    readConfiguration(folder);
  } catch (error) {
    if (error instanceof ConfigurationProblems) return `${error.message.replaceAll(`${folder}/`, '')}\n`;
    throw error;
  }
  return 'no problem\n';
}

describe('a configuration folder', () => {
  it('holds up as it is in the repository', () => {
    const { organisation, recipients } = readConfiguration(SAMPLE_CONFIGURATION);
    assert.equal(organisation.environment, 'demo');
    assert.deepEqual(
      recipients.map((recipient) => recipient.name),
      ['legal', 'security on call'],
    );
  });

  for (const name of readdirSync(CASES)) {
    it(`is refused with every problem in it: ${name}`, () => {
      const folder = join(CASES, name);
      const files = readdirSync(folder).filter((file) => file !== EXPECTED);
      const found = problemsOf(
        configurationWith(
          Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')])),
        ),
      );
      // UPDATE_FIXTURES=1 writes what is found: read the difference before you commit it.
      if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(join(folder, EXPECTED), found);
      assert.equal(found, readFileSync(join(folder, EXPECTED), 'utf8'));
    });
  }

  it('is refused when a file is missing', () => {
    const found = problemsOf(join(CASES, 'empty-files'));
    assert.match(
      found,
      /organisation\.yaml:1:1: the file is missing from the configuration folder; add organisation\.yaml/,
    );
  });

  it('takes an id of digits alone for text', () => {
    const agents = `
agents:
  - name: digits
    owner: One
    orgs: [00D5g000004Hq3K]
    identities:
      - user: 005500000012345
      - bot: 0
`;
    const found = problemsOf(configurationWith({ 'agents.yaml': agents }));
    assert.equal(
      found,
      'agents.yaml:8:14: agents[0].identities[1].bot: `0` has 1 characters; a Salesforce id has 15 or 18; copy it again\n',
    );
  });

  it('takes the 18 characters of an id for the 15 of the same', () => {
    const orgs = readFileSync(join(SAMPLE_CONFIGURATION, 'orgs.yaml'), 'utf8');
    const long = orgs.replace('00D5g000004Hq3K', '00D5g000004Hq3KEAS');
    assert.equal(problemsOf(configurationWith({ 'orgs.yaml': long })), 'no problem\n');
    const mistyped = orgs.replace('00D5g000004Hq3K', '00D5g000004Hq3KEAT');
    assert.match(
      problemsOf(configurationWith({ 'orgs.yaml': mistyped })),
      /does not fit its own last three characters/,
    );
  });

  it('may say nothing of its own about data', () => {
    assert.equal(problemsOf(configurationWith({ 'data-map.yaml': '' })), 'no problem\n');
  });
});

describe('the schemas', () => {
  for (const name of CONFIGURATION_FILES) {
    it(`describe every key of ${name}.yaml to an editor`, () => {
      const schema = JSON.parse(readFileSync(join(SCHEMA_FOLDER, `${name}.json`), 'utf8')) as Part;
      assert.doesNotThrow(() => new Ajv2020({ strict: false, validateFormats: false }).compile(schema));
      assert.deepEqual(undescribed(schema, name), []);
    });
  }
});

interface Part {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly items?: Part;
  readonly $defs?: Readonly<Record<string, Part>>;
}

function undescribed(part: Part, path: string): string[] {
  const properties = Object.entries(part.properties ?? {}).flatMap(([key, value]) => [
    ...(value.description === undefined ? [`${path}.${key}`] : []),
    ...undescribed(value, `${path}.${key}`),
  ]);
  const definitions = Object.entries(part.$defs ?? {}).flatMap(([key, value]) => undescribed(value, key));
  return [...properties, ...definitions, ...(part.items === undefined ? [] : undescribed(part.items, path))];
}

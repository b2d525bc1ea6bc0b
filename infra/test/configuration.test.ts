import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

import { Ajv2020 } from 'ajv/dist/2020.js';

import { ConfigurationProblems } from '../lib/configuration/problem.ts';
import { lawData } from '../lib/configuration/law-data.ts';
import {
  CONFIGURATION_FILES,
  OPTIONAL_CONFIGURATION_FILES,
  readConfiguration,
  SCHEMA_FOLDER,
} from '../lib/configuration/read.ts';
import { INFRA_FOLDER } from '../lib/settings.ts';
import { configurationWith, SAMPLE_CONFIGURATION } from './support.ts';

const CASES = join(INFRA_FOLDER, 'test', 'fixtures', 'configuration');
const EXPECTED = 'expected.txt';

/** Every key of law.yaml in one sound file: what one reader takes, the other takes. */
const SOUND_LAW = resolve(INFRA_FOLDER, '..', 'shared/assessment/tests/fixtures/configuration/law.yaml');

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

  it('may say nothing of its own about law, or have no such file', () => {
    const folder = configurationWith({ 'law.yaml': '# nothing\n' });
    assert.equal(problemsOf(folder), 'no problem\n');
    rmSync(join(folder, 'law.yaml'));
    assert.equal(problemsOf(folder), 'no problem\n');
  });

  it('is refused for its law in JSON, too', () => {
    const folder = configurationWith({ 'law.json': '{"targets": {"hours": "soon"}}' });
    rmSync(join(folder, 'law.yaml'));
    assert.match(problemsOf(folder), /^law\.json:1:23: targets\.hours is not a whole number/);
  });

  it('declares of law whatever a law asks for', () => {
    const text = readFileSync(SOUND_LAW, 'utf8');
    assert.equal(problemsOf(configurationWith({ 'law.yaml': text })), 'no problem\n');
    const elsewhere = ['establishment_country', 'subject_country', 'subject_region'];
    const values = { truth: () => 'true', number: () => '7', place: () => 'DE' };
    const facts = [...lawData().askedFacts]
      .filter(([name]) => !elsewhere.includes(name))
      .map(([name, { form, words }]) =>
        form === 'words' ? `  ${name}: [${[...words].join(', ')}]` : `  ${name}: ${values[form]()}`,
      );
    const law = ['facts:', ...facts, ''].join('\n');
    assert.equal(problemsOf(configurationWith({ 'law.yaml': law })), 'no problem\n');
  });

  it('has an establishment and persons in countries that there are', () => {
    const places = (codes: string): string =>
      readFileSync(join(SAMPLE_CONFIGURATION, 'orgs.yaml'), 'utf8').replace(/\[DE, FR.*\]/, codes);
    assert.equal(
      problemsOf(configurationWith({ 'orgs.yaml': places('[GB-ENG, DE-BY, US-PR, CA]') })),
      'no problem\n',
    );
    for (const wrong of ['EU', 'US-', 'CA-XX', 'de', 'DE-BAYE']) {
      assert.match(
        problemsOf(configurationWith({ 'orgs.yaml': places(`[${wrong}]`) })),
        /is no code of/,
        wrong,
      );
    }
    const organisation = readFileSync(join(SAMPLE_CONFIGURATION, 'organisation.yaml'), 'utf8');
    const inPart = organisation.replace('country: DE', 'region: Berlin\ncountry: DE');
    assert.equal(problemsOf(configurationWith({ 'organisation.yaml': inPart })), 'no problem\n');
    assert.match(
      problemsOf(configurationWith({ 'organisation.yaml': inPart.replace('country: DE', 'country: FR') })),
      /the authorities of FR are not told apart by region; take the line out/,
    );
  });
});

describe('the schemas', () => {
  for (const name of [...CONFIGURATION_FILES, ...OPTIONAL_CONFIGURATION_FILES]) {
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

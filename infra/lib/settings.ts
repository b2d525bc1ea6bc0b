import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Node } from 'constructs';

/** The folder `infra/`, whatever folder the command runs in. */
export const INFRA_FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The functions of the suite: the name of each is the name of its cargo package, too. */
export const FUNCTION_NAMES = ['ingest', 'assess', 'notify', 'remind', 'catalog', 'attest'] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];

/**
 * How firmly the evidence bucket keeps what it was given. Under `compliance` nobody can delete it or shorten its time, the
 * owner of the account included; under `governance` whoever has the right to bypass the lock can.
 */
export const EVIDENCE_LOCKS = ['compliance', 'governance'] as const;

export type EvidenceLock = (typeof EVIDENCE_LOCKS)[number];

/** The environment of the example: a first try, and not yet anybody's evidence. */
const DEMO_ENVIRONMENT = 'demo';

/** What a deployment may choose on the command line, `cdk deploy --context KEY=VALUE`. */
export interface Settings {
  /** `--context architecture=arm64|x86_64`: what the binaries were built for. */
  readonly architecture: lambda.Architecture;
  /** `--context local=true`: the app runs on the emulator; only times and retry counts differ. */
  readonly local: boolean;
  /** `--context configDir=DIR`: the configuration folder. */
  readonly configurationFolder: string;
  /** `--context assetsDir=DIR`: holds one folder per function with its `bootstrap` in it. */
  readonly assetsFolder: string;
  /** `--context environment=NAME`: stands in for the environment of organisation.yaml. */
  readonly environment: string | undefined;
  /** `--context evidenceLock=compliance|governance`: see `evidenceLockOf` for what holds where nothing is said. */
  readonly evidenceLock: EvidenceLock | undefined;
}

/** Times and counts that the emulator needs shorter: it waits out a visibility timeout in full. */
export interface Pace {
  readonly ingestTimeout: Duration;
  readonly landingVisibilityTimeout: Duration;
  readonly landingMaxReceiveCount: number;
}

export function paceOf(settings: Settings): Pace {
  if (settings.local) {
    return {
      ingestTimeout: Duration.seconds(60),
      landingVisibilityTimeout: Duration.seconds(5),
      landingMaxReceiveCount: 3,
    };
  }
  const ingestTimeout = Duration.minutes(15);
  return {
    ingestTimeout,
    // One message an invocation and a bounded concurrency: a message is seldom throttled, so that a minute more than
    // the function's timeout is enough. The function itself makes a failed message visible sooner.
    landingVisibilityTimeout: ingestTimeout.plus(Duration.minutes(1)),
    landingMaxReceiveCount: 10,
  };
}

/**
 * The lock of the evidence bucket. What is real is locked against everybody, because evidence that its keeper can change is
 * none. That cannot be taken back for what is once locked: so a first try in the environment `demo`, and the emulator, get
 * the lock that can be bypassed, unless they ask for the other.
 */
export function evidenceLockOf(settings: Settings, environment: string): EvidenceLock {
  if (settings.evidenceLock !== undefined) return settings.evidenceLock;
  return settings.local || environment === DEMO_ENVIRONMENT ? 'governance' : 'compliance';
}

/**
 * Reads the settings from the context of the app.
 *
 * @throws Error that names the context key, its value and what is allowed.
 */
export function settingsFromContext(node: Node): Settings {
  const text = (key: string): string | undefined => {
    const value: unknown = node.tryGetContext(key);
    return value === undefined || value === '' ? undefined : String(value);
  };
  const folder = (key: string, otherwise: string): string => {
    const value = text(key);
    if (value === undefined) return join(INFRA_FOLDER, otherwise);
    return isAbsolute(value) ? value : resolve(process.cwd(), value);
  };
  return {
    architecture: architectureOf(text('architecture') ?? 'arm64'),
    local: booleanOf('local', text('local') ?? 'false'),
    configurationFolder: folder('configDir', 'config'),
    assetsFolder: folder('assetsDir', join('..', 'target', 'lambda')),
    environment: environmentOf(text('environment')),
    evidenceLock: lockOf(text('evidenceLock')),
  };
}

/**
 * The folder with a function's `bootstrap`.
 *
 * @throws Error that says how to build it, when it is not there.
 */
export function assetFolder(settings: Settings, name: FunctionName): string {
  const folder = join(settings.assetsFolder, name);
  if (!existsSync(join(folder, 'bootstrap'))) {
    throw new Error(
      `${folder} holds no bootstrap; build the functions first: \`cargo lambda build --release\`, or run \`cargo xtask deploy\``,
    );
  }
  return folder;
}

function architectureOf(value: string): lambda.Architecture {
  switch (value) {
    case 'arm64':
      return lambda.Architecture.ARM_64;
    case 'x86_64':
      return lambda.Architecture.X86_64;
    default:
      throw new Error(`context architecture=${value} is not known; use arm64 or x86_64`);
  }
}

/** The rule of organisation.yaml holds for the name that stands in for it, too. */
function environmentOf(value: string | undefined): string | undefined {
  if (value === undefined || /^[a-z][a-z0-9-]{0,31}$/.test(value)) return value;
  throw new Error(
    `context environment=${value} is no plain word; use up to 32 small letters, digits and hyphens, a letter first`,
  );
}

function lockOf(value: string | undefined): EvidenceLock | undefined {
  const lock = EVIDENCE_LOCKS.find((known) => known === value);
  if (value === lock) return lock;
  throw new Error(`context evidenceLock=${value} is not known; use ${EVIDENCE_LOCKS.join(' or ')}`);
}

function booleanOf(key: string, value: string): boolean {
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw new Error(`context ${key}=${value} is not known; use true or false`);
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { boxwright, boxwrightOk } from './boxwright.ts';
import type { AfterTest } from './registries.ts';
import type { RunOptions, RunResult } from './run.ts';

/** Somebody with a home directory and a store of their own, and nothing of this machine's settings. */
export interface User {
  readonly directory: string;
  /** The store. */
  readonly store: string;
  readonly env: NodeJS.ProcessEnv;
  /** `boxwright ARGS…` */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** As `run`; a failure is an error. */
  runOk(args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/** A user that is there until {@link removeUser}. */
export function makeUser(variables: Readonly<Record<string, string>> = {}): User {
  const directory = mkdtempSync(join(inject('workDirectory'), 'user-'));
  const store = join(directory, 'store');
  mkdirSync(join(directory, '.docker'));
  const { PATH } = process.env;
  const env = { PATH, HOME: directory, DOCKER_CONFIG: join(directory, '.docker'), ...variables };
  return {
    directory,
    store,
    env,
    run: (args, options = {}) => boxwright(store, args, { env, ...options }),
    runOk: (args, options = {}) => boxwrightOk(store, args, { env, ...options }),
  };
}

/** Removes all that a user has. */
export function removeUser({ directory }: User): void {
  rmSync(directory, { recursive: true, force: true });
}

/** A user for one test. */
export function testUser(variables: Readonly<Record<string, string>> = {}, after: AfterTest = onTestFinished): User {
  const user = makeUser(variables);
  after(() => removeUser(user));
  return user;
}

/** Writes Docker's `config.json` of a user. */
export function writeDockerConfig(user: User, config: object): void {
  writeFileSync(join(user.directory, '.docker/config.json'), JSON.stringify(config));
}

/** Base64 of `name:password`, as `auths` has it. */
export function basicAuth(name: string, password: string): string {
  return Buffer.from(`${name}:${password}`).toString('base64');
}

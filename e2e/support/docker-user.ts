import { onTestFinished } from 'vitest';
import { dockerOk, type EngineAccess } from '../components/docker-engine.ts';
import { engineVariables } from '../runner/build-with-engine.ts';
import type { AfterTest } from './registries.ts';
import type { RunResult } from './run.ts';
import { testUser, type User } from './user.ts';

/** A user who has an engine and a docker command. */
export interface DockerUser extends User {
  /** `docker ARGS…` with this user's Docker config. */
  docker(args: readonly string[]): Promise<RunResult>;
}

/** A user of an engine for one test. */
export function dockerUser(
  access: EngineAccess,
  variables: Readonly<Record<string, string>> = {},
  after: AfterTest = onTestFinished,
): DockerUser {
  const user = testUser({}, after);
  const env = { ...user.env, ...engineVariables(access, user.directory), ...variables };
  return {
    ...user,
    env,
    run: (args, options = {}) => user.run(args, { env, ...options }),
    runOk: (args, options = {}) => user.runOk(args, { env, ...options }),
    // Not their PATH: on it is a `docker` that goes where this one is already.
    docker: (args) => dockerOk({ ...access, env: {} }, args, { env: { ...env, PATH: process.env['PATH'] } }),
  };
}

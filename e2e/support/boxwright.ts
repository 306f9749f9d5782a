import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './environment.ts';
import { type RunOptions, type RunResult, run, runOk } from './run.ts';

/** The command as `npm ci` leaves it, built and never from sources; `BOXWRIGHT_E2E_COMMAND` names another to test. */
export const boxwrightPath: string =
  process.env['BOXWRIGHT_E2E_COMMAND'] ?? join(repositoryRoot, 'node_modules/.bin/boxwright');

/** `boxwright ARGS…` with its store at `home`. */
export function boxwright(home: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(boxwrightPath, args, withHome(home, options));
}

/** As {@link boxwright}; a failure is an error. */
export function boxwrightOk(home: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runOk(boxwrightPath, args, withHome(home, options));
}

function withHome(home: string, options: RunOptions): RunOptions {
  const TMPDIR = temporaryOf(home);
  mkdirSync(TMPDIR, { recursive: true });
  return { ...options, env: { ...cleanEnvironment(options.env ?? process.env), BOXWRIGHT_HOME: home, TMPDIR } };
}

/** TMPDIR of the commands that use this store: what they leave behind can be told from what others do. */
export function temporaryOf(home: string): string {
  return `${home}-tmp`;
}

/** The environment without what the test runner put into it. */
function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _env, VITEST: _vitest, FORCE_COLOR: _colour, ...rest } = env;
  return rest;
}

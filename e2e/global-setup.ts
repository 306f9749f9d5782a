import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Bases, makeBases } from './bases/bases.ts';
import { dockerOk, type EngineAccess, type StartedEngine, startEngine } from './components/docker-engine.ts';
import { boxwrightOk, boxwrightPath } from './support/boxwright.ts';
import { strict } from './support/environment.ts';

/** A part the suites need, or why this machine has none. */
export type Available<T> = { readonly value: T } | { readonly missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    readonly workDirectory: string;
    readonly engine: Available<EngineAccess>;
    readonly bases: Available<Bases>;
    /** Whether a RUN can be run on this machine. */
    readonly sandbox: Available<true>;
  }
}

/** Starts what all test files share, once; returns what stops it again. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const workDirectory = mkdtempSync(join(tmpdir(), 'boxwright-e2e-'));
  chmodSync(workDirectory, 0o755); // some tests run as another user
  let started: StartedEngine | undefined;
  const teardown = async (): Promise<void> => {
    await started?.stop();
    rmSync(workDirectory, { recursive: true, force: true });
  };
  try {
    mkdirSync(join(workDirectory, 'tests'));
    const bases = await available(() => makeBases(join(workDirectory, 'bases')));
    const wantsEngine = strict || (process.env['BOXWRIGHT_E2E_DOCKER_HOST'] ?? '') !== '';
    const engine = wantsEngine
      ? await available(async () => (started = await startEngine(workDirectory)).access)
      : { missing: 'no Docker Engine asked for: set BOXWRIGHT_E2E=1 or BOXWRIGHT_E2E_DOCKER_HOST' };
    if ('value' in engine && 'value' in bases) await loadBases(engine.value, bases.value);
    project.provide('workDirectory', join(workDirectory, 'tests'));
    project.provide('bases', bases);
    project.provide('engine', engine);
    const sandbox = await available(() => tryRun(bases, join(workDirectory, 'probe')));
    project.provide('sandbox', sandbox);
    for (const part of [bases, engine, sandbox]) if ('missing' in part) console.log(`end-to-end: ${part.missing}`);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

/** Builds the smallest Dockerfile with a RUN. */
async function tryRun(bases: Available<Bases>, directory: string): Promise<true> {
  if ('missing' in bases) throw new Error(bases.missing);
  if (!existsSync(boxwrightPath)) throw new Error('the command is not built: npm run build');
  mkdirSync(directory);
  const { busybox } = bases.value.archives;
  await boxwrightOk(directory, ['load', '--input', busybox ?? '']);
  await boxwrightOk(directory, ['build', '--network=none', '--quiet', '--file', '-', directory], {
    input: 'FROM e2e/busybox:1\nRUN true\n',
  });
  rmSync(directory, { recursive: true, force: true });
  return true;
}

/** In strict runs a missing part is a failure of the whole suite. */
async function available<T>(make: () => Promise<T>): Promise<Available<T>> {
  try {
    return { value: await make() };
  } catch (error) {
    if (strict) throw error;
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

async function loadBases(access: EngineAccess, bases: Bases): Promise<void> {
  for (const archive of Object.values(bases.archives)) await dockerOk(access, ['load', '--quiet', '--input', archive]);
}

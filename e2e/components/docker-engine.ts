import { setTimeout as sleep } from 'node:timers/promises';
import { type RunOptions, type RunResult, run, runOk } from '../support/run.ts';
import { besideCommand, type Chroot, openChroot } from './chroot.ts';
import { type DockerdOptions, startDockerd } from './dockerd.ts';

/** How to reach a running Docker Engine: plain data, so that it can be handed to the test processes. */
export interface EngineAccess {
  /** Words to put before `docker …`, and before other programs that live beside the engine (skopeo, umoci). */
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Engine and buildx version: results kept from earlier runs are keyed by it. */
  readonly version: string;
}

/** An engine that {@link stopEngine} has to stop, or one that was there before. */
export interface StartedEngine {
  readonly access: EngineAccess;
  readonly stop: () => Promise<void>;
}

/**
 * The engine at `BOXWRIGHT_E2E_DOCKER_HOST` (with the `docker` of PATH, which needs buildx), else one of our own in a
 * chroot of a newer Debian, on a private socket, with its own data, below `workDirectory`.
 * Throws when neither can be had, saying why.
 */
export async function startEngine(workDirectory: string): Promise<StartedEngine> {
  const host = process.env['BOXWRIGHT_E2E_DOCKER_HOST'];
  if (host !== undefined && host !== '') {
    const env = { DOCKER_HOST: host };
    return { access: { prefix: [], env, version: await versionOf([], env) }, stop: async () => {} };
  }
  return startOwnEngine({ workDirectory });
}

/** An engine of our own, beside others. */
export async function startOwnEngine(options: DockerdOptions): Promise<StartedEngine> {
  const chroot: Chroot = await openChroot();
  const daemon = await startDockerd(chroot, options);
  const prefix = besideCommand(daemon.namespacePid);
  const env = { DOCKER_HOST: `unix://${daemon.socket}` };
  try {
    await untilItAnswers({ prefix, env, version: '' });
    return { access: { prefix, env, version: `${chroot.id} ${await versionOf(prefix, env)}` }, stop: daemon.stop };
  } catch (error) {
    const log = daemon.log();
    await daemon.stop();
    throw new Error(`dockerd does not answer:\n${log}`, { cause: error });
  }
}

/** The socket is there before anybody listens on it. */
async function untilItAnswers(access: EngineAccess): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { code, stderr } = await docker(access, ['info', '--format', '{{.ServerVersion}}']);
    if (code === 0 && stderr === '') return;
    if (tries === 100) throw new Error(stderr);
    await sleep(200);
  }
}

async function versionOf(prefix: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const access = { prefix, env, version: '' };
  const server = await dockerOk(access, ['version', '--format', '{{.Server.Version}}']);
  const buildx = await dockerOk(access, ['buildx', 'version']);
  return `${server.stdout.toString().trim()} ${buildx.stdout.toString().trim()}`;
}

/** Runs a program that lives beside the engine. Paths below the work directory are the same on both sides. */
export function runBeside(
  access: EngineAccess,
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [command, ...rest] = [...access.prefix, program];
  return run(command, [...rest, ...args], { ...options, env: { ...(options.env ?? process.env), ...access.env } });
}

/** `docker ARGS…` against the engine. */
export function docker(access: EngineAccess, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runBeside(access, 'docker', args, options);
}

/** As {@link docker}; a failure is an error. */
export function dockerOk(access: EngineAccess, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [command, ...rest] = [...access.prefix, 'docker'];
  return runOk(command, [...rest, ...args], { ...options, env: { ...(options.env ?? process.env), ...access.env } });
}

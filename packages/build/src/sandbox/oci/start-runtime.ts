import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import {
  CLONE_NEWCGROUP,
  CLONE_NEWNS,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
} from '@boxwright/sys';
import { explainExecutable } from '../find-command.ts';
import { withHome } from '../home.ts';
import { hostFacts } from '../host-facts.ts';
import type { CallList } from '../init/call-list.ts';
import { startInit } from '../init/start.ts';
import { supervise } from '../init/supervise.ts';
import { type CommandStart, commandPath, failureOf, resultOf, type StartedCommand } from '../native.ts';
import { runtimeConfig } from './config.ts';
import type { Runtime } from './runtimes.ts';

/** Where the scratch space is seen by the runtime, which needs a /proc of its own that hides the other place. */
const runtimeScratchPlaces = ['/dev/shm', '/dev/mqueue', '/sys/firmware'];

/** Exit codes of runtimes for a command that they could not execute, which commands use as well. */
const execFailureCodes: ReadonlySet<number> = new Set([1, 126, 127, 255]);

/**
 * Runs the command through an OCI runtime. Our init starts it, so that runtime and container die with this process, and in
 * a mount namespace where its state directory is in memory and cgroups are one read-only tree: the runtime then makes
 * none (the PID namespace is what kills everything), nothing is left behind, and it does not matter how the host
 * has mounted its cgroups. Signals go to the runtime, which passes them on to the command.
 *
 * @throws BoxwrightError as {@link startNative}; the result rejects with `SANDBOX_RUNTIME_FAILED` when the runtime itself failed
 */
export function startRuntime(start: CommandStart, runtime: Runtime): StartedCommand {
  const { scratch, root, spec, onOutput } = start;
  const facts = hostFacts();
  const place = runtimeScratchPlaces.find((candidate) => existsSync(candidate)) ?? '/dev';
  const inRuntime = (path: string): string => place + path.slice(scratch.path.length);
  const executable = commandPath(root.descriptor, spec);
  const config = runtimeConfig({
    spec,
    root: inRuntime(root.path),
    env: withHome(root.descriptor, spec.env, spec.user.uid),
    userNamespace: facts.userNamespace,
    mayChangeGroups: facts.mayChangeGroups,
    seccomp: runtime.seccomp,
  });
  writeFileSync(`${root.runDirectory}/config.json`, JSON.stringify(config), { mode: 0o600 });
  mkdirSync(`${root.runDirectory}/state`, { mode: 0o700 });
  const bundle = inRuntime(root.runDirectory);
  const entry = { scratch: scratch.path, place, command: runtimeCommand(runtime, bundle), tty: spec.stdio === 'tty' };
  const fill = (list: CallList): void => supervise(list, () => enterRuntime(list, entry));
  const stdio = spec.stdio ?? 'pipe';
  const init = startInit({ scratch, runDirectory: root.runDirectory, fill, stdio, owner: spec.user, onOutput });
  const result = init.ended.then((end) => {
    if (end.failed !== undefined) throw failureOf(end.failed);
    const complaint = readComplaint(`${root.runDirectory}/log`);
    const ended = resultOf(end);
    // Runtimes report a failing execve as an exit code of the command, so a file that cannot be executed is looked for.
    const unusable =
      complaint !== undefined || execFailureCodes.has(ended.exitCode)
        ? explainExecutable({ root: root.descriptor }, executable)
        : undefined;
    if (unusable !== undefined) throw unusable;
    if (complaint !== undefined) throw runtimeFailed(runtime, complaint);
    return ended;
  });
  return { result, output: init.output, kill: () => init.kill(), send: (signal) => init.send(signal) };
}

interface RuntimeEntry {
  readonly scratch: string;
  readonly place: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

function enterRuntime(list: CallList, { scratch, place, command, tty }: RuntimeEntry): void {
  const lockedDown = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  // The runtime copies between our terminal and one of its own: it has to stay the foreground job.
  if (!tty) list.call('start a session', 'setsid');
  list.call('unshare the mount namespace', 'unshare', CLONE_NEWNS);
  // In a user namespace only the owner of the cgroup namespace may mount cgroups.
  list.tryCall('unshare the cgroup namespace', 'unshare', CLONE_NEWCGROUP);
  list.call('make mounts private', 'mount', 'none', '/', 0, MS_REC | MS_PRIVATE, 0);
  list.call('show the scratch space', 'mount', scratch, place, 0, MS_BIND | MS_REC, 0);
  list.call('mount /proc', 'mount', 'proc', '/proc', 'proc', lockedDown, 0);
  list.tryCall('hide the cgroups', 'mount', 'cgroup', '/sys/fs/cgroup', 'cgroup2', lockedDown | MS_RDONLY, 0);
  const path = command[0] ?? '';
  // Nothing of the image's environment reaches the runtime itself (threat D8).
  const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `XDG_RUNTIME_DIR=${place}`];
  list.call(`execute ${path}`, 'execve', path, list.stringArray(command), list.stringArray(environment));
}

function runtimeCommand({ name, path }: Runtime, bundle: string): readonly string[] {
  const log = ['--root', `${bundle}/state`, '--log', `${bundle}/log`, '--log-format', 'json'];
  const flags: Readonly<Record<string, readonly string[]>> = {
    // Not about who we are: with it runc goes on when it may not make cgroups.
    runc: ['--rootless=true'],
    crun: ['--cgroup-manager=disabled'],
  };
  return [path, ...(flags[name] ?? []), ...log, 'run', '--bundle', bundle, 'boxwright'];
}

/** The last error in a runtime's log, if it wrote one: the command's own failures are not in there. */
function readComplaint(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.map(parseComplaint).findLast((complaint) => complaint !== undefined);
}

function parseComplaint(line: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('level' in value) || !('msg' in value)) return undefined;
  return value.level === 'error' || value.level === 'fatal' ? String(value.msg) : undefined;
}

function runtimeFailed({ name, path, version }: Runtime, complaint: string): BoxwrightError {
  const text = escapeForTerminal(complaint.trim().slice(0, 500));
  return new BoxwrightError('SANDBOX_RUNTIME_FAILED', `${name} ${version ?? ''} could not run the command: ${text}`, {
    hint: 'Set BOXWRIGHT_RUNTIME=native to run commands without it; `boxwright doctor` tells what works here.',
    details: { runtime: path, version, complaint },
  });
}

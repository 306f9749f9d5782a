import { constants } from 'node:os';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { DEFAULT_HOSTNAME } from './docker-defaults.ts';
import { explainExecutable, findCommand } from './find-command.ts';
import { withHome } from './home.ts';
import { hostFacts } from './host-facts.ts';
import type { CallList, FailedCall } from './init/call-list.ts';
import { ENTER_WORKING_DIRECTORY, type Isolation, isolate, returnTerminal } from './init/isolate.ts';
import { initArchitecture } from './init/server.ts';
import { type InitEnd, type RunningInit, startInit } from './init/start.ts';
import { supervise } from './init/supervise.ts';
import type { PreparedRoot, RootSpec } from './root/prepare.ts';
import type { Scratch } from './root/scratch.ts';
import { seccompFilter } from './seccomp/filter.ts';
import type { SandboxResult } from './spec.ts';

/** A command that was started, by whichever means. */
export interface StartedCommand extends Pick<RunningInit, 'output' | 'kill' | 'send'> {
  /** Rejects with BoxwrightError when the command could not be run. */
  readonly result: Promise<SandboxResult>;
}

/** Everything a tier needs to start a command. */
export interface CommandStart {
  readonly scratch: Scratch;
  readonly root: PreparedRoot;
  readonly spec: RootSpec;
  readonly onOutput: (stream: 1 | 2, chunk: Buffer) => void;
}

/**
 * Runs the command without any helper program: our own init makes the namespaces and takes the privileges away.
 *
 * @throws BoxwrightError `SANDBOX_COMMAND_NOT_FOUND`, `SANDBOX_COMMAND_NOT_EXECUTABLE`; the result rejects
 *   with those, `SANDBOX_COMMAND_FOREIGN`, or `SANDBOX_FAILED` naming the call that the kernel refused
 */
export function startNative({ scratch, root, spec, onOutput }: CommandStart): StartedCommand {
  const facts = hostFacts();
  const executable = commandPath(root.descriptor, spec);
  const stdio = spec.stdio ?? 'pipe';
  const isolation: Isolation = {
    root: root.path,
    executable,
    args: spec.args,
    env: withHome(root.descriptor, spec.env, spec.user.uid),
    cwd: spec.cwd,
    user: spec.user,
    changeGroups: facts.mayChangeGroups,
    hostname: spec.hostname ?? DEFAULT_HOSTNAME,
    ownNetwork: spec.network === 'none',
    bindSys: facts.userNamespace,
    capabilities: facts.capabilities,
    lastCapability: facts.lastCapability,
    seccomp: filterFor(initArchitecture() ?? 'x64'), // other processors have no init at all
    masked: facts.masked,
    readonly: facts.readonly,
    cgroups: facts.cgroups,
    tty: stdio === 'tty',
  };
  const fill = (list: CallList): void =>
    supervise(list, () => isolate(list, isolation), stdio === 'tty' ? returnTerminal : undefined);
  const init = startInit({ scratch, runDirectory: root.runDirectory, fill, stdio, owner: spec.user, onOutput });
  const result = init.ended.then((end) => {
    if (end.failed !== undefined) throw failure(end.failed, root.descriptor, executable, spec.cwd);
    return resultOf(end);
  });
  return { result, output: init.output, kill: () => init.kill(), send: (signal) => init.send(signal) };
}

/** The executable of a command. @throws BoxwrightError when there is none */
export function commandPath(root: number, spec: RootSpec): string {
  const name = spec.args[0];
  if (name === undefined || name === '')
    throw new BoxwrightError('SANDBOX_COMMAND_NOT_FOUND', 'there is no command to run');
  return findCommand({ root, env: spec.env, cwd: spec.cwd }, name);
}

let filter: Buffer | undefined;

function filterFor(architecture: 'x64' | 'arm64'): Buffer {
  filter ??= seccompFilter(architecture);
  return filter;
}

/** A wait(2) status in the terms of a shell. @throws BoxwrightError `SANDBOX_FAILED` when the init never started */
export function resultOf({ started, status }: InitEnd): SandboxResult {
  if (!started)
    throw new BoxwrightError('SANDBOX_FAILED', "the sandbox's init did not start", {
      hint: 'Was it killed? Run `boxwright doctor`.',
    });
  if (status === undefined) return { exitCode: 128 + constants.signals.SIGKILL, signal: 'SIGKILL' };
  const number = status & 0x7f;
  if (number === 0) return { exitCode: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { exitCode: 128 + number, signal: name ?? `SIG${number}` };
}

function failure(failed: FailedCall, root: number, executable: string, cwd: string): BoxwrightError {
  const error = errnoName(failed.errno);
  if (failed.purpose === ENTER_WORKING_DIRECTORY) {
    const message = `cannot enter the working directory ${escapeForTerminal(cwd)}: ${error}`;
    return new BoxwrightError('SANDBOX_PATH_INVALID', message, { details: { path: cwd, errno: error } });
  }
  if (failed.call !== 'execve') return failureOf(failed);
  if (error === 'E2BIG') {
    return new BoxwrightError(
      'SANDBOX_COMMAND_TOO_LONG',
      'the command and its environment are larger than the kernel takes',
      {
        hint: 'Pass large values in files (COPY, or a bind mount) instead of ENV, ARG or a heredoc.',
      },
    );
  }
  const explained = explainExecutable({ root }, executable, failed.errno);
  if (explained !== undefined) return explained;
  return new BoxwrightError(
    'SANDBOX_COMMAND_NOT_EXECUTABLE',
    `cannot execute ${escapeForTerminal(executable)}: ${error}`,
    {
      hint: error === 'EACCES' ? 'The user may not execute it, or not enter a directory on the way.' : undefined,
      details: { command: executable, errno: error },
    },
  );
}

/** The error for a call of the init that the kernel refused: it says nothing about the command. */
export function failureOf({ call, purpose, errno }: FailedCall): BoxwrightError {
  const error = errnoName(errno);
  return new BoxwrightError('SANDBOX_FAILED', `the sandbox could not ${purpose}: ${call} answered ${error}`, {
    hint: hintFor(call, error),
    details: { call, purpose, errno: error },
  });
}

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

function hintFor(call: string, errno: string): string {
  if (errno === 'E2BIG')
    return 'The command and its environment are larger than the kernel takes; pass large values in files.';
  if (call === 'pivot_root')
    return 'This happens when the root of this machine or container is an initramfs or a chroot; run elsewhere.';
  if (errno === 'ENOSPC') return 'The limit of namespaces is reached: see /proc/sys/user/max_*_namespaces.';
  return 'Run `boxwright doctor`; in a container, a sandbox needs one that is privileged or may use user namespaces.';
}

import { isAbsolute } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { requireSandbox } from './detect.ts';
import type { SandboxResult, SandboxSpec } from './spec.ts';
import { sandboxClient } from './thread/client.ts';

/**
 * Runs one command on a stack of layers, in namespaces of its own, and answers when it and everything that it started
 * have ended and nothing is mounted any more. What it changed is in `upperDir`. Sandboxes run side by side.
 *
 * The environment variable BOXWRIGHT_RUNTIME chooses how: `native`, `crun`, `runc`, or the absolute path of a runtime.
 *
 * @throws BoxwrightError `SANDBOX_UNAVAILABLE`, `SANDBOX_SPEC_INVALID`, `SANDBOX_OVERLAY_FAILED`, `SANDBOX_ROOTFS_UNSAFE`,
 *   `SANDBOX_PATH_INVALID`, `SANDBOX_MOUNT_SOURCE`, `SANDBOX_USER_UNMAPPED`, `SANDBOX_COMMAND_NOT_FOUND`,
 *   `SANDBOX_COMMAND_NOT_EXECUTABLE`, `SANDBOX_COMMAND_FOREIGN`, `SANDBOX_COMMAND_TOO_LONG`, `SANDBOX_FAILED`,
 *   `SANDBOX_RUNTIME_FAILED`; the reason of `spec.signal` when that was aborted
 */
export async function runInSandbox(spec: SandboxSpec): Promise<SandboxResult> {
  requireSandbox();
  check(spec);
  return sandboxClient().run(spec, process.env['BOXWRIGHT_RUNTIME']);
}

/** Starts what the first command would have to wait for; worth calling when a build is going to have a RUN. */
export function warmUpSandbox(): void {
  requireSandbox();
  sandboxClient();
}

function check(spec: SandboxSpec): void {
  const directories = [...spec.lowerDirs, spec.upperDir, spec.workDir, spec.cwd];
  const relative = directories.find((path) => !isAbsolute(path));
  if (relative !== undefined) throw invalid(`${relative} is not an absolute path`);
  const { uid, gid, additionalGids } = spec.user;
  // -1 means "leave as it is" to the kernel.
  if (![uid, gid, ...additionalGids].every((id) => Number.isInteger(id) && id >= 0 && id < 0xffffffff))
    throw invalid('a user or group id is out of range');
  const texts = [
    ...spec.args,
    ...spec.env,
    ...directories,
    spec.hostname ?? '',
    ...spec.mounts.map(({ target }) => target),
  ];
  if (texts.some((text) => text.includes('\0'))) throw invalid('an argument, variable or path holds a NUL byte');
  if (Buffer.byteLength(spec.hostname ?? '') > 64) throw invalid('the host name is longer than 64 bytes');
}

function invalid(why: string): BoxwrightError {
  return new BoxwrightError('SANDBOX_SPEC_INVALID', `the command cannot be run: ${why}`);
}

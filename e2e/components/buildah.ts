import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { strict } from '../support/environment.ts';
import { type RunResult, run, runOk } from '../support/run.ts';

/** Debian's buildah, with storage of its own. */
export interface Buildah {
  /** `buildah ARGS…`; a failure is an error. */
  readonly run: (args: readonly string[]) => Promise<RunResult>;
}

/** Why there is no buildah here, or undefined. In strict runs that is a failure. */
export async function missingBuildah(): Promise<string | undefined> {
  const result = await run('buildah', ['--version']).catch(() => undefined);
  const missing =
    result?.code !== 0
      ? 'no buildah on this machine (apt-get install buildah)'
      : process.getuid?.() === 0
        ? undefined
        : 'buildah with isolation "chroot" takes root';
  if (missing === undefined) return undefined;
  if (strict) throw new Error(missing);
  console.log(`end-to-end: ${missing}`);
  return missing;
}

/** A buildah whose images lie below `directory`, with the images of these docker-archives in it. Nothing keeps running. */
export async function openBuildah(directory: string, archives: readonly string[]): Promise<Buildah> {
  mkdirSync(directory, { recursive: true });
  const storage = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot', TMPDIR: directory };
  const buildah: Buildah = { run: (args) => runOk('buildah', [...storage, ...args], { env }) };
  for (const archive of archives) await buildah.run(['pull', '--quiet', `docker-archive:${archive}`]);
  return buildah;
}

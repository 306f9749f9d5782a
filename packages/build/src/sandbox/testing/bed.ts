import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxResult, SandboxSpec } from '../spec.ts';
import { sandboxClient } from '../thread/client.ts';
import { isPrivileged } from '../user-namespace.ts';

const BUSYBOX = '/bin/busybox';

const applets =
  'basename cat chmod chown chroot dd echo env find grep head hostname id ip kill ln ls mkdir mknod mount mv printf ps pwd readlink rm rmdir seq setsid sh sleep stat test touch true tty umount uname unshare wc yes';

/** Why sandbox tests cannot run here; undefined when they can. */
export function whyNoSandbox(): string | undefined {
  if (!isPrivileged()) return 'needs root, or root of a user namespace';
  if (!existsSync(BUSYBOX)) return 'needs a static /bin/busybox (package busybox-static)';
  return undefined;
}

/** What a test's command did. */
export interface BedResult extends SandboxResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The layer that the command made. */
  readonly upperDir: string;
}

/** A directory with a root file system made of busybox, and a place for layers on it. */
export class SandboxBed {
  readonly directory: string;
  /** The layer that busybox is in. */
  readonly base: string;
  readonly #tier: string;
  #runs = 0;

  constructor(tier: string) {
    this.#tier = tier;
    this.directory = mkdtempSync(join(tmpdir(), 'boxwright-sandbox-'));
    this.base = this.layer('base');
    mkdirSync(join(this.base, 'bin'));
    mkdirSync(join(this.base, 'tmp'));
    chmodSync(join(this.base, 'tmp'), 0o1777);
    copyFileSync(BUSYBOX, join(this.base, 'bin/busybox'));
    chmodSync(join(this.base, 'bin/busybox'), 0o755);
    for (const name of applets.split(' ')) symlinkSync('busybox', join(this.base, 'bin', name));
    this.write(join(this.base, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n');
  }

  /** A new empty layer directory. */
  layer(name: string): string {
    const directory = join(this.directory, name);
    mkdirSync(directory, { mode: 0o755 });
    return directory;
  }

  /** Writes a file and the directories above it. */
  write(path: string, text: string): void {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }

  /** A spec that runs a shell command on the base layer, with fresh upper and work directories. */
  spec(command: string, extra: Partial<SandboxSpec> = {}): SandboxSpec {
    const number = this.#runs++;
    return {
      lowerDirs: [this.base],
      upperDir: this.layer(`upper${number}`),
      workDir: this.layer(`work${number}`),
      args: ['/bin/sh', '-c', command],
      env: ['PATH=/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      mounts: [],
      network: 'default',
      ...extra,
    };
  }

  /** Runs a shell command. */
  async run(command: string, extra: Partial<SandboxSpec> = {}): Promise<BedResult> {
    const output: [Buffer[], Buffer[]] = [[], []];
    const spec = this.spec(command, extra);
    const onOutput = (stream: 1 | 2, chunk: Uint8Array): void =>
      void output[stream === 1 ? 0 : 1].push(Buffer.from(chunk));
    const result = await sandboxClient().run({ onOutput, ...spec }, this.#tier);
    const [stdout, stderr] = output.map((chunks) => Buffer.concat(chunks).toString());
    return { ...result, stdout: stdout ?? '', stderr: stderr ?? '', upperDir: spec.upperDir };
  }

  /** Removes everything. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

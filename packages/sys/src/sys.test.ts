import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as sys from './index.ts';

const isRoot = process.getuid?.() === 0;
let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'boxwright-sys-'));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

/** What `run` throws. */
function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('errors', () => {
  it('look like those of fs', () => {
    const missing = path.join(dir, 'missing');
    const ours = thrown(() => sys.listXattrs(missing));
    expect(ours).toBeInstanceOf(sys.SystemCallError);
    expect(ours).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'llistxattr', path: missing });
    expect(String(ours)).toBe(`SystemCallError: ENOENT: no such file or directory, llistxattr '${missing}'`);
  });

  it('refuse a NUL that C would cut the path at', () => {
    fs.writeFileSync(path.join(dir, 'a'), '');
    expect(thrown(() => sys.setXattr(`${dir}/a\0b`, 'user.x', Buffer.from('1')))).toMatchObject({ code: 'EINVAL' });
    expect(thrown(() => sys.listXattrs(Buffer.from(`${dir}/a\0b`)))).toMatchObject({ code: 'EINVAL' });
    expect(sys.listXattrs(`${dir}/a`)).toEqual([]);
  });
});

describe('extended attributes', () => {
  it('are set, listed, read and removed, by path and by descriptor', () => {
    const file = path.join(dir, 'file');
    fs.writeFileSync(file, '');
    const value = Buffer.from([0, 255, 10, 0]);
    sys.setXattr(file, 'user.binary', value);
    sys.setXattr(file, 'user.empty', new Uint8Array(0));
    expect(sys.listXattrs(file).toSorted()).toEqual(['user.binary', 'user.empty']);
    expect(sys.getXattr(file, 'user.binary')).toEqual(value);
    expect(sys.getXattr(file, 'user.empty')).toEqual(Buffer.alloc(0));
    expect(sys.getXattr(file, 'user.none')).toBeUndefined();
    const fd = fs.openSync(file, 'r');
    try {
      sys.removeXattr(fd, 'user.empty');
      sys.setXattr(fd, 'user.caf\u00e9', Buffer.from('x'));
      expect(sys.listXattrs(fd).toSorted()).toEqual(['user.binary', 'user.caf\u00e9']);
      expect(sys.getXattr(fd, 'user.binary')).toEqual(value);
    } finally {
      fs.closeSync(fd);
    }
    expect(thrown(() => sys.removeXattr(file, 'user.empty'))).toMatchObject({ code: 'ENODATA' });
  });

  it('take paths that are not UTF-8', () => {
    const file = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xfe])]);
    fs.writeFileSync(file, '');
    sys.setXattr(file, 'user.x', Buffer.from('y'));
    expect(sys.getXattr(file, 'user.x')).toEqual(Buffer.from('y'));
  });

  it.runIf(isRoot)('act on a symlink itself', () => {
    fs.symlinkSync('nowhere', path.join(dir, 'link'));
    sys.setXattr(path.join(dir, 'link'), 'trusted.t', Buffer.from('1'));
    expect(sys.listXattrs(path.join(dir, 'link'))).toEqual(['trusted.t']);
  });
});

describe('setTimesNs', () => {
  it.each([
    ['now', 1_700_000_000_123_456_789n],
    ['the epoch', 0n],
    ['before 1970', -1_500_000_001n],
  ])('keeps nanoseconds: %s', (_name, time) => {
    const link = path.join(dir, 'link');
    fs.symlinkSync('nowhere', link);
    sys.setTimesNs(link, time - 1n, time);
    const stats = fs.lstatSync(link, { bigint: true });
    expect(stats.mtimeNs).toBe(time);
  });

  it('takes a descriptor', () => {
    const fd = fs.openSync(path.join(dir, 'file'), 'w');
    try {
      sys.setTimesNs(fd, 5n, 7_000_000_001n);
      expect(fs.fstatSync(fd, { bigint: true }).mtimeNs).toBe(7_000_000_001n);
    } finally {
      fs.closeSync(fd);
    }
  });
});

describe('openInRoot and openBeneath', () => {
  let rootFd: number;
  beforeEach(() => {
    fs.mkdirSync(path.join(dir, 'root/etc'), { recursive: true });
    fs.writeFileSync(path.join(dir, 'root/etc/name'), 'inside');
    fs.mkdirSync(path.join(dir, 'etc'));
    fs.writeFileSync(path.join(dir, 'etc/name'), 'outside');
    fs.symlinkSync('/etc', path.join(dir, 'root/absolute'));
    fs.symlinkSync('../../../../etc', path.join(dir, 'root/climbing'));
    rootFd = fs.openSync(path.join(dir, 'root'), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  });
  afterEach(() => {
    fs.closeSync(rootFd);
  });

  it.each(['etc/name', '/etc/name', '../etc/name', 'absolute/name', 'climbing/name'])('stays inside: %s', (name) => {
    const fd = sys.openInRoot(rootFd, name, fs.constants.O_RDONLY);
    try {
      expect(fs.readFileSync(fd, 'utf8')).toBe('inside');
    } finally {
      fs.closeSync(fd);
    }
  });

  it.each([
    ['../etc/name', 'EXDEV'],
    ['/etc/name', 'EXDEV'],
    ['absolute/name', 'ELOOP'],
    ['climbing/name', 'ELOOP'],
    ['etc/none', 'ENOENT'],
  ])('openBeneath refuses %s with %s', (name, code) => {
    expect(thrown(() => sys.openBeneath(rootFd, name, fs.constants.O_RDONLY))).toMatchObject({ code });
  });

  it('creates files with a mode and closes them in children', () => {
    const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;
    const fd = sys.openBeneath(rootFd, 'etc/new', O_CREAT | O_EXCL | O_WRONLY, 0o640);
    try {
      expect(fs.fstatSync(fd).mode & 0o777).toBe(0o640 & ~process.umask());
      const flags = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
      expect(Number.parseInt(flags, 8) & sys.O_CLOEXEC).toBe(sys.O_CLOEXEC);
    } finally {
      fs.closeSync(fd);
    }
  });
});

describe('mknod and linkDescriptor', () => {
  it('makes a FIFO', () => {
    sys.mknod(path.join(dir, 'fifo'), sys.S_IFIFO | 0o600);
    expect(fs.lstatSync(path.join(dir, 'fifo')).isFIFO()).toBe(true);
  });

  it.runIf(isRoot).each([
    { major: 0, minor: 0 },
    { major: 1, minor: 3 },
    { major: 259, minor: 1_000_000 },
    { major: 4095, minor: 0xfffff },
  ])('makes device $major:$minor', (device) => {
    sys.mknod(path.join(dir, 'device'), sys.S_IFCHR | 0o600, device);
    const stats = fs.lstatSync(path.join(dir, 'device'), { bigint: true });
    expect(stats.isCharacterDevice()).toBe(true);
    expect(sys.splitDevice(stats.rdev)).toEqual(device);
  });

  it('refuses device numbers that do not fit', () => {
    const make = () => sys.mknod(path.join(dir, 'x'), sys.S_IFCHR, { major: 4096, minor: 0 });
    expect(thrown(make)).toMatchObject({ code: 'EINVAL' });
  });

  it('links an open file', () => {
    const fd = fs.openSync(path.join(dir, 'a'), 'w');
    try {
      fs.unlinkSync(path.join(dir, 'a'));
      fs.writeSync(fd, 'text');
      expect(thrown(() => sys.linkDescriptor(fd, path.join(dir, 'b')))).toMatchObject({ code: 'ENOENT' });
      fs.writeFileSync(path.join(dir, 'c'), 'kept');
      const kept = fs.openSync(path.join(dir, 'c'), 'r');
      sys.linkDescriptor(kept, path.join(dir, 'd'));
      fs.closeSync(kept);
      expect(fs.readFileSync(path.join(dir, 'd'), 'utf8')).toBe('kept');
    } finally {
      fs.closeSync(fd);
    }
  });
});

describe('flock', () => {
  it('shares, excludes and unlocks', () => {
    const file = path.join(dir, 'lock');
    const [one, two] = [fs.openSync(file, 'w'), fs.openSync(file, 'w')];
    try {
      expect(sys.flock(one, 'shared')).toBe(true);
      expect(sys.flock(two, 'shared', { nonBlocking: true })).toBe(true);
      expect(sys.flock(two, 'exclusive', { nonBlocking: true })).toBe(false);
      sys.flock(one, 'unlock');
      expect(sys.flock(two, 'exclusive', { nonBlocking: true })).toBe(true);
      expect(sys.flock(one, 'shared', { nonBlocking: true })).toBe(false);
      sys.syncfs(one);
    } finally {
      fs.closeSync(one);
      fs.closeSync(two);
    }
    expect(thrown(() => sys.flock(one, 'unlock'))).toMatchObject({ code: 'EBADF', syscall: 'flock' });
  });
});

describe('mounts and namespaces', () => {
  it('refuses options that the kernel would cut off', () => {
    const run = () => sys.mount('overlay', dir, 'overlay', 0, `lowerdir=${'x'.repeat(5000)}`);
    expect(thrown(run)).toMatchObject({ code: 'E2BIG', syscall: 'mount' });
  });

  it.runIf(isRoot)('works in a worker thread, whose mounts the main thread does not see', async () => {
    // Paths of 100 bytes with the characters that overlayfs splits at: 15 kB of them, where a page holds 4.
    const base = path.join(dir, 'x'.repeat(Math.max(1, 100 - dir.length)));
    const layers = 150;
    for (const name of ['up,per', 'work', 'merged']) fs.mkdirSync(path.join(base, name), { recursive: true });
    for (let index = 0; index < layers; index++) {
      fs.mkdirSync(path.join(base, `lower:${index}`));
      fs.writeFileSync(path.join(base, `lower:${index}`, `own-${index}`), '');
      fs.writeFileSync(path.join(base, `lower:${index}`, 'file'), String(index));
    }
    const worker = new Worker(new URL('./testing/overlay-worker.ts', import.meta.url), {
      workerData: { dir: base, layers },
      execArgv: ['--conditions=source'],
    });
    const seen = await new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(seen).toEqual({
      merged: layers + 2,
      content: String(layers - 1),
      hostname: 'box',
      whiteout: { major: 0, minor: 0 },
      unmounted: [],
    });
    expect(fs.readdirSync(path.join(base, 'merged'))).toEqual([]);
    expect(os.hostname()).not.toBe('box');
    expect(fs.readdirSync(path.join(base, 'up,per')).toSorted()).toEqual(['file', 'new']);
  });

  it('reads the no_new_privs flag with prctl', () => {
    const PR_GET_NO_NEW_PRIVS = 39;
    expect([0, 1]).toContain(sys.prctl(PR_GET_NO_NEW_PRIVS));
    expect(thrown(() => sys.prctl(0x7fffffff))).toMatchObject({ code: 'EINVAL' });
  });
});

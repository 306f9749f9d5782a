import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CopyOperation, RunMountPlan, RunOperation, Transfer, WorkdirOperation } from '../plan/operation.ts';
import { combineKeys, copyKey, copySourceKey, layersKey, runKey, workdirKey } from './keys.ts';

const TRANSFER: Transfer = { from: { kind: 'context' }, path: '/a', wildcards: false, include: [], required: undefined, unpack: false, followLinks: true }; // biome-ignore format: plain
const COPY: CopyOperation = { kind: 'copy', transfers: [TRANSFER], dest: '/d', chown: undefined, chmod: undefined, exclude: [], link: false }; // biome-ignore format: plain
const WORKDIR: WorkdirOperation = { kind: 'workdir', path: '/w', user: '' };
const RUN: RunOperation = { kind: 'run', args: ['/bin/sh', '-c', 'x'], env: ['A=1'], proxyEnv: [], cwd: '/', user: '', mounts: [], network: 'default', extraHosts: [], script: undefined }; // biome-ignore format: plain

/** For every field of an operation another value; a field that is added to the type has to be added here. */
type Changes<T> = { readonly [Field in Exclude<keyof T, 'kind'>]-?: T[Field] };

const BIND: RunMountPlan = {
  type: 'bind',
  from: { kind: 'stage', stage: 0 },
  source: '/',
  target: '/t',
  readonly: true,
};
const CACHE: RunMountPlan = { type: 'cache', id: 'i', sharing: 'shared', from: undefined, source: '/', target: '/t', readonly: false, mode: 0o755, uid: 0, gid: 0 }; // biome-ignore format: plain
const SECRET: RunMountPlan = {
  type: 'secret',
  id: 's',
  target: '/s',
  env: undefined,
  required: false,
  mode: 0o400,
  uid: 0,
  gid: 0,
};
const TMPFS: RunMountPlan = { type: 'tmpfs', target: '/t', sizeBytes: undefined };

describe('runKey', () => {
  const key = (changes: Partial<RunOperation> = {}, mounts: readonly string[] = [], parent = 'p', epoch = ''): string =>
    runKey(parent, { ...RUN, ...changes }, mounts, epoch);

  const counted: Omit<Changes<RunOperation>, 'proxyEnv'> = {
    args: ['/bin/sh', '-c', 'y'],
    env: ['A=2'],
    cwd: '/other',
    user: 'app',
    mounts: [TMPFS],
    network: 'none',
    extraHosts: [{ host: 'h', address: '10.0.0.1' }],
    script: { path: '/dev/pipes/EOF', content: 'x' },
  };

  it.each(Object.entries(counted))('counts %s', (field, value) => {
    expect(key({ [field]: value })).not.toBe(key());
  });

  it.each([
    ['type', TMPFS, { ...BIND, from: { kind: 'context' } }],
    ['source', BIND, { ...BIND, source: '/x' }],
    ['target', BIND, { ...BIND, target: '/x' }],
    ['readonly', BIND, { ...BIND, readonly: false }],
    ['id', CACHE, { ...CACHE, id: 'j' }],
    ['sharing', CACHE, { ...CACHE, sharing: 'locked' }],
    ['mode', CACHE, { ...CACHE, mode: 0o700 }],
    ['uid', CACHE, { ...CACHE, uid: 1 }],
    ['gid', CACHE, { ...CACHE, gid: 1 }],
    ['size', TMPFS, { ...TMPFS, sizeBytes: 1 }],
    ['secret id', SECRET, { ...SECRET, id: 't' }],
    ['secret env', SECRET, { ...SECRET, env: 'S' }],
    ['required', SECRET, { ...SECRET, required: true }],
  ] as readonly (readonly [string, RunMountPlan, RunMountPlan])[])('counts %s of a mount', (_, one, other) => {
    expect(key({ mounts: [one] })).not.toBe(key({ mounts: [other] }));
  });

  it('counts what is below, what mounts show, the epoch, the order of arguments', () => {
    const keys = [key(), key({}, [], 'q'), key({}, ['m']), key({}, ['m', 'n']), key({}, ['mn']), key({}, [], 'p', '1')];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key({ args: ['a', 'b'] })).not.toBe(key({ args: ['b', 'a'] }));
    expect(key({ args: ['a b'] })).not.toBe(key({ args: ['a', 'b'] }));
  });

  it('counts neither proxies nor where a bind mount comes from: its content has a key of its own', () => {
    expect(key({ proxyEnv: ['HTTP_PROXY=http://user:secret@p'] })).toBe(key());
    expect(key({ mounts: [{ ...BIND, from: { kind: 'stage', stage: 5 } }] }, ['m'])).toBe(
      key({ mounts: [BIND] }, ['m']),
    );
  });
});

describe('copyKey', () => {
  const key = (changes: Partial<CopyOperation> = {}, content = 'c', parent = 'p', epoch = ''): string =>
    copyKey(parent, { ...COPY, ...changes }, content, epoch);

  const counted: Omit<Changes<CopyOperation>, 'transfers'> = {
    dest: '/d/',
    chown: '1',
    chmod: '600',
    exclude: ['x'],
    link: true,
  };

  it.each(Object.entries(counted))('counts %s', (field, value) => {
    expect(key({ [field]: value })).not.toBe(key());
  });

  it('counts content, what is below and the epoch', () => {
    expect(new Set([key(), key({}, 'd'), key({}, 'c', 'q'), key({}, 'c', 'p', '1')]).size).toBe(4);
  });

  it('with --link and without names, not what is below', () => {
    expect(key({ link: true }, 'c', 'p')).toBe(key({ link: true }, 'c', 'q'));
    expect(key({ link: true, chown: '1:2' }, 'c', 'p')).toBe(key({ link: true, chown: '1:2' }, 'c', 'q'));
    expect(key({ link: true, chown: 'app' }, 'c', 'p')).not.toBe(key({ link: true, chown: 'app' }, 'c', 'q'));
  });
});

describe('copySourceKey', () => {
  const key = (changes: Partial<Transfer> = {}, sources = ['s'], exclude: readonly string[] = []): string =>
    copySourceKey({ ...COPY, transfers: [{ ...TRANSFER, ...changes }], exclude }, sources);

  const counted: Omit<Changes<Transfer>, 'from'> = {
    path: '/b',
    wildcards: true,
    include: ['i'],
    required: '/r',
    unpack: true,
    followLinks: false,
  };

  it.each(Object.entries(counted))('counts %s', (field, value) => {
    expect(key({ [field]: value })).not.toBe(key());
  });

  it('counts the sources and what is excluded, not the destination', () => {
    expect(new Set([key(), key({}, ['t']), key({}, ['s', 't']), key({}, ['s'], ['x'])]).size).toBe(4);
    expect(copySourceKey({ ...COPY, dest: '/other', chown: '5' }, ['s'])).toBe(key());
  });
});

describe('the other keys', () => {
  it('workdir: parent, path, user, epoch', () => {
    const keys = [
      workdirKey('p', WORKDIR, ''),
      workdirKey('q', WORKDIR, ''),
      workdirKey('p', { ...WORKDIR, path: '/x' }, ''),
      workdirKey('p', { ...WORKDIR, user: 'u' }, ''),
      workdirKey('p', WORKDIR, '1'),
      layersKey(['p']),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('parts never run into each other', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
        expect(combineKeys(...one) === combineKeys(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
        if (one.length > 1) expect(combineKeys(one.join(''))).not.toBe(combineKeys(...one));
      }),
    );
  });

  it('are hexadecimal, whatever goes in', () => {
    expect(combineKeys('\u0000', 'ü', '\ud800')).toMatch(/^[0-9a-f]{64}$/);
  });
});

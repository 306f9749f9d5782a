import { readdirSync } from 'node:fs';
import { escapeForTerminal } from '@boxwright/errors';
import { expect } from 'vitest';
import type { TarEntry } from '../../tar/entry.ts';
import { unpackLayer } from '../unpack-layer.ts';
import type { UnpackOptions, UnpackResult } from '../unpack-options.ts';
import { type Box, describeTree, tarOf } from './box.ts';

/** Whether owners, devices and mounts can be tried. */
export const isRoot: boolean = process.geteuid?.() === 0;
/** Some time that is no whole second. */
export const TIME: bigint = 1_234_567_890_123_456_789n;
/** Neither root nor its ids are needed for what most tests are about. */
export const owner: { readonly uid: number; readonly gid: number } = {
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
};
/** The two ways to unpack. */
export const MODES: readonly ['overlay', 'apply'] = ['overlay', 'apply'];

/** Unpacks entries or an archive into the target, by default with whiteouts applied. */
export function unpack(
  box: Box,
  entries: readonly TarEntry[] | Uint8Array,
  options: Partial<UnpackOptions> = {},
): UnpackResult {
  const archive = entries instanceof Uint8Array ? entries : tarOf(entries);
  return unpackLayer([archive], box.target, {
    whiteouts: 'apply',
    owners: isRoot ? 'keep' : 'ignore',
    ...options,
  });
}

/** All paths below a directory, sorted. */
export function paths(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
}

/** Unpacks something hostile: whatever comes of it, nothing outside may change. Answers the code of the error. */
export function attack(
  box: Box,
  entries: readonly TarEntry[] | Uint8Array,
  options: Partial<UnpackOptions> = {},
): string | undefined {
  const before = describeTree(box.outside);
  let code: string | undefined;
  try {
    unpack(box, entries, options);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    code = String(error.code);
    expect(escapeForTerminal(error.message)).toBe(error.message);
  }
  expect(describeTree(box.outside)).toEqual(before);
  expect(readdirSync(box.dir).sort()).toEqual(['outside', 'target']);
  return code;
}

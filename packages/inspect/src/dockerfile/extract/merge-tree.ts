import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readlinkSync, readSync, renameSync } from 'node:fs';
import { type ByteString, joinPath, toByteString, toFsPath } from '@boxwright/oci';

/**
 * Moves a tree into another one, unless something in it is there already and is not the same: then nothing is moved and
 * false returned. No link is followed.
 */
export function mergeTree(from: string, to: string): boolean {
  const [source, target] = [toByteString(from), toByteString(to)];
  const moves: (readonly [ByteString, ByteString])[] = [];
  if (!collectMoves(source, target, moves)) return false;
  mkdirSync(to, { recursive: true });
  for (const [one, other] of moves) renameSync(toFsPath(one), toFsPath(other));
  return true;
}

/** What is to be moved to where; false for a conflict. Without recursion: trees may be two thousand directories deep. */
function collectMoves(source: ByteString, target: ByteString, moves: (readonly [ByteString, ByteString])[]): boolean {
  const pending: (readonly [ByteString, ByteString])[] = [[source, target]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [from, to] = pair;
    for (const name of readdirSync(toFsPath(from), { encoding: 'buffer' })) {
      const child = toByteString(name);
      const [one, other] = [joinPath(from, child), joinPath(to, child)];
      const there = lstatSync(toFsPath(other), { throwIfNoEntry: false });
      if (there === undefined) moves.push([one, other]);
      else if (there.isDirectory() && lstatSync(toFsPath(one)).isDirectory()) pending.push([one, other]);
      else if (!isSame(one, other)) return false;
    }
  }
  return true;
}

function isSame(one: ByteString, other: ByteString): boolean {
  const [left, right] = [toFsPath(one), toFsPath(other)];
  const [leftStats, rightStats] = [lstatSync(left), lstatSync(right)];
  if (leftStats.mode !== rightStats.mode || leftStats.size !== rightStats.size) return false;
  if (leftStats.isSymbolicLink()) return readlinkSync(left) === readlinkSync(right);
  return leftStats.isFile() && hasSameContent(left, right);
}

function hasSameContent(left: string | Buffer, right: string | Buffer): boolean {
  const [one, other] = [openSync(left, 'r'), openSync(right, 'r')];
  try {
    const [first, second] = [Buffer.allocUnsafe(65_536), Buffer.allocUnsafe(65_536)];
    for (;;) {
      const length = readSync(one, first);
      if (readSync(other, second) !== length) return false;
      if (length === 0) return true;
      if (!first.subarray(0, length).equals(second.subarray(0, length))) return false;
    }
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

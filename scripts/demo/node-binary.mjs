import { realpathSync, statSync } from 'node:fs';
import { newestNode } from '../newest-node.mjs';
import { DemoError } from './demo-error.mjs';

/** A Node with its libraries built in has about 100 MB; one that is linked with a distribution's has almost nothing. */
const SMALLEST = 50e6;

/**
 * A Node program that also runs in an image that has only the C and C++ libraries.
 *
 * @param {string} root top of the repository
 * @returns {string}
 */
export function nodeBinary(root) {
  const candidates = [newestNode(root), process.execPath].map((path) => realpathSync(path));
  const found = candidates.find((path) => statSync(path).size >= SMALLEST);
  if (found !== undefined) return found;
  throw new DemoError(
    `The demo copies Node into an image, but ${candidates[0]} needs libraries of this system.`,
    'Use a Node from nodejs.org, or (x86-64) let `npm ci` install its optional dependencies.',
  );
}

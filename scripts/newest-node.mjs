import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The Node that the project is developed on: the one that npm installed, else the one that runs this. npm scripts get it
 * through PATH; a script called by hand with an older Node gets it here.
 *
 * @param {string} root top of the repository
 * @returns {string}
 */
export function newestNode(root) {
  const installed = join(root, 'node_modules/.bin/node');
  return existsSync(installed) ? installed : process.execPath;
}

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const npmNode = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));

/**
 * The Node for sources that are run as they are: they hold `using`, which the oldest supported Node does not know. Where
 * that one runs the tests, it is the Node that npm installed.
 */
export const sourcesNode: string =
  Number.parseInt(process.versions.node, 10) < 24 && existsSync(npmNode) ? npmNode : process.execPath;

import { expect, it } from 'vitest';
import { storeRoot } from './store-root.ts';

it.each([
  ['s', { BOXWRIGHT_HOME: '/b' }, '/w/s'],
  [undefined, { BOXWRIGHT_HOME: '/b', XDG_DATA_HOME: '/x' }, '/b'],
  [undefined, { BOXWRIGHT_HOME: 'rel' }, '/w/rel'],
  [undefined, { XDG_DATA_HOME: '/x', HOME: '/h' }, '/x/boxwright'],
  [undefined, { XDG_DATA_HOME: 'rel', HOME: '/h' }, '/h/.local/share/boxwright'],
  [undefined, { BOXWRIGHT_HOME: '', HOME: '/h' }, '/h/.local/share/boxwright'],
])('--store %s, %j', (flag, env, root) => {
  expect(storeRoot(flag, { env, cwd: '/w' })).toBe(root);
});

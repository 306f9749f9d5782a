import { expect, it } from 'vitest';
import { safeJson } from './safe-json.ts';

it('escapes what could steer a terminal and reads back the same', () => {
  const value = { name: '\u001b[2J\u009b\u202e\u007f\ud800 镜像' };
  const text = safeJson(value);
  expect(text).toBe('{"name":"\\u001b[2J\\u009b\\u202e\\u007f\\ud800 镜像"}');
  expect(JSON.parse(text)).toEqual(value);
});

import { describe, expect, it } from 'vitest';
import { OutputTail } from './output-tail.ts';

describe('OutputTail', () => {
  it('keeps the last lines, however the output comes in pieces', () => {
    const whole = Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\n');
    for (const size of [1, 7, 1000]) {
      const tail = new OutputTail();
      for (let at = 0; at < whole.length; at += size) tail.add(Buffer.from(`${whole}\n`.slice(at, at + size)));
      expect(tail.text.split('\n')).toEqual(Array.from({ length: 10 }, (_, at) => `line ${at + 20}`));
    }
  });

  it('stays small', () => {
    const tail = new OutputTail();
    for (let count = 0; count < 1000; count++) tail.add(Buffer.alloc(4096, 'x'));
    expect(tail.text.length).toBeLessThanOrEqual(8192);
    expect(new OutputTail().text).toBe('');
  });
});

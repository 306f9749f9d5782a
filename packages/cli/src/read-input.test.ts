import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readInput } from './read-input.ts';

const never = new AbortController().signal;

it('joins what comes in', async () => {
  const input = Readable.from([Buffer.from('FROM '), Buffer.from('scratch\n')], { objectMode: false });
  expect((await readInput(input, 100, 'the Dockerfile', never)).toString()).toBe('FROM scratch\n');
});

it('stops at the limit', async () => {
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(1000));
    },
  });
  await expect(readInput(endless, 4096, 'the Dockerfile', never)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' });
});

it('ends when it is aborted', async () => {
  const controller = new AbortController();
  const reading = readInput(new PassThrough(), 100, 'the Dockerfile', controller.signal);
  controller.abort();
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
});

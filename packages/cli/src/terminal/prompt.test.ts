import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CapturedOutput } from '../testing/captured-output.ts';
import { type PromptTerminal, promptLine } from './prompt.ts';

function terminal(signal: AbortSignal = new AbortController().signal): {
  terminal: PromptTerminal;
  type: (...keys: (string | Uint8Array)[]) => void;
  output: CapturedOutput;
  modes: boolean[];
} {
  const modes: boolean[] = [];
  const stream = new PassThrough();
  const output = new CapturedOutput();
  const input = Object.assign(stream, { setRawMode: (on: boolean) => modes.push(on) });
  const type = (...keys: (string | Uint8Array)[]): void => {
    for (const key of keys) stream.write(key);
  };
  return { terminal: { input, output, signal }, type, output, modes };
}

describe('promptLine', () => {
  it('shows the question, hides the answer and leaves the terminal as it was', async () => {
    const { terminal: t, type, output, modes } = terminal();
    type('secret\r');
    expect(await promptLine('Password: ', t, { hidden: true })).toBe('secret');
    expect(output.text).toBe('Password: \n');
    expect(modes).toEqual([true, false]);
  });

  it('leaves echoing and editing of a visible answer to the terminal', async () => {
    const { terminal: t, type, output, modes } = terminal();
    type('me\n');
    expect(await promptLine('Username: ', t, { hidden: false })).toBe('me');
    expect(output.text).toBe('Username: ');
    expect(modes).toEqual([]);
  });

  it('keeps what was typed ahead for the next question', async () => {
    const { terminal: t, type } = terminal();
    type('me\r\nsecret\r');
    expect(await promptLine('a', t, { hidden: false })).toBe('me');
    expect(await promptLine('b', t, { hidden: true })).toBe('secret');
  });

  it('can be corrected; arrow keys and the like are nothing', async () => {
    const { terminal: t, type } = terminal();
    type('wrong\x15', 'pä', Buffer.from([0xe6, 0x96]), Buffer.from([0x87, 0x7f]), 'x\x7f\x1b[A\x1bOP\x01ß\r');
    expect(await promptLine('', t, { hidden: true })).toBe('päß');
  });

  it('ends with Ctrl-C, the end of the input, or the signal', async () => {
    for (const [keys, expected] of [
      ['ab\x03', { code: 'INTERRUPTED', exitCode: 130 }],
      ['\x04', { code: 'USAGE' }],
    ] as const) {
      const { terminal: t, type, modes } = terminal();
      type(keys);
      await expect(promptLine('', t, { hidden: true })).rejects.toMatchObject(expected);
      expect(modes).toEqual([true, false]);
    }
    const controller = new AbortController();
    const { terminal: t, modes } = terminal(controller.signal);
    const asking = promptLine('', t, { hidden: true });
    controller.abort(new Error('stop'));
    await expect(asking).rejects.toThrow('stop');
    expect(modes).toEqual([true, false]);
  });
});

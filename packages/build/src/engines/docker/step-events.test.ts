import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../events.ts';
import { StepEvents } from './step-events.ts';

function shown(texts: readonly string[]): { readonly steps: StepEvents; readonly events: readonly string[] } {
  const events: string[] = [];
  const steps = new StepEvents((event: BuildEvent) => {
    const what = event.type === 'vertex' || event.type === 'status' ? ` ${event.name}` : '';
    events.push(
      `${event.type}${event.type === 'log' ? `${event.stream} ${Buffer.from(event.data).toString()}` : what}`,
    );
  });
  for (const stream of texts) steps.apply({ stream });
  return { steps, events };
}

describe('StepEvents', () => {
  it('makes steps of what the classic builder prints', () => {
    const { steps, events } = shown([
      'Step 1/2 : FROM a\n',
      ' ---> 0123\n',
      'Step 2/2 : RUN x\n',
      ' ---> Using cache\n',
      ' ---> 4567\n',
      'Successfully built 4567\n',
      'Successfully tagged a:1\n',
    ]);
    steps.finish();
    expect(events).toEqual([
      'vertex [1/2] FROM a',
      'started',
      'completed',
      'vertex [2/2] RUN x',
      'started',
      'cached',
      'completed',
    ]);
  });

  it('shows output, standard error apart, and pulls', () => {
    const { steps, events } = shown(['Step 1/1 : RUN x\n', 'out\n', '\u001b[91merr\n\u001b[0m']);
    steps.apply({ status: 'Downloading', id: 'abc', current: 1, total: 2 });
    expect(events.slice(2)).toEqual(['log1 out\n', 'log2 err\n', 'status abc Downloading']);
  });

  it('lets output count no steps', () => {
    const { steps, events } = shown(['Step 1/2 : RUN x\n', 'Step 1/2 : RUN y\n', 'Step 7/2 : RUN z\n']);
    expect(events.filter((event) => event.startsWith('vertex'))).toHaveLength(1);
    const error = steps.failed("The command 'x' returned a non-zero code: 3", 3);
    expect(error).toMatchObject({ code: 'RUN_FAILED', details: { exitCode: 3, step: '[1/2] RUN x' } });
    expect(events.at(-1)).toBe('completed');
  });
});

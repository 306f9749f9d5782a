import { join } from 'node:path';
import type { BuildEvent } from '@boxwright/build';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectory } from '@boxwright/testing';
import { onTestFinished } from 'vitest';
import { createStepContext, type StepContext, type StepContextOptions } from '../steps/step-context.ts';
import { fakeEngine } from './fake-engine.ts';

/** A context and what was shown in it. */
export interface TestStepContext extends StepContext {
  /** Lines of output. */
  readonly lines: string[];
  readonly warnings: string[];
  readonly events: BuildEvent[];
}

/** A context in a new directory, with a store of its own and an engine that does nothing. */
export function testStepContext(options: Partial<StepContextOptions> = {}): TestStepContext {
  const directory = options.directory ?? temporaryDirectory();
  const lines: string[] = [];
  const warnings: string[] = [];
  const events: BuildEvent[] = [];
  const context = createStepContext({
    store: testStore(),
    engine: () => fakeEngine(),
    env: { PATH: process.env['PATH'] },
    ...options,
    directory,
    onEvent(event) {
      events.push(event);
      if (event.type === 'log') lines.push(Buffer.from(event.data).toString().trimEnd());
      if (event.type === 'warning') warnings.push(event.message);
    },
  });
  return { ...context, lines, warnings, events };
}

/** Opens a new store at the first call. */
export function testStore(): () => ImageStore {
  let store: ImageStore | undefined;
  const directory = temporaryDirectory();
  onTestFinished(() => store?.close());
  return () => (store ??= ImageStore.open(join(directory, 'store')));
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerfileError } from '@boxwright/dockerfile';
import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../events.ts';
import { defaults, failures, outcomes, testBuilders } from '../testing/test-build.ts';
import { createEmbeddedEngine } from './embedded.ts';

const builder = testBuilders();

describe('a failing build', () => {
  it('shows the failing step once, with its place, and nothing of what depends on it', async () => {
    const { build, write } = builder();
    write('a', 'A');
    const events: BuildEvent[] = [];
    const text =
      'FROM scratch AS one\nCOPY a /\nCOPY missing /\nCOPY a /b\nFROM scratch\nCOPY --from=one / /x\nCOPY a /\n';
    const error: unknown = await build(text, { onEvent: (event) => events.push(event) }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DockerfileError);
    expect(error).toMatchObject({ code: 'COPY_SOURCE_NOT_FOUND', file: 'Dockerfile', range: { start: { line: 3 } } });
    expect((error as DockerfileError).frame).toContain('COPY missing /');
    expect(failures(events)).toEqual([[expect.stringContaining('COPY missing /'), 'COPY_SOURCE_NOT_FOUND']]);
  });

  it('leaves no temporary file, and what was done is kept', async () => {
    const { build, write, store } = builder();
    write('a', 'A');
    write('big', 'x'.repeat(100_000));
    await expect(build('FROM scratch\nCOPY a /\nCOPY big /\nCOPY --chown=nobody a /b\n')).rejects.toMatchObject({
      code: 'USER_NOT_FOUND',
    });
    const temporary = readdirSync(store.root, { recursive: true, encoding: 'utf8' }).filter(
      (name) => /(^|\/)tmp\/.+\/.+/.test(name) && !name.endsWith('lock'),
    );
    expect(temporary).toEqual([]);
    expect(outcomes((await build('FROM scratch\nCOPY a /\nCOPY big /\n')).events).executed).toEqual([]);
  });

  it.each([
    ['FROM scratch\nCOPY f/x /\n', 'COPY_SOURCE_NOT_FOUND', 2],
    ['FROM scratch\nCOPY f /a\nCOPY f /a/b\n', 'COPY_TARGET_NOT_DIRECTORY', 3],
    ['FROM scratch\nCOPY d /a\nCOPY f /a\nCOPY --from=0 / /\n', 'DOCKERFILE_CIRCULAR_STAGES', 4],
    ['FROM scratch\nCOPY f /\nCOPY --chown=nobody f /x\n', 'USER_NOT_FOUND', 3],
  ])('%j points at the line', async (text, code, line) => {
    const { build, write } = builder();
    write('f', 'F');
    write('d/g', 'G');
    await expect(build(text)).rejects.toMatchObject({ code, range: { start: { line } } });
  });

  it('for want of a context or a Dockerfile says so', async () => {
    const { build, context, write, store } = builder();
    write('f', '');
    const text = 'FROM scratch\n';
    await expect(build(text, { contextDir: join(context, 'missing') })).rejects.toMatchObject({
      code: 'CONTEXT_NOT_FOUND',
    });
    await expect(build(text, { contextDir: join(context, 'f') })).rejects.toMatchObject({ code: 'CONTEXT_NOT_FOUND' });
    const engine = createEmbeddedEngine();
    await expect(
      engine.build({ ...defaults(store, context), dockerfilePath: join(context, 'Nofile') }),
    ).rejects.toMatchObject({
      code: 'DOCKERFILE_NOT_FOUND',
    });
    await expect(engine.build({ ...defaults(store, context), dockerfilePath: context })).rejects.toMatchObject({
      code: 'DOCKERFILE_NOT_FOUND',
    });
  });

  it('ends for the reason it was aborted for', async () => {
    const { build, write } = builder();
    write('a', 'A');
    const abort = new AbortController();
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(build('FROM scratch\nCOPY a /\n', { signal: abort.signal })).rejects.toBe(reason);
    const later = new AbortController();
    const aborting = build('FROM scratch\nCOPY a /x\nWORKDIR /w\nCOPY a /y\n', {
      signal: later.signal,
      onEvent: (event) => {
        if (event.type === 'completed') later.abort(reason);
      },
    });
    await expect(aborting).rejects.toBe(reason);
    expect((await build('FROM scratch\nCOPY a /x\n')).layers).toHaveLength(1);
  });

  it('leaves nothing rejected behind', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const { build, write } = builder();
      write('a', 'A');
      const stage = (name: string): string => `FROM scratch AS ${name}\nCOPY a /\nCOPY missing-${name} /\nWORKDIR /x\n`;
      const text = `${stage('one')}${stage('two')}FROM scratch\nCOPY --from=one / /\nCOPY --from=two / /\nCOPY missing /\n`;
      await expect(build(text)).rejects.toMatchObject({ code: 'COPY_SOURCE_NOT_FOUND' });
      await sleep(20);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { outcomes, testBuilders } from '../testing/test-build.ts';

const builder = testBuilders();

describe('the cache', () => {
  const dockerfile = 'FROM scratch\nCOPY a /a\nCOPY b /b\nWORKDIR /w\n';

  it('gives the same image again, without reading a file', async () => {
    const { build, write, context } = builder();
    write('a', 'A');
    write('b', 'B');
    // A file whose last change lies ahead of its last access has the access noted at every read (relatime).
    for (const name of ['a', 'b']) utimesSync(join(context, name), 1, 4_000_000_000);
    const accessed = (): readonly number[] => ['a', 'b'].map((name) => statSync(join(context, name)).atimeMs);
    // The file index trusts no file that has changed a moment ago.
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
    const first = await build(dockerfile);
    clock.mockRestore();
    const read = accessed();
    await sleep(20);
    const second = await build(dockerfile);
    expect(accessed()).toEqual(read);
    expect(outcomes(first.events).executed).toHaveLength(3);
    expect(outcomes(second.events)).toMatchObject({ executed: [], cached: expect.objectContaining({ length: 3 }) });
    expect(second.imageId).toBe(first.imageId);
    // That the test can fail: reading is noticed, unless the file system keeps no access times at all.
    readFileSync(join(context, 'a'));
    expect(accessed()[0] === read[0]).toBe(read[0] === 1000);
  });

  it('is missed from the first changed step on', async () => {
    const { build, write } = builder();
    write('a', 'A');
    write('b', 'B');
    await build(dockerfile);
    write('b', 'C');
    const { events, layers } = await build(dockerfile);
    expect(outcomes(events).cached).toEqual([expect.stringContaining('COPY a')]);
    expect(outcomes(events).executed).toHaveLength(2);
    expect(layers[1]).toEqual(['b 644 0:0 C']);
  });

  it('looks at content, not at times, and not only at size and time', async () => {
    const { build, write, context } = builder();
    write('a', 'A');
    write('b', 'B');
    const touch = (): void => utimesSync(join(context, 'a'), 1_600_000_000, 1_600_000_000);
    touch();
    await build(dockerfile);
    utimesSync(join(context, 'a'), 1, 1);
    expect(outcomes((await build(dockerfile)).events).executed).toEqual([]);
    write('a', 'X');
    touch();
    expect((await build(dockerfile)).layers[0]).toEqual(['a 644 0:0 X']);
  });

  it('does not share files between contexts of equal names, sizes and times', async () => {
    const { build, write, context } = builder();
    const other = mkdtempSync(join(tmpdir(), 'boxwright-build-'));
    try {
      write('a', 'one');
      writeFileSync(join(other, 'a'), 'two');
      for (const directory of [context, other]) utimesSync(join(directory, 'a'), 1_600_000_000, 1_600_000_000);
      expect((await build('FROM scratch\nCOPY a /\n')).layers).toEqual([['a 644 0:0 one']]);
      expect((await build('FROM scratch\nCOPY a /\n', { contextDir: other })).layers).toEqual([['a 644 0:0 two']]);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it('keeps what is copied from a changed stage when the content copied is the same', async () => {
    const { build, write } = builder();
    const stages = 'FROM scratch AS build\nCOPY a b /\nFROM scratch\nCOPY --from=build /b /b\nWORKDIR /w\n';
    write('a', 'A');
    write('b', 'B');
    const first = await build(stages);
    write('a', 'changed');
    const second = await build(stages);
    expect(outcomes(second.events).executed).toEqual([expect.stringContaining('COPY a b /')]);
    expect(second.imageId).toBe(first.imageId);
    write('b', 'changed');
    expect((await build(stages)).layers[0]).toEqual(['b 644 0:0 changed']);
  });

  it('is left aside on demand, for all stages or for some', async () => {
    const { build, write } = builder();
    write('a', 'A');
    write('b', 'B');
    const stages = 'FROM scratch AS one\nCOPY a /\nFROM one AS two\nCOPY b /\n';
    await build(stages);
    expect(outcomes((await build(stages, { noCache: true })).events).cached).toEqual([]);
    const { cached, executed } = outcomes((await build(stages, { noCache: ['two'] })).events);
    expect(cached).toEqual([expect.stringContaining('COPY a')]);
    expect(executed).toEqual([expect.stringContaining('COPY b')]);
  });

  it('is missed when its blob is gone', async () => {
    const { build, write, store } = builder();
    write('a', 'A');
    const first = await build('FROM scratch\nCOPY a /\n');
    const [layer] = store.image(first.manifest).layers();
    if (layer === undefined) throw new Error('no layer');
    rmSync(store.blobPath(layer.diffId));
    const second = await build('FROM scratch\nCOPY a /\n');
    expect(outcomes(second.events).executed).toHaveLength(1);
    expect(second.layers).toEqual([['a 644 0:0 A']]);
  });

  it('makes equal steps of several stages once', async () => {
    const { build, write } = builder();
    write('a', 'A');
    const { layers } = await build(
      'FROM scratch AS x\nCOPY a /\nFROM scratch AS y\nCOPY a /\nFROM scratch\nCOPY --from=x /a /x\nCOPY --from=y /a /y\n',
    );
    expect(layers).toEqual([['x 644 0:0 A'], ['y 644 0:0 A']]);
  });
});

describe('SOURCE_DATE_EPOCH', () => {
  it('gives the same digest for the same content in another place at another time', async () => {
    const digests: string[] = [];
    for (const [mtime, dockerfile] of [
      [1_500_000_000, 1],
      [1_600_000_000, 2],
    ] as const) {
      // biome-ignore format: short
      const { build, write, context } = builder();
      write('d/a', `A`);
      write('d/sub/b', 'B');
      for (const path of ['d/a', 'd/sub/b', 'd/sub', 'd']) utimesSync(join(context, path), mtime, mtime);
      const text = `FROM scratch\n# ${dockerfile}\nENV A=1\nWORKDIR /w\nCOPY d ./x/\nCOPY <<f /h\ntext\nf\nCMD x\n`;
      const { manifest, config } = await build(text, { sourceDateEpoch: 1_700_000_000 });
      digests.push(manifest.digest);
      expect(new Set(config.history.map(({ created }) => Date.parse(created ?? '')))).toEqual(
        new Set([1_700_000_000_000]),
      );
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it('has its own place in the cache', async () => {
    const { build, write } = builder();
    write('a', 'A');
    const text = 'FROM scratch\nCOPY a /\n';
    const one = await build(text, { sourceDateEpoch: 1 });
    const two = await build(text, { sourceDateEpoch: 2 });
    expect(two.config.rootfs.diffIds).not.toEqual(one.config.rootfs.diffIds);
  });
});

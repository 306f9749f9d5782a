import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformOf } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { failures, outcomes, testBuilders } from '../testing/test-build.ts';

const builder = testBuilders();

describe('an image', () => {
  it('has the layers, settings and history of its Dockerfile', async () => {
    const { build, write } = builder();
    write('a', 'A');
    write('d/b', 'B');
    const { layers, config, imageId, manifest } = await build(
      'FROM scratch\nENV V=1\nCOPY a /a\nWORKDIR /w\nCOPY d .\nLABEL k=v\nUSER 5\nEXPOSE 80\nVOLUME /v\nENTRYPOINT ["/a"]\nCMD ["x"]\nONBUILD RUN y\nSTOPSIGNAL SIGINT\nHEALTHCHECK CMD z\n',
      { labels: new Map([['by', 'request']]) },
    );
    expect(layers).toEqual([['a 644 0:0 A'], ['w/ 755 0:0'], ['w/ 755 0:0', 'w/b 644 0:0 B']]);
    expect(config.history.map(({ createdBy, emptyLayer }) => [createdBy, emptyLayer ?? false])).toEqual([
      ['ENV V=1', true],
      ['COPY a /a # buildkit', false],
      ['WORKDIR /w', false],
      ['COPY d . # buildkit', false],
      ['LABEL k=v', true],
      ['USER 5', true],
      ['EXPOSE [80/tcp]', true],
      ['VOLUME [/v]', true],
      ['ENTRYPOINT ["/a"]', true],
      ['CMD ["x"]', true],
      ['STOPSIGNAL SIGINT', true],
      [expect.stringMatching(/^HEALTHCHECK /), true],
    ]);
    expect(config.config).toMatchObject({
      User: '5',
      Cmd: ['x'],
      Entrypoint: ['/a'],
      WorkingDir: '/w',
      ExposedPorts: ['80/tcp'],
      Volumes: ['/v'],
      OnBuild: ['RUN y'],
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD-SHELL', 'z'] },
    });
    expect(config.config.Labels).toEqual(
      new Map([
        ['k', 'v'],
        ['by', 'request'],
      ]),
    );
    expect(config.history.every(({ created }) => created !== undefined)).toBe(true);
    expect(config.created).toBe(config.history.at(-1)?.created);
    expect(manifest.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(imageId).toMatch(/^sha256:/);
  });

  it('has the names it was given, and may be what another starts from', async () => {
    const { build, store, write } = builder();
    write('a', 'A');
    const first = await build('FROM scratch\nCOPY a /\nENV V=1\n', { tags: ['one', 'example.test/two:3'] });
    expect(
      store
        .listTags()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['docker.io/library/one:latest', 'example.test/two:3']);
    const second = await build('FROM one\nCOPY --from=example.test/two:3 /a /b\nENV W=$V\n');
    expect(second.layers).toEqual([['a 644 0:0 A'], ['b 644 0:0 A']]);
    expect(second.config.config.Env).toContain('W=1');
    expect(second.config.rootfs.diffIds[0]).toBe(first.config.rootfs.diffIds[0]);
    await expect(build('FROM ones\n')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hint: expect.stringContaining('one'),
    });
  });

  it('may have no layer at all', async () => {
    const { build } = builder();
    const { config, layers } = await build('FROM scratch\nENV A=1\n');
    expect(layers).toEqual([]);
    expect(config.rootfs.diffIds).toEqual([]);
  });

  it('is of the platform that was asked for', async () => {
    const { build, write } = builder();
    write('a', '');
    const { config } = await build('FROM scratch\nARG TARGETARCH\nCOPY a /$TARGETARCH\n', {
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    });
    expect(platformOf(config)).toMatchObject({ os: 'linux', architecture: 'arm64' });
  });

  it('may start from a directory', async () => {
    const { build, write, context } = builder();
    write('root/etc/hosts', 'H');
    write('a', 'A');
    const namedContexts = new Map([['rootfs', { kind: 'directory', path: join(context, 'root') } as const]]);
    const { layers } = await build('FROM rootfs\nCOPY a /etc/\n', { namedContexts });
    expect(layers).toEqual([
      ['etc/ 755 0:0', 'etc/hosts 644 0:0 H'],
      ['etc/ 755 0:0', 'etc/a 644 0:0 A'],
    ]);
    const copied = await build('FROM scratch\nCOPY --from=rootfs /etc /e\n', { namedContexts });
    expect(copied.layers).toEqual([['e/ 755 0:0', 'e/hosts 644 0:0 H']]);
  });
});

describe('outputs', () => {
  const text = 'FROM scratch AS below\nCOPY d /d\nFROM below\nCOPY f /d/f\nWORKDIR /w\n';

  it('local: the files, over what is there', async () => {
    const { build, write, context } = builder();
    write('d/one', '1');
    write('f', 'F');
    const dest = join(context, '..', `${context.split('/').at(-1)}-out`);
    try {
      await build(text, { outputs: [{ type: 'local', dest }] });
      expect(readdirSync(dest).toSorted()).toEqual(['d', 'w']);
      expect(readFileSync(join(dest, 'd/f'), 'utf8')).toBe('F');
      writeFileSync(join(dest, 'kept'), 'mine');
      write('f', 'new');
      await build(text, { outputs: [{ type: 'local', dest }] });
      expect(readFileSync(join(dest, 'd/f'), 'utf8')).toBe('new');
      expect(readFileSync(join(dest, 'kept'), 'utf8')).toBe('mine');
    } finally {
      rmSync(dest, { recursive: true, force: true });
    }
  });

  it('local: does not write through a link that is there', async () => {
    const { build, write, context, store } = builder();
    write('d/one', '1');
    write('f', 'F');
    const dest = join(store.root, '..', `${store.root.split('/').at(-1)}-out`);
    const outside = join(context, 'outside');
    try {
      mkdirSync(dest);
      mkdirSync(outside);
      symlinkSync(outside, join(dest, 'd'));
      await build(text, { outputs: [{ type: 'local', dest }] }).catch(() => {});
      expect(readdirSync(outside)).toEqual([]);
    } finally {
      rmSync(dest, { recursive: true, force: true });
    }
  });

  it('tar: one archive of all layers, whole or not at all', async () => {
    const { build, write, context } = builder();
    write('d/one', '1');
    write('f', 'F');
    const dest = `${context}-out.tar`;
    try {
      await build(text, { outputs: [{ type: 'tar', dest }] });
      expect(execFileSync('tar', ['tf', dest], { encoding: 'utf8' }).trim().split('\n')).toEqual([
        'd/',
        'd/f',
        'd/one',
        'w/',
      ]);
      await expect(build(text, { outputs: [{ type: 'tar', dest: join(dest, 'x') }] })).rejects.toThrow();
      expect(
        readdirSync(join(context, '..')).filter((name) => name.startsWith(`${context.split('/').at(-1)}-out`)),
      ).toHaveLength(1);
    } finally {
      rmSync(dest, { force: true });
    }
  });
});

describe('large copies', () => {
  it('go through a worker and give what small ones give', async () => {
    const { build, write } = builder();
    for (let count = 0; count < 250; count++) write(`many/${count % 7}/${count}`, `content ${count}`);
    const { layers, events } = await build('FROM scratch\nCOPY many /m\n');
    expect(layers[0]).toHaveLength(250 + 7 + 1);
    expect(layers[0]).toContain('m/3/3 644 0:0 content 3');
    expect(failures(events)).toEqual([]);
    const again = await build('FROM scratch\nCOPY many /m\n');
    expect(outcomes(again.events).executed).toEqual([]);
  });
});

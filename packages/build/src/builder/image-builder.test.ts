// The linter reads tests without the project's library of types, and does not know Symbol.asyncDispose there.
// oxlint-disable typescript/await-thenable
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { sourcesNode, temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildEngine } from '../engine/engine.ts';
import { buildImage } from './build-image.ts';
import { BuildError } from './errors.ts';
import { ImageBuilder } from './image-builder.ts';

const temporary = temporaryDirectories();
let base: string;
let store: ImageStore;

beforeEach(() => {
  base = temporary();
  store = ImageStore.open(temporary());
  mkdirSync(join(base, 'tiny/sub'), { recursive: true });
  writeFileSync(join(base, 'tiny/hello.txt'), 'hello');
  writeFileSync(join(base, 'tiny/sub/deep.txt'), 'deep');
});
afterEach(() => {
  store.close();
});

/** Paths and contents of the files that a build has put into its image. */
async function filesOf(builder: ImageBuilder): Promise<ReadonlyMap<string, string>> {
  const out = temporary();
  await builder.build({ store, outputs: [{ type: 'local', dest: out }] });
  return new Map(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(out.length), readFileSync(path, 'utf8')];
      }),
  );
}

describe('ImageBuilder', () => {
  it('builds what was copied and written', async () => {
    await using image = new ImageBuilder('scratch', { baseDirectory: base });
    image.copy('tiny', '/tiny/').copy(join(base, 'tiny/hello.txt'), '/x/').writeText('text\n', '/notes/a b.txt');
    expect(image.dockerfileLines.slice(0, 3)).toEqual(['FROM scratch', 'COPY tiny /tiny/', 'COPY tiny/hello.txt /x/']);
    expect(image.dockerfileLines[3]).toMatch(/^COPY \["\.[0-9a-f]{64}", "\/notes\/a b\.txt"\]$/);
    expect(await filesOf(image)).toEqual(
      new Map([
        ['/notes/a b.txt', 'text\n'],
        ['/tiny/hello.txt', 'hello'],
        ['/tiny/sub/deep.txt', 'deep'],
        ['/x/hello.txt', 'hello'],
      ]),
    );
  });

  it('gives id, digest and names, and can build again after more lines', async () => {
    await using image = new ImageBuilder('scratch', { baseDirectory: base, platform: 'linux/arm64' });
    image.copy('tiny/hello.txt', '/').cmd(['/hello.txt']);
    const first = await image.build({ store, tag: 'example.com/team/app:1', labels: { team: 'data' } });
    expect(first.tags).toEqual(['example.com/team/app:1']);
    expect(first.digest).toBe(store.resolve('example.com/team/app:1')?.digest);
    if (first.manifest === undefined) throw new Error('not in the store');
    expect(store.image(first.manifest, { os: 'linux', architecture: 'arm64' }).config()).toMatchObject({
      architecture: 'arm64',
      config: { Cmd: ['/hello.txt'], Labels: new Map([['team', 'data']]) },
    });
    const second = await image.label('a', 'b').build({ store });
    expect(second.imageId).not.toBe(first.imageId);
  });

  it('says in text how the build goes, and nothing without being asked', async () => {
    await using image = new ImageBuilder('scratch', { baseDirectory: base });
    image.copy('tiny', '/');
    let text = '';
    await image.build({ store, streamProgressTo: { write: (part) => (text += part) } });
    expect(text).toMatch(/^#\d+ \[1\/1\] COPY tiny \/$/m);
    expect(text).toMatch(/^#\d+ DONE \d+\.\ds$/m);
    text = '';
    await image.build({ store, streamProgressTo: { write: (part) => (text += part) } });
    expect(text).toMatch(/^#\d+ CACHED$/m);
  });

  it.each(['a b', "it's", '$HOME', '*?[a]', 'a\\b', '"q"', '<<EOF', '-x', '--from=x', '#a', '["a"]', '中文 é', '${'])(
    'copies a file named %s',
    async (name) => {
      writeFileSync(join(base, name), 'content');
      await using image = new ImageBuilder('scratch', { baseDirectory: base });
      image.copy(name, '/out/');
      image.assertHasFile(name, '/out/');
      expect(await filesOf(image)).toEqual(new Map([[`/out/${name}`, 'content']]));
    },
  );

  it('keeps links, modes and times of what it copies, and follows the source itself', async () => {
    symlinkSync('hello.txt', join(base, 'tiny/link'));
    symlinkSync('tiny', join(base, 'alias'));
    chmodSync(join(base, 'tiny/hello.txt'), 0o750);
    await using image = new ImageBuilder('scratch', { baseDirectory: base });
    image.copy('alias', '/t/');
    const out = temporary();
    await image.build({ store, outputs: [{ type: 'local', dest: out }] });
    expect(execFileSync('ls', ['-l', join(out, 't')], { encoding: 'utf8' })).toMatch(
      /-rwxr-x---.*hello\.txt\n.*link -> hello\.txt/,
    );
  });

  it('copies a directory twice, with what it has now', async () => {
    await using image = new ImageBuilder('scratch', { baseDirectory: base });
    image.copy('tiny', '/a/');
    writeFileSync(join(base, 'tiny/hello.txt'), 'later');
    image.copy('tiny', '/b/').copy('.', '/c/');
    const files = await filesOf(image);
    expect([files.get('/b/hello.txt'), files.get('/c/tiny/sub/deep.txt')]).toEqual(['later', 'deep']);
  });

  it('cleans relative sources and drops the base directory from absolute ones, links followed', () => {
    symlinkSync(base, `${base}-link`);
    try {
      using image = new ImageBuilder('scratch', { baseDirectory: `${base}-link` });
      image.copy('tiny/../tiny/./hello.txt', '/x').copy(join(base, 'tiny/'), 'dest/').copy('./tiny/', './y//z/');
      expect(image.dockerfileLines.slice(1)).toEqual(['COPY tiny/hello.txt /x', 'COPY tiny dest/', 'COPY tiny y/z/']);
    } finally {
      execFileSync('rm', [`${base}-link`]);
    }
  });

  it.each([
    ['../x', 'SOURCE_OUTSIDE_BASE'],
    ['tiny/../../x', 'SOURCE_OUTSIDE_BASE'],
    ['/etc/hostname', 'SOURCE_OUTSIDE_BASE'],
    ['out', 'SOURCE_OUTSIDE_BASE'],
    ['missing', 'COPY_SOURCE_NOT_FOUND'],
    ['pipe', 'CONTEXT_FILE_SPECIAL'],
    ['a\nb', 'INSTRUCTION_INVALID'],
  ])('refuses the source %j', (source, code) => {
    symlinkSync('/etc/hostname', join(base, 'out'));
    execFileSync('mkfifo', [join(base, 'pipe')]);
    using image = new ImageBuilder('scratch', { baseDirectory: base });
    expect(() => image.copy(source, '/x')).toThrowError(expect.objectContaining({ code }));
    expect(image.dockerfileLines).toEqual(['FROM scratch']);
  });

  it('uses a given context as it is, and leaves nothing in it', async () => {
    const list = (): ReadonlySet<string> => new Set(readdirSync(base, { recursive: true, encoding: 'utf8' }));
    const before = list();
    {
      await using image = new ImageBuilder('scratch', { context: base });
      image.copy('tiny/*.txt', '/x/').writeText('text', '/x/text').writeText('text', '/x/again').copy('later', '/x/');
      expect(image.dockerfileLines[1]).toBe('COPY tiny/*.txt /x/');
      expect(image.context).toBe(base);
      writeFileSync(join(base, 'later'), '');
      expect([...(await filesOf(image)).keys()].toSorted()).toEqual([
        '/x/again',
        '/x/hello.txt',
        '/x/later',
        '/x/text',
      ]);
      expect(existsSync(join(base, 'Dockerfile'))).toBe(false);
    }
    expect(list()).toEqual(new Set(['later', ...before]));
  });

  it('refuses a context that has a Dockerfile, and a base image of two lines', () => {
    writeFileSync(join(base, 'Dockerfile'), '');
    expect(() => new ImageBuilder('scratch', { context: base })).toThrowError(
      `There is already a Dockerfile at ${base}`,
    );
    expect(() => new ImageBuilder('a\nRUN b')).toThrowError(expect.objectContaining({ code: 'INSTRUCTION_INVALID' }));
    expect(new ImageBuilder('x AS y').dockerfile).toBe('FROM x AS y\n');
    // Prefect takes a text for its characters.
    expect(new ImageBuilder('x').addLines('USER a').dockerfileLines).toEqual(['FROM x', 'USER a']);
  });

  it('removes its context at the end, also after an error, and keeps the lines', async () => {
    let context = '';
    const lost = new ImageBuilder('scratch', { baseDirectory: base });
    await expect(
      (async () => {
        await using image = lost;
        image.writeText('x', '/x');
        mkdirSync(join(image.context, 'closed'), { mode: 0o500 });
        ({ context } = image);
        throw new Error('mine');
      })(),
    ).rejects.toThrow('mine');
    expect(context).not.toBe('');
    expect(existsSync(context)).toBe(false);
    lost.assertHasLine('FROM scratch');
    expect(() => lost.copy('tiny', '/')).toThrowError('No context available');
    await expect(lost.build({ store })).rejects.toMatchObject({ code: 'CONTEXT_CLOSED' });
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  it.each([
    ['SIGTERM', 'setInterval(() => {}, 1000)', 'SIGTERM'],
    ['SIGINT', 'setInterval(() => {}, 1000)', 'SIGINT'],
    [undefined, 'process.exit(0)', null],
    [undefined, 'throw new Error("uncaught")', null],
  ] as const)('removes its context when the process ends by %s', async (signal, end, expected) => {
    const module = JSON.stringify(new URL('image-builder.ts', import.meta.url).href);
    const script = `const { ImageBuilder } = await import(${module});
      const image = new ImageBuilder('scratch'); console.log(image.context); ${end}`;
    const child = spawn(sourcesNode, ['--conditions=source', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    const [chunk]: unknown[] = await once(child.stdout, 'data');
    const context = String(chunk).trim();
    expect(context).toContain(join(realpathSync(tmpdir()), 'boxwright-context-'));
    if (signal !== undefined) {
      expect(existsSync(context)).toBe(true);
      child.kill(signal);
    }
    expect((await ended)[1]).toBe(expected);
    expect(existsSync(context)).toBe(false);
  });

  it('fails with the fault in the Dockerfile', async () => {
    await using image = new ImageBuilder('scratch', { baseDirectory: base });
    const error: unknown = await image
      .addLine('COPPY a /')
      .build({ store })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BuildError);
    expect(error).toMatchObject({ code: 'DOCKERFILE_UNKNOWN_INSTRUCTION', logTail: [], cause: expect.any(Error) });
    expect(error).toHaveProperty('frame', expect.stringContaining('COPPY a /'));
  });
});

describe('assertions', () => {
  const builder = (): ImageBuilder => new ImageBuilder('busybox').addLines(['one', 'two', "it's", 'two']);

  it('pass', () => {
    const image = builder();
    image.assertHasLine('one');
    image.assertLineAbsent('On');
    image.assertLineBefore('one', "it's");
    image.assertLineAfter("it's", 'two');
  });

  it.each<[(image: ImageBuilder) => void, string]>([
    [
      (image) => image.assertHasLine('three'),
      "Expected 'three' not found in Dockerfile.  Dockerfile:\n    1: FROM busybox\n    2: one\n    3: two\n    4: it's\n    5: two",
    ],
    [
      (image) => image.assertLineAbsent('one'),
      "Unexpected 'one' found in Dockerfile at line 2.  Surrounding lines:\n    1: FROM busybox\n    2: one\n    3: two",
    ],
    [
      (image) => image.assertLineAbsent("it's"),
      'Unexpected "it\'s" found in Dockerfile at line 4.  Surrounding lines:\n    2: one\n    3: two\n    4: it\'s\n    5: two',
    ],
    [
      (image) => image.assertLineBefore("it's", 'two'),
      "Expected \"it's\" to appear before 'two' in the Dockerfile, but \"it's\" was at line 4 and 'two' was at line 3.  " +
        "Surrounding lines:\n    1: FROM busybox\n    2: one\n    3: two\n    4: it's\n    5: two",
    ],
    [
      (image) => image.assertLineAfter('one', 'one'),
      "Expected 'one' to appear before 'one' in the Dockerfile, but 'one' was at line 2 and 'one' was at line 2.  " +
        'Surrounding lines:\n    1: FROM busybox\n    2: one\n    3: two',
    ],
    [
      (image) => image.assertHasFile('x', '/y'),
      "Expected 'COPY x /y' not found in Dockerfile.  Dockerfile:\n    1: FROM busybox\n    2: one\n    3: two\n    4: it's\n    5: two",
    ],
  ])('fail with words %#', (check, message) => {
    expect(() => check(builder())).toThrowError(expect.objectContaining({ code: 'DOCKERFILE_ASSERTION', message }));
  });
});

describe('buildImage', () => {
  it('builds a Dockerfile of the context', async () => {
    mkdirSync(join(base, 'docker'));
    writeFileSync(join(base, 'docker/app'), 'FROM scratch\nARG WHO\nLABEL who=$WHO\nCOPY tiny /\n');
    const { imageId, manifest } = await buildImage(base, { store, dockerfile: 'docker/app', buildArgs: { WHO: 'me' } });
    expect(imageId).toMatch(/^sha256:/);
    expect(manifest && store.image(manifest).config().config.Labels).toEqual(new Map([['who', 'me']]));
  });

  it.each([
    ['', { code: 'CONTEXT_REQUIRED', message: 'context required to build an image' }],
    ['/nonexistent/place', { code: 'CONTEXT_NOT_FOUND', message: 'Context path /nonexistent/place does not exist' }],
  ])('refuses the context %j', async (context, error) => {
    await expect(buildImage(context, { store })).rejects.toMatchObject(error);
  });

  it('fails as BuildError with the cause, or with the abort as it is', async () => {
    await expect(buildImage(base, { store })).rejects.toMatchObject({
      name: 'BuildError',
      code: 'DOCKERFILE_NOT_FOUND',
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(buildImage(base, { store, signal, dockerfileText: 'FROM scratch\nCOPY . /\n' })).rejects.toThrow(
      'enough',
    );
  });

  it.each([
    ['docker', {}, { HTTP_PROXY: 'http://proxy:1', http_proxy: 'mine' }],
    ['embedded', { useConfigProxy: false }, { http_proxy: 'mine' }],
    // The docker command adds them.
    ['buildx', {}, { http_proxy: 'mine' }],
  ] as const)('gives the engine %s the proxies of the Docker config with %j', async (name, options, expected) => {
    writeFileSync(join(base, 'config.json'), '{"proxies":{"default":{"httpProxy":"http://proxy:1"}}}');
    let given: object = {};
    const engine: BuildEngine = {
      name,
      async build({ buildArgs }) {
        given = Object.fromEntries(buildArgs);
        throw new Error('enough');
      },
    };
    const env = { DOCKER_CONFIG: base };
    const build = buildImage(base, { ...options, store, env, engine, buildArgs: { http_proxy: 'mine' } });
    await expect(build).rejects.toThrow('enough');
    expect(given).toEqual(expected);
  });

  it('has the last lines of a failed step', async () => {
    const failed = Object.assign(new Error('x'), { code: 'RUN_FAILED', details: { exitCode: 3 }, hint: undefined });
    const progress: string[] = [];
    const build = buildImage(base, {
      store,
      streamProgressTo: { write: (text) => progress.push(text) },
      engine: {
        name: 'docker',
        async build({ onEvent }) {
          onEvent?.({ type: 'vertex', id: 'a', name: 'RUN false', inputs: [] });
          onEvent?.({ type: 'started', id: 'a', time: 0 });
          onEvent?.({ type: 'log', id: 'a', stream: 1, data: Buffer.from('one\ntw\u001b[0m'), time: 1 });
          onEvent?.({ type: 'log', id: 'a', stream: 1, data: Buffer.from('o\nend'), time: 1 });
          onEvent?.({ type: 'completed', id: 'a', time: 2, error: failed });
          throw failed;
        },
      },
    });
    await expect(build).rejects.toMatchObject({
      name: 'BuildError',
      code: 'RUN_FAILED',
      details: { exitCode: 3 },
      logTail: ['one', 'tw\\x1b[0mo', 'end'],
    });
    expect(progress).toEqual(['#1 RUN false\n', '#1 one\n', '#1 tw\\x1b[0mo\n', '#1 end\n', '#1 ERROR: x\n']);
  });
});

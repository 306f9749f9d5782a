import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEmbeddedEngine } from '@boxwright/build';
import {
  buildImageConfig,
  descriptorOf,
  ImageStore,
  OCI_CONFIG,
  OCI_MANIFEST,
  serializeManifest,
} from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { putImage } from '../testing/store-with-image.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
let directory: string;
let root: string;

/** Runs a command line on the store of the test. */
async function cli(...args: string[]): Promise<TestContext & { code: number }> {
  const context = testContext({ env: { BOXWRIGHT_HOME: root }, cwd: directory });
  const code = await runCli(args, context);
  return { ...context, code: context.exitCodes.at(-1) ?? code };
}

const text = [
  'FROM base:1 AS other',
  'COPY sub /opt/sub',
  'FROM base:1',
  'ARG API_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a',
  'ENV GREETING="hello world"',
  'WORKDIR /srv',
  'COPY --from=other /opt/sub /opt/sub',
  'COPY a sub/ ./',
  'COPY <<EOT conf/',
  'some text',
  'EOT',
  'USER 1000',
  'CMD cat a',
  '',
].join('\n');

/** Builds the Dockerfile in the test's store, without RUN, as anybody can. */
async function build(dockerfileText: string): Promise<void> {
  using store = ImageStore.open(root);
  const { manifest } = await createEmbeddedEngine().build({
    store,
    contextDir: join(directory, 'context'),
    dockerfilePath: 'Dockerfile',
    dockerfileText,
    tags: ['docker.io/library/app:1'],
    buildArgs: new Map(),
    labels: new Map([['built.by', 'a test']]),
    noCache: false,
    secrets: [],
    namedContexts: new Map(),
    network: 'default',
    extraHosts: [],
    outputs: [{ type: 'image' }],
  });
  store.tag('docker.io/library/app:1', manifest);
}

beforeEach(async () => {
  directory = temporaryDirectory();
  root = join(directory, 'store');
  mkdirSync(join(directory, 'context/sub'), { recursive: true });
  writeFileSync(join(directory, 'context/a'), 'A\n');
  writeFileSync(join(directory, 'context/sub/b'), 'B\n');
  using store = ImageStore.open(root);
  store.tag('docker.io/library/base:1', putImage(store, [[{ path: 'bin' }, { path: 'bin/sh', content: 'x' }]]));
  store.close();
  await build(text);
});

describe('dockerfile', () => {
  it('prints the Dockerfile, its base found in the store, without secrets', async () => {
    const { stdout, stderr, code } = await cli('dockerfile', 'app:1');
    expect(code).toBe(0);
    expect(stdout.text.split('\n').slice(1).join('\n')).toBe(
      [
        '# What they do not tell is marked "lost".',
        '',
        '# The base: 1 layer.',
        'FROM base:1',
        '',
        'ARG API_TOKEN="******"',
        '',
        'ENV GREETING="hello world"',
        '',
        'WORKDIR /srv',
        '',
        '# lost: --from of this COPY, another stage or image',
        'COPY --from=lost-1 /opt/sub /opt/sub',
        '',
        'COPY a sub/ ./',
        '',
        '# lost: the content of <<EOT',
        'COPY <<"EOT" conf/',
        'EOT',
        '',
        'USER 1000',
        '',
        'CMD cat a',
        '',
        '# Labels that no instruction gives; they were set when it was built:',
        '#   --label built.by="a test"',
        '',
      ].join('\n'),
    );
    expect(stderr.text).toContain('--show-secrets');
    expect((await cli('dockerfile', '--show-secrets', 'app:1')).stdout.text).toContain('ghp_16C7');
  });

  it('extracts what it needs, so that it builds and is the same', async () => {
    const { stderr, stdout, code } = await cli('dockerfile', '--extract', 'out', '--verify', 'app:1');
    expect(stderr.text).toContain('equal    os, architecture,');
    expect(stderr.text).not.toContain('differs');
    expect(stderr.text).toContain('Built again and compared with the image:');
    expect(stderr.text).toContain(
      'boxwright build -f out/Dockerfile --platform=linux/amd64 --build-context=lost-1=out/lost-1',
    );
    expect(stdout.text).toBe('');
    expect(code).toBe(0);
    expect(readFileSync(join(directory, 'out/context/a'), 'utf8')).toBe('A\n');
    expect(readFileSync(join(directory, 'out/lost-1/opt/sub/b'), 'utf8')).toBe('B\n');
    const written = readFileSync(join(directory, 'out/Dockerfile'), 'utf8');
    expect(written).toContain('COPY <<"EOT" conf/\nsome text\nEOT\n');
    expect(written).not.toContain('ghp_');
    expect((await cli('dockerfile', '--extract', 'out', 'app:1')).stderr.text).toContain('[TARGET_NOT_EMPTY]');
    // Nothing of the build stays in the store.
    using store = ImageStore.open(root);
    expect(store.listTags().map(({ name }) => name)).toEqual(['docker.io/library/app:1', 'docker.io/library/base:1']);
  });

  it('puts a base that nobody knows beside it, and builds on that', async () => {
    await cli('rmi', 'base:1');
    const { stderr, code } = await cli('dockerfile', '--extract', 'out', '--verify', 'app:1');
    expect(stderr.text).toContain('Built again and compared with the image:');
    expect(code).toBe(0);
    // The first layer of this base is a COPY: it is taken for the image's own.
    expect(readFileSync(join(directory, 'out/Dockerfile'), 'utf8')).toContain('\nFROM scratch\n');
  });

  it('says what differs, with exit code 1', async () => {
    using store = ImageStore.open(root);
    const image = store.image(store.resolve('docker.io/library/base:1') ?? fail());
    const config = buildImageConfig({
      base: image.config(),
      history: [...image.config().history, { createdBy: 'LABEL is=gone', emptyLayer: true }],
    });
    const { layers } = image.manifest();
    const manifest = serializeManifest({ config: descriptorOf(config, OCI_CONFIG), layers });
    for (const bytes of [config, manifest]) {
      const blob = store.createBlob();
      blob.write(bytes);
      blob.commit();
    }
    store.tag('docker.io/library/odd:1', descriptorOf(manifest, OCI_MANIFEST));
    store.close();
    const { stderr, code } = await cli('dockerfile', '--verify', '--no-run', 'odd:1');
    expect(stderr.text).toContain('nothing was run and nothing copied');
    expect(stderr.text).toContain(
      '  differs  config.Labels\n             image:   []\n             rebuilt: [["is","gone"]]\n',
    );
    expect(code).toBe(1);
  });

  it('takes bases from anywhere, and compares only what instructions set', async () => {
    await cli('copy', 'base:1', 'oci:base-layout:1');
    await cli('rmi', 'base:1');
    const { stdout, stderr } = await cli('dockerfile', '--from', 'oci:base-layout:1', '--verify', '--no-run', 'app:1');
    expect(stdout.text).toContain('# The base: 1 layer.\nFROM lost-base\n');
    expect(stderr.text).toMatch(/unknown {2}rootfs: nothing was run/);
    expect(stderr.text).not.toContain('differs');
    const extracted = await cli('dockerfile', '--from', 'oci:base-layout:1', '--extract', 'out', '--verify', 'app:1');
    expect(extracted.stderr.text).toContain('--build-context=lost-base=oci-layout://out/base');
    expect(extracted.stderr.text).toContain('Built again and compared with the image:');
    expect(extracted.code).toBe(0);
  });

  it('prints JSON', async () => {
    const { stdout } = await cli('dockerfile', '--format', 'json', '--extract', 'out', '--verify', 'app:1');
    expect(JSON.parse(stdout.text)).toMatchObject({
      schemaVersion: 1,
      image: { name: 'app:1', platform: 'linux/amd64' },
      base: { kind: 'known', name: 'base:1', layers: 1, rows: 2, candidates: 2 },
      buildLabels: [{ name: 'built.by', value: 'a test' }],
      extracted: { findings: [] },
      verification: { level: 'build' },
    });
  });

  it('works without a store of images, and refuses what cannot be meant', async () => {
    await cli('copy', 'app:1', 'oci:layout:1');
    root = join(directory, 'empty-store');
    const { stdout, code } = await cli('dockerfile', 'oci:layout:1');
    expect(code).toBe(0);
    expect(stdout.text).toContain('FROM scratch\n');
    expect((await cli('dockerfile', '--no-run', 'oci:layout:1')).code).toBe(2);
    expect((await cli('dockerfile')).code).toBe(2);
    expect((await cli('dockerfile', '--extract', 'out', 'oci:layout:1')).code).toBe(0);
    expect(existsSync(join(directory, 'out/Dockerfile'))).toBe(true);
  });
});

function fail(): never {
  throw new Error('no such image');
}

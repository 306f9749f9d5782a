import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type MadeFile, tarOf } from './explain/made-tar.ts';
import { manyFilesLayer } from './explain/million-files.ts';
import { layerBlob, layerOf, type MadeImage, sha256, writeLayout } from './explain/write-layout.ts';
import { boxwright, boxwrightOk, boxwrightPath } from './support/boxwright.ts';
import { expectError } from './support/expect-error.ts';
import { PeakMemory } from './support/peak-memory.ts';
import { type RunResult, run } from './support/run.ts';
import { removeTemporaryDirectoriesAfterEach, temporaryDirectory } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

const good = layerOf([{ path: 'f', content: 'x' }]);
const second = layerOf([{ path: 'g', content: 'y' }]);
const row = (text: string, rest: object = {}): object => ({
  created: '2026-01-01T00:00:00Z',
  created_by: text,
  ...rest,
});
const rows = { history: [row('COPY f / # buildkit'), row('COPY g / # buildkit')] };
const bigTar = tarOf([{ path: 'big', content: Buffer.alloc(300_000, 'some text') }]);
const packed = gzipSync(bigTar);

/** The commands that only look at documents, and those that read layers. */
const OF_DOCUMENTS = ['history', 'inspect', 'dockerfile', 'page --no-sizes'];
const OF_LAYERS = ['page', 'page --html', 'history --sizes', 'inspect --sizes', 'files -R', 'waste', 'diff'];
const ALL = [...OF_DOCUMENTS, ...OF_LAYERS];

interface Fault {
  readonly what: string;
  readonly image: MadeImage;
  /** The commands that say so, with which code; the others give a whole answer. */
  readonly fails: readonly string[];
  readonly code: RegExp;
  readonly says?: RegExp;
}

const never = /^$/;
const faults: readonly Fault[] = [
  {
    what: 'a config that ends early',
    image: { layers: [good], config: '{"architecture":' },
    fails: ALL,
    code: /^DOCUMENT_INVALID$/,
    says: /config sha256:[0-9a-f]{64} of OCI layout .*not valid JSON/,
  },
  {
    what: 'a config that is a login page',
    image: { layers: [good], config: '<!DOCTYPE html><html>' },
    fails: ALL,
    code: /^DOCUMENT_INVALID$/,
    says: /not valid JSON/,
  },
  {
    what: 'a config that is a list',
    image: { layers: [good], config: '[]' },
    fails: ALL,
    code: /^DOCUMENT_INVALID$/,
    says: /not a JSON object/,
  },
  {
    what: '100,000 history rows',
    image: {
      layers: [good],
      config: { history: Array.from({ length: 100_000 }, (_, index) => row(`ENV A=${index}`, { empty_layer: true })) },
    },
    fails: ALL,
    code: /^DOCUMENT_INVALID$/,
    says: /more than 10000 entries/,
  },
  { what: 'more rows than layers', image: { layers: [good], config: rows }, fails: [], code: never },
  {
    what: 'fewer rows than layers',
    image: { layers: [good, second], config: { history: [row('COPY f / # buildkit')] } },
    fails: [],
    code: never,
  },
  { what: 'no rows', image: { layers: [good, second] }, fails: [], code: never },
  {
    what: 'fewer diffIDs than layers',
    image: { layers: [good, second], diffIds: [good.diffId], config: rows },
    fails: ['history --sizes', 'inspect --sizes', 'files -R', 'waste', 'diff'],
    code: /^IMAGE_INVALID$/,
    says: /has 2 layers, but its config names 1/,
  },
  {
    what: 'a layer that is no tar',
    image: { layers: [good, layerBlob(Buffer.from('<html>sign in</html>'.repeat(100)))], config: rows },
    fails: OF_LAYERS,
    code: /^TAR_INVALID$/,
    says: /layer sha256:/,
  },
  {
    what: 'a tar that ends early',
    image: { layers: [good, layerBlob(bigTar.subarray(0, 1500))], config: rows },
    fails: OF_LAYERS,
    code: /^TAR_INVALID$/,
    says: /ends in the middle/,
  },
  {
    what: 'gzip that ends early',
    image: { layers: [good, layerBlob(packed.subarray(0, -20), sha256(bigTar))], config: rows },
    fails: OF_LAYERS,
    code: /^COMPRESSION_INVALID$/,
    says: /layer sha256:.*unexpected end/,
  },
  {
    what: 'a digest that lies',
    image: { layers: [good, { ...layerBlob(bigTar), digest: sha256('other') }], config: rows },
    fails: OF_LAYERS,
    code: /^BLOB_(?:MISMATCH|CORRUPT)$/,
    says: /its bytes have the digest/,
  },
  {
    what: 'a diffID that lies',
    image: { layers: [good, layerBlob(packed, sha256('other'))], config: rows },
    fails: OF_LAYERS,
    code: /^LAYER_INVALID$/,
    says: /unpacks to sha256:/,
  },
];

describe('an image that is wrong', () => {
  it.each(faults)('$what is a clear error or a whole answer', async ({ image, fails, code, says }) => {
    const directory = temporaryDirectory('fault');
    const place = writeLayout(join(directory, 'image'), image);
    const other = writeLayout(join(directory, 'other'), { layers: [good], config: { history: [row('other')] } });
    const check = async (command: string): Promise<void> => {
      // A store of its own: what one command has learnt of a layer is nothing that another one knows.
      const { result, peak } = await explain(join(directory, `home ${command}`), argumentsOf(command, place, other));
      expectPrintable(result);
      if (fails.includes(command)) expectError(result, code, ...(says === undefined ? [] : [says]));
      // For diff 1 says that they differ.
      else expect([result.code, result.stderr], command).toEqual([command === 'diff' ? 1 : 0, '']);
      expect(peak, command).toBeLessThan(250 * MB);
    };
    await Promise.all([eachInTurn(OF_DOCUMENTS, check), eachInTurn(OF_LAYERS, check)]);
  });

  it('says which rows have no layer, and which layers no row', async () => {
    const directory = temporaryDirectory('fault');
    const text = async (image: MadeImage, name: string): Promise<string> => {
      const place = writeLayout(join(directory, name), image);
      return (await boxwrightOk(join(directory, 'home'), argumentsOf('page', place))).stdout.toString();
    };
    expect(await text({ layers: [good], config: rows }, 'more')).toMatch(
      /^# There are too many history entries: 1 that/m,
    );
    expect(await text({ layers: [good, second] }, 'none')).toMatch(/^# .*history/m);
  });
});

describe('what an image says', () => {
  const EVIL = '\u001b]0;title\u0007\u009b31m\u202e\r\nnext\u007f';
  const files = (content: string): MadeFile[] => [
    { path: '__proto__', content },
    { path: 'constructor/' },
    { path: 'constructor/__proto__', content },
    { path: EVIL, content },
    { path: 'link', link: EVIL },
  ];
  /** JSON.stringify writes a member of this name only when it is an own one. */
  const labels = (value: string): object =>
    JSON.parse(`{"__proto__":${JSON.stringify(value)},"constructor":"x"}`) as object;
  const evil: MadeImage = {
    layers: [layerOf(files('one')), layerOf(files('two'))],
    config: {
      author: EVIL,
      config: {
        User: EVIL,
        Env: [`EVIL=${EVIL}`, `${EVIL}=x`, '__proto__=polluted', 'constructor=x'],
        Cmd: [EVIL, '__proto__'],
        WorkingDir: `/${EVIL}`,
        Labels: { ...labels(EVIL), [EVIL]: EVIL },
        ExposedPorts: JSON.parse('{"__proto__":{},"80/tcp":{}}'),
      },
      history: [
        row(`COPY ${EVIL} / # buildkit`, { comment: EVIL, author: EVIL }),
        row(`ENV EVIL=${EVIL} __proto__=polluted`, { empty_layer: true, comment: EVIL }),
        row(`LABEL __proto__=${EVIL}`, { empty_layer: true }),
        row(`/bin/sh -c #(nop) COPY file:${EVIL} in /__proto__ `, { comment: '__proto__' }),
      ],
    },
  };
  const texts = [
    ...[
      'page --lang en',
      'page --lang zh',
      'page --html',
      'history',
      'history --no-trunc',
      'waste',
      'dockerfile',
      'diff',
    ],
    ...['files -R', 'files -R --format tree', 'files --layer 1', 'files --search *'],
  ];
  const documents = [
    ...[
      'page --format json',
      'history --format json',
      'inspect',
      'inspect --format docker-24',
      'inspect --format docker-28',
    ],
    ...['files -R --format json', 'waste --format json', 'dockerfile --format json', 'diff --format json'],
  ];

  it('is printed and never sent to the terminal; JSON stays JSON, and __proto__ is a name', async () => {
    const directory = temporaryDirectory('evil');
    const home = join(directory, 'home');
    const place = writeLayout(join(directory, 'image'), evil);
    const other = writeLayout(join(directory, 'other'), {
      layers: [layerOf(files('other'))],
      config: { config: { Labels: labels('other'), Env: ['__proto__=clean'] }, history: [row('__proto__')] },
    });
    const check = async (command: string): Promise<void> => {
      const words = argumentsOf(command, place, other);
      // A Dockerfile is a file: in a pipe it has what a build needs, on a terminal it does not.
      const { result } = await (command === 'dockerfile' ? onTerminal(home, words) : explain(home, words));
      const html = command === 'page --html' ? readFileSync(join(directory, 'home.html'), 'utf8') : undefined;
      expectPrintable(result);
      expect(result.code, result.command + result.stderr).toBe(command.startsWith('diff') ? 1 : 0);
      expect(html ?? result.stdout.toString(), command).toContain('__proto__');
      if (html !== undefined) expect(printableProblem(html)).toBeUndefined();
      if (documents.includes(command)) expect(() => JSON.parse(result.stdout.toString()) as unknown).not.toThrow();
    };
    await Promise.all([eachInTurn(texts, check), eachInTurn(documents, check)]);
    const { stdout } = await boxwrightOk(home, ['inspect', '--show-secrets', place]);
    // What docker inspect prints.
    const [info] = JSON.parse(stdout.toString()) as {
      Config: { Labels: object; ExposedPorts: object; Env: string[] };
    }[];
    expect(Object.entries(info?.Config.Labels ?? {})).toContainEqual(['__proto__', EVIL]);
    expect(Object.keys(info?.Config.ExposedPorts ?? {})).toContain('__proto__');
    expect(info?.Config.Env).toContain(`EVIL=${EVIL}`);
    expect((await boxwrightOk(home, ['cat', place, '/constructor/__proto__'])).stdout.toString()).toBe('two');
  });
});

describe('a layer of 1,000,000 files', () => {
  it('is explained in bounded memory', async () => {
    const directory = temporaryDirectory('many');
    const home = join(directory, 'home');
    const layer = await manyFilesLayer(join(directory, 'layer'), 1_000_000);
    const place = writeLayout(join(directory, 'image'), {
      layers: [layer],
      config: { history: [row('COPY . / # buildkit')] },
    });
    const other = writeLayout(join(directory, 'other'), { layers: [good], config: rows });
    const peaks: Record<string, number> = {};
    const outputs: Record<string, string> = {};
    for (const command of ['history --sizes', 'page', 'inspect --sizes', 'files', 'diff', 'dockerfile']) {
      const path = command === 'files' ? ['/d007'] : [];
      const { result, peak } = await explain(home, [...argumentsOf(command, place, other), ...path]);
      expect([result.code, result.stderr], command).toEqual([command === 'diff' ? 1 : 0, '']);
      peaks[command] = Math.round(peak / MB);
      outputs[command] = result.stdout.toString();
    }
    expect(outputs['files']?.trim().split('\n')).toHaveLength(1000);
    expect(outputs['diff']).toMatch(/^Files: 1001000 added, 1 removed/m);
    // Sizes take what the paths do; an index of all files takes half a kilobyte each, comparing them somewhat more.
    for (const command of ['history --sizes', 'page', 'dockerfile']) expect(peaks[command]).toBeLessThan(300);
    for (const peak of Object.values(peaks)) expect(peak).toBeLessThan(1200);
  });
});

const MB = 1_000_000;

/** The words of a command; `other` is what diff compares with. */
function argumentsOf(command: string, place: string, other = place): string[] {
  const [name = '', ...flags] = command.split(' ');
  if (command === 'page') return ['page', '--lang', 'en', place];
  if (command === 'page --html') return ['page', '--lang', 'en', '--html', HTML, place];
  return name === 'diff' ? [name, ...flags, other, place] : [name, ...flags, place];
}

/** Stands for a file beside the store. */
const HTML = '{html}';

async function explain(
  home: string,
  args: readonly string[],
): Promise<{ readonly result: RunResult; readonly peak: number }> {
  let memory: PeakMemory | undefined;
  const result = await boxwright(
    home,
    args.map((argument) => (argument === HTML ? `${home}.html` : argument)),
    {
      onStart: (child) => {
        memory = new PeakMemory(child);
      },
    },
  );
  return { result, peak: memory?.peak ?? 0 };
}

/** Runs a command with a terminal of its own for its output; line ends are those of a pipe again. */
async function onTerminal(home: string, args: readonly string[]): Promise<{ readonly result: RunResult }> {
  const line = [boxwrightPath, ...args].map((word) => `'${word}'`).join(' ');
  const env = { ...process.env, BOXWRIGHT_HOME: home, NO_COLOR: '1', TERM: 'dumb' };
  const result = await run('script', ['--quiet', '--return', '--command', line, '/dev/null'], { env, input: '' });
  return { result: { ...result, stdout: Buffer.from(result.stdout.toString().replaceAll('\r\n', '\n')) } };
}

async function eachInTurn(commands: readonly string[], check: (command: string) => Promise<void>): Promise<void> {
  for (const command of commands) await check(command);
}

function expectPrintable({ stdout, stderr, command }: RunResult): void {
  for (const text of [stdout.toString(), stderr]) expect(printableProblem(text), command).toBeUndefined();
}

/** What could steer a terminal or a browser's text: control characters but line breaks and tabs, and bidirectional ones. */
function printableProblem(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is searched for
  const match = /.{0,30}[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069].{0,30}/.exec(text);
  return match === null ? undefined : JSON.stringify(match[0]);
}

import { existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { boxwrightPath } from './support/boxwright.ts';
import { repositoryRoot } from './support/environment.ts';
import { testRegistry } from './support/registries.ts';
import { runOk } from './support/run.ts';

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: repositoryRoot })];

function read(page: string): string {
  return readFileSync(join(repositoryRoot, page), 'utf8');
}

/** The fenced blocks of a page in one language. */
function blocks(page: string, language: string): string[] {
  const fences = read(page).matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...fences].flatMap(([, found, text]) => (found === language && text !== undefined ? [text] : []));
}

/** The command lines of console sessions. */
function commandLines(page: string): string[] {
  return blocks(page, 'console').flatMap((block) =>
    block.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : [])),
  );
}

const env = { ...process.env, NODE_OPTIONS: '', PATH: `${dirname(boxwrightPath)}:${process.env['PATH']}` };

/** Writes examples in TypeScript into a directory and checks their types. */
async function compile(directory: string, examples: readonly string[]): Promise<void> {
  symlinkSync(join(repositoryRoot, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  const files = examples.map((_, index) => `example-${index}.ts`);
  for (const [index, code] of examples.entries()) writeFileSync(join(directory, `example-${index}.ts`), code);
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--types', 'node', '--target', 'esnext'];
  const compiler = join(repositoryRoot, 'node_modules/tsgo/bin/tsc');
  await runOk(process.execPath, [compiler, ...options, '--module', 'nodenext', ...files], { cwd: directory, env });
}

/** Runs an example that {@link compile} has written; what it prints. */
async function runExample(directory: string, index: number, variables: NodeJS.ProcessEnv): Promise<string> {
  const node = join(repositoryRoot, 'node_modules/.bin/node');
  const { stdout } = await runOk(existsSync(node) ? node : process.execPath, [`example-${index}.ts`], {
    cwd: directory,
    env: variables,
  });
  return stdout.toString();
}

describe('docs/prefect.md', () => {
  const directory = join(inject('workDirectory'), 'docs-prefect');
  const digest = /sha256:[0-9a-f]{64}\n$/;

  beforeAll(() => {
    mkdirSync(directory);
    return () => rmSync(directory, { recursive: true, force: true });
  });

  it('has TypeScript that compiles, builds and pushes', async () => {
    const registry = await testRegistry({ auth: { kind: 'basic', users: { robot: 'correct horse' } } });
    const written = blocks('docs/prefect.md', 'ts');
    expect(written).toHaveLength(4);
    const examples = written.map((code) =>
      code
        .replaceAll('https://registry.example.com', `http://${registry.host}`)
        .replaceAll('registry.example.com', registry.host)
        .replace('prefecthq/prefect:3-python3.12', 'scratch'),
    );
    const files = {
      'flows.py': 'def app(): pass\n',
      Dockerfile: 'FROM scratch\nARG MODE\nENV MODE=$MODE\nCOPY flows.py /\n',
      'version.txt': '1.4\n',
      'prefect.yaml': `build: {build_docker_image: {id: image, image_name: ${registry.host}/team/app, tag: "1.5"}}
push: {push_docker_image: {image_name: "{{ image.image_name }}", tag: "{{ image.tag }}"}}
`,
      'config.json': JSON.stringify({
        auths: { [registry.host]: { auth: Buffer.from('robot:correct horse').toString('base64') } },
      }),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    await compile(directory, examples);
    const own = { ...env, HOME: directory, BOXWRIGHT_HOME: join(directory, 'home'), DOCKER_CONFIG: directory };
    expect(await runExample(directory, 0, own)).toMatch(digest);
    expect(await runExample(directory, 1, own)).toMatch(/^sha256:/);
    // Credentials of the step, and no others.
    const steps = { ...own, DOCKER_CONFIG: join(directory, 'none'), REGISTRY_PASSWORD: 'correct horse' };
    expect(await runExample(directory, 2, steps)).toMatch(digest);
    expect(await runExample(directory, 3, own)).toMatch(/ done sha256:[0-9a-f]{64}\n$/);
    expect([...registry.content.repository('team/app').tags.keys()]).toEqual(['1.2', '1.3', '1.4', 'latest', '1.5']);
  });

  it('has commands that work, one after the other', async () => {
    const script = commandLines('docs/prefect.md')
      .filter((line) => !line.startsWith('boxwright deploy'))
      .join('\n');
    const own = { ...env, TOKEN: 'correct horse' };
    const { stdout } = await runOk('sh', ['-e', '-c', script], { cwd: directory, env: own });
    expect(stdout.toString()).toMatch(/^Encrypted boxwright\.variables\.yaml with a key$/m);
    expect(stdout.toString()).toMatch(
      /^block +docker-registry-credentials\/dev-registry +username, password, registry_url$/m,
    );
    expect(readFileSync(join(directory, 'boxwright.variables.yaml'), 'utf8')).not.toContain('correct horse');
  });
});

describe('the README', () => {
  const directory = join(inject('workDirectory'), 'docs');

  beforeAll(() => {
    mkdirSync(directory);
    return () => rmSync(directory, { recursive: true, force: true });
  });

  it('has commands that work, one after the other', async () => {
    const lines = commandLines('README.md');
    expect(lines.length).toBeGreaterThan(5);
    const registry = await testRegistry();
    const script = lines.join('\n').replaceAll('localhost:5000', registry.host);
    const { stdout } = await runOk('sh', ['-e', '-x', '-c', script], {
      cwd: directory,
      env: { ...env, BOXWRIGHT_HOME: join(directory, 'home') },
    });
    const output = stdout.toString();
    expect(output).toContain('COPY files / # buildkit');
    expect(output).toContain('Hello from a file');
    expect(output).toMatch(/^imported +1 /m);
    expect(output).toContain('would be uploaded');
    expect(registry.content.repository('hello').tags.size).toBe(2);
  });

  it('has TypeScript that compiles and runs', async () => {
    const [code = '', ...more] = blocks('README.md', 'ts');
    expect(more).toEqual([]);
    writeFileSync(join(directory, 'hello.txt'), 'hello\n');
    await compile(directory, [code]);
    expect(await runExample(directory, 0, env)).toContain('COPY hello.txt / # buildkit');
    expect(existsSync(join(directory, 'hello.tar'))).toBe(true);
  });
});

describe.each(pages)('%s', (page) => {
  it('links to files that are there', () => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target ?? '');
    const missing = links
      .filter((target) => !/^\w+:/.test(target))
      .filter((target) => !existsSync(join(repositoryRoot, dirname(page), target)));
    expect(missing).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: repositoryRoot }).filter(
    (path) => !/\.test\.ts$|\/testing\//.test(path),
  );
  const used = new Set(
    sources.flatMap((path) => {
      const text = read(path);
      const thrown = text.matchAll(/(?:new (?!Interrupted)[A-Z]\w*Error\(|super\(|\bcode: )\s*'([A-Z][A-Z0-9_]+)'/g);
      // The parser's codes are chosen before the error is made.
      return [...thrown, ...text.matchAll(/'(DOCKERFILE_[A-Z_]+)'/g)].map(([, code]) => code ?? '');
    }),
  );
  const listed = new Set(
    [...read('docs/errors.md').matchAll(/^\| `([A-Z0-9_]+)` +\|/gm)].map(([, code]) => code ?? ''),
  );

  it('lists every code of the sources', () => {
    expect(used.size).toBeGreaterThan(90);
    expect([...used].filter((code) => !listed.has(code))).toEqual([]);
  });

  it('lists no code that is gone', () => {
    // Some are chosen before the error is made.
    const mentioned = new Set(
      sources.flatMap((path) => [...read(path).matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, code]) => code)),
    );
    expect([...listed].filter((code) => !mentioned.has(code))).toEqual([]);
  });
});

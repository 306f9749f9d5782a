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

describe('the README', () => {
  const directory = join(inject('workDirectory'), 'docs');
  const node = join(repositoryRoot, 'node_modules/.bin/node');
  const env = { ...process.env, NODE_OPTIONS: '', PATH: `${dirname(boxwrightPath)}:${process.env['PATH']}` };

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
    const [code, ...more] = blocks('README.md', 'ts');
    expect(more).toEqual([]);
    symlinkSync(join(repositoryRoot, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    writeFileSync(join(directory, 'example.ts'), code ?? '');
    writeFileSync(join(directory, 'hello.txt'), 'hello\n');
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--types', 'node', '--target', 'esnext'];
    const compiler = join(repositoryRoot, 'node_modules/tsgo/bin/tsc');
    await runOk(process.execPath, [compiler, ...options, '--module', 'nodenext', 'example.ts'], {
      cwd: directory,
      env,
    });
    const { stdout } = await runOk(existsSync(node) ? node : process.execPath, ['example.ts'], { cwd: directory, env });
    expect(stdout.toString()).toContain('COPY hello.txt / # buildkit');
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

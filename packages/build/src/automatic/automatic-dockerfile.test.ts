import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseIgnoreFile } from '@boxwright/dockerfile';
import { describe, expect, it } from 'vitest';
import { type AutomaticOptions, automaticDockerfile } from './automatic-dockerfile.ts';
import { type Files, made, project, temporary } from './testing/projects.ts';

describe('flow projects', () => {
  const flow = { 'flow.py': 'from prefect import flow\n' };

  it.each<[Files, AutomaticOptions, readonly string[]]>([
    [
      { ...flow, 'requirements.txt': 'prefect==3.4.5\n' },
      {},
      [
        'FROM prefecthq/prefect:3.4.5-python3.12',
        'COPY requirements.txt /opt/prefect/app/requirements.txt',
        'RUN uv pip install -r /opt/prefect/app/requirements.txt',
        'COPY . /opt/prefect/app/',
        'WORKDIR /opt/prefect/app/',
      ],
    ],
    [
      flow,
      { prefectVersion: '2.14.6', pythonVersion: '3.11', flavor: 'conda' },
      ['FROM prefecthq/prefect:2.14.6-python3.11-conda', 'COPY . /opt/prefect/app/', 'WORKDIR /opt/prefect/app/'],
    ],
    [
      {
        'prefect.yaml': '',
        'pyproject.toml': '[project]\nrequires-python = ">=3.13"\n',
        'uv.lock': '[[package]]\nname = "prefect"\nversion = "3.5.0"\n',
      },
      {},
      [
        'FROM prefecthq/prefect:3.5.0-python3.13',
        'COPY pyproject.toml /opt/prefect/app/pyproject.toml',
        'COPY uv.lock /opt/prefect/app/uv.lock',
        'RUN uv export --project /opt/prefect/app --frozen --no-dev --no-emit-workspace -o /tmp/requirements.txt && uv pip install -r /tmp/requirements.txt && rm /tmp/requirements.txt',
        'COPY . /opt/prefect/app/',
        'WORKDIR /opt/prefect/app/',
      ],
    ],
    [
      { 'pyproject.toml': '[project]\nname = "x"\ndependencies = [\n  "prefect[docker]>=3", # the rest\n]\n' },
      {},
      [
        'FROM prefecthq/prefect:3-python3.12',
        'COPY pyproject.toml /opt/prefect/app/pyproject.toml',
        'RUN uv pip install -r /opt/prefect/app/pyproject.toml',
        'COPY . /opt/prefect/app/',
        'WORKDIR /opt/prefect/app/',
      ],
    ],
  ])('%#', (files, options, lines) => {
    const dockerfile = made(files, options);
    expect(dockerfile).toMatchObject({ kind: 'prefect', ignoreText: undefined });
    expect(dockerfile.writer.dockerfileLines).toEqual(lines);
  });

  it('quotes a directory name that needs it', () => {
    const directory = project({ 'requirements.txt': 'prefect' }, "my $flows' dir");
    const { text } = automaticDockerfile(directory, { env: {} });
    const [, copy, run, all, workdir] = text.split('\n');
    expect(copy).toBe(`COPY ["requirements.txt", "/opt/prefect/my \\\\$flows\\\\' dir/requirements.txt"]`);
    expect(run).toBe(`RUN uv pip install -r '/opt/prefect/my $flows'\\'' dir/requirements.txt'`);
    expect(all).toBe(`COPY [".", "/opt/prefect/my \\\\$flows\\\\' dir/"]`);
    expect(workdir).toBe(`WORKDIR "/opt/prefect/my \\$flows' dir/"`);
  });

  it('takes the versions of the virtual environment', () => {
    const directory = project({ 'flow.py': 'import prefect\n' });
    const environment = temporary();
    mkdirSync(join(environment, 'lib/python3.11/site-packages/prefect-3.1.2.dist-info'), { recursive: true });
    const { text } = automaticDockerfile(directory, { env: { VIRTUAL_ENV: environment } });
    expect(text).toMatch(/^FROM prefecthq\/prefect:3\.1\.2-python3\.11\n/);
  });
});

describe('others', () => {
  it('Go', () => {
    const { kind, text, notes } = made({
      'go.mod': 'module example.com/team/tool\n\ngo 1.24\n\ntoolchain go1.25.3\n',
      'go.sum': '',
      'lib.go': 'package lib\n',
      'cmd/other/main.go': 'package main\n',
      'cmd/tool/main.go': '// A tool.\npackage main\n',
    });
    expect(kind).toBe('go');
    expect(text).toBe(
      `FROM golang:1.25 AS build
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod ["go", "mod", "download"]
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build ["go", "build", "-trimpath", "-tags=timetzdata", "-ldflags=-s -w", "-o", "/out/app", "./cmd/tool"]

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/app /app
USER 65532:65532
ENTRYPOINT ["/app"]
`,
    );
    expect(notes).toEqual(['Of the programs in cmd/ (other, tool), tool is built.']);
  });

  it('static pages', () => {
    const { kind, text } = made({ 'public/index.html': '' });
    expect([kind, text.split('\n')[1]]).toEqual(['static', 'COPY public /usr/share/nginx/html/']);
  });

  it('what the project leaves out is respected, and what it lets in by mistake is named', () => {
    const files = { 'requirements.txt': '', '.env': '', '.venv/x': '', 'node_modules/x': '', '.git/HEAD': '' };
    const { ignoreText, notes } = made({ ...files, '.dockerignore': '.git\n**/.venv\n' });
    expect(ignoreText).toBeUndefined();
    expect(notes.join()).toContain('.dockerignore lets .env, node_modules into the image');
    expect(made(files).notes.join()).not.toContain('.dockerignore');
  });

  it('static pages without hidden files, but with those that have to be there', () => {
    const { ignoreText = '' } = made({ 'index.html': '' });
    const matcher = parseIgnoreFile(ignoreText);
    const lines = ['.git/config', '.env', 'a/.env.local', '.well-known/security.txt', 'a/page.html', 'node_modules/x'];
    expect(lines.filter((path) => !matcher.matches(path))).toEqual(['.well-known/security.txt', 'a/page.html']);
  });

  it.each<[string, Files, string]>([
    ['a manifest that is an array', { 'package.json': '[1]', 'index.html': '' }, 'its package.json is no JSON object'],
    ['a broken manifest', { 'package.json': '{', 'package-lock.json': {} }, 'its package.json is no JSON object'],
    ['a lock file alone', { 'pnpm-lock.yaml': '' }, 'it has a pnpm-lock.yaml and no package.json'],
    ['a lock file alone', { 'uv.lock': '' }, 'it has a uv.lock and no pyproject.toml'],
    ['a file of settings', { 'pyproject.toml': '[tool.ruff]\n' }, 'neither [project] nor [tool.poetry]'],
  ])('says why nothing is known: %s', (_name, files, why) => {
    expect(() => automaticDockerfile(project(files), { env: {} })).toThrowError(
      expect.objectContaining({ code: 'AUTOMATIC_UNKNOWN', message: expect.stringContaining(why) }),
    );
  });

  it('what is not known', () => {
    expect(() => automaticDockerfile(project({ 'readme.md': '' }))).toThrowError(
      expect.objectContaining({ code: 'AUTOMATIC_UNKNOWN' }),
    );
    expect(() => automaticDockerfile('/nonexistent')).toThrowError(
      expect.objectContaining({ code: 'CONTEXT_NOT_FOUND' }),
    );
    expect(made({ 'readme.md': '' }, { kind: 'prefect' }).kind).toBe('prefect');
  });

  it('a project of two languages, and a .dockerignore of its own', () => {
    const { kind, notes, ignoreText } = made({
      'go.mod': '',
      'main.go': 'package main',
      'package.json': {},
      '.dockerignore': '',
    });
    expect([kind, ignoreText]).toEqual(['go', undefined]);
    expect(notes).toEqual(['There is a package.json too: what it builds is not built here.']);
  });

  it('does not wait, fall over or take long for hostile files', () => {
    const directory = project({
      'pyproject.toml': `[project]\ndependencies = [\n${'"x", [\n'.repeat(50_000)}`,
      'requirements.txt': `${' '.repeat(100_000)}\n`.repeat(3),
      'app.py': `${'a:'.repeat(30_000)}\n`,
      'package.json': '[1]',
      'loop.py': '\n'.repeat(60_000),
    });
    execFileSync('mkfifo', [join(directory, 'uv.lock'), join(directory, 'main.py')]);
    const start = performance.now();
    expect(automaticDockerfile(directory, { env: {} }).kind).toBe('uv');
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

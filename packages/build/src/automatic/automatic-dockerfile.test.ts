// The linter reads tests without the project's library of types, and does not know Symbol.asyncDispose there.
// oxlint-disable typescript/await-thenable
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseDockerfile } from '@boxwright/dockerfile';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { type AutomaticDockerfile, type AutomaticOptions, automaticDockerfile } from './automatic-dockerfile.ts';
import { generateDefaultDockerfile, generateDockerfile } from './generated-file.ts';

const temporary = temporaryDirectories();

type Files = Readonly<Record<string, string | object>>;

/** A project directory with these files; objects are written as JSON. */
function project(files: Files, name = 'app'): string {
  const directory = join(temporary(), name);
  mkdirSync(directory);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
}

/** Made, and lawful: it parses, nothing in it is warned about, and commands are in exec form. */
function made(files: Files, options: AutomaticOptions = {}): AutomaticDockerfile {
  const dockerfile = automaticDockerfile(project(files), { env: {}, ...options });
  const { stages, warnings } = parseDockerfile(dockerfile.text);
  expect(warnings).toEqual([]);
  if (dockerfile.kind !== 'prefect') {
    for (const instruction of stages.flatMap((stage) => stage.instructions)) {
      if ('form' in instruction) expect(instruction.form).toBe('exec');
    }
    const last = stages.at(-1);
    const isRootless = last?.from.image.includes('unprivileged') === true;
    expect(isRootless || last?.instructions.some(({ kind }) => kind === 'user')).toBe(true);
  }
  return dockerfile;
}

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

describe('Python', () => {
  it('uv', () => {
    const { kind, text, ignoreText } = made({
      'pyproject.toml':
        '[project]\nname = "x"\nrequires-python = ">=3.11,<3.12"\n[project.scripts]\nserve = "x:main"\n',
      'uv.lock': '',
    });
    expect(kind).toBe('uv');
    expect(text).toBe(
      `FROM python:3.11-slim AS build
RUN --mount=type=cache,target=/root/.cache/pip ["pip", "install", "uv"]
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv ["uv", "sync", "--frozen", "--no-dev", "--no-install-project"]
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv ["uv", "sync", "--frozen", "--no-dev"]

FROM python:3.11-slim
RUN ["useradd", "--create-home", "--uid", "10001", "app"]
WORKDIR /app
COPY --from=build --chown=app:app /app /app
ENV PATH=/app/.venv/bin:$PATH
ENV PYTHONUNBUFFERED=1
USER app
CMD ["serve"]
`,
    );
    expect(ignoreText?.split('\n')).toEqual(expect.arrayContaining(['.git', '.env', '**/.venv']));
  });

  it('Poetry', () => {
    const { kind, text, notes } = made({
      'pyproject.toml': '[tool.poetry]\nname = "my-app"\n[tool.poetry.dependencies]\npython = "^3.13"\n',
      'poetry.lock': '',
      'my_app/__init__.py': '',
      'main.py': '',
    });
    expect(kind).toBe('poetry');
    expect(text).toContain('FROM python:3.13-slim AS build\n');
    expect(text).toContain('COPY pyproject.toml poetry.lock ./\n');
    expect(text).toContain('["poetry", "install", "--only", "main", "--no-root"]\nCOPY . .\n');
    expect(text).toContain('["poetry", "install", "--only", "main"]\n');
    expect(text).toContain('CMD ["python", "main.py"]\n');
    expect(notes).toEqual([]);
  });

  it('pip, with the files that the requirements name', () => {
    const { kind, text } = made({
      'requirements.txt': '-r requirements/base.txt # more\nuvicorn\n',
      'requirements/base.txt': '-c ../constraints.txt\nfastapi==1\n',
      'constraints.txt': '',
      'app.py': 'from fastapi import FastAPI\n\nservice: FastAPI = FastAPI()\n',
    });
    expect(kind).toBe('pip');
    expect(text).toBe(
      `FROM python:3.12-slim
RUN ["useradd", "--create-home", "--uid", "10001", "app"]
WORKDIR /app
COPY requirements.txt ./
COPY requirements/base.txt ./requirements/
COPY constraints.txt ./
RUN --mount=type=cache,target=/root/.cache/pip ["pip", "install", "--no-warn-script-location", "-r", "requirements.txt"]
COPY --chown=app:app . .
ENV PYTHONUNBUFFERED=1
USER app
EXPOSE 8000
CMD ["uvicorn", "app:service", "--host", "0.0.0.0", "--port", "8000"]
`,
    );
  });

  it.each(['-e .', './lib', 'x @ file:lib', '-r ../outside.txt', '-r missing.txt'])(
    'pip with %s copies first',
    (line) => {
      const { text, notes } = made({ 'requirements.txt': `${line}\n` });
      expect(text.indexOf('COPY --chown=app:app . .')).toBeLessThan(text.indexOf('"requirements.txt"'));
      expect(notes).toHaveLength(2);
    },
  );
});

describe('Node.js', () => {
  it('npm with a server', () => {
    const { kind, text, notes } = made({
      'package.json': { engines: { node: '^22' }, scripts: { start: 'node --enable-source-maps server.js' } },
      'package-lock.json': {},
    });
    expect([kind, notes]).toEqual(['npm', []]);
    expect(text).toBe(
      `FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm ["npm", "ci", "--omit=dev"]
COPY --chown=node:node . .
ENV NODE_ENV=production
USER node
CMD ["node", "--enable-source-maps", "server.js"]
`,
    );
  });

  it('pnpm with workspaces and a build', () => {
    const { kind, text } = made({
      'package.json': { packageManager: 'pnpm@9.1.0+sha512.abc', scripts: { build: 'tsc -b', start: 'next start' } },
      'pnpm-lock.yaml': "lockfileVersion: '9.0'\n",
      'pnpm-workspace.yaml': "packages:\n  - 'packages/*'\n  - tools\n",
      'packages/a/package.json': {},
      'packages/b/readme': '',
      'tools/package.json': {},
      '.npmrc': 'shamefully-hoist=true\n',
    });
    expect(kind).toBe('pnpm');
    expect(text).toBe(
      `FROM node:24-slim AS build
RUN ["npm", "install", "--global", "pnpm@9.1.0"]
ENV CI=true
WORKDIR /app
COPY package.json pnpm-lock.yaml .npmrc pnpm-workspace.yaml ./
COPY packages/a/package.json ./packages/a/
COPY tools/package.json ./tools/
RUN --mount=type=cache,target=/pnpm/store ["pnpm", "install", "--frozen-lockfile", "--store-dir=/pnpm/store"]
COPY . .
RUN ["pnpm", "run", "build"]
RUN --mount=type=cache,target=/pnpm/store ["pnpm", "prune", "--prod"]

FROM node:24-slim
RUN ["npm", "install", "--global", "pnpm@9.1.0"]
ENV CI=true
WORKDIR /app
COPY --from=build --chown=node:node /app /app
ENV NODE_ENV=production
USER node
CMD ["pnpm", "start"]
`,
    );
  });

  it('a site that is built with Yarn', () => {
    const { kind, text } = made({
      'package.json': { scripts: { build: 'vite build' }, devDependencies: { vite: '^7' } },
      'yarn.lock': '# yarn lockfile v1\n',
    });
    expect(kind).toBe('yarn');
    expect(text).toContain('["yarn", "install", "--frozen-lockfile"]');
    expect(text).toMatch(
      /FROM nginxinc\/nginx-unprivileged:\S+\nCOPY --from=build \/app\/dist\/ \/usr\/share\/nginx\/html\/\nEXPOSE 8080\n$/,
    );
  });

  it('Yarn 4, whose packages stay in the project', () => {
    const { text } = made({
      'package.json': { scripts: { start: 'next start' } },
      'yarn.lock': '__metadata:\n  version: 8\n',
      '.yarnrc.yml': '',
      '.yarn/releases/x': '',
    });
    expect(text).toContain('COPY package.json yarn.lock .yarnrc.yml ./\nCOPY .yarn ./.yarn/\n');
    expect(text).toContain('["corepack", "install", "--global", "yarn@stable"]');
    expect(text).not.toContain('type=cache');
  });

  it('Bun', () => {
    const { kind, text } = made({ 'package.json': {}, 'bun.lock': '', 'index.ts': '' });
    expect(kind).toBe('bun');
    expect(text).toContain('FROM oven/bun:1-slim\n');
    expect(text).toContain('USER bun\nCMD ["bun", "index.ts"]\n');
  });

  it('keeps credentials of .npmrc out of the image', () => {
    const { text, ignoreText, notes } = made({
      'package.json': {},
      'package-lock.json': {},
      '.npmrc': '//registry.example.com/:_authToken=secret\n',
    });
    expect(text).toContain('--mount=type=secret,id=npmrc,target=/app/.npmrc');
    expect(text).toContain('COPY --chown=node:node --exclude=.npmrc . .');
    expect(text).not.toMatch(/COPY [^\n]*package\.json[^\n]*\.npmrc/);
    expect(ignoreText).toContain('/.npmrc\n');
    expect(notes.join()).toContain('--secret id=npmrc');
  });

  it.each<[string, Files]>([
    ['The workspaces cannot be listed', { 'package.json': { workspaces: ['packages/**'] }, 'package-lock.json': {} }],
    ['The workspaces cannot be listed', { 'package.json': { workspaces: ['../x'] }, 'package-lock.json': {} }],
    ['The script "postinstall" runs', { 'package.json': { scripts: { postinstall: 'x' } }, 'package-lock.json': {} }],
  ])('copies first: %s', (note, files) => {
    const { text, notes } = made(files);
    expect(text).toMatch(/WORKDIR \/app\nCOPY \S* ?\. \.\nRUN /);
    expect(notes.join()).toContain(note);
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
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('generated files', () => {
  it('are not in the project, and go', async () => {
    const directory = project({ 'requirements.txt': '', Dockerfile: 'FROM mine\n' });
    let path: string;
    {
      await using file = generateDefaultDockerfile(directory, { prefectVersion: '3.1.0', env: {} });
      ({ path } = file);
      expect(readFileSync(path, 'utf8')).toBe(file.text);
      expect(file.text).toContain(`COPY . /opt/prefect/${basename(directory)}/\n`);
      expect(existsSync(`${path}.dockerignore`)).toBe(false);
      expect(readFileSync(join(directory, 'Dockerfile'), 'utf8')).toBe('FROM mine\n');
    }
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('have the ignore file beside them', async () => {
    await using file = generateDockerfile(project({ 'index.html': '' }));
    expect(readFileSync(`${file.path}.dockerignore`, 'utf8')).toBe(file.dockerfile.ignoreText);
  });

  it('take the current directory by its name', async () => {
    await using file = generateDefaultDockerfile();
    expect(file.text).toContain(`WORKDIR /opt/prefect/${basename(process.cwd())}/\n`);
  });
});

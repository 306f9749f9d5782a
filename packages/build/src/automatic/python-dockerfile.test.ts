import { describe, expect, it } from 'vitest';
import { type Files, made } from './testing/projects.ts';

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
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON=3.11 UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv ["uv", "sync", "--frozen", "--no-dev", "--no-install-project"]
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv ["uv", "sync", "--locked", "--no-dev"]

FROM python:3.11-slim
RUN ["useradd", "--create-home", "--uid", "10001", "app"]
COPY --from=build --chown=app:app /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH
ENV PYTHONUNBUFFERED=1
USER app
CMD ["serve"]
`,
    );
    expect(ignoreText?.split('\n')).toEqual(
      expect.arrayContaining(['**/.git', '**/.env', '**/.venv', '**/node_modules']),
    );
  });

  it.each<[string, Files]>([
    ['uv', { 'pyproject.toml': '[project]\n[tool.uv.sources]\nlib = { path = "lib" }\n', 'uv.lock': '' }],
    ['uv', { 'pyproject.toml': '[project]\n[tool.uv.sources.lib]\npath = "lib"\n', 'uv.lock': '' }],
    ['poetry', { 'pyproject.toml': '[tool.poetry.dependencies]\nlib = { path = "./lib" }\n', 'poetry.lock': '' }],
    [
      'poetry',
      { 'pyproject.toml': '[tool.poetry]\n[tool.poetry.dependencies.lib]\npath = "lib"\n', 'poetry.lock': '' },
    ],
    ['poetry', { 'pyproject.toml': '[project]\ndependencies = ["lib @ file:lib"]\n', 'poetry.lock': '' }],
  ])('%s with packages of the project itself copies first', (kind, files) => {
    const dockerfile = made(files);
    expect(dockerfile.kind).toBe(kind);
    expect(dockerfile.text).toMatch(new RegExp(`COPY \\. \\.\\nRUN [^\\n]*"${kind}"`));
    expect(dockerfile.text).not.toContain('COPY pyproject.toml');
    expect(dockerfile.notes.join()).toContain('Packages come from directories of the project');
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

  it.each([
    '-e .',
    './lib',
    'x @ file:lib',
    '-r ../outside.txt',
    '-r missing.txt',
    'wheels/x-1.0-py3-none-any.whl',
    'x-1.0.tar.gz',
    '--find-links wheels',
    '-f ./wheels',
    '--find-links=wheels',
    '-i ./index',
    'packages/lib[extra]',
  ])('pip with %s copies first', (line) => {
    const { text, notes } = made({ 'requirements.txt': `${line}\n` });
    expect(text.indexOf('COPY --chown=app:app . .')).toBeLessThan(text.indexOf('"requirements.txt"'));
    expect(notes).toHaveLength(2);
  });

  it.each([
    'x @ https://host/a/x-1.0.whl',
    'git+https://host/a/x.git#egg=x',
    'https://host/x.whl',
    '--find-links https://host/wheels/',
    '--index-url https://host/simple',
    'x; python_version < "3.9" and sys_platform == "a/b"',
  ])('pip with %s installs first', (line) => {
    const { text } = made({ 'requirements.txt': `${line}\n` });
    expect(text.indexOf('"requirements.txt"')).toBeLessThan(text.indexOf('COPY --chown=app:app . .'));
  });
});

import { DEBIAN_PYTHON } from './debian-root.ts';
import type { Files } from './project.ts';

/** What no image of a project may have. */
export const strays: Files = {
  '.git/HEAD': 'ref: refs/heads/main\n',
  '.env': 'TOKEN=secret\n',
  'sub/.env.local': 'TOKEN=secret\n',
  'node_modules/dep/index.js': 'throw new Error("of another machine");\n',
  '.venv/bin/python': 'of another machine\n',
};

/** Nothing of caches, of other machines, of secrets. */
export function isStray(path: string): boolean {
  const strayed =
    /left-by-|^\/root\/\.(?:cache|npm|bun)\/|^\/pnpm\/.|^\/go\/pkg\/.|^\/app\/.*(?:\.git|\.env|node_modules\/dev)(?:$|[./])/;
  return strayed.test(path);
}

/** Says what it is with `dep`; with SERVE it waits for a signal. */
export const mainPy: string = `import json, os, signal, sys, dep
if "SERVE" in os.environ:
    signal.signal(signal.SIGTERM, lambda *_: (print("bye"), sys.exit(0)))
    print("ready", flush=True)
    signal.pause()
print(json.dumps({"uid": os.getuid(), "cwd": os.getcwd(), "version": dep.version, "writable": os.access(".", os.W_OK), "files": sorted(os.listdir())}))
`;

/** The same. */
export const serverJs: string = `const dep = require('dep');
if (process.env.SERVE) {
  process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
  setInterval(() => {}, 1000);
  console.log('ready');
} else {
  const fs = require('fs');
  let writable = true;
  try { fs.accessSync('.', fs.constants.W_OK); } catch { writable = false; }
  const about = { writable, uid: process.getuid(), cwd: process.cwd(), version: dep.version, files: fs.readdirSync('.').sort() };
  console.log(JSON.stringify(about));
}
`;

/** A kind of project, and what is to be seen of it. */
export interface Kind {
  readonly files: Files;
  /** Replaces files so that other dependencies are wanted: `dep` 2. */
  readonly others: () => Files;
  /** A file whose change needs no dependencies. */
  readonly source: Files;
  /** Calls of stand-ins, in their order; those that install dependencies first, and only those. */
  readonly dependencies: readonly string[];
  readonly rest: readonly string[];
  /** Where the mounted cache is. */
  readonly cache: string;
  readonly uid: number;
  /** What a stage of its own copies belongs to the user. */
  readonly writable: boolean;
}

const pyproject = `[project]\nname = "app"\nrequires-python = "==${DEBIAN_PYTHON}.*"\n`;
/** A `package.json` of {@link serverJs}. */
export const manifest = (more: object): string =>
  JSON.stringify({
    name: 'app',
    scripts: { start: 'node server.js' },
    dependencies: { dep: '*', other: '*' },
    ...more,
  });
const buildManifest = manifest({ scripts: { build: 'node -e 0', start: 'node server.js' } });

/** Those whose tools are stand-ins. */
export const kinds: Readonly<Record<string, Kind>> = {
  uv: {
    files: { 'pyproject.toml': pyproject, 'uv.lock': 'dep==1.0\n', 'main.py': mainPy },
    others: () => ({ 'uv.lock': 'dep==2.0\n' }),
    source: { 'main.py': `${mainPy}# changed\n` },
    dependencies: ['uv sync --frozen --no-dev --no-install-project'],
    rest: ['uv sync --locked --no-dev'],
    cache: '/root/.cache/uv',
    uid: 10001,
    writable: true,
  },
  poetry: {
    files: {
      'pyproject.toml': `[tool.poetry]\nname = "my-app"\n[tool.poetry.dependencies]\npython = "${DEBIAN_PYTHON}.*"\n`,
      'poetry.lock': 'dep==1.0\n',
      'main.py': mainPy,
      'my_app/__init__.py': '',
    },
    others: () => ({ 'poetry.lock': 'dep==2.0\n' }),
    source: { 'main.py': `${mainPy}# changed\n` },
    dependencies: ['poetry install --only main --no-root'],
    rest: ['poetry install --only main'],
    cache: '/root/.cache/pypoetry',
    uid: 10001,
    writable: true,
  },
  pnpm: {
    files: {
      'package.json': buildManifest,
      'pnpm-lock.yaml': "lockfileVersion: '9.0'\n# dep==1.0\n",
      'server.js': serverJs,
    },
    others: () => ({ 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n# dep==2.0\n" }),
    source: { 'server.js': `${serverJs}// changed\n` },
    dependencies: ['pnpm install --frozen-lockfile --store-dir=/pnpm/store'],
    rest: [
      'pnpm run build',
      'pnpm install --frozen-lockfile --prod --prefer-offline --config.modules-cache-max-age=0 --store-dir=/pnpm/store',
    ],
    cache: '/pnpm/store',
    uid: 1000,
    writable: true,
  },
  'Yarn 1': {
    files: { 'package.json': manifest({}), 'yarn.lock': '# yarn lockfile v1\n# dep==1.0\n', 'server.js': serverJs },
    others: () => ({ 'yarn.lock': '# yarn lockfile v1\n# dep==2.0\n' }),
    source: { 'server.js': `${serverJs}// changed\n` },
    dependencies: ['yarn install --frozen-lockfile --production'],
    rest: [],
    cache: '/usr/local/share/.cache/yarn',
    uid: 1000,
    writable: false,
  },
  'Yarn 4': {
    files: {
      'package.json': manifest({}),
      'yarn.lock': '__metadata:\n  version: 8\n# dep==1.0\n',
      'server.js': serverJs,
    },
    others: () => ({ 'yarn.lock': '__metadata:\n  version: 8\n# dep==2.0\n' }),
    source: { 'server.js': `${serverJs}// changed\n` },
    dependencies: ['yarn workspaces focus --all --production'],
    rest: [],
    cache: '',
    uid: 1000,
    writable: false,
  },
  Bun: {
    files: { 'package.json': buildManifest, 'bun.lock': '// dep==1.0\n', 'server.js': serverJs },
    others: () => ({ 'bun.lock': '// dep==2.0\n' }),
    source: { 'server.js': `${serverJs}// changed\n` },
    dependencies: ['bun install --frozen-lockfile'],
    rest: ['bun run build', 'bun install --frozen-lockfile --production'],
    cache: '/root/.bun/install/cache',
    uid: 1001,
    writable: true,
  },
};

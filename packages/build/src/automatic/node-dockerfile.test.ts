import { describe, expect, it } from 'vitest';
import { type Files, made } from './testing/projects.ts';

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
      'pnpm-workspace.yaml': "packages:\n  - 'packages/*'\n  - tools\nonlyBuiltDependencies:\n  - a>b\n",
      'packages/a/package.json': {},
      'packages/b/readme': '',
      'tools/package.json': {},
      '.npmrc': 'shamefully-hoist=true\n',
    });
    expect(kind).toBe('pnpm');
    expect(text).toBe(
      `FROM node:24-slim AS build
RUN --mount=type=cache,target=/root/.npm ["npm", "install", "--global", "pnpm@9.1.0"]
ENV CI=true
WORKDIR /app
COPY package.json pnpm-lock.yaml .npmrc pnpm-workspace.yaml ./
COPY packages/a/package.json ./packages/a/
COPY tools/package.json ./tools/
RUN --mount=type=cache,target=/pnpm/store ["pnpm", "install", "--frozen-lockfile", "--store-dir=/pnpm/store"]
COPY . .
RUN ["pnpm", "run", "build"]
RUN --mount=type=cache,target=/pnpm/store ["pnpm", "install", "--frozen-lockfile", "--prod", "--prefer-offline", "--config.modules-cache-max-age=0", "--store-dir=/pnpm/store"]

FROM node:24-slim
RUN --mount=type=cache,target=/root/.npm ["npm", "install", "--global", "pnpm@9.1.0"]
ENV CI=true
COPY --from=build --chown=node:node /app /app
WORKDIR /app
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
    expect(text).toContain('["npm", "install", "--global", "--force", "@yarnpkg/cli-dist@4"]');
    expect(text).toContain('["yarn", "workspaces", "focus", "--all", "--production"]');
    expect(text).toContain('CMD ["yarn", "run", "start"]');
  });

  it.each<[string, Files, string]>([
    ['Plug and Play', {}, '["yarn", "node", "--inspect", "server.js"]'],
    ['node_modules', { '.yarnrc.yml': 'nodeLinker: node-modules\n' }, '["node", "--inspect", "server.js"]'],
  ])('Yarn 4 starts programs as they find their packages: %s', (_name, files, command) => {
    const { text } = made({
      'package.json': { scripts: { start: 'node --inspect server.js' } },
      'yarn.lock': '__metadata:\n  version: 10\n',
      ...files,
    });
    expect(text).toContain(`CMD ${command}\n`);
  });

  it('Yarn 3, which cannot read newer lock files and has no focus without its plugin', () => {
    const files = { 'package.json': {}, 'yarn.lock': '__metadata:\n  version: 6\n', 'index.js': '' };
    const { text, notes } = made(files);
    expect(text).toContain('"@yarnpkg/cli-dist@3"');
    expect(text).toContain('["yarn", "install", "--immutable"]');
    expect(text).not.toContain('focus');
    expect(notes.join()).toContain('stay in the image');
    const plugged = made({ ...files, '.yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs': '' });
    expect(plugged.text).toContain('"focus"');
    expect(plugged.notes).toEqual([]);
  });

  it.each([
    ['24', false],
    ['26', true],
  ])('Yarn 1 for Node.js %s, whose image may have none', (node, isInstalled) => {
    const { text } = made({
      'package.json': { engines: { node: `^${node}` } },
      'yarn.lock': '# yarn lockfile v1\n',
      'index.js': '',
    });
    expect(text).toContain(`FROM node:${node}-slim`);
    expect(text.includes('"npm", "install", "--global", "--force", "yarn@1"')).toBe(isInstalled);
  });

  it('Bun', () => {
    const { kind, text } = made({ 'package.json': {}, 'bun.lock': '', 'index.ts': '' });
    expect(kind).toBe('bun');
    expect(text).toContain('FROM oven/bun:1-slim\n');
    expect(text).toContain('USER bun\nCMD ["bun", "index.ts"]\n');
  });

  it('Bun drops what only the build needed, which its own install would keep', () => {
    const { text } = made({
      'package.json': { scripts: { build: 'x', start: 'bun x' }, workspaces: ['packages/*'] },
      'bun.lock': '',
      'packages/a/package.json': {},
    });
    expect(text).toMatch(
      /"build"\]\nRUN \["rm", "-rf", "node_modules", "packages\/a\/node_modules"\]\nRUN --mount=\S+ \["bun", "install", "--frozen-lockfile", "--production"\]\n/,
    );
  });

  it.each(['file:lib.tgz', 'file:./lib', 'link:../lib', 'portal:./lib', './lib', '../lib'])(
    'copies first where a package is %s',
    (place) => {
      const { text, notes } = made({
        'package.json': { workspaces: ['a'] },
        'a/package.json': { optionalDependencies: { lib: place } },
        'package-lock.json': {},
      });
      expect(text).toMatch(/WORKDIR \/app\nCOPY \S* ?\. \.\nRUN /);
      expect(notes.join()).toContain('Packages come from files of the project');
    },
  );

  it.each([
    ['.npmrc', '//host/:_password = "c2VjcmV0"\n'],
    ['.npmrc', '; a\n_auth=secret\n'],
    ['.yarnrc.yml', 'npmScopes:\n  a:\n    npmAuthToken: "secret"\n'],
    ['.yarnrc.yml', 'npmAuthIdent: secret\n'],
    ['bunfig.toml', '[install.scopes]\na = { token = "secret", url = "https://host/" }\n'],
    ['bunfig.toml', '[install]\nregistry = "https://me:secret@host/"\n'],
  ])('keeps credentials of %s out of the image: %j', (name, content) => {
    const lock = name === 'bunfig.toml' ? 'bun.lock' : 'yarn.lock';
    const { text, ignoreText } = made({ 'package.json': {}, [lock]: '__metadata:\n  version: 8\n', [name]: content });
    const id = name.replace(/^\.|\.\w+$/g, '');
    expect(text).toContain(`--mount=type=secret,id=${id},target=/app/${name}`);
    expect(text).toContain(`--exclude=${name} . .`);
    expect(text).not.toMatch(new RegExp(`COPY package.json[^\\n]*${name}`));
    expect(ignoreText).toContain(`/${name}\n`);
  });

  it.each([
    ['.npmrc', '//host/:_authToken=${NPM_TOKEN}\n'],
    ['.yarnrc.yml', 'npmAuthToken: "${NPM_TOKEN}"\n'],
    ['bunfig.toml', '[install.scopes]\na = { token = "$TOKEN" }\n'],
  ])('has nothing against variables in %s', (name, content) => {
    const { text } = made({ 'package.json': {}, 'bun.lock': '', [name]: content });
    expect(text).not.toContain('type=secret');
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

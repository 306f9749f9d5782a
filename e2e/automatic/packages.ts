import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageSpec } from './package-index.ts';

const standIn = readFileSync(join(import.meta.dirname, 'stand_in.py'), 'utf8');

const python = (name: string, version: string): PackageSpec => ({
  kind: 'wheel',
  name,
  version,
  files: { [`${name}.py`]: `version = '${version}'\n` },
});
const node = (name: string, version: string): PackageSpec => ({
  kind: 'npm',
  name,
  version,
  files: { 'index.js': `exports.version = '${version}';\n` },
});
/** What there is to install, and the tools that are installed to do so. */
export const packages: readonly PackageSpec[] = [
  ...['1.0', '2.0'].map((version) => python('dep', version)),
  python('other', '1.0'),
  ...['uv', 'poetry'].map((name) => ({ ...python(name, '2.0'), files: { [`${name}.py`]: standIn }, command: name })),
  ...['1.0.0', '2.0.0'].map((version) => node('dep', version)),
  node('other', '1.0.0'),
  node('vite', '7.0.0'),
  python('prefect', '3.1.0'),
  { ...node('pnpm', '10.1.0'), files: { command: standIn }, command: 'pnpm' },
  { ...node('@yarnpkg/cli-dist', '4.5.0'), files: { command: standIn }, command: 'yarn' },
];

import { posix } from 'node:path';
import { objectEntries, type ProjectFiles } from './project-files.ts';
import { chooseVersion } from './version-choice.ts';

/** What installs a project's packages. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** `package.json` as far as it matters. */
export interface NodeProject {
  readonly manager: PackageManager;
  /** As `packageManager` has it, or as the lock file needs it: `9.1.0`, `10`. */
  readonly managerVersion: string | undefined;
  /** Major version of Node.js. */
  readonly node: string;
  readonly lockFile: string | undefined;
  readonly scripts: ReadonlyMap<string, string>;
  readonly dependencies: ReadonlySet<string>;
  /** File that `main` names. */
  readonly main: string | undefined;
  /** Directories of workspaces that have a `package.json`; undefined when they cannot be listed. */
  readonly workspaces: readonly string[] | undefined;
  /** Packages come from files beside them: `file:lib.tgz`. */
  readonly hasLocalPackages: boolean;
}

/** Versions of Node.js that there are images of: those that most packages are ready for first. */
const nodeVersions = ['24', '22', '26', '20', '25', '23', '21', '18'] as const;
const defaultNode = '24';
const mostWorkspaces = 200;
const mostPatterns = 200;

const lockFiles: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['yarn.lock', 'yarn'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];

/** Names of lock files, whoever writes them. */
export const nodeLockFiles: readonly string[] = lockFiles.map(([name]) => name);

/** Reads `package.json`; undefined when there is none, or one that is no JSON object. */
export function nodeProject(files: ProjectFiles): NodeProject | undefined {
  const manifest = files.json('package.json');
  if (manifest === undefined) return undefined;
  const named = /^(npm|pnpm|yarn|bun)@(\d[\w.-]*)/.exec(textOf(manifest.get('packageManager')) ?? '');
  const locks = lockFiles.filter(([name]) => files.has(name));
  // The expression knows no other names.
  const manager = (named?.[1] as PackageManager | undefined) ?? locks[0]?.[1] ?? 'npm';
  const lockFile = locks.find(([, owner]) => owner === manager)?.[0];
  const main = textOf(manifest.get('main'));
  const workspaces = workspacesOf(files, manifest);
  return {
    manager,
    managerVersion: named?.[2] ?? lockVersion(files, lockFile),
    node: wantedNode(files, manifest),
    lockFile,
    scripts: new Map(
      [...(objectEntries(manifest.get('scripts')) ?? [])].flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as const] : [],
      ),
    ),
    dependencies: new Set(
      ['dependencies', 'devDependencies'].flatMap((key) => [...(objectEntries(manifest.get(key))?.keys() ?? [])]),
    ),
    main: main !== undefined && isInside(main) && files.has(main) ? main : undefined,
    workspaces,
    hasLocalPackages: [
      manifest,
      ...(workspaces ?? []).map((directory) => files.json(`${directory}/package.json`) ?? new Map<string, unknown>()),
    ].some(namesLocalPackage),
  };
}

function wantedNode(files: ProjectFiles, manifest: ReadonlyMap<string, unknown>): string {
  for (const name of ['.nvmrc', '.node-version']) {
    const pinned = /^v?(\d{1,3})(?:\.|\s|$)/.exec(files.text(name)?.trim() ?? '')?.[1];
    if (pinned !== undefined) return pinned;
  }
  const range = textOf(objectEntries(manifest.get('engines'))?.get('node'));
  return (range === undefined ? undefined : chooseVersion(nodeVersions, range)) ?? defaultNode;
}

/** Newer versions of a package manager may refuse older lock files. */
function lockVersion(files: ProjectFiles, lockFile: string | undefined): string | undefined {
  if (lockFile === 'pnpm-lock.yaml') {
    const version = /^lockfileVersion: '?(\d+)/m.exec(files.head(lockFile))?.[1];
    return version === undefined
      ? '10'
      : (new Map([
          ['5', '7'],
          ['6', '8'],
          ['9', '10'],
        ]).get(version) ?? '10');
  }
  if (lockFile === 'yarn.lock') {
    const text = files.head(lockFile);
    if (text.includes('# yarn lockfile v1')) return '1';
    return Number(/^__metadata:\r?\n {1,8}version: (\d{1,3})/m.exec(text)?.[1] ?? 8) < 8 ? '3' : '4';
  }
  return undefined;
}

function isInside(path: string): boolean {
  const cleaned = posix.normalize(path);
  return !posix.isAbsolute(cleaned) && !cleaned.split('/').includes('..');
}

function namesLocalPackage(manifest: ReadonlyMap<string, unknown>): boolean {
  return ['dependencies', 'devDependencies', 'optionalDependencies'].some((key) =>
    [...(objectEntries(manifest.get(key))?.values() ?? [])].some(
      (place) => typeof place === 'string' && /^(?:file|link|portal):|^\.{0,2}\//.test(place),
    ),
  );
}

/** Patterns as `packages/*` and plain directories; any other gives up. */
function workspacesOf(files: ProjectFiles, manifest: ReadonlyMap<string, unknown>): readonly string[] | undefined {
  const field = manifest.get('workspaces');
  const listed: unknown = Array.isArray(field) ? field : objectEntries(field)?.get('packages');
  const patterns = new Set<unknown>([
    ...(Array.isArray(listed) ? listed : []),
    ...pnpmWorkspacePatterns(files.text('pnpm-workspace.yaml') ?? ''),
  ]);
  if (patterns.size > mostPatterns) return undefined;
  const found = new Set<string>();
  for (const pattern of patterns) {
    if (typeof pattern !== 'string' || !/^(?:\.\/)?[\w@.-]+(?:\/[\w@.-]+)*(?:\/\*)?$/.test(pattern)) return undefined;
    if (pattern.split('/').includes('..')) return undefined;
    const base = pattern.replace(/^\.\//, '').replace(/\/\*$/, '');
    const directories = pattern.endsWith('/*') ? files.namesIn(base).map((name) => `${base}/${name}`) : [base];
    for (const directory of directories) if (files.has(`${directory}/package.json`)) found.add(directory);
    if (found.size > mostWorkspaces) return undefined;
  }
  return [...found];
}

/** The list `packages` of `pnpm-workspace.yaml`, as it is usually written; what is not understood is no pattern. */
function pnpmWorkspacePatterns(text: string): readonly string[] {
  const found: string[] = [];
  let isList = false;
  for (const line of text.split('\n')) {
    const content = line.replace(/(?:^|\s)#.*$/, '').trim();
    if (content === '') continue;
    const item = /^-\s+(.*)$/.exec(content)?.[1];
    if (isList && item !== undefined) found.push(item.replace(/^(['"])(.*)\1$/, '$2'));
    else if (/^packages\s*:/.test(line)) {
      isList = true;
      const rest = content.replace(/^packages\s*:\s*/, '');
      // Written in one line: not read, so that everything is copied.
      if (rest !== '') found.push(rest);
    } else if (/^\S/.test(line)) isList = false;
  }
  return found;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

import type { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import type { RunMountOptions } from '../builder/instructions/run-mount-flag.ts';
import type { NodeProject, PackageManager } from './node-project.ts';
import type { ProjectFiles } from './project-files.ts';

/** What a package manager needs in a Dockerfile. */
export interface ManagerCommands {
  /** Puts the manager into Node's image; nothing when it is there. */
  readonly setUp: (writer: DockerfileWriter) => void;
  /** Installs what the lock file says, with or without what only development needs. */
  readonly install: (production: boolean) => readonly string[];
  /** Removes what only development needs, one command after the other; the last one with the cache. */
  readonly prune: readonly (readonly string[])[];
  readonly cache: RunMountOptions | undefined;
  /** Files beside `package.json` and the lock file that it reads. */
  readonly settings: readonly string[];
  /** Starts a script of `package.json`. */
  readonly script: (name: string) => readonly string[];
  /** Starts a file of the project, so that it finds its packages. */
  readonly program: readonly string[];
  readonly notes: readonly string[];
}

/** What the project's package manager needs. */
export function managerCommands(project: NodeProject, files: ProjectFiles): ManagerCommands {
  return tables[project.manager](project, files);
}

const npmCache: RunMountOptions = { type: 'cache', target: '/root/.npm' };

const tables: { readonly [K in PackageManager]: (project: NodeProject, files: ProjectFiles) => ManagerCommands } = {
  npm: ({ lockFile }) => ({
    setUp: () => {},
    install: (production) => ['npm', lockFile === undefined ? 'install' : 'ci', ...(production ? ['--omit=dev'] : [])],
    prune: [['npm', 'prune', '--omit=dev']],
    cache: npmCache,
    settings: ['.npmrc'],
    script: (name) => (name === 'start' ? ['npm', 'start'] : ['npm', 'run', name]),
    program: ['node'],
    notes: [],
  }),
  pnpm: ({ lockFile, managerVersion = '10' }) => {
    const install = ['pnpm', 'install', ...(lockFile === undefined ? [] : ['--frozen-lockfile'])];
    const store = '--store-dir=/pnpm/store';
    return {
      setUp: (writer) => addGlobal(writer, `pnpm@${managerVersion}`).env('CI', 'true'),
      install: (production) => [...install, ...(production ? ['--prod'] : []), store],
      // `pnpm prune` knows no workspaces. Without the age, packages that nothing needs any more are kept for a week.
      prune: [[...install, '--prod', '--prefer-offline', '--config.modules-cache-max-age=0', store]],
      cache: { type: 'cache', target: '/pnpm/store' },
      settings: ['.npmrc', 'pnpm-workspace.yaml', '.pnpmfile.cjs', 'patches'],
      script: (name) => (name === 'start' ? ['pnpm', 'start'] : ['pnpm', 'run', name]),
      program: ['node'],
      notes: [],
    };
  },
  yarn: (project, files) => (majorOf(project.managerVersion) === 1 ? classicYarn(project) : modernYarn(project, files)),
  bun: ({ lockFile, workspaces = [] }) => {
    const install = ['bun', 'install', ...(lockFile === undefined ? [] : ['--frozen-lockfile'])];
    return {
      setUp: () => {},
      install: (production) => [...install, ...(production ? ['--production'] : [])],
      // Bun removes nothing that is there.
      prune: [
        ['rm', '-rf', 'node_modules', ...workspaces.map((directory) => `${directory}/node_modules`)],
        [...install, '--production'],
      ],
      cache: { type: 'cache', target: '/root/.bun/install/cache' },
      settings: ['.npmrc', 'bunfig.toml', 'patches'],
      script: (name) => ['bun', 'run', name],
      program: ['bun'],
      notes: [],
    };
  },
};

function addGlobal(writer: DockerfileWriter, name: string, ...flags: readonly string[]): DockerfileWriter {
  return writer.run(['npm', 'install', '--global', ...flags, name], { mounts: [npmCache] });
}

function majorOf(version: string | undefined): number {
  return Number(/^\d+/.exec(version ?? '1')?.[0]);
}

function classicYarn({ lockFile, managerVersion, node }: NodeProject): ManagerCommands {
  const install = ['yarn', 'install', ...(lockFile === undefined ? [] : ['--frozen-lockfile'])];
  return {
    setUp: (writer) => {
      // Node's images have it up to version 25.
      if (Number(node) >= 26) addGlobal(writer, `yarn@${managerVersion ?? '1'}`, '--force');
    },
    install: (production) => [...install, ...(production ? ['--production'] : [])],
    prune: [[...install, '--production', '--ignore-scripts', '--prefer-offline']],
    cache: { type: 'cache', target: '/usr/local/share/.cache/yarn' },
    settings: ['.npmrc', '.yarnrc'],
    script: (name) => ['yarn', 'run', name],
    program: ['node'],
    notes: [],
  };
}

/**
 * Yarn 2 and later, from the registry that npm uses: Corepack would ask others, also when the program starts. Packages stay
 * below the project: Plug'n'Play runs from there.
 */
function modernYarn({ lockFile, managerVersion = '4' }: NodeProject, files: ProjectFiles): ManagerCommands {
  const install = ['yarn', 'install', ...(lockFile === undefined ? [] : ['--immutable'])];
  const focus = ['yarn', 'workspaces', 'focus', '--all', '--production'];
  const canFocus = majorOf(managerVersion) >= 4 || files.has('.yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs');
  const hasModules = /^nodeLinker:[ \t]*["']?(?:node-modules|pnpm)\b/m.test(files.text('.yarnrc.yml') ?? '');
  return {
    setUp: (writer) =>
      // Over the Yarn 1 that is there.
      addGlobal(writer, `@yarnpkg/cli-dist@${managerVersion}`, '--force').env({
        YARN_ENABLE_GLOBAL_CACHE: 'false',
        YARN_ENABLE_TELEMETRY: '0',
      }),
    install: (production) => (production && canFocus ? focus : install),
    prune: canFocus ? [focus] : [],
    cache: undefined,
    settings: ['.npmrc', '.yarnrc.yml', '.yarn'],
    script: (name) => ['yarn', 'run', name],
    program: hasModules ? ['node'] : ['yarn', 'node'],
    notes: canFocus
      ? []
      : [
          'Without its plugin workspace-tools Yarn cannot leave out what only development needs: those packages stay in the image.',
        ],
  };
}

import type { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import type { RunMountOptions } from '../builder/instructions/run-mount-flag.ts';
import type { NodeProject, PackageManager } from './node-project.ts';

/** What a package manager needs in a Dockerfile. */
export interface ManagerCommands {
  /** Puts the manager into Node's image; nothing when it is there. */
  readonly setUp: (writer: DockerfileWriter) => void;
  /** Installs what the lock file says, with or without what only development needs. */
  readonly install: (production: boolean) => readonly string[];
  /** Removes what only development needs. */
  readonly prune: readonly string[];
  readonly cache: RunMountOptions | undefined;
  /** Files beside `package.json` and the lock file that it reads. */
  readonly settings: readonly string[];
  /** Starts a script of `package.json`. */
  readonly script: (name: string) => readonly string[];
}

/** What the project's package manager needs. */
export function managerCommands(project: NodeProject): ManagerCommands {
  return tables[project.manager](project);
}

const tables: { readonly [K in PackageManager]: (project: NodeProject) => ManagerCommands } = {
  npm: ({ lockFile }) => ({
    setUp: () => {},
    install: (production) => ['npm', lockFile === undefined ? 'install' : 'ci', ...(production ? ['--omit=dev'] : [])],
    prune: ['npm', 'prune', '--omit=dev'],
    cache: { type: 'cache', target: '/root/.npm' },
    settings: ['.npmrc'],
    script: (name) => (name === 'start' ? ['npm', 'start'] : ['npm', 'run', name]),
  }),
  pnpm: ({ lockFile, managerVersion = '10' }) => ({
    setUp: (writer) => writer.run(['npm', 'install', '--global', `pnpm@${managerVersion}`]).env('CI', 'true'),
    install: (production) => [
      ...['pnpm', 'install', ...(lockFile === undefined ? [] : ['--frozen-lockfile'])],
      ...(production ? ['--prod'] : []),
      '--store-dir=/pnpm/store',
    ],
    prune: ['pnpm', 'prune', '--prod'],
    cache: { type: 'cache', target: '/pnpm/store' },
    settings: ['.npmrc', 'pnpm-workspace.yaml', '.pnpmfile.cjs', 'patches'],
    script: (name) => (name === 'start' ? ['pnpm', 'start'] : ['pnpm', 'run', name]),
  }),
  yarn: (project) => (project.managerVersion?.startsWith('1') === false ? modernYarn(project) : classicYarn(project)),
  bun: ({ lockFile }) => {
    const install = ['bun', 'install', ...(lockFile === undefined ? [] : ['--frozen-lockfile'])];
    return {
      setUp: () => {},
      install: (production) => [...install, ...(production ? ['--production'] : [])],
      prune: [...install, '--production'],
      cache: { type: 'cache', target: '/root/.bun/install/cache' },
      settings: ['.npmrc', 'bunfig.toml', 'patches'],
      script: (name) => ['bun', 'run', name],
    };
  },
};

function classicYarn({ lockFile }: NodeProject): ManagerCommands {
  const install = ['yarn', 'install', ...(lockFile === undefined ? [] : ['--frozen-lockfile'])];
  return {
    setUp: () => {},
    install: (production) => [...install, ...(production ? ['--production'] : [])],
    prune: [...install, '--production', '--ignore-scripts', '--prefer-offline'],
    cache: { type: 'cache', target: '/usr/local/share/.cache/yarn' },
    settings: ['.npmrc', '.yarnrc'],
    script: (name) => ['yarn', 'run', name],
  };
}

/** Yarn 2 and later, by way of Corepack; packages stay below the project: Plug'n'Play runs from there. */
function modernYarn({ lockFile, managerVersion }: NodeProject): ManagerCommands {
  const version = managerVersion === undefined || managerVersion === '4' ? 'stable' : managerVersion;
  return {
    setUp: (writer) =>
      writer
        .env({
          YARN_ENABLE_GLOBAL_CACHE: 'false',
          COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
          COREPACK_HOME: '/opt/corepack',
        })
        .run(['npm', 'install', '--global', '--force', 'corepack'])
        .run(['corepack', 'enable'])
        .run(['corepack', 'install', '--global', `yarn@${version}`]),
    install: (production) =>
      production
        ? ['yarn', 'workspaces', 'focus', '--all', '--production']
        : ['yarn', 'install', ...(lockFile === undefined ? [] : ['--immutable'])],
    prune: ['yarn', 'workspaces', 'focus', '--all', '--production'],
    cache: undefined,
    settings: ['.npmrc', '.yarnrc.yml', '.yarn'],
    script: (name) => ['yarn', 'run', name],
  };
}

import { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import { copyLine } from '../builder/instructions/copy-lines.ts';
import type { RunMountOptions } from '../builder/instructions/run-mount-flag.ts';
import type { DraftedDockerfile } from './found-project.ts';
import type { NodeProject } from './node-project.ts';
import { type ManagerCommands, managerCommands } from './package-managers.ts';
import type { ProjectFiles } from './project-files.ts';
import { secretSettings } from './secret-settings.ts';
import { addStaticStage } from './static-dockerfile.ts';

const ignored = ['**/.next/cache', '**/.turbo', '**/coverage', '**/npm-debug.log*'];

/** A project with `package.json`: a server, or a site that is built and served. */
export function nodeDockerfile(files: ProjectFiles, project: NodeProject): DraftedDockerfile {
  const commands = managerCommands(project, files);
  const image = project.manager === 'bun' ? 'oven/bun:1-slim' : `node:${project.node}-slim`;
  const user = project.manager === 'bun' ? 'bun' : 'node';
  const builds = project.scripts.has('build');
  const site = project.scripts.has('start') || project.main !== undefined ? undefined : siteDirectory(project);
  const secret = secretSettings(files);
  const notes = [...secret.notes];
  if (project.lockFile === undefined) notes.push('There is no lock file: every build may find other versions.');

  const writer = new DockerfileWriter().from(image, builds ? { as: 'build' } : {});
  commands.setUp(writer);
  writer.workdir('/app');
  const mounts = [...(commands.cache === undefined ? [] : [commands.cache]), ...secret.mounts];
  install(files, project, commands, writer, { mounts, production: !builds, skipped: secret.skipped, notes });
  if (builds) writer.run(commands.script('build'));
  const dropped = secret.skipped.map((name) => `/${name}`);
  if (builds && site !== undefined) {
    return {
      writer: addStaticStage(writer.addLine(''), { from: 'build', path: `/app/${site}` }),
      ignored: [...ignored, ...dropped],
      notes,
    };
  }
  notes.push(...commands.notes);
  if (builds) {
    for (const command of commands.prune) writer.run(command, command === commands.prune.at(-1) ? { mounts } : {});
    writer.addLine('').from(image);
    if (
      project.manager !== 'npm' &&
      project.manager !== 'bun' &&
      startCommand(files, project, commands)?.[0] === project.manager
    )
      commands.setUp(writer);
    // Made by the copy, the directory belongs to the user, too.
    writer.copyFrom('build', '/app', '/app', { chown: `${user}:${user}` }).workdir('/app');
  }
  writer.env('NODE_ENV', 'production').user(user);
  const start = startCommand(files, project, commands);
  if (start === undefined) notes.push('Nothing says what the program is: add a CMD.');
  else writer.cmd(start);
  return { writer, ignored: [...ignored, ...dropped], notes };
}

interface InstallOptions {
  readonly mounts: readonly RunMountOptions[];
  readonly production: boolean;
  readonly skipped: readonly string[];
  readonly notes: string[];
}

/** The layer of dependencies, then everything; the other way round where packages need the project's own files. */
function install(
  files: ProjectFiles,
  project: NodeProject,
  commands: ManagerCommands,
  writer: DockerfileWriter,
  { mounts, production, skipped, notes }: InstallOptions,
): void {
  const needsSources = ['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => project.scripts.has(name));
  const reason =
    project.workspaces === undefined
      ? 'The workspaces cannot be listed'
      : needsSources.length > 0
        ? `The script "${needsSources.join('", "')}" runs when packages are installed`
        : project.hasLocalPackages
          ? 'Packages come from files of the project'
          : undefined;
  const user = project.manager === 'bun' ? 'bun' : 'node';
  const everything = copyLine(['.'], '.', {
    ...(production ? { chown: `${user}:${user}` } : {}),
    exclude: skipped,
  });
  if (reason !== undefined) {
    notes.push(`${reason}: every change of a file installs everything again.`);
    writer.addLine(everything).run(commands.install(production), { mounts });
    return;
  }
  const settings = commands.settings.filter((name) => files.has(name) && !skipped.includes(name));
  const plain = settings.filter((name) => !files.hasDirectory(name));
  writer.addLine(
    copyLine(['package.json', ...(project.lockFile === undefined ? [] : [project.lockFile]), ...plain], './'),
  );
  for (const name of settings) if (files.hasDirectory(name)) writer.addLine(copyLine([name], `./${name}/`));
  for (const directory of project.workspaces ?? []) {
    writer.addLine(copyLine([`${directory}/package.json`], `./${directory}/`));
  }
  writer.run(commands.install(production), { mounts }).addLine(everything);
}

/** Where tools put the pages they build. */
const siteDirectories: readonly (readonly [string, string])[] = [
  ['astro', 'dist'],
  ['vite', 'dist'],
  ['react-scripts', 'build'],
  ['@11ty/eleventy', '_site'],
  ['parcel', 'dist'],
  ['vitepress', 'docs/.vitepress/dist'],
  ['@docusaurus/core', 'build'],
];

function siteDirectory(project: NodeProject): string | undefined {
  return siteDirectories.find(([name]) => project.dependencies.has(name))?.[1];
}

/** Directly where the script is one plain command: the program then gets signals itself. */
function startCommand(
  files: ProjectFiles,
  project: NodeProject,
  commands: ManagerCommands,
): readonly string[] | undefined {
  const start = project.scripts.get('start');
  const words = start?.trim().split(/\s+/) ?? [];
  if (words[0] === 'node' && words.every((word) => /^[\w./@:=-]+$/.test(word))) {
    return project.manager === 'bun' ? words : [...commands.program, ...words.slice(1)];
  }
  if (start !== undefined) return commands.script('start');
  if (project.main !== undefined) return [...commands.program, project.main];
  const names = ['server.js', 'index.js', 'app.js', 'main.js', 'index.mjs'];
  const file = [...names, ...(project.manager === 'bun' ? ['index.ts'] : [])].find((name) => files.has(name));
  return file === undefined ? undefined : [...commands.program, file];
}

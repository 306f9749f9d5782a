import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

/** A command before it is loaded: its line in `boxwright --help`, and how to get it. */
export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<(context: CommandContext) => Command>;
}

/** Every command, in the order of the help. Each is loaded only when it is called, so that small ones start fast. */
export const commandTable: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  [
    'build',
    {
      summary: 'build an image from a Dockerfile',
      load: async () => (await import('./commands/build.ts')).buildCommand,
    },
  ],
  [
    'deploy',
    {
      summary: 'build and push the images of a project file',
      load: async () => (await import('./commands/deploy.ts')).deployCommand,
    },
  ],
  [
    'variables',
    {
      summary: 'edit, encrypt and decrypt the variables and blocks of deployments',
      load: async () => (await import('./commands/variables.ts')).variablesCommand,
    },
  ],
  ['run', { summary: 'run one command in an image', load: async () => (await import('./commands/run.ts')).runCommand }],
  [
    'import',
    {
      summary: 'make an image from a root file system tar',
      load: async () => (await import('./commands/import.ts')).importCommand,
    },
  ],
  [
    'unpack',
    {
      summary: "unpack an image's file system into a directory",
      load: async () => (await import('./commands/unpack.ts')).unpackCommand,
    },
  ],
  [
    'images',
    {
      summary: 'list the images of the local store',
      load: async () => (await import('./commands/images.ts')).imagesCommand,
    },
  ],
  ['tag', { summary: 'give an image another name', load: async () => (await import('./commands/tag.ts')).tagCommand }],
  ['rmi', { summary: 'remove names of images', load: async () => (await import('./commands/rmi.ts')).rmiCommand }],
  [
    'prune',
    {
      summary: 'free the space of what no image needs',
      load: async () => (await import('./commands/prune.ts')).pruneCommand,
    },
  ],
  [
    'pull',
    {
      summary: 'bring images from a registry into the local store',
      load: async () => (await import('./commands/pull.ts')).pullCommand,
    },
  ],
  [
    'push',
    {
      summary: 'bring an image of the local store to a registry',
      load: async () => (await import('./commands/push.ts')).pushCommand,
    },
  ],
  [
    'copy',
    {
      summary: 'copy an image between any two places',
      load: async () => (await import('./commands/copy.ts')).copyCommand,
    },
  ],
  ['tags', { summary: "list a repository's tags", load: async () => (await import('./commands/tags.ts')).tagsCommand }],
  [
    'login',
    {
      summary: 'store credentials for a registry, or explain which are used',
      load: async () => (await import('./commands/login.ts')).loginCommand,
    },
  ],
  [
    'logout',
    {
      summary: "remove a registry's credentials",
      load: async () => (await import('./commands/logout.ts')).logoutCommand,
    },
  ],
  [
    'save',
    { summary: 'write images to an archive', load: async () => (await import('./commands/save.ts')).saveCommand },
  ],
  [
    'load',
    {
      summary: 'read images from an archive or OCI layout',
      load: async () => (await import('./commands/load.ts')).loadCommand,
    },
  ],
  [
    'inspect',
    { summary: "show an image's documents", load: async () => (await import('./commands/inspect.ts')).inspectCommand },
  ],
  [
    'history',
    { summary: "show an image's history", load: async () => (await import('./commands/history.ts')).historyCommand },
  ],
  [
    'page',
    {
      summary: 'explain an image: history with sizes and labels, settings',
      load: async () => (await import('./commands/page.ts')).pageCommand,
    },
  ],
  [
    'dockerfile',
    {
      summary: 'write the Dockerfile that an image was built from',
      load: async () => (await import('./commands/dockerfile.ts')).dockerfileCommand,
    },
  ],
  [
    'files',
    {
      summary: 'list the files of an image, or what a layer changes; extract them',
      load: async () => (await import('./commands/files.ts')).filesCommand,
    },
  ],
  ['cat', { summary: 'print a file of an image', load: async () => (await import('./commands/cat.ts')).catCommand }],
  [
    'waste',
    {
      summary: 'measure what an image carries without need',
      load: async () => (await import('./commands/waste.ts')).wasteCommand,
    },
  ],
  ['diff', { summary: 'compare two images', load: async () => (await import('./commands/diff.ts')).diffCommand }],
  [
    'doctor',
    {
      summary: 'tell what works on this machine and what is missing',
      load: async () => (await import('./commands/doctor.ts')).doctorCommand,
    },
  ],
]);

import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildRequest, BuildResult, RetryPolicy } from '@boxwright/build';
import { safeJson, UsageError } from '@boxwright/errors';
import { rememberUntagged } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { newCommand } from '../commander.ts';
import { createRenderer, type ProgressMode } from '../progress/create-renderer.ts';
import type { RegistryNote } from '../registry-note.ts';
import { isRoot, runInUserNamespace } from '../user-namespace.ts';
import { writeFileAtomically } from '../write-file.ts';
import { addBuildFlags, type BuildFlags } from './build-flags.ts';
import { buildRequest, usesStandardOutput } from './build-request.ts';
import { engineOptions } from './engine-flags.ts';
import { handOnStdinDockerfile, readStdinDockerfile } from './stdin-dockerfile.ts';

const examples = [
  'boxwright build -t app .',
  'boxwright build -t app:1.2 -t app:latest --build-arg VERSION=1.2 --target release .',
  'boxwright build -f docker/Dockerfile --secret id=token,env=TOKEN -t app .',
  'boxwright build -o type=oci,dest=app.tar .            an OCI archive',
  'boxwright build -o type=docker,dest=- -t app . | docker load',
  'boxwright build --push -t registry.example.com/team/app:1.2 .',
  'boxwright build --engine buildx --platform linux/amd64,linux/arm64 --push -t registry.example.com/app .',
  'boxwright build -o out .                              the file system, as files in ./out',
  "printf 'FROM scratch\\nCOPY . /\\n' | boxwright build -f - -t files .",
];

/** `boxwright build`. */
export function buildCommand(context: CommandContext): Command {
  const command = newCommand('build', 'Builds an image from a Dockerfile.', context, examples).argument(
    '<context>',
    'directory with the files that COPY and ADD read',
  );
  return addBuildFlags(command).action((place: string, flags: BuildFlags) => build(place, flags, context));
}

async function build(place: string, flags: BuildFlags, context: CommandContext): Promise<void> {
  // Only buildx makes an image of several.
  const platforms = flags.engine === 'buildx' && flags.platform?.includes(',') ? flags.platform.split(',') : [];
  const { platform: _, ...others } = flags;
  const request = buildRequest(place, platforms.length === 0 ? flags : others, context);
  const options = engineOptions(flags, context, platforms);
  const toStandardOutput = usesStandardOutput(request.outputs);
  if (toStandardOutput && context.stdout.isTTY === true) {
    throw new UsageError('an archive is not written to a terminal', {
      hint: 'Redirect standard output, or give a dest=FILE.',
    });
  }
  const files = resultFiles(flags, context.cwd);
  // A file left from an earlier build must not pass for this one's if this one fails.
  for (const file of Object.values(files)) if (file !== undefined) removeStale(file);

  const dockerfile = request.dockerfilePath === '-' ? await readStdinDockerfile(context) : undefined;
  let onNote: (note: RegistryNote) => void = () => {};
  using places = new CommandPlaces(context, { store: flags.store, onNote: (note) => onNote(note) });
  const store = places.store();
  const complete: BuildRequest = {
    ...request,
    ...(dockerfile === undefined ? {} : { dockerfileText: dockerfile }),
    store,
    registries: places.registries,
    signal: context.signal,
  };
  if (flags.engine === 'embedded' && (isRoot() || (await needsPrivilege(complete)))) {
    if (!isRoot() && dockerfile !== undefined) handOnStdinDockerfile(store, dockerfile);
    if (await runInUserNamespace(context)) return;
  }
  const result = await runEngine(complete, { flags, options }, context, (listener) => {
    onNote = listener;
  });
  if (result.tags.length === 0 && result.manifest !== undefined)
    rememberUntagged(store, result.imageId, result.manifest);
  if (files.metadata !== undefined) writeFileAtomically(files.metadata, `${safeJson(result.metadata, 2)}\n`);
  if (files.imageId !== undefined) writeFileAtomically(files.imageId, result.imageId);
  if (!toStandardOutput) context.stdout.write(`${result.imageId}\n`);
}

/** Metadata and copies need no privilege, RUN does. */
async function needsPrivilege(request: BuildRequest): Promise<boolean> {
  const { needsSandbox } = await import('@boxwright/build');
  return needsSandbox(request);
}

async function runEngine(
  request: BuildRequest,
  { flags, options }: { readonly flags: BuildFlags; readonly options: ReturnType<typeof engineOptions> },
  context: CommandContext,
  listen: (listener: (note: RegistryNote) => void) => void,
): Promise<BuildResult> {
  const renderer = await createRenderer(progressMode(flags), context.stderr, context.colors);
  // What a registry says stands at the end with the other warnings; tries that failed show as waiting.
  listen(({ level, text }) => {
    if (level === 'warning') renderer.onEvent({ type: 'warning', message: text });
  });
  const { createEngine, defaultWaits, useThisThreadForSandboxes } = await import('@boxwright/build');
  if (flags.engine === 'embedded' && context.ownsProcess) useThisThreadForSandboxes();
  // A try that failed shows as the warning that it is.
  const onRetry: RetryPolicy['onRetry'] = ({ attempt, attempts, error, waitMs }) =>
    renderer.onEvent({
      type: 'warning',
      message: `try ${attempt} of ${attempts} failed: ${error.message}; again in ${waitMs / 1000} s`,
    });
  const engine = createEngine(flags.engine, { ...options, retry: { waits: defaultWaits, onRetry } });
  try {
    return await engine.build({ ...request, onEvent: (event) => renderer.onEvent(event) });
  } finally {
    renderer.finish();
  }
}

/** A program that reads errors as JSON finds the output of a failed step in them. */
function progressMode({ quiet, progress }: BuildFlags): ProgressMode | 'silent' {
  if (!quiet) return progress;
  return progress === 'rawjson' ? 'silent' : 'quiet';
}

function resultFiles(flags: BuildFlags, cwd: string): { readonly imageId?: string; readonly metadata?: string } {
  return {
    ...(flags.iidfile === undefined ? {} : { imageId: resolve(cwd, flags.iidfile) }),
    ...(flags.metadataFile === undefined ? {} : { metadata: resolve(cwd, flags.metadataFile) }),
  };
}

/** Only regular files: `--iidfile /dev/stdout` is lawful. */
function removeStale(file: string): void {
  if (!file.startsWith('/dev/')) rmSync(file, { force: true });
}

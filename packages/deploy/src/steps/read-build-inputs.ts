import type { NamedContext, NetworkMode, SecretSource } from '@boxwright/build';
import type { PlainValue } from '../yaml/index.ts';
import { isPlainObject } from '../yaml/index.ts';
import type { BuildDockerImageOptions } from './build-docker-image-options.ts';
import { readBackend } from './read-backend.ts';
import { pathInStep } from './step-context.ts';
import type { ReadContext } from './step-definition.ts';
import type { StepInputs } from './step-inputs.ts';

/** Inputs that Prefect's step has by itself. */
const own = [
  'image_name',
  'dockerfile',
  'tag',
  'additional_tags',
  'ignore_cache',
  'persist_dockerfile',
  'dockerfile_output_path',
  'build_backend',
] as const;

/** Arguments of docker-py's and of buildx's build that mean something here, both spellings of each. */
const passedOn = [
  'path',
  'context',
  'pull',
  'nocache',
  'cache',
  'target',
  'buildargs',
  'build_args',
  'labels',
  'platform',
  'platforms',
  'network_mode',
  'network',
  'extra_hosts',
  'add_hosts',
  'secrets',
  'build_contexts',
  'push',
  'cache_from',
  'cache_to',
  'ssh',
  'builder',
  'shmsize',
  'timeout',
  'use_config_proxy',
] as const;

/** Arguments that change nothing of the image, or that all engines here do anyway. */
const withoutEffect = ['rm', 'forcerm', 'quiet', 'gzip', 'decode', 'progress', 'load', 'stream_logs'];

/** Arguments that cannot be followed; false and null ask for nothing. */
const unsupported: ReadonlyMap<string, string> = new Map([
  ['squash', 'Copy the files into a second stage instead.'],
  ['isolation', 'It is for Windows only.'],
  ['container_limits', 'Limit the engine instead.'],
  ['output', "Use 'boxwright build --output', or 'push: true'."],
  ['metadata_file', "Use the results of the step, or 'boxwright deploy --format json'."],
  ['provenance', 'No attestations are made.'],
  ['sbom', 'No attestations are made.'],
  ['attest', 'No attestations are made.'],
  ['allow', 'Leave it out.'],
  ['tags', 'Use tag and additional_tags.'],
  ['file', 'Use dockerfile.'],
  ['fileobj', 'Use dockerfile.'],
  ['custom_context', 'Use path.'],
  ['encoding', 'Use path.'],
]);

/** Names of all inputs of a build step. */
export const buildInputNames: readonly string[] = [...own, ...passedOn, ...withoutEffect, ...unsupported.keys()];

/** Reads the inputs of `build_docker_image`. @throws LocatedError STEP_INPUT_INVALID, STEP_INPUT_UNSUPPORTED */
export function readBuildInputs(inputs: StepInputs, context: ReadContext): BuildDockerImageOptions {
  for (const [name, hint] of unsupported) {
    const value = inputs.value(name);
    if (value !== undefined && value !== false) throw inputs.unsupported(name, hint);
  }
  return {
    imageName: inputs.requiredText('image_name'),
    dockerfile: inputs.text('dockerfile'),
    tag: inputs.text('tag'),
    additionalTags: inputs.texts('additional_tags'),
    ignoreCache: inputs.boolean('ignore_cache'),
    persistDockerfile: inputs.boolean('persist_dockerfile'),
    dockerfileOutputPath: inputs.text('dockerfile_output_path'),
    buildBackend: readBackend(inputs),
    path: oneOf(inputs, 'path', 'context', (name) => inputs.text(name)),
    pull: inputs.boolean('pull'),
    noCache: readNoCache(inputs),
    target: inputs.text('target'),
    buildArgs: oneOf(inputs, 'buildargs', 'build_args', (name) => inputs.textMap(name)),
    labels: inputs.textMap('labels'),
    platforms: oneOf(inputs, 'platform', 'platforms', (name) => inputs.textOrTexts(name)),
    network: readNetwork(inputs),
    extraHosts: oneOf(inputs, 'extra_hosts', 'add_hosts', (name) => inputs.textMap(name)),
    secrets: inputs.textOrTexts('secrets')?.map((text) => readSecret(inputs, text, context)),
    buildContexts: readContexts(inputs, context),
    push: inputs.boolean('push'),
    cacheFrom: readCaches(inputs, 'cache_from'),
    cacheTo: readCaches(inputs, 'cache_to'),
    ssh: inputs.textOrTexts('ssh'),
    builder: inputs.text('builder'),
    shmSize: inputs.number('shmsize'),
    timeoutSeconds: inputs.number('timeout'),
    useConfigProxy: inputs.boolean('use_config_proxy'),
  };
}

/** An argument that the two libraries spell differently. */
function oneOf<T>(inputs: StepInputs, first: string, second: string, read: (name: string) => T): T {
  if (inputs.has(first) && inputs.has(second))
    throw inputs.invalid(second, `is there beside ${first}`, 'Leave one of them out.');
  return read(inputs.has(second) ? second : first);
}

function readNoCache(inputs: StepInputs): boolean | undefined {
  const cache = inputs.boolean('cache');
  return inputs.boolean('nocache') ?? (cache === undefined ? undefined : !cache);
}

function readNetwork(inputs: StepInputs): NetworkMode | undefined {
  const mode = oneOf(inputs, 'network_mode', 'network', (name) => inputs.text(name));
  switch (mode) {
    case undefined:
    case 'default':
    case 'host':
    case 'none':
      return mode;
    case 'bridge':
      return 'default';
    default:
      throw inputs.invalid(inputs.has('network') ? 'network' : 'network_mode', 'must be default, host or none');
  }
}

/** `id=token,src=./token.txt`, `id=token,env=TOKEN`, as `docker build --secret` takes it. */
function readSecret(inputs: StepInputs, text: string, context: ReadContext): SecretSource {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1));
  }
  const file = fields.get('src') ?? fields.get('source');
  const id = fields.get('id') ?? file;
  const env = fields.get('env');
  if (id === undefined || id === '')
    throw inputs.invalid('secrets', 'needs an id: id=NAME,src=FILE or id=NAME,env=VARIABLE');
  if (file !== undefined && fields.get('type') !== 'env') return { id, source: { file: pathInStep(context, file) } };
  const variable = env ?? file ?? id;
  const value = context.env[variable];
  if (value === undefined) throw inputs.invalid('secrets', `names the variable ${variable}, which is not set`);
  context.redactor.add(value);
  return { id, source: { value: Buffer.from(value) } };
}

function readContexts(inputs: StepInputs, context: ReadContext): ReadonlyMap<string, NamedContext> | undefined {
  const written = inputs.textMap('build_contexts');
  if (written === undefined) return undefined;
  const contexts = new Map<string, NamedContext>();
  for (const [name, place] of written) {
    if (place.startsWith('docker-image://')) {
      contexts.set(name, { kind: 'image', reference: place.slice('docker-image://'.length) });
    } else if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) {
      throw inputs.invalid('build_contexts', `can be directories and docker-image://NAME, not ${place}`);
    } else contexts.set(name, { kind: 'directory', path: pathInStep(context, place) });
  }
  return contexts;
}

/** `type=registry,ref=…` as text, or its fields as a mapping; one or several. */
function readCaches(inputs: StepInputs, name: string): readonly string[] | undefined {
  const value = inputs.value(name);
  if (value === undefined) return undefined;
  const items: readonly PlainValue[] = Array.isArray(value) ? value : [value];
  return items.map((item: PlainValue) => {
    if (typeof item === 'string') return item;
    if (!isPlainObject(item))
      throw inputs.invalid(name, 'must be texts or mappings, for example {type: registry, ref: NAME}');
    return Object.entries(item)
      .map(([key, field]) => `${key}=${typeof field === 'object' ? JSON.stringify(field) : field}`)
      .join(',');
  });
}

import { type BuildOutput, createEmbeddedEngine } from '@boxwright/build';
import { BoxwrightError } from '@boxwright/errors';
import {
  compressLayers,
  copyImage,
  type Descriptor,
  familiarName,
  type ImageStore,
  parseReference,
  type RegistryAccess,
  type RegistryDestination,
  registryDestination,
  repositoryName,
  storeSource,
} from '@boxwright/oci';
import type { RegistryLogin } from '../registry-login.ts';
import { refuseExtras } from './refuse-extras.ts';
import type { PushedTag, StepBuildRequest, StepEngine, StepPushRequest } from './step-engine.ts';

/** What the embedded engine works with. */
export interface EmbeddedStepEngineOptions {
  readonly store: () => ImageStore;
  /**
   * Registries, with a login of one step where there is one. What is opened for a login is closed by the caller of this
   * function; the others stay open.
   */
  readonly registries: (login?: RegistryLogin) => RegistryAccess;
}

const gzip = { compression: 'gzip' } as const;

/** Builds with Boxwright's own engine and pushes from its store: no daemon. */
export function embeddedStepEngine({ store, registries }: EmbeddedStepEngineOptions): StepEngine {
  const engine = createEmbeddedEngine();
  return {
    name: 'embedded',
    async build(request) {
      refuseExtras('embedded', request.extras, ['platforms']);
      const outputs: readonly BuildOutput[] = request.push ? [{ type: 'image', push: { compression: gzip } }] : [];
      const result = await engine.build({ ...plain(request), store: store(), registries: () => registries(), outputs });
      const bytes = store()
        .image(result.manifest)
        .layers()
        .reduce((sum, { descriptor }) => sum + descriptor.size, 0);
      return { imageId: result.imageId, digest: result.digest, bytes };
    },
    identityOf: (reference) => Promise.resolve(store().resolve(reference)?.digest),
    async push(request) {
      const access = registries(request.login);
      try {
        await pushAll(store(), access, request);
      } finally {
        // A login does not outlive its step, nor does a connection that it was used on.
        if (request.login !== undefined) access.close();
      }
    },
  };
}

/** The request without what is not the engine's. */
function plain(request: StepBuildRequest): Omit<StepBuildRequest, 'push' | 'extras'> {
  const { push: _push, extras: _extras, ...rest } = request;
  return rest;
}

async function pushAll(store: ImageStore, access: RegistryAccess, request: StepPushRequest): Promise<void> {
  const { references, row, signal, onPushed } = request;
  // All names are looked at before anything is sent.
  const images = references.map((reference) => ({ reference, descriptor: stored(store, reference) }));
  const destinations = new Map<string, RegistryDestination>();
  try {
    for (const { reference, descriptor } of images) {
      const name = parseReference(reference);
      const repository = repositoryName(name);
      const destination =
        destinations.get(repository) ??
        registryDestination(access, { registry: name.domain, path: name.path }, { signal });
      destinations.set(repository, destination);
      const pushed = await pushOne(store, { reference, descriptor }, destination, request);
      const state = pushed.upToDate ? ' (up to date)' : '';
      row.line(`${familiarName(name)}: digest: ${pushed.digest}${state}`);
      onPushed(reference, pushed);
    }
    for (const destination of destinations.values()) await destination.finish();
  } catch (error) {
    for (const destination of destinations.values()) await destination.abort();
    throw error;
  }
}

async function pushOne(
  store: ImageStore,
  { reference, descriptor }: { readonly reference: string; readonly descriptor: Descriptor },
  destination: RegistryDestination,
  { row, signal }: StepPushRequest,
): Promise<PushedTag> {
  const done = new Map<string, number>();
  const copied = await copyImage(storeSource(store), { descriptor, names: [reference] }, destination, {
    signal,
    encodeLayer: compressLayers(store, gzip),
    onEvent(event) {
      if (event.kind === 'found' || event.kind === 'started') return;
      const { digest, size } = event.descriptor;
      const isDone = event.kind === 'finished';
      const current = isDone ? event.entry.bytes : (done.get(digest) ?? 0) + event.bytes;
      done.set(digest, current);
      // While layers are compressed on their way nobody knows how large they become.
      const total = isDone ? current : Math.max(current, size);
      const what = isDone && event.entry.state !== 'copied' ? `${event.entry.state} ${digest}` : `pushing ${digest}`;
      row.status(what, current, total, isDone);
    },
  });
  const { ledger, upToDate } = copied;
  const layers = ledger.entries.filter(({ role }) => role === 'layer');
  // Of an image that was there only its digest was asked for.
  const bytes = upToDate && layers.length === 0 ? undefined : layers.reduce((sum, entry) => sum + entry.bytes, 0);
  return { digest: copied.descriptor.digest, bytes, upToDate };
}

function stored(store: ImageStore, reference: string): Descriptor {
  const descriptor = store.resolve(reference);
  if (descriptor !== undefined) return descriptor;
  const name = parseReference(reference);
  const repository = repositoryName(name);
  const others = store
    .listTags()
    .map((tag) => parseReference(tag.name))
    .filter((other) => repositoryName(other) === repository)
    .flatMap(({ tag }) => tag ?? []);
  const shown = familiarName(name);
  throw new BoxwrightError('IMAGE_NOT_FOUND', `there is no image ${shown} in the store ${store.root}`, {
    hint:
      others.length === 0
        ? 'A push takes what a build step before it made, under the same image_name and tag.'
        : `There ${others.length === 1 ? 'is the tag' : 'are the tags'} ${others.slice(0, 10).join(', ')}.`,
    details: { reference, store: store.root },
  });
}

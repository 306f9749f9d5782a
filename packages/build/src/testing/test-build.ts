import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ImageConfig, ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach } from 'vitest';
import { listLayer } from '../copy/testing/copied.ts';
import { createEmbeddedEngine } from '../engine/embedded.ts';
import type { BuildRequest, StoredBuildResult } from '../engine/engine.ts';
import type { BuildEvent } from '../events.ts';

/** What a build gave, with what it reported on the way. */
export interface TestResult extends StoredBuildResult {
  readonly events: readonly BuildEvent[];
  readonly config: ImageConfig;
  /** Entries of each layer: see {@link listLayer}. */
  readonly layers: readonly (readonly string[])[];
}

/** A store and a build context that a test builds with. */
export interface TestBuilder {
  readonly store: ImageStore;
  readonly context: string;
  readonly write: (path: string, content: string) => void;
  readonly build: (dockerfile: string, request?: Partial<BuildRequest>) => Promise<TestResult>;
}

/** Call at the top of a test file, then the result in each test. */
export function testBuilders(): () => TestBuilder {
  const temporary = temporaryDirectories();
  const stores: ImageStore[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });
  return () => {
    const store = ImageStore.open(temporary());
    stores.push(store);
    const context = temporary();
    return {
      store,
      context,
      write(path, content) {
        mkdirSync(dirname(join(context, path)), { recursive: true });
        writeFileSync(join(context, path), content);
      },
      async build(dockerfile, request = {}) {
        const events: BuildEvent[] = [];
        const result = await createEmbeddedEngine().build({
          ...defaults(store, context),
          dockerfileText: dockerfile,
          onEvent: (event) => events.push(event),
          ...request,
        });
        const image = store.image(result.manifest);
        const layers = image.layers().map(({ diffId }) => listLayer(store, diffId));
        return { ...result, events, config: image.config(), layers };
      },
    };
  };
}

/** A request that asks for nothing in particular. */
export function defaults(store: ImageStore, context: string): BuildRequest {
  return {
    store,
    contextDir: context,
    dockerfilePath: 'Dockerfile',
    tags: [],
    buildArgs: new Map(),
    labels: new Map(),
    noCache: false,
    secrets: [],
    namedContexts: new Map(),
    network: 'default',
    extraHosts: [],
    outputs: [],
  };
}

/** Names of the steps that came from the cache, and of those that were executed, in the order they ended. */
export function outcomes(events: readonly BuildEvent[]): { readonly cached: string[]; readonly executed: string[] } {
  const names = new Map<string, string>();
  const cached = new Set<string>();
  const executed: string[] = [];
  for (const event of events) {
    if (event.type === 'vertex') names.set(event.id, event.name);
    else if (event.type === 'cached') cached.add(event.id);
    else if (event.type === 'completed' && !cached.has(event.id)) executed.push(names.get(event.id) ?? '');
  }
  const shown = (name: string): boolean => !name.startsWith('[internal]') && !name.startsWith('exporting');
  return { cached: [...cached].map((id) => names.get(id) ?? '').filter(shown), executed: executed.filter(shown) };
}

/** Errors that steps ended with, with the name of the step. */
export function failures(events: readonly BuildEvent[]): readonly (readonly [string, string])[] {
  const names = new Map(events.flatMap((event) => (event.type === 'vertex' ? [[event.id, event.name] as const] : [])));
  return events.flatMap((event) =>
    event.type === 'completed' && event.error !== undefined
      ? [[names.get(event.id) ?? '', event.error.code] as const]
      : [],
  );
}

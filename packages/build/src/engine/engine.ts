import type { Descriptor, Digest, ImageStore, LayerCompressionChoice, Platform, RegistryAccess } from '@boxwright/oci';
import type { BuildEvent } from '../events.ts';

/** Where a named build context (`--build-context NAME=VALUE`) comes from. */
export type NamedContext =
  | { readonly kind: 'directory'; readonly path: string }
  /** `oci-layout://DIR[:TAG|@DIGEST]` */
  | { readonly kind: 'oci-layout'; readonly path: string; readonly tag?: string; readonly digest?: Digest }
  /** `docker-image://REF`: looked up in the local store, then in its registry. */
  | { readonly kind: 'image'; readonly reference: string };

/** `--secret id=..,src=..|env=..`: the bytes are read when a RUN mounts it, never hashed, never logged. */
export interface SecretSource {
  readonly id: string;
  readonly source: { readonly file: string } | { readonly env: string } | { readonly value: Uint8Array };
}

/** How an image goes to the registries of its names: `--push`, `-o type=registry`, `-o type=image,push=true`. */
export interface PushOptions {
  /** Of layers that are not compressed; undefined leaves them. */
  readonly compression: LayerCompressionChoice | undefined;
}

/** `-o type=..,dest=..`; the local store is always written unless no output asks for it and `tags` is empty of names. */
export type BuildOutput =
  | { readonly type: 'image'; readonly push?: PushOptions }
  | { readonly type: 'oci'; readonly dest: string; readonly tar: boolean }
  | { readonly type: 'docker'; readonly dest: string }
  | { readonly type: 'local'; readonly dest: string }
  | { readonly type: 'tar'; readonly dest: string };

export type NetworkMode = 'default' | 'host' | 'none';

/** Everything one build needs: no environment variable, no working directory is consulted behind it. */
export interface BuildRequest {
  readonly store: ImageStore;
  /** Registries for images that are not in the store, and to push to; absent: only the store is looked at. */
  readonly registries?: () => RegistryAccess;
  /** Asks registries for all images of FROM and `--from`, also for those that the store has (`--pull`). */
  readonly pull?: boolean;
  /** Directory with the files that COPY and ADD may read. */
  readonly contextDir: string;
  /** Dockerfile path as the user named it, for messages; its `.dockerignore` sibling is looked up from here. */
  readonly dockerfilePath: string;
  /** Given when the text does not come from that path (stdin, generated). */
  readonly dockerfileText?: string;
  readonly tags: readonly string[];
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations?: ReadonlyMap<string, string>;
  readonly platform?: Platform;
  /** True, or the stages that must not use the cache (`--no-cache-filter`). */
  readonly noCache: boolean | readonly string[];
  readonly secrets: readonly SecretSource[];
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  readonly network: NetworkMode;
  /** `--add-host` entries. */
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[];
  readonly outputs: readonly BuildOutput[];
  /** Seconds since 1970; clamps every time that the build writes (https://reproducible-builds.org/specs/source-date-epoch/). */
  readonly sourceDateEpoch?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: BuildEvent) => void;
}

/** What a finished build made. */
export interface BuildResult {
  /**
   * Digest of the config blob: what Docker calls the image id. Of an index, which has none, its own digest. An engine that
   * keeps its images in containerd's store calls them by the digest of the manifest, and this is what it calls them.
   */
  readonly imageId: Digest;
  /** What the names of the image can be pulled by: of what was pushed, else of the manifest that the engine keeps, if it keeps any. */
  readonly digest?: Digest;
  /** The manifest as kept in the local store; engines that keep images elsewhere have none there. */
  readonly manifest?: Descriptor;
  readonly tags: readonly string[];
  /** What `--metadata-file` writes, with buildx's keys. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An image in the local store. */
export interface StoredBuildResult extends BuildResult {
  readonly digest: Digest;
  readonly manifest: Descriptor;
}

/** An engine turns a request into an image: this package's own, a Docker Engine, or buildx. */
export interface BuildEngine {
  readonly name: 'embedded' | 'docker' | 'buildx';
  build(request: BuildRequest): Promise<BuildResult>;
}

/** The engine that keeps its images in the store of the request. */
export interface EmbeddedEngine extends BuildEngine {
  readonly name: 'embedded';
  build(request: BuildRequest): Promise<StoredBuildResult>;
}

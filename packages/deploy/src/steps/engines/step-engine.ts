import type { BuildRequest, EngineName } from '@boxwright/build';
import type { Digest } from '@boxwright/oci';
import type { RegistryLogin } from '../registry-login.ts';
import type { ProgressRow } from '../step-progress.ts';

/** What only some engines can do. */
export interface EngineExtras {
  /** `type=registry,ref=…`, or a name. */
  readonly cacheFrom?: readonly string[] | undefined;
  readonly cacheTo?: readonly string[] | undefined;
  /** `default`, or `ID=SOCKET`. */
  readonly ssh?: readonly string[] | undefined;
  /** Several platforms: the result is an index, and is pushed. */
  readonly platforms?: readonly string[] | undefined;
  /** Builder of buildx. */
  readonly builder?: string | undefined;
  /** Bytes of /dev/shm of commands. */
  readonly shmSize?: number | undefined;
}

/** A build as steps ask for it; the engine knows its store and registries. */
export interface StepBuildRequest extends Omit<BuildRequest, 'store' | 'registries' | 'outputs'> {
  /** Pushes what was built under all its tags. */
  readonly push: boolean;
  readonly extras: EngineExtras;
}

/** An image that was built. */
export interface BuiltImage {
  /** Digest of its config; of an index its own. */
  readonly imageId: Digest;
  /** Digest of its manifest, where the engine tells; of what was pushed, where it was. */
  readonly digest: Digest | undefined;
  /** Bytes of its layers as the engine keeps them, where it tells. */
  readonly bytes: number | undefined;
}

/** Brings an image to the registries of its names. */
export interface StepPushRequest {
  /** Canonical references with tags, in the order of pushing: what the image is called here and there. */
  readonly references: readonly string[];
  /** Credentials for this push alone. */
  readonly login: RegistryLogin | undefined;
  readonly row: ProgressRow;
  readonly signal: AbortSignal;
  /** Called after each reference. The next one is not begun when one has failed. */
  readonly onPushed: (reference: string, image: PushedTag) => void;
}

/** A tag that a registry has now. */
export interface PushedTag {
  /** Digest of the manifest that it stands for there, where the engine tells. */
  readonly digest: Digest | undefined;
  /** Bytes of the image in the registry, compressed, where the engine tells. */
  readonly bytes: number | undefined;
  /** The registry had all of it under that tag. */
  readonly upToDate: boolean;
}

/** What steps need of an engine. */
export interface StepEngine {
  readonly name: EngineName;
  build(request: StepBuildRequest): Promise<BuiltImage>;
  /** Says which image a name stands for here, for keys; undefined when there is none, or nobody can tell. */
  identityOf(reference: string): Promise<string | undefined>;
  /** @throws BoxwrightError IMAGE_NOT_FOUND, those of registries */
  push(request: StepPushRequest): Promise<void>;
}

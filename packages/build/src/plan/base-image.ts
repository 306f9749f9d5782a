import type { Descriptor, Digest, Platform } from '@boxwright/oci';
import type { NamedContext } from '../engine/engine.ts';
import type { ImageState } from './image-state.ts';

/** A layer of an image that exists already: its blob as the manifest names it, and what it unpacks to. */
export interface BaseLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** An image a stage starts from or copies from. */
export interface BaseImage {
  /** Canonical name, for messages and progress: `docker.io/library/debian:12`. */
  readonly name: string;
  readonly state: ImageState;
  readonly layers: readonly BaseLayer[];
}

/** Where the planner finds images; the embedded engine looks in the local store. */
export interface BaseImages {
  /** @throws BoxwrightError `IMAGE_NOT_FOUND`, `PLATFORM_NOT_FOUND` */
  resolve(name: string | NamedContext, platform: Platform): Promise<BaseImage>;
}

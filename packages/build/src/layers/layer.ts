import { statSync } from 'node:fs';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { type Digest, type ImageStore, type OverlayNamespace, opaqueXattr } from '@boxwright/oci';
import { getXattr, isAvailable } from '@boxwright/sys';
import type { WrittenLayer } from '../copy/write-layer.ts';
import type { BuildTasks } from '../workers/tasks.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';

/** Bytes of a layer that is unpacked on the main thread: less than starting a worker for it takes. */
const INLINE_UNPACK = 256 << 10;

/** What layers need to come into being. */
export interface LayerEnvironment {
  readonly store: ImageStore;
  readonly pool: WorkerPool;
  /** The tasks of the pool on this thread, for what is small. */
  readonly inline: BuildTasks;
  readonly overlay: OverlayNamespace;
}

/**
 * A layer of a stage: a tar that may still be on its way, and the directory it unpacks to, which only a RUN asks for and
 * which the RUN that made the layer has already.
 */
export class Layer {
  readonly #environment: LayerEnvironment;
  readonly #written: Promise<WrittenLayer>;
  readonly #tarPath: (written: WrittenLayer) => string | Promise<string>;
  readonly #unpacked: (() => string) | undefined;
  #directory: Promise<string> | undefined;

  /**
   * @param written diffID and size, once the tar is complete
   * @param tarPath where the uncompressed tar is; the store's blob of that digest unless the layer came compressed
   * @param unpacked where its unpacked form is, if there is one already; it may move when the build ends
   */
  constructor(
    environment: LayerEnvironment,
    written: Promise<WrittenLayer>,
    tarPath?: (written: WrittenLayer) => string | Promise<string>,
    unpacked?: () => string,
  ) {
    this.#environment = environment;
    this.#written = written;
    this.#tarPath = tarPath ?? (({ diffId }) => environment.store.blobPath(diffId));
    this.#unpacked = unpacked;
    // Whoever needs the layer sees the failure; nobody needing it any more is no crash.
    written.catch(() => {});
  }

  /** The directory a RUN of this build has just filled; undefined for layers that came another way. */
  get upper(): string | undefined {
    return this.#unpacked?.();
  }

  /** diffID and size; waits until the layer is complete. */
  written(): Promise<WrittenLayer> {
    return this.#written;
  }

  diffId(): Promise<Digest> {
    return this.#written.then(({ diffId }) => diffId);
  }

  /** Path of the uncompressed tar. */
  async tar(): Promise<string> {
    return this.#tarPath(await this.#written);
  }

  /** Path of the layer's directory in overlayfs form; unpacks it unless the store has it. `below`: the layers under it. */
  async directory(below: readonly Layer[] = []): Promise<string> {
    if (this.#unpacked !== undefined) return this.#unpacked();
    this.#directory ??= this.#unpack(below);
    return this.#directory;
  }

  async #unpack(below: readonly Layer[]): Promise<string> {
    const { store, pool, inline, overlay } = this.#environment;
    const { diffId } = await this.#written;
    const known = store.snapshots.get(diffId);
    if (known !== undefined) return known;
    const tar = await this.tar();
    const tars = await Promise.all(below.map((layer) => layer.tar()));
    try {
      if (statSync(tar).size <= INLINE_UNPACK) return inline.unpackSnapshot(tar, diffId, tars, overlay);
      return await pool.call(pool.pick(), 'unpackSnapshot', tar, diffId, tars, overlay);
    } catch (error) {
      throw overlay === 'user' ? unmappedOwner(error) : error;
    }
  }
}

/** chown(2) says EINVAL for an id that the user namespace does not have. */
function unmappedOwner(error: unknown): unknown {
  if (!isBoxwrightError(error) || error.code !== 'LAYER_UNPACK' || error.details['errno'] !== 'EINVAL') return error;
  return new BoxwrightError(
    'SANDBOX_USER_UNMAPPED',
    `a user of the image does not exist in this user namespace: ${error.message}`,
    {
      hint: 'install newuidmap (package uidmap) and give your user ranges in /etc/subuid and /etc/subgid, or build as root',
      cause: error,
      details: error.details,
    },
  );
}

/**
 * Directories of a stack of layers, base first, unpacked where they have to be. A layer that occurs twice (empty ones often
 * do) is only listed where it is topmost: it hides its lower self, and overlayfs refuses a directory twice. Below a layer
 * whose root is opaque nothing is listed: overlayfs heeds that mark on directories inside a layer only.
 */
export async function directoriesOf(layers: readonly Layer[]): Promise<readonly string[]> {
  const directories = await Promise.all(layers.map((layer, at) => layer.directory(layers.slice(0, at))));
  const unique = directories.filter((directory, at) => directories.lastIndexOf(directory) === at);
  const opaque = unique.findLastIndex(isOpaque);
  return unique.slice(Math.max(0, opaque));
}

function isOpaque(directory: string): boolean {
  return (
    isAvailable() &&
    OVERLAY_NAMESPACES.some((namespace) => getXattr(directory, opaqueXattr(namespace))?.toString() === 'y')
  );
}

const OVERLAY_NAMESPACES = ['trusted', 'user'] as const;

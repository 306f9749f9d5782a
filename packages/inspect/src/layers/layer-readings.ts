import { closeSync, openSync, statSync } from 'node:fs';
import {
  type Digest,
  type ImageLayer,
  type ImageSource,
  type ImageStore,
  LayerIndex,
  type ScannedEntry,
  scanTar,
} from '@boxwright/oci';
import { ListingWriter, readListing } from './layer-listing.ts';
import { type LayerFacts, type LayerPassOptions, passLayer } from './layer-pass.ts';
import { LayerSizeCounter } from './layer-size.ts';

/** How layers are read when they have to be. */
export type LayerReadingOptions = Pick<LayerPassOptions, 'onProgress' | 'signal'>;

/**
 * What layers hold, each read at most once: facts and listings are kept in the store under the diffID, so that looking
 * again, also at another image with the same layer, reads nothing. A layer that the store has uncompressed is scanned
 * (headers only), any other one is streamed through {@link passLayer}.
 */
export class LayerReadings {
  readonly #store: ImageStore;
  readonly #source: ImageSource;
  readonly #options: LayerReadingOptions;
  readonly #indexes = new Map<Digest, Promise<LayerIndex>>();

  constructor(store: ImageStore, source: ImageSource, options: LayerReadingOptions = {}) {
    this.#store = store;
    this.#source = source;
    this.#options = options;
  }

  /** What is known of a layer without reading it. */
  known({ diffId }: ImageLayer): LayerFacts | undefined {
    return factsOf(this.#store.cache.get(factsKey(diffId))?.value);
  }

  /** @throws BoxwrightError as {@link passLayer} */
  async facts(layer: ImageLayer): Promise<LayerFacts> {
    return this.known(layer) ?? (await this.#read(layer, undefined));
  }

  /**
   * The entries of a layer by path.
   *
   * @throws BoxwrightError as {@link passLayer} and {@link LayerIndex}
   */
  index(layer: ImageLayer): Promise<LayerIndex> {
    const running = this.#indexes.get(layer.diffId) ?? this.#index(layer);
    this.#indexes.set(layer.diffId, running);
    return running;
  }

  async #index(layer: ImageLayer): Promise<LayerIndex> {
    const tarPath = this.#store.layerTarPresent(layer.diffId) ?? '';
    const file = this.#store.file('layer-listings', layer.diffId);
    const kept = file.read();
    const listed = kept === undefined ? undefined : readListing(kept);
    if (listed !== undefined) return new LayerIndex(tarPath, listed);
    const entries: ScannedEntry[] = [];
    const writer = new ListingWriter();
    await this.#read(layer, (entry) => {
      entries.push(entry);
      writer.add(entry);
    });
    const index = new LayerIndex(tarPath, entries);
    // Only what made sense is kept: a hostile layer is refused again each time.
    file.replace(writer.bytes());
    return index;
  }

  async #read(layer: ImageLayer, onEntry: ((entry: ScannedEntry) => void) | undefined): Promise<LayerFacts> {
    const tarPath = this.#store.layerTarPresent(layer.diffId);
    const facts =
      tarPath === undefined
        ? await passLayer(this.#source, layer, { ...this.#options, ...(onEntry === undefined ? {} : { onEntry }) })
        : scan(tarPath, onEntry);
    this.#store.cache.put(factsKey(layer.diffId), { ...facts }, { blobs: [] });
    return facts;
  }
}

/** The store checked these bytes when they came in; only headers are read. */
function scan(tarPath: string, onEntry: ((entry: ScannedEntry) => void) | undefined): LayerFacts {
  const counter = new LayerSizeCounter();
  let entries = 0;
  const fd = openSync(tarPath, 'r');
  try {
    for (const scanned of scanTar(fd)) {
      entries++;
      counter.add(scanned.entry);
      onEntry?.(scanned);
    }
  } finally {
    closeSync(fd);
  }
  const { bytes, danglingHardLinks } = counter.result();
  return { size: bytes, danglingHardLinks, entries, tarSize: statSync(tarPath).size };
}

function factsKey(diffId: Digest): string {
  return `layer-facts 1 ${diffId}`;
}

/** The record as it was kept; undefined for one that another version wrote. */
function factsOf(value: unknown): LayerFacts | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [size, danglingHardLinks, entries, tarSize] = ['size', 'danglingHardLinks', 'entries', 'tarSize'].map(
    (name) => {
      const found = fields.get(name);
      return typeof found === 'number' ? found : undefined;
    },
  );
  if (size === undefined || danglingHardLinks === undefined || entries === undefined || tarSize === undefined)
    return undefined;
  return { size, danglingHardLinks, entries, tarSize };
}

import { closeSync, openSync, statSync } from 'node:fs';
import {
  type CompressionKind,
  type ImageLayer,
  type ImageSource,
  type ImageStore,
  LayerIndex,
  type ScannedEntry,
  scanTar,
} from '@boxwright/oci';
import { ContentDigests, FileHasher } from './content-digests.ts';
import { type KeptListing, KeptReadings } from './kept-readings.ts';
import type { ListedEntry } from './layer-listing.ts';
import { type LayerFacts, type LayerPassOptions, passLayer } from './layer-pass.ts';
import { LayerSizeCounter } from './layer-size.ts';
import { RestartWriter } from './restart-table.ts';

/** How layers are read when they have to be. */
export type LayerReadingOptions = Pick<LayerPassOptions, 'onProgress' | 'signal'>;

/** What is in a layer. */
export interface LayerListing {
  readonly index: LayerIndex;
  /** SHA-256 of the files' contents, by `dataOffset` of the index's nodes. */
  readonly digests: ContentDigests;
  /** False when only headers were read: `digests` is empty then. */
  readonly hasDigests: boolean;
}

/**
 * What layers hold, each read at most once: facts and listings are kept in the store under the diffID, so that looking
 * again, also at another image with the same layer, reads nothing. A layer that the store has uncompressed is scanned
 * (headers only), any other one is streamed through {@link passLayer}.
 */
export class LayerReadings {
  readonly #store: ImageStore;
  readonly #kept: KeptReadings;
  readonly #source: ImageSource;
  readonly #options: LayerReadingOptions;
  readonly #listings = new Map<string, Promise<LayerListing>>();

  constructor(store: ImageStore, source: ImageSource, options: LayerReadingOptions = {}) {
    this.#store = store;
    this.#kept = new KeptReadings(store);
    this.#source = source;
    this.#options = options;
  }

  /** What is known of a layer without reading it. */
  known({ diffId }: ImageLayer): LayerFacts | undefined {
    return this.#kept.facts(diffId);
  }

  /** @throws BoxwrightError as {@link passLayer} */
  async facts(layer: ImageLayer): Promise<LayerFacts> {
    const known = this.known(layer);
    if (known !== undefined) return known;
    const tarPath = this.#store.layerTarPresent(layer.diffId);
    const facts = tarPath === undefined ? await passLayer(this.#source, layer, this.#options) : scan(tarPath, () => {});
    this.#kept.keepFacts(layer.diffId, facts);
    return facts;
  }

  /**
   * Shows the entries of a layer one by one, in the order of the archive and none of them kept: names at the cost of
   * {@link facts}, which are known after it.
   *
   * @throws BoxwrightError as {@link passLayer}
   */
  async entries(layer: ImageLayer, onEntry: (entry: ScannedEntry) => void): Promise<void> {
    const kept = this.known(layer) === undefined ? undefined : this.#kept.listing(layer.diffId, false);
    if (kept !== undefined) {
      for (const entry of kept.entries) onEntry(entry);
      return;
    }
    const tarPath = this.#store.layerTarPresent(layer.diffId);
    const facts =
      tarPath === undefined
        ? await passLayer(this.#source, layer, { ...this.#options, onEntry })
        : scan(tarPath, onEntry);
    this.#kept.keepFacts(layer.diffId, facts);
  }

  /**
   * The entries of a layer by path.
   *
   * @throws BoxwrightError as {@link passLayer} and {@link LayerIndex}
   */
  async index(layer: ImageLayer): Promise<LayerIndex> {
    return (await this.listing(layer)).index;
  }

  /**
   * The entries of a layer by path, and the digests of its files.
   *
   * @param needsDigests read the contents, too, where the store has the layer uncompressed
   * @throws BoxwrightError as {@link passLayer} and {@link LayerIndex}
   */
  async listing(layer: ImageLayer, needsDigests = false): Promise<LayerListing> {
    const running = this.#listings.get(layer.diffId) ?? this.#listing(layer, needsDigests);
    this.#listings.set(layer.diffId, running);
    const listing = await running;
    if (listing.hasDigests || !needsDigests) return listing;
    const whole = this.#listing(layer, true);
    this.#listings.set(layer.diffId, whole);
    return await whole;
  }

  async #listing(layer: ImageLayer, needsDigests: boolean): Promise<LayerListing> {
    const tarPath = this.#store.layerTarPresent(layer.diffId);
    const kept = this.#kept.listing(layer.diffId, needsDigests);
    if (kept !== undefined) return collectListing(tarPath, kept);
    const isScan = tarPath !== undefined && !needsDigests;
    const pass = async (onEntry: (entry: ListedEntry) => void): Promise<void> => {
      const facts = isScan ? scan(tarPath, onEntry) : await this.#read(layer, onEntry);
      this.#kept.keepFacts(layer.diffId, facts);
    };
    const sink = this.#kept.writeListing(layer.diffId, !isScan);
    if (sink !== undefined) {
      try {
        await pass((entry) => sink.add(entry));
        sink.keep();
      } catch (error) {
        sink.drop();
        throw error;
      }
      // What was written is read again, which takes less memory than having it twice.
      const written = this.#kept.listing(layer.diffId, needsDigests);
      if (written !== undefined) return collectListing(tarPath, written);
    }
    const entries: ListedEntry[] = [];
    await pass((entry) => entries.push(entry));
    return collectListing(tarPath, { entries, hasDigests: !isScan });
  }

  /** Reads the whole layer, files hashed, and notes where it can be entered later. */
  async #read(layer: ImageLayer, onEntry: (entry: ListedEntry) => void): Promise<LayerFacts> {
    const hasher = new FileHasher();
    const restarts = new RestartWriter();
    let compression: CompressionKind = 'none';
    let waiting: ScannedEntry | undefined;
    // An entry is handed on when its content has passed by.
    const handOn = (sha256?: Buffer): void => {
      if (waiting !== undefined) onEntry(sha256 === undefined ? waiting : { ...waiting, sha256 });
      waiting = undefined;
    };
    const facts = await passLayer(this.#source, layer, {
      ...this.#options,
      onEntry: (entry) => {
        handOn();
        waiting = entry;
        hasher.begin(entry.entry.size);
      },
      onData: (chunk) => {
        const sha256 = hasher.push(chunk);
        if (sha256 !== undefined) handOn(sha256);
      },
      onCompression: (kind) => {
        compression = kind;
      },
      onPoint: (point) => restarts.add(point),
    });
    handOn();
    this.#kept.keepRestarts(layer.descriptor.digest, restarts.bytes(compression));
    return facts;
  }
}

function collectListing(tarPath: string | undefined, { entries, hasDigests }: KeptListing): LayerListing {
  const digests = new ContentDigests();
  const noting = function* (): Generator<ScannedEntry, void, undefined> {
    for (const entry of entries) {
      if (entry.sha256 !== undefined) digests.add(entry.dataOffset, entry.sha256);
      yield entry;
    }
  };
  return { index: new LayerIndex(tarPath ?? '', noting()), digests, hasDigests };
}

/** The store checked these bytes when they came in; only headers are read. */
function scan(tarPath: string, onEntry: (entry: ScannedEntry) => void): LayerFacts {
  const counter = new LayerSizeCounter();
  let entries = 0;
  const fd = openSync(tarPath, 'r');
  try {
    for (const scanned of scanTar(fd)) {
      entries++;
      counter.add(scanned.entry);
      onEntry(scanned);
    }
  } finally {
    closeSync(fd);
  }
  const { bytes, danglingHardLinks } = counter.result();
  return { size: bytes, danglingHardLinks, entries, tarSize: statSync(tarPath).size };
}

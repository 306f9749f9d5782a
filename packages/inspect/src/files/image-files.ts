import { BoxwrightError } from '@boxwright/errors';
import {
  type ByteString,
  displayPath,
  type ImageLayer,
  type ImageSource,
  type ImageStore,
  ImageTree,
  type LayerIndex,
  type ResolvedPath,
  type TreeNode,
} from '@boxwright/oci';
import { LayerContents } from '../layers/layer-contents.ts';
import { type LayerListing, type LayerReadingOptions, LayerReadings } from '../layers/layer-readings.ts';
import { preferringStore } from '../layers/preferring-store.ts';

/** Layers that are read at the same time: one is hashed while another is expanded or on its way. */
const concurrency = 2;

/** The files of an image at any place. Layers are read when something depends on them, top first, and not kept. */
export class ImageFiles {
  /** Base first. */
  readonly layers: readonly ImageLayer[];
  readonly #readings: LayerReadings;
  readonly #contents: LayerContents;
  readonly #listings: (LayerListing | undefined)[];

  /**
   * @param store keeps what was learned of layers
   * @param source where layers are read that the store knows nothing of
   */
  constructor(
    store: ImageStore,
    source: ImageSource,
    layers: readonly ImageLayer[],
    options: LayerReadingOptions = {},
  ) {
    this.layers = layers;
    const place = preferringStore(store, source);
    this.#readings = new LayerReadings(store, place, options);
    this.#contents = new LayerContents(store, place, this.#readings, options);
    this.#listings = layers.map(() => undefined);
  }

  /**
   * What one layer has, base 0.
   *
   * @throws BoxwrightError as `LayerReadings.listing`; RangeError when there is no such layer
   */
  async listing(layer: number): Promise<LayerListing> {
    const known = this.#listings[layer];
    if (known !== undefined) return known;
    const found = this.layers[layer];
    if (found === undefined) throw new RangeError(`the image has no layer ${layer}`);
    const listing = await this.#readings.listing(found);
    this.#listings[layer] = listing;
    return listing;
  }

  /** What all layers have, base first. @throws BoxwrightError as {@link listing} */
  async listings(): Promise<readonly LayerListing[]> {
    const waiting = [...this.layers.keys()];
    const work = async (): Promise<void> => {
      for (let layer = waiting.pop(); layer !== undefined; layer = waiting.pop()) await this.listing(layer);
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return this.#listings.filter((listing) => listing !== undefined);
  }

  /** The file system of the image, or of its lowest layers only. @throws BoxwrightError as {@link listing} */
  async tree(layerCount: number = this.layers.length): Promise<ImageTree> {
    const listings = await this.listings();
    return treeOf(listings.slice(0, layerCount).map(({ index }) => index));
  }

  /**
   * Where a path leads, links followed inside the image. Layers are read from the top down, no more than it takes.
   *
   * @throws BoxwrightError PATH_LINK_LOOP, PATH_INVALID; as {@link listing}
   */
  async resolve(path: ByteString): Promise<ResolvedPath> {
    for (;;) {
      try {
        return new ImageTree(this.layers.map((_, layer) => () => this.#loaded(layer))).resolve(path);
      } catch (error) {
        if (!(error instanceof NotLoaded)) throw error;
        await this.listing(error.layer);
      }
    }
  }

  /**
   * {@link resolve} for what has to be there.
   *
   * @throws BoxwrightError FILE_NOT_FOUND
   */
  async find(path: ByteString): Promise<TreeNode> {
    const { node, notDirectory } = await this.resolve(path);
    if (node !== undefined) return node;
    const why = notDirectory === undefined ? '' : `: ${displayPath(notDirectory.path)} is a ${notDirectory.entry.type}`;
    throw new BoxwrightError('FILE_NOT_FOUND', `there is no ${displayPath(path)} in the image${why}`, {
      hint: 'boxwright files IMAGE --search NAME finds it by its name.',
    });
  }

  /**
   * The content of a regular file, checked before its last piece; each piece is valid until the next one is asked for.
   *
   * @throws BoxwrightError NOT_A_FILE; as `LayerContents.read`
   */
  read(node: TreeNode): AsyncGenerator<Buffer, void, undefined> {
    const layer = this.layers[node.layer];
    if (node.entry.type !== 'file' || layer === undefined) {
      throw new BoxwrightError(
        'NOT_A_FILE',
        `${displayPath(node.path)} in the image is a ${node.entry.type}, not a file`,
      );
    }
    return this.#contents.read(layer, node);
  }

  /**
   * The contents of many files, each layer passed once. The nodes come layer by layer, in the order that they have there.
   *
   * @throws BoxwrightError as {@link read}
   */
  async *readMany(
    nodes: readonly TreeNode[],
  ): AsyncGenerator<{ readonly file: TreeNode; readonly piece: Buffer }, void, undefined> {
    for (const [number, layer] of this.layers.entries()) {
      yield* this.#contents.readMany(
        layer,
        nodes.filter((node) => node.layer === number && node.entry.type === 'file'),
      );
    }
  }

  #loaded(layer: number): LayerIndex {
    const listing = this.#listings[layer];
    if (listing === undefined) throw new NotLoaded(layer);
    return listing.index;
  }
}

/** A tree of indexes that are at hand, base first. */
export function treeOf(indexes: readonly LayerIndex[]): ImageTree {
  return new ImageTree(indexes.map((index) => () => index));
}

/** A synchronous tree wants a layer that has to be waited for. */
class NotLoaded extends Error {
  readonly layer: number;

  constructor(layer: number) {
    super(`layer ${layer} is not read yet`);
    this.layer = layer;
  }
}

import type { Descriptor } from '../documents/descriptor.ts';
import { encodedDescriptor, type LayerEncoder } from './layer-encoder.ts';
import { type BlobPart, mayBeAbsent, type Transfer } from './transfer.ts';

/** Asks nobody: says what parts would become, as far as that is remembered from earlier copies. */
export class RecallTransfer implements Transfer {
  readonly #encoder: LayerEncoder | undefined;

  constructor(encoder: LayerEncoder | undefined) {
    this.#encoder = encoder;
  }

  /** What stays as it is needs no look. */
  async holds(): Promise<boolean> {
    return true;
  }

  async blob({ role, descriptor }: BlobPart): Promise<Descriptor | undefined> {
    const encoding = role === 'layer' ? this.#encoder?.(descriptor) : undefined;
    if (encoding === undefined) return descriptor;
    const recalled = mayBeAbsent(descriptor) ? undefined : encoding.recall();
    return recalled === undefined ? undefined : encodedDescriptor(descriptor, encoding, recalled);
  }

  async document(): Promise<void> {}

  absent(): void {}
}

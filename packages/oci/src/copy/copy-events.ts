import type { Descriptor } from '../documents/descriptor.ts';
import type { LedgerEntry, PartRole } from './ledger.ts';

/**
 * What a copy tells while it runs. Descriptors are those at the source, and name the same part in all its events:
 *  - `found`: the part belongs to the copy; its size adds to what there is to do;
 *  - `started`: its bytes are on their way (never for what exists or is mounted);
 *  - `bytes`: so many more of them have arrived, as they are at the destination (compressed, where that was asked for);
 *    negative when some were lost or wrong and come again;
 *  - `finished`: done, with what became of it.
 * Manifests and indexes come with `finished` only.
 */
export type CopyEvent =
  | { readonly kind: 'found'; readonly role: PartRole; readonly descriptor: Descriptor }
  | { readonly kind: 'started'; readonly role: PartRole; readonly descriptor: Descriptor }
  | { readonly kind: 'bytes'; readonly descriptor: Descriptor; readonly bytes: number }
  | { readonly kind: 'finished'; readonly descriptor: Descriptor; readonly entry: LedgerEntry };

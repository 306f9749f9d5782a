import { type CopyEvent, compressionOf, type Descriptor } from '@boxwright/oci';
import type { TransferEvent } from './transfer-event.ts';

/** Turns what a copy tells into what renderers draw. @param compresses layers are compressed on their way */
export function transferEventOf(event: CopyEvent, compresses: boolean): TransferEvent {
  const id = event.descriptor.digest;
  switch (event.kind) {
    case 'found':
      return { type: 'found', id, kind: event.role, size: sizeOf(event.descriptor, compresses) };
    case 'started':
      return { type: 'started', id, kind: event.role };
    case 'bytes':
      return { type: 'bytes', id, count: event.bytes };
    case 'finished': {
      const { role, bytes, state } = event.entry;
      return { type: 'finished', id, kind: role, size: bytes, outcome: state };
    }
    default:
      return event satisfies never;
  }
}

/** What a layer is compressed to is known at the end only. */
function sizeOf({ mediaType, size }: Descriptor, compresses: boolean): number | undefined {
  return compresses && compressionOf(mediaType) === 'none' ? undefined : size;
}

import { closeSync, openSync, readSync } from 'node:fs';
import type { Descriptor, ImageSource, ImageStore, RegistrySource } from '@boxwright/oci';

/** Parts of blobs. The bytes are not checked: whoever asks for a part has to know what must come of it. */
export interface BlobRanges {
  /**
   * The bytes from `from` up to, not including, `to`. Each piece is valid until the next one is asked for. Ends early,
   * or begins nowhere, when the place cannot do that.
   */
  read(descriptor: Descriptor, from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

const pieceBytes = 256 * 1024;

/** Parts of what the store has, else of what a registry has; undefined for places that give out whole blobs only. */
export function rangesOf(store: ImageStore, source: ImageSource, descriptor: Descriptor): BlobRanges | undefined {
  if (store.hasBlob(descriptor.digest)) return storeRanges(store);
  return isRegistrySource(source) ? registryRanges(source) : undefined;
}

function storeRanges(store: ImageStore): BlobRanges {
  return {
    async *read({ digest }, from, to, signal) {
      const fd = openSync(store.blobPath(digest), 'r');
      try {
        const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, to - from));
        for (let at = from; at < to; ) {
          signal?.throwIfAborted();
          const count = readSync(fd, buffer, 0, Math.min(buffer.length, to - at), at);
          if (count === 0) return;
          yield buffer.subarray(0, count);
          at += count;
        }
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** The one kind of source that has a client; `ImageSource` itself knows no parts of blobs. */
function isRegistrySource(source: ImageSource): source is RegistrySource {
  return source.repository !== undefined && 'client' in source;
}

/** Tries of one part, those that brought something included. */
const maxTries = 6;

/** OCI distribution-spec "Pulling blobs": a registry SHOULD support Range. One that does not sends it all. */
function registryRanges({ client, repository }: RegistrySource): BlobRanges {
  const { registries } = client;
  const ask = async ({ digest, size }: Descriptor, from: number, to: number, signal?: AbortSignal) => {
    const response = await registries.send(repository, {
      method: 'GET',
      target: `/v2/${repository.path}/blobs/${digest}`,
      scopes: [{ repository, actions: ['pull'] }],
      headers: { range: `bytes=${from}-${to - 1}` },
      expect: [200, 206, 416],
      what: `part of blob ${digest}`,
      allowMirrors: true,
      ...(signal === undefined ? {} : { signal }),
    });
    const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(response.header('content-range') ?? '');
    const isRange =
      response.status === 206 && Number(range?.[1]) === from && (range?.[2] === '*' || Number(range?.[2]) === size);
    // An encoding that nobody asked for makes parts of something else.
    const isPlain = (response.header('content-encoding') ?? 'identity') === 'identity';
    if (isPlain && (isRange || (response.status === 200 && from === 0))) return response;
    await response.discard();
    return undefined;
  };
  return {
    async *read(descriptor, from, to, signal) {
      let position = from;
      for (let tries = 1; position < to; tries++) {
        const response = await ask(descriptor, position, to, signal);
        if (response === undefined) return;
        try {
          for await (const piece of response.body) {
            const part = piece.subarray(0, to - position);
            position += part.length;
            yield part;
            if (position >= to) return;
          }
          return;
        } catch (error) {
          signal?.throwIfAborted();
          if (tries >= maxTries || !registries.isTransient(error)) throw error;
          await registries.pause(tries, error, signal);
        }
      }
    },
  };
}

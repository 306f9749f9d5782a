import { closeSync, readSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { openContent } from '../../copy/content-digest.ts';
import type { SourceNode } from '../../source/source-tree.ts';

/**
 * A file of a build context piece by piece, however large it is. A piece is valid until the next one is asked for.
 *
 * @throws BoxwrightError FILE_CHANGED when it is shorter than it was when it was listed
 */
export function* filePieces(node: SourceNode, size: number): Generator<Uint8Array, void, undefined> {
  const { content } = node;
  if (content === undefined || node.size === 0) return;
  if (content.kind === 'bytes') {
    for (let at = 0; at < content.data.length; at += size) yield content.data.subarray(at, at + size);
    return;
  }
  if (content.kind === 'tar') throw new TypeError('a build context has no files in archives');
  const buffer = Buffer.allocUnsafe(Math.min(size, node.size));
  const descriptor = openContent(content);
  try {
    for (let done = 0; done < node.size; ) {
      const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, node.size - done), done);
      if (count === 0)
        throw new BoxwrightError('FILE_CHANGED', `${String(content.path)} became shorter while it was read`);
      yield buffer.subarray(0, count);
      done += count;
    }
  } finally {
    closeSync(descriptor);
  }
}

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { OverlayNamespace, SnapshotWriter } from '@boxwright/oci';
import { Layer } from '../layers/layer.ts';
import { type BuildSession, epochNs } from './session.ts';

/** An upper directory with no more than this is packed on the main thread: less than a message to a worker takes. */
const INLINE_ENTRIES = 64;
const INLINE_BYTES = 1 << 20;

/**
 * Packs what a RUN changed as a layer. A small change is packed at once; a large one in a worker beside the next step,
 * which mounts the directory meanwhile: it must not move before the build ends.
 */
export function packRunLayer(session: BuildSession, snapshot: SnapshotWriter, overlay: OverlayNamespace): Layer {
  const clamp = epochNs(session.request);
  if (isSmall(snapshot.dir)) {
    const written = session.inline.packUpper(snapshot.dir, overlay, clamp);
    const directory = snapshot.commit(written.diffId);
    return new Layer(session, Promise.resolve(written), undefined, () => directory);
  }
  const packed = session.pool.call(session.pool.pick(), 'packUpper', snapshot.dir, overlay, clamp);
  session.atEnd.push(() =>
    packed.then(
      ({ diffId }) => void snapshot.commit(diffId),
      () => snapshot.abort(),
    ),
  );
  return new Layer(session, packed, undefined, () => snapshot.dir);
}

function isSmall(directory: string): boolean {
  const pending = [directory];
  let entries = 0;
  let bytes = 0;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const child of readdirSync(at, { withFileTypes: true, encoding: 'buffer' })) {
      if (++entries > INLINE_ENTRIES) return false;
      const path = join(at, child.name.toString('latin1'));
      if (child.isDirectory()) pending.push(path);
      else if (child.isFile()) bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (bytes > INLINE_BYTES) return false;
    }
  }
  return true;
}

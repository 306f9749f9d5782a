import type { CopyEvent, Digest } from '@boxwright/oci';
import type { StepProgress } from './progress.ts';

/** Amounts of a blob are reported so often, milliseconds. */
const reportInterval = 100;

/**
 * Reports the blobs of a copy as BuildKit does: `sha256:… 12.3MB / 45.6MB`.
 *
 * @param prefix stands before the digest
 */
export function layerReports(step: StepProgress, prefix = ''): (event: CopyEvent) => void {
  const done = new Map<Digest, number>();
  const reportedAt = new Map<Digest, number>();
  return (event) => {
    const { digest, size } = event.descriptor;
    const name = `${prefix}${digest}`;
    if (event.kind === 'started') {
      done.set(digest, 0);
      step.status(name, 0, size, 'bytes', false);
    } else if (event.kind === 'bytes') {
      const current = (done.get(digest) ?? 0) + event.bytes;
      done.set(digest, current);
      const now = Date.now();
      if (now - (reportedAt.get(digest) ?? 0) < reportInterval) return;
      reportedAt.set(digest, now);
      step.status(name, current, Math.max(size, current), 'bytes', false);
    } else if (event.kind === 'finished' && done.has(digest)) {
      step.status(name, event.entry.bytes, event.entry.bytes, 'bytes', true);
    }
  };
}

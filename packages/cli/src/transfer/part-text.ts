import { escapeForTerminal } from '@boxwright/errors';
import { formatSizeProgress } from '@boxwright/inspect';
import type { Part } from './transfer-trace.ts';

/** `layer 8d5f2a3b4c5d`: the kind, and as much of the digest as Docker shows. */
export function partName(part: Part): string {
  const hex = part.id.slice(part.id.indexOf(':') + 1);
  return `${part.kind} ${escapeForTerminal(hex.slice(0, 12))}`;
}

/** `12.30MB / 45.60MB`; of what has no known size only what is done. */
export function partAmount(part: Part): string {
  const { done, size } = part;
  return size === undefined ? formatSizeProgress(done) : `${formatSizeProgress(done)} / ${formatSizeProgress(size)}`;
}

/** `45.60MB copied in 3.2s`, `45.60MB already there`, `45.60MB mounted`. */
export function partResult(part: Part): string {
  const size = formatSizeProgress(part.size ?? part.done);
  if (part.outcome === 'exists') return `${size} already there`;
  if (part.outcome === 'mounted') return `${size} mounted`;
  if (part.outcome === 'absent') return `${size} left out: the source has it not`;
  const seconds = ((part.finishedAt ?? 0) - (part.startedAt ?? part.finishedAt ?? 0)) / 1000;
  return `${size} copied${seconds >= 0.1 ? ` in ${seconds.toFixed(1)}s` : ''}`;
}

/** `4.20MB/s`. */
export function rateText(bytesPerSecond: number): string {
  return `${formatSizeProgress(Math.round(bytesPerSecond))}/s`;
}

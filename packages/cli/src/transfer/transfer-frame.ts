import { escapeForTerminal } from '@boxwright/errors';
import { displayWidth, formatSizeProgress, padToWidth, truncateToWidth } from '@boxwright/inspect';
import { type FrameRow, fitRows } from '../progress/fit-rows.ts';
import { partAmount, partName, partResult, rateText } from './part-text.ts';
import type { Part, Speed, TransferTrace } from './transfer-trace.ts';

/** Columns of a bar, brackets included. */
const barWidth = 32;
/** A terminal narrower than this has no room for bars. */
const widthWithBar = 78;
/** Notes at the end of the picture. */
const shownNotes = 3;

/** How {@link transferFrame} draws. */
export interface TransferFrameOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Lines that the frame may have. */
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Rate of the whole transfer. */
  readonly speed: Speed;
  /** Milliseconds that the whole has taken, once it is over: stands in for the rate. */
  readonly elapsed: number | undefined;
  /** Wraps the line of what is done. */
  readonly done: (text: string) => string;
  /** Wraps notes. */
  readonly note: (text: string) => string;
}

/**
 * The picture of a transfer at one moment, one string per terminal line, none wider than the terminal: a head line with
 * the whole, a line per part with its bar and rate, and the last notes. Finished parts give way first.
 */
export function transferFrame(trace: TransferTrace, options: TransferFrameOptions): string[] {
  const notes = trace.notes
    .slice(-shownNotes)
    .map((text) => options.note(truncateToWidth(escapeForTerminal(text), options.width)));
  const rows: FrameRow[] = [...trace.parts.values()].map((part) => ({
    text: partLine(part, options),
    running: part.startedAt !== undefined && part.outcome === undefined,
  }));
  const room = Math.max(0, options.height - 1 - notes.length);
  return [headLine(trace, options), ...fitRows(rows, room), ...notes].slice(0, Math.max(1, options.height));
}

function headLine(trace: TransferTrace, { width, now, speed, elapsed }: TransferFrameOptions): string {
  const rate = elapsed === undefined ? speed.look(now, trace.bytes) : undefined;
  const amounts = [
    `${trace.finished}/${trace.parts.size}`,
    `${formatSizeProgress(trace.arrived)} / ${formatSizeProgress(trace.total)}`,
    ...(rate === undefined ? [] : [rateText(rate)]),
    ...(elapsed === undefined ? [] : [`${(elapsed / 1000).toFixed(1)}s`]),
  ].join('  ');
  const title = escapeForTerminal(trace.title);
  const room = width - displayWidth(amounts) - 6;
  const shown = room < 10 ? '' : ` ${truncateToWidth(title, room, '…')}`;
  return truncateToWidth(`[+]${shown}  ${amounts}`, width);
}

function partLine(part: Part, options: TransferFrameOptions): string {
  const name = padToWidth(` ${partName(part)}`, ' manifest 123456789abc'.length);
  if (part.outcome !== undefined) {
    return options.done(truncateToWidth(`${name}  ${partResult(part)}`, options.width));
  }
  if (part.startedAt === undefined) return truncateToWidth(`${name}  waiting`, options.width);
  const rate = part.speed.look(options.now, part.done);
  const bar = options.width < widthWithBar || part.size === undefined ? '' : `${barOf(part.done, part.size)}  `;
  return truncateToWidth(
    `${name}  ${bar}${partAmount(part)}${rate === undefined ? '' : `  ${rateText(rate)}`}`,
    options.width,
  );
}

/** `[=====>      ]` */
function barOf(done: number, size: number): string {
  const inner = barWidth - 2;
  const filled = size <= 0 ? inner : Math.min(inner, Math.floor((Math.max(0, done) / size) * inner));
  const bar = filled === inner ? '='.repeat(inner) : `${'='.repeat(filled)}>`;
  return `[${bar.padEnd(inner)}]`;
}

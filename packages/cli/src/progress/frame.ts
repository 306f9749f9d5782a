import { displayWidth, padToWidth, truncateToWidth } from '@boxwright/inspect';
import { type FrameRow, fitRows } from './fit-rows.ts';
import { statusAmount, stepName } from './status-text.ts';
import { type Step, type StepStatus, type Trace } from './trace.ts';

/** Lines of output shown under a running step. */
const tailLines = 6;
/** Fewer columns than this hold no step line. */
const narrowest = 20;

/** Colours of a frame: each wraps text, or hands it back unchanged where colours are off. */
export interface FrameColors {
  readonly done: (text: string) => string;
  readonly failed: (text: string) => string;
  readonly canceled: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** How {@link renderFrame} draws. */
export interface FrameOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Lines that the frame may have; `Infinity` for the last frame, which stays. */
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly startedAt: number;
  readonly colors: FrameColors;
  readonly final: boolean;
}

/**
 * The picture of a build at one moment, one string per terminal line, none wider than the terminal: a head line, a
 * line per started step, its counters, and the last output of running steps. Where the terminal is too low, finished
 * steps give way first, the oldest first.
 */
export function renderFrame(trace: Trace, options: FrameOptions): string[] {
  const room = options.height - 1;
  const tails = shownTails(trace.started, room);
  const rows = trace.started.flatMap((step) => stepRows(step, tails.get(step) ?? 0, options));
  return [headLine(trace, options), ...fitRows(rows, room)];
}

function headLine(trace: Trace, options: FrameOptions): string {
  const seconds = Math.max(0, options.now - options.startedAt) / 1000;
  const finished = options.final && trace.completed === trace.total && trace.total > 0 ? ' FINISHED' : '';
  const text = `[+] Building ${seconds.toFixed(1)}s (${trace.completed}/${trace.total})${finished}`;
  return truncateToWidth(text, options.width);
}

/** How many lines of output each running step may show, so that every running step keeps its own line. */
function shownTails(steps: readonly Step[], room: number): Map<Step, number> {
  const running = steps.filter((step) => step.completedAt === undefined);
  const needed = running.reduce((sum, step) => sum + 1 + step.statuses.size, 0);
  // Some finished steps above keep the eye on what has happened.
  let free = Number.isFinite(room) ? room - needed - Math.min(3, steps.length - running.length) : 0;
  const tails = new Map<Step, number>();
  for (const step of running.toReversed()) {
    const lines = Math.max(0, Math.min(tailLines, step.lines.length, free));
    tails.set(step, lines);
    free -= lines;
  }
  return tails;
}

function stepRows(step: Step, tail: number, options: FrameOptions): FrameRow[] {
  const running = step.completedAt === undefined;
  const rows: FrameRow[] = [{ text: stepLine(step, options), running }];
  for (const status of step.statuses.values()) rows.push({ text: statusLine(status, step, options), running });
  for (const line of tail === 0 ? [] : step.lines.slice(-tail)) {
    const text = truncateToWidth(` => => # ${line.replaceAll('\t', '    ')}`, options.width);
    rows.push({ text: options.colors.dim(text), running });
  }
  return rows;
}

function stepLine(step: Step, options: FrameOptions): string {
  const { colors } = options;
  const time = ((step.completedAt ?? options.now) - (step.startedAt ?? options.now)) / 1000;
  const name = stepName(step);
  if (step.error !== undefined) {
    return step.canceled
      ? timedLine(` => CANCELED ${name}`, time, options.width, colors.canceled)
      : timedLine(` => ERROR ${name}`, time, options.width, colors.failed);
  }
  if (step.cached) return timedLine(` => CACHED ${name}`, time, options.width, colors.done);
  return timedLine(` => ${name}`, time, options.width, step.completedAt === undefined ? unchanged : colors.done);
}

function statusLine(status: StepStatus, step: Step, options: FrameOptions): string {
  const end = status.done ? status.time : (step.completedAt ?? options.now);
  const name = status.name.replace(/\s+/g, ' ');
  const amount = statusAmount(status);
  const text = ` => => ${name}${amount === '' ? '' : ` ${amount}`}`;
  const color = status.done || step.completedAt !== undefined ? options.colors.done : unchanged;
  return timedLine(text, (end - status.startedAt) / 1000, options.width, color);
}

/** Text on the left, seconds on the right, exactly as wide as the terminal. */
function timedLine(text: string, seconds: number, width: number, color: (text: string) => string): string {
  if (width < narrowest) return color(truncateToWidth(text, width));
  // Below a twentieth of a second nothing is worth a figure, as in BuildKit.
  const time = ` ${(seconds < 0.05 ? 0 : seconds).toFixed(1)}s`;
  const left = width - displayWidth(time);
  return color(padToWidth(truncateToWidth(text, left), left) + time);
}

function unchanged(text: string): string {
  return text;
}

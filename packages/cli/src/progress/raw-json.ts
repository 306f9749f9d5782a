import { createHash } from 'node:crypto';
import type { BuildEvent } from '@boxwright/build';
import { safeJson } from '@boxwright/errors';
import type { ProgressOutput, ProgressRenderer } from './renderer.ts';
import { type Step, Trace } from './trace.ts';

/**
 * One JSON object per line with the fields of BuildKit's SolveStatus (`vertexes`, `statuses`, `logs`, `warnings`), as
 * `docker buildx build --progress=rawjson` prints them.
 */
export class RawJsonRenderer implements ProgressRenderer {
  readonly #output: ProgressOutput;
  readonly #trace = new Trace();

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  onEvent(event: BuildEvent): void {
    const { step } = this.#trace.apply(event);
    this.#output.write(`${safeJson(solveStatus(event, step))}\n`);
  }

  finish(): void {}
}

function solveStatus(event: BuildEvent, step: Step | undefined): Record<string, unknown> {
  switch (event.type) {
    case 'warning':
      return { warnings: [warning(event)] };
    case 'log':
      return {
        logs: [
          {
            vertex: vertexDigest(event.id),
            stream: event.stream,
            data: base64(event.data),
            timestamp: timestamp(event.time),
          },
        ],
      };
    case 'status': {
      const startedAt = step?.statuses.get(event.name)?.startedAt ?? event.time;
      return {
        statuses: [
          {
            id: event.name,
            vertex: vertexDigest(event.id),
            ...(event.total === undefined ? {} : { total: event.total }),
            current: event.current,
            timestamp: timestamp(event.time),
            started: timestamp(startedAt),
            ...(event.done ? { completed: timestamp(event.time) } : {}),
          },
        ],
      };
    }
    case 'vertex':
    case 'started':
    case 'cached':
    case 'completed':
      return { vertexes: [vertex(event.id, step)] };
    default:
      return event satisfies never;
  }
}

function vertex(id: string, step: Step | undefined): Record<string, unknown> {
  const inputs = step?.inputs ?? [];
  return {
    digest: vertexDigest(id),
    ...(inputs.length === 0 ? {} : { inputs: inputs.map(vertexDigest) }),
    name: step?.name ?? id,
    ...(step?.startedAt === undefined ? {} : { started: timestamp(step.startedAt) }),
    ...(step?.completedAt === undefined ? {} : { completed: timestamp(step.completedAt) }),
    ...(step?.cached === true ? { cached: true } : {}),
    ...(step?.error === undefined ? {} : { error: step.error.message }),
  };
}

function warning(event: Extract<BuildEvent, { type: 'warning' }>): Record<string, unknown> {
  return {
    level: 1,
    short: base64(Buffer.from(event.message)),
    ...(event.detail === undefined ? {} : { detail: [base64(Buffer.from(event.detail))] }),
    ...(event.file === undefined ? {} : { sourceInfo: { filename: event.file } }),
    ...(event.line === undefined ? {} : { range: [{ start: { line: event.line }, end: { line: event.line } }] }),
  };
}

/** BuildKit names vertexes by digest; an id that is none is hashed. */
function vertexDigest(id: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(id)) return id;
  return `sha256:${createHash('sha256').update(id).digest('hex')}`;
}

function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

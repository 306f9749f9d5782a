import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** One line of the engine's JSON streams (build, push, pull, load). */
export interface EngineEvent {
  /** Text to show as it is, of builds and loads. */
  readonly stream?: string;
  /** `Pushing`, `Layer already exists`, `latest: digest: sha256:… size: 524`. */
  readonly status?: string;
  /** What the status is about: a layer, a tag. */
  readonly id?: string;
  readonly current?: number;
  readonly total?: number;
  /** Machine-readable: `{"ID":…}` of a build, `{"Tag":…,"Digest":…,"Size":…}` of a push. */
  readonly aux?: unknown;
  readonly error?: string;
  /** Of an error: the exit code of a command of the build, an HTTP status; absent for all others. */
  readonly code?: number;
}

const lineLimit = 4 * 1024 * 1024;

/**
 * Reads a stream of events. An error is an event like the others: the caller decides what it means.
 *
 * @throws BoxwrightError ENGINE_ANSWER_INVALID for what is no JSON
 */
export async function* engineEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<EngineEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineLimit) throw invalid('a line is too long');
    for (const line of lines) if (line.trim() !== '') yield parseEvent(line);
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield parseEvent(rest);
}

function parseEvent(line: string): EngineEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalid(`it is not JSON: ${line.slice(0, 200)}`);
  }
  if (typeof value !== 'object' || value === null) throw invalid('it is no object');
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (name: string): string | undefined => {
    const found = fields.get(name);
    return typeof found === 'string' ? found : undefined;
  };
  const detail = entries(fields.get('progressDetail'));
  // Some errors come with a detail only.
  const errorDetail = entries(fields.get('errorDetail'));
  const error = text('error') ?? stringOf(errorDetail.get('message'));
  const parts: [keyof EngineEvent, unknown][] = [
    ['stream', text('stream')],
    ['status', text('status')],
    ['id', text('id')],
    ['current', numberOf(detail.get('current'))],
    ['total', numberOf(detail.get('total'))],
    ['aux', fields.get('aux')],
    ['error', error],
    ['code', error === undefined ? undefined : numberOf(errorDetail.get('code'))],
  ];
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
}

function entries(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function invalid(why: string): BoxwrightError {
  return new BoxwrightError(
    'ENGINE_ANSWER_INVALID',
    `an event of the Docker Engine cannot be read: ${escapeForTerminal(why)}`,
  );
}

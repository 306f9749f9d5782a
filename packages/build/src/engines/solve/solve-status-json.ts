import type { SolveLog, SolveStatus, SolveVertex, SolveVertexStatus, SolveWarning } from './solve-status.ts';

type Fields = ReadonlyMap<string, unknown>;

/** Reads a line of `--progress=rawjson`; undefined for what is none (buildx's own errors are text). */
export function parseSolveStatus(line: string): SolveStatus | undefined {
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const fields = fieldsOf(value);
  const known = ['vertexes', 'statuses', 'logs', 'warnings'].some((name) => Array.isArray(fields.get(name)));
  if (!known) return undefined;
  return {
    vertexes: listOf(fields, 'vertexes').map(vertexOf),
    statuses: listOf(fields, 'statuses').map(statusOf),
    logs: listOf(fields, 'logs').map(logOf),
    warnings: listOf(fields, 'warnings').map(warningOf),
  };
}

function vertexOf(fields: Fields): SolveVertex {
  const inputs = fields.get('inputs');
  return {
    digest: text(fields, 'digest'),
    name: text(fields, 'name'),
    inputs: Array.isArray(inputs) ? inputs.filter((input) => typeof input === 'string') : [],
    cached: fields.get('cached') === true,
    started: time(fields, 'started'),
    completed: time(fields, 'completed'),
    error: text(fields, 'error'),
  };
}

function statusOf(fields: Fields): SolveVertexStatus {
  return {
    id: text(fields, 'id'),
    vertex: text(fields, 'vertex'),
    current: number(fields, 'current'),
    total: number(fields, 'total'),
    timestamp: time(fields, 'timestamp'),
    done: time(fields, 'completed') !== undefined,
  };
}

function logOf(fields: Fields): SolveLog {
  return {
    vertex: text(fields, 'vertex'),
    stream: fields.get('stream') === 2 ? 2 : 1,
    data: Buffer.from(text(fields, 'data'), 'base64'),
    timestamp: time(fields, 'timestamp'),
  };
}

function warningOf(fields: Fields): SolveWarning {
  const detail = fields.get('detail');
  const [range] = listOf(fields, 'range');
  const line = number(fieldsOf(range?.get('start')), 'line');
  const file = text(fieldsOf(fields.get('sourceInfo')), 'filename');
  return {
    short: decoded(text(fields, 'short')),
    detail: Array.isArray(detail) ? detail.filter((one) => typeof one === 'string').map(decoded) : [],
    url: text(fields, 'url'),
    ...(file === '' ? {} : { file }),
    ...(line === 0 ? {} : { line }),
  };
}

/** Go writes bytes as base64. */
function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function fieldsOf(value: unknown): Fields {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}

function listOf(fields: Fields, name: string): Fields[] {
  const list = fields.get(name);
  return Array.isArray(list) ? list.map(fieldsOf) : [];
}

function text(fields: Fields, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value : '';
}

function number(fields: Fields, name: string): number {
  const value = fields.get(name);
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function time(fields: Fields, name: string): number | undefined {
  const value = Date.parse(text(fields, name));
  return Number.isNaN(value) ? undefined : value;
}

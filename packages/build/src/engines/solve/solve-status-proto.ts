import { bytesFields, numberField, readFields, textField, textFields } from './protobuf.ts';
import type { SolveLog, SolveStatus, SolveVertex, SolveVertexStatus, SolveWarning } from './solve-status.ts';

/**
 * Decodes moby.buildkit.v1.StatusResponse (api/services/control/control.proto), which engines put into the events of a
 * build as base64.
 *
 * @throws RangeError when it is none
 */
export function decodeSolveStatus(bytes: Uint8Array): SolveStatus {
  const fields = readFields(bytes);
  return {
    vertexes: bytesFields(fields, 1).map(vertexOf),
    statuses: bytesFields(fields, 2).map(statusOf),
    logs: bytesFields(fields, 3).map(logOf),
    warnings: bytesFields(fields, 4).map(warningOf),
  };
}

function vertexOf(bytes: Uint8Array): SolveVertex {
  const fields = readFields(bytes);
  return {
    digest: textField(fields, 1),
    inputs: textFields(fields, 2),
    name: textField(fields, 3),
    cached: numberField(fields, 4) !== 0,
    started: timeOf(bytesFields(fields, 5)),
    completed: timeOf(bytesFields(fields, 6)),
    error: textField(fields, 7),
  };
}

function statusOf(bytes: Uint8Array): SolveVertexStatus {
  const fields = readFields(bytes);
  return {
    id: textField(fields, 1),
    vertex: textField(fields, 2),
    current: numberField(fields, 4),
    total: numberField(fields, 5),
    timestamp: timeOf(bytesFields(fields, 6)),
    done: bytesFields(fields, 8).length > 0,
  };
}

function logOf(bytes: Uint8Array): SolveLog {
  const fields = readFields(bytes);
  return {
    vertex: textField(fields, 1),
    timestamp: timeOf(bytesFields(fields, 2)),
    stream: numberField(fields, 3) === 2 ? 2 : 1,
    data: bytesFields(fields, 4).at(-1) ?? new Uint8Array(),
  };
}

function warningOf(bytes: Uint8Array): SolveWarning {
  const fields = readFields(bytes);
  const [source = new Uint8Array()] = bytesFields(fields, 6);
  const [range = new Uint8Array()] = bytesFields(fields, 7);
  const [start = new Uint8Array()] = bytesFields(readFields(range), 1);
  const file = textField(readFields(source), 1);
  const line = numberField(readFields(start), 1);
  return {
    short: textField(fields, 3),
    detail: textFields(fields, 4),
    url: textField(fields, 5),
    ...(file === '' ? {} : { file }),
    ...(line === 0 ? {} : { line }),
  };
}

/** google.protobuf.Timestamp: seconds and nanoseconds. */
function timeOf(values: readonly Uint8Array[]): number | undefined {
  const last = values.at(-1);
  if (last === undefined) return undefined;
  const fields = readFields(last);
  return numberField(fields, 1) * 1000 + Math.floor(numberField(fields, 2) / 1_000_000);
}

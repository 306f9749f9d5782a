import type { ImageConfig } from '@boxwright/oci';
import { collapseBlanks } from '../instructions/index.ts';

/** What comparing one thing of two images found. */
export interface FieldComparison {
  /** `config.Env`, `history`, `rootfs`, `architecture` … */
  readonly field: string;
  readonly status: 'equal' | 'differs' | 'unknown';
  /** As the image has it, and as the rebuilt one; as JSON text. Absent where equal. */
  readonly original?: string;
  readonly rebuilt?: string;
  /** Why it is not known, or what to think of the difference. */
  readonly note?: string;
}

/** How the other config came about. */
export interface CompareOptions {
  /** True when layers were made: their number counts. */
  readonly built: boolean;
  /** Rows from which on the texts of the history cannot be the same, by index: `lostRows`. */
  readonly lostRows: ReadonlySet<number>;
}

/**
 * Compares an image with what its Dockerfile gives, field by field. Times and what RUN writes are never the same twice;
 * they are said to be unknown.
 */
export function compareConfigs(
  original: ImageConfig,
  rebuilt: ImageConfig,
  options: CompareOptions,
): FieldComparison[] {
  const [one, other] = [original.config, rebuilt.config];
  return [
    compare('os', original.os, rebuilt.os),
    compare('architecture', original.architecture, rebuilt.architecture),
    compare('variant', original.variant ?? '', rebuilt.variant ?? ''),
    compare('author', original.author ?? '', rebuilt.author ?? ''),
    compare('config.User', one.User, other.User),
    compare('config.ExposedPorts', one.ExposedPorts.toSorted(), other.ExposedPorts.toSorted()),
    compare('config.Env', one.Env, other.Env),
    compare('config.Entrypoint', one.Entrypoint, other.Entrypoint),
    compare('config.Cmd', one.Cmd, other.Cmd),
    compare('config.Volumes', one.Volumes.toSorted(), other.Volumes.toSorted()),
    // Nothing and the root mean the same.
    compare('config.WorkingDir', one.WorkingDir || '/', other.WorkingDir || '/'),
    compare('config.Labels', sorted(one.Labels), sorted(other.Labels)),
    compare('config.StopSignal', one.StopSignal, other.StopSignal),
    compare('config.Healthcheck', one.Healthcheck ?? null, other.Healthcheck ?? null),
    compare('config.OnBuild', one.OnBuild, other.OnBuild),
    compare('config.Shell', one.Shell, other.Shell),
    argsEscaped(one.ArgsEscaped, other.ArgsEscaped),
    history(original, rebuilt, options.lostRows),
    layers(original, rebuilt, options.built),
    { field: 'created', status: 'unknown', note: 'the time of the build' },
  ];
}

function compare(field: string, original: unknown, rebuilt: unknown): FieldComparison {
  const [one, other] = [JSON.stringify(original), JSON.stringify(rebuilt)];
  return one === other ? { field, status: 'equal' } : { field, status: 'differs', original: one, rebuilt: other };
}

/** Without meaning outside of Windows: BuildKit writes it with each CMD, other builders never. */
function argsEscaped(original: boolean, rebuilt: boolean): FieldComparison {
  const field = 'config.ArgsEscaped';
  if (original === rebuilt) return { field, status: 'equal' };
  return {
    field,
    status: 'unknown',
    original: String(original),
    rebuilt: String(rebuilt),
    note: 'no instruction sets it; builders differ in what they write',
  };
}

function history(original: ImageConfig, rebuilt: ImageConfig, lostRows: ReadonlySet<number>): FieldComparison {
  const texts = (config: ImageConfig): string[] =>
    config.history.map(({ createdBy = '', emptyLayer }) => `${emptyLayer === true} ${rowText(createdBy)}`);
  const [one, other] = [texts(original), texts(rebuilt)];
  const field = 'history';
  for (let row = 0; row < Math.max(one.length, other.length); row++) {
    if (one[row] === other[row]) continue;
    if ([...lostRows].some((lost) => lost <= row)) {
      return {
        field,
        status: 'unknown',
        note: `row ${row} cannot be written as it was: it came from another builder, or from none`,
      };
    }
    const text = (config: ImageConfig): string => JSON.stringify(config.history[row]?.createdBy ?? null);
    const note = `row ${row} is the first that differs`;
    return { field, status: 'differs', original: text(original), rebuilt: text(rebuilt), note };
  }
  return { field, status: 'equal', note: `${one.length} rows; their times cannot be the same` };
}

/** Ports are in the order of the words that they were written as, with variables in them. */
function rowText(createdBy: string): string {
  const text = collapseBlanks(createdBy);
  const ports = /^EXPOSE \[(.*)\]$/.exec(text)?.[1];
  return ports === undefined ? text : `EXPOSE ${ports.split(' ').sort().join(' ')}`;
}

function layers(original: ImageConfig, rebuilt: ImageConfig, built: boolean): FieldComparison {
  const field = 'rootfs';
  if (!built) return { field, status: 'unknown', note: 'nothing was run and nothing copied' };
  const [one, other] = [original.rootfs.diffIds, rebuilt.rootfs.diffIds];
  if (one.length !== other.length) {
    return { field, status: 'differs', original: `${one.length} layers`, rebuilt: `${other.length} layers` };
  }
  const same = one.filter((diffId, index) => diffId === other[index]).length;
  if (same === one.length) return { field, status: 'equal', note: `${same} layers` };
  return {
    field,
    status: 'unknown',
    note: `${same} of ${one.length} layers are the same; times and what commands fetch differ from build to build`,
  };
}

function sorted(labels: ReadonlyMap<string, string>): (readonly [string, string])[] {
  return [...labels].sort(([left], [right]) => (left < right ? -1 : 1));
}

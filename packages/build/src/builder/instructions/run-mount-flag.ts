import { type DockerfileText, escapeExpansion, flag, rawText } from './dockerfile-text.ts';
import { instructionError } from './instruction-error.ts';

/** One `--mount` of a RUN (https://docs.docker.com/reference/dockerfile/#run---mount). */
export type RunMountOptions =
  /** A directory that outlives builds: caches of package managers. */
  | {
      readonly type: 'cache';
      readonly target: DockerfileText;
      readonly id?: DockerfileText;
      readonly sharing?: 'shared' | 'private' | 'locked';
      readonly from?: string;
      readonly source?: DockerfileText;
      readonly readonly?: boolean;
      /** Permission bits, such as 0o755. */
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  /** Files of the context, a stage or an image; not writable unless `readonly` is false, and never changed. */
  | {
      readonly type: 'bind';
      readonly target: DockerfileText;
      readonly source?: DockerfileText;
      readonly from?: string;
      readonly readonly?: boolean;
    }
  | { readonly type: 'tmpfs'; readonly target: DockerfileText /** Bytes. */; readonly size?: number }
  | {
      readonly type: 'secret';
      readonly id: DockerfileText;
      readonly target?: DockerfileText;
      /** Environment variable instead of, or beside, the file. */
      readonly env?: string;
      readonly required?: boolean;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | {
      readonly type: 'ssh';
      readonly id?: DockerfileText;
      readonly target?: DockerfileText;
      readonly required?: boolean;
    };

/** Options in the order in which they are written: `type` decides what the others mean. */
const order = [
  'type',
  'id',
  'target',
  'source',
  'from',
  'env',
  'sharing',
  'readonly',
  'required',
  'mode',
  'uid',
  'gid',
  'size',
] as const;

/** `--mount=type=cache,target=/root/.cache`. @throws BoxwrightError INSTRUCTION_INVALID */
export function mountFlag(mount: RunMountOptions): string {
  const given = new Map<string, unknown>(Object.entries(mount));
  const fields = order.flatMap((key) => {
    const value = given.get(key);
    return value === undefined ? [] : [csvField(`${key}=${fieldText(key, value)}`)];
  });
  return flag('RUN', 'mount', fields.join(','));
}

function fieldText(key: string, value: unknown): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw instructionError('RUN', String(value), `${key} is no number`);
    return key === 'mode' ? value.toString(8) : String(value);
  }
  // The only other type of an option; `from` takes no variables.
  const text = value as DockerfileText;
  if (rawText(text) === '') throw instructionError('RUN', '', `${key} of a mount is empty`);
  return escapeExpansion(text);
}

/** RFC 4180, as BuildKit reads it. */
function csvField(field: string): string {
  return /[",]|^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

import { parseCsvRecord } from './csv.ts';
import type { RunMount } from './instructions.ts';
import { parseBoolean, parseRamSize, parseUnsigned } from './quantities.ts';
import { didYouMean } from './statement.ts';

/** What is wrong with a `--mount=` value. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const sharings = ['shared', 'private', 'locked'] as const;
const keys: readonly string[] =
  'type from source src target dst destination readonly ro readwrite rw id sharing required size mode uid gid env'.split(
    ' ',
  );

type Draft = { -readonly [K in keyof RunMount]?: RunMount[K] };

/**
 * Reads `--mount=type=cache,target=/root/.cache` (https://docs.docker.com/reference/dockerfile/#run---mount). Fields count
 * in the order written: `required` is known only after `type=secret`.
 *
 * @param expand applied to each value, `from` included.
 * @throws {MountError}
 */
export function parseRunMount(text: string, expand: (value: string) => string): RunMount {
  const record = parseCsvRecord(text);
  if ('reason' in record) throw new MountError(`--mount is not comma-separated values: ${record.reason}`);
  const draft: Draft = { type: 'bind' };
  for (const field of record.fields) {
    const equals = field.indexOf('=');
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    if (equals === -1) applyWord(draft, key, field);
    else applyValue(draft, key, expand(field.slice(equals + 1)));
  }
  return validated(draft);
}

/**
 * The mounts of a RUN before variables are known: what only fails once it is expanded is left for then, as in BuildKit,
 * where a stage that is not built may hold such a mistake.
 *
 * @throws {MountError} when the text is not CSV, or `from` holds a variable.
 */
export function previewRunMount(text: string): RunMount {
  const record = parseCsvRecord(text);
  if ('reason' in record) throw new MountError(`--mount is not comma-separated values: ${record.reason}`);
  let from: string | undefined;
  for (const field of record.fields) {
    const [key, value] = splitField(field);
    if (key !== 'from' || value === undefined) continue;
    if (/\$./.test(value)) {
      throw new MountError('from of a mount takes no variables: define a stage with `FROM $NAME AS stage`');
    }
    from = value;
  }
  try {
    return parseRunMount(text, (value) => value);
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    return { type: 'bind', readonly: true, ...(from === undefined ? {} : { from }) };
  }
}

function splitField(field: string): [string, string | undefined] {
  const equals = field.indexOf('=');
  return equals === -1
    ? [field.toLowerCase(), undefined]
    : [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)];
}

function applyWord(draft: Draft, key: string, field: string): void {
  if (key === 'readonly' || key === 'ro') draft.readonly = true;
  else if (key === 'readwrite' || key === 'rw') draft.readonly = false;
  else if (key === 'required') draft.required = allowedFor(draft, key, ['secret', 'ssh'], true);
  else throw new MountError(`mount option "${field}" has no value`);
}

function applyValue(draft: Draft, key: string, value: string): void {
  switch (key) {
    case 'type':
      draft.type = oneOf(mountTypes, value, 'unknown mount type');
      return;
    case 'from':
      draft.from = value;
      return;
    case 'source':
    case 'src':
      draft.source = value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      draft.target = value;
      return;
    case 'readonly':
    case 'ro':
      draft.readonly = checked(parseBoolean(value), `mount option "${key}" cannot be "${value}"`);
      return;
    case 'readwrite':
    case 'rw':
      draft.readonly = !checked(parseBoolean(value), `mount option "${key}" cannot be "${value}"`);
      return;
    case 'required':
      draft.required = allowedFor(
        draft,
        key,
        ['secret', 'ssh'],
        checked(parseBoolean(value), `mount option "${key}" cannot be "${value}"`),
      );
      return;
    case 'size':
      draft.size = allowedFor(
        draft,
        key,
        ['tmpfs'],
        checked(parseRamSize(value), `mount option "${key}" cannot be "${value}"`),
      );
      return;
    case 'id':
      draft.id = value;
      return;
    case 'sharing':
      draft.sharing = oneOf(sharings, value, 'unknown sharing');
      return;
    case 'mode':
      draft.mode = checked(parseUnsigned(value, 8), `mount option "mode" cannot be "${value}"`);
      return;
    case 'uid':
      draft.uid = checked(parseUnsigned(value, 10), `mount option "uid" cannot be "${value}"`);
      return;
    case 'gid':
      draft.gid = checked(parseUnsigned(value, 10), `mount option "gid" cannot be "${value}"`);
      return;
    case 'env':
      draft.env = value;
      return;
    default:
      throw new MountError(`unknown mount option "${key}"${didYouMean(key, keys)}`);
  }
}

function validated(draft: Draft): RunMount {
  const type = draft.type ?? 'bind';
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (draft[key] !== undefined) throw new MountError(`mount option "${key}" is not for type ${type}`);
    }
  }
  if (type === 'secret') {
    if (draft.from) throw new MountError('a secret mount has no from');
    if (draft.sharing) throw new MountError('a secret mount has no sharing');
    if (!draft.source && !draft.target && !draft.id) {
      throw new MountError('a secret mount needs an id, a source or a target');
    }
    if (draft.source && draft.id) throw new MountError('a secret mount takes id or source, not both');
  }
  if (draft.sharing && type !== 'cache') throw new MountError(`mount option "sharing" is not for type ${type}`);
  return { ...draft, type, readonly: draft.readonly ?? (type !== 'cache' && type !== 'tmpfs') };
}

function allowedFor<T>(draft: Draft, key: string, types: readonly RunMount['type'][], value: T): T {
  const type = draft.type ?? 'bind';
  if (!types.includes(type)) throw new MountError(`mount option "${key}" is not for type ${type}`);
  return value;
}

function oneOf<T extends string>(allowed: readonly T[], value: string, reason: string): T {
  const found = allowed.find((candidate) => candidate === value.toLowerCase());
  if (found === undefined) throw new MountError(`${reason} "${value}"${didYouMean(value, allowed)}`);
  return found;
}

function checked<T>(value: T | undefined, reason: string): T {
  if (value === undefined) throw new MountError(reason);
  return value;
}

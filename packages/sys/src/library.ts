import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { BoxwrightError } from '@boxwright/errors';
import { type PathLike, SystemCallError } from './system-call-error.ts';

/** What may be handed to a C function here; NUL-terminated bytes stand for a `const char *`. */
type Argument = number | bigint | string | Buffer | null;

/** A C function that answers a number; -1 means failure with `errno` set. */
type CFunction = (...values: Argument[]) => number;

interface Koffi {
  load(path: null): { func(name: string, result: string, parameters: readonly string[]): CFunction };
  errno(): number;
}

interface Library {
  readonly koffi: Koffi;
  bind(name: string, result: string, parameters: readonly string[]): CFunction;
}

let loaded: Library | undefined;
let failure: unknown;

/** koffi is required on the first call, not on import: it costs about 20 ms that most commands never need. */
function load(): Library {
  if (loaded !== undefined) return loaded;
  if (process.platform !== 'linux') throw unavailable(`this is ${process.platform}, not Linux`);
  if (failure !== undefined) throw unavailable('koffi could not be loaded', failure);
  try {
    // koffi answers `any`; the shape above is the part of its documented interface that is used here.
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    // null: the process itself, so that it is the C library Node runs on, glibc or musl.
    const library = koffi.load(null);
    loaded = { koffi, bind: (name, result, parameters) => library.func(name, result, parameters) };
    return loaded;
  } catch (error) {
    failure = error;
    throw unavailable('koffi could not be loaded', error);
  }
}

function unavailable(why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('SYS_UNAVAILABLE', `Linux system calls are not available: ${why}`, {
    hint: 'Run on Linux, on a processor that koffi has a prebuilt library for, with optional dependencies installed.',
    cause,
  });
}

/** True when the functions of this package can be called here: Linux, and koffi loads. */
export function isAvailable(): boolean {
  try {
    load();
    return true;
  } catch {
    return false;
  }
}

/** A function of the C library, looked up at its first call. */
export interface SystemCall {
  /** The answer, or minus the errno when the call failed. Repeated when a signal interrupted it. */
  tryCall(...values: Argument[]): number;
}

/**
 * Binds a function of the C library lazily; `result` and `parameters` are koffi type names. koffi knows no `ssize_t`:
 * say `int64_t`, which it answers as a number.
 */
export function systemCall(name: string, result: 'int' | 'int64_t', parameters: readonly string[]): SystemCall {
  let bound: CFunction | undefined;
  return {
    tryCall(...values) {
      const library = load();
      bound ??= library.bind(name, result, parameters);
      for (;;) {
        const answer = bound(...values);
        if (answer !== -1) return answer;
        const errno = library.koffi.errno();
        if (errno !== constants.errno.EINTR) return -errno;
      }
    },
  };
}

/** Throws a {@link SystemCallError} when `answer` is negative, else gives it back. */
export function checked(answer: number, syscall: string, path?: PathLike, dest?: PathLike): number {
  if (answer < 0) throw new SystemCallError(syscall, -answer, path, dest);
  return answer;
}

/** A path or other text as C takes it; a NUL inside, which C would silently cut at, is refused. */
export function cString(value: PathLike, syscall: string): string | Buffer {
  if (value.includes('\0')) throw new SystemCallError(syscall, constants.errno.EINVAL, value);
  return typeof value === 'string' ? value : Buffer.concat([value, Buffer.alloc(1)]);
}

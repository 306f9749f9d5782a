import type { FaultAction } from './fault-actions.ts';

/** What a request is about. */
export type RequestKind =
  | 'ping'
  | 'manifest'
  | 'blob'
  | 'upload'
  | 'tags'
  | 'catalog'
  | 'referrers'
  | 'token'
  | 'storage'
  | 'other';

/** The part of a request that faults and tests choose by. */
export interface RequestLine {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly kind: RequestKind;
}

/** Which requests. All that is named must fit. */
export interface RequestFilter {
  readonly method?: string | readonly string[];
  readonly kind?: RequestKind | readonly RequestKind[];
  readonly path?: RegExp;
}

/** Something that goes wrong with some requests. */
export interface Fault {
  readonly on?: RequestFilter;
  /** Fitting requests that go well first; default none. */
  readonly skip?: number;
  /** Then every Nth fitting request fails, beginning with the first; default each. */
  readonly every?: number;
  /** How often in all; default once. */
  readonly times?: number;
  /** What goes wrong, or a function that does something (expire tokens, note the time) and may say what goes wrong. */
  readonly action: FaultAction | (() => FaultAction | undefined);
}

/** True when the request fits. */
export function fits(line: RequestLine, filter: RequestFilter = {}): boolean {
  return oneOf(line.method, filter.method) && oneOf(line.kind, filter.kind) && (filter.path?.test(line.path) ?? true);
}

function oneOf(value: string, wanted: string | readonly string[] | undefined): boolean {
  return wanted === undefined || (typeof wanted === 'string' ? wanted === value : wanted.includes(value));
}

/** What kind of request a path is, by the routes of the distribution specification. */
export function kindOf(pathname: string): RequestKind {
  if (pathname === '/v2/' || pathname === '/v2') return 'ping';
  if (pathname === '/v2/_catalog') return 'catalog';
  if (pathname === '/token') return 'token';
  if (pathname.startsWith('/storage/')) return 'storage';
  if (!pathname.startsWith('/v2/')) return 'other';
  if (/\/blobs\/uploads(?:\/|$)/.test(pathname)) return 'upload';
  if (/\/blobs\/[^/]+$/.test(pathname)) return 'blob';
  if (/\/manifests\/[^/]+$/.test(pathname)) return 'manifest';
  if (pathname.endsWith('/tags/list')) return 'tags';
  if (/\/referrers\/[^/]+$/.test(pathname)) return 'referrers';
  return 'other';
}

/** Faults that wait for their requests. */
export class FaultScript {
  #waiting: { readonly fault: Fault; seen: number; done: number }[] = [];

  constructor(faults: readonly Fault[] = []) {
    this.add(...faults);
  }

  /** Adds faults behind those that wait. */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#waiting.push({ fault, seen: 0, done: 0 });
  }

  /** Nothing goes wrong any more. */
  clear(): void {
    this.#waiting = [];
  }

  /** How often each fault has struck, in the order they were added. */
  get struck(): readonly number[] {
    return this.#waiting.map(({ done }) => done);
  }

  /** What goes wrong with this request: the first fault whose turn it is. */
  next(line: RequestLine): FaultAction | undefined {
    for (const entry of this.#waiting) {
      const { on, skip = 0, every = 1, times = 1, action } = entry.fault;
      if (!fits(line, on)) continue;
      const turn = entry.seen++ - skip;
      if (turn < 0 || turn % every !== 0 || entry.done >= times) continue;
      entry.done += 1;
      const result = typeof action === 'function' ? action() : action;
      if (result !== undefined) return result;
    }
    return undefined;
  }
}

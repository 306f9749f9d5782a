import type { HttpResponse } from '../transport/http.ts';

/** How often and after which time something is tried again (threats R6). */
export interface RetryTiming {
  /** Tries in all. */
  readonly tries: number;
  /** Before the second try; doubled for each further one. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Longest wait that a registry may ask for. */
  readonly maxAskedMs: number;
}

/** 0.5 s to 30 s, 6 tries, 120 s when the registry asks for it. */
export const defaultRetryTiming: RetryTiming = { tries: 6, firstMs: 500, maxMs: 30_000, maxAskedMs: 120_000 };

/**
 * Milliseconds to wait after try number `tries` (from 1) has failed. The wait is spread over half of its length, so that
 * clients that failed together do not come back together; one that the registry asked for is never made shorter.
 */
export function retryDelay(timing: RetryTiming, tries: number, askedMs: number | undefined, random: number): number {
  if (askedMs !== undefined) {
    const asked = Math.min(Math.max(askedMs, 0), timing.maxAskedMs);
    return Math.round(Math.min(asked + random * Math.min(asked / 10, timing.maxMs), timing.maxAskedMs));
  }
  const step = Math.min(timing.firstMs * 2 ** Math.min(tries - 1, 30), timing.maxMs);
  return Math.round(step * (0.5 + random / 2));
}

/** What `Retry-After` asks for, in milliseconds: seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfter(response: HttpResponse, now: number): number | undefined {
  const text = response.header('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Only HTTP dates: Date.parse also takes much that is none.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  // By the server's clock, if it shows one: ours may be wrong.
  const server = Date.parse(response.header('date') ?? '');
  return Math.max(0, at - (Number.isNaN(server) ? now : server));
}

import { UsageError } from '@boxwright/errors';

/** What becomes of layers that are not compressed: `--compression`. */
export type CompressionChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'gzip' | 'zstd'; readonly level: number | undefined };

/** Highest level per kind; the lowest is 1. */
const highest = { gzip: 9, zstd: 22 } as const;

/** `none`, `gzip`, `gzip:1` to `gzip:9`, `zstd`, `zstd:1` to `zstd:22`. @throws UsageError for anything else */
export function parseCompressionFlag(text: string): CompressionChoice {
  const [kind, level, ...more] = text.split(':');
  if (kind === 'none' && level === undefined) return { kind };
  if ((kind !== 'gzip' && kind !== 'zstd') || more.length > 0) {
    throw new UsageError(`--compression ${text}: unknown kind of compression`, {
      hint: 'Known are none, gzip[:1-9] and zstd[:1-22].',
    });
  }
  if (level === undefined) return { kind, level: undefined };
  const number = /^\d{1,2}$/.test(level) ? Number(level) : 0;
  if (number < 1 || number > highest[kind]) {
    throw new UsageError(`--compression ${text}: the level must be 1 to ${highest[kind]}`);
  }
  return { kind, level: number };
}

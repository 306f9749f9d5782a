import { UsageError } from '@boxwright/errors';
import { type LayerCompressionChoice, parseLayerCompression } from '@boxwright/oci';

/**
 * What becomes of layers that are not compressed, `--compression`: `none` (undefined), `gzip`, `gzip:1` to `gzip:9`,
 * `zstd`, `zstd:1` to `zstd:22`.
 *
 * @throws UsageError for another word; BoxwrightError COMPRESSION_LEVEL
 */
export function parseCompressionFlag(text: string): LayerCompressionChoice | undefined {
  if (text === 'none') return undefined;
  const choice = parseLayerCompression(text);
  if (choice !== undefined) return choice;
  throw new UsageError(`--compression ${text}: unknown kind of compression`, {
    hint: 'Known are none, gzip[:1-9] and zstd[:1-22].',
  });
}

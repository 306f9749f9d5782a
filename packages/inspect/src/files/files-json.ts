import { safeJson } from '@boxwright/errors';
import type { Digest } from '@boxwright/oci';
import { fromByteString } from '@boxwright/oci';
import type { Efficiency } from './efficiency.ts';
import type { FileRow } from './file-rows.ts';
import type { RuleResult } from './waste-rules.ts';

/** The image that is spoken of. */
export interface FilesImage {
  /** Digest of the manifest. */
  readonly digest: Digest;
  /** Base first. */
  readonly diffIds: readonly Digest[];
}

/** Rows as JSON by docs/schema/files.schema.json, in pieces, as there may be millions. Safe to print. */
export function* filesJson(
  image: FilesImage,
  rows: Iterable<FileRow>,
  layer: number | undefined,
): Generator<string, void, undefined> {
  const head = { schemaVersion: 1, ...image, ...(layer === undefined ? {} : { layer }) };
  yield `${safeJson(head).slice(0, -1)},"files":[`;
  let separator = '\n';
  for (const row of rows) {
    yield separator + safeJson(row);
    separator = ',\n';
  }
  yield '\n]}\n';
}

/** How much is wasted, as JSON by docs/schema/waste.schema.json. Safe to print; no newline at the end. */
export function wasteJson(image: FilesImage, efficiency: Efficiency, rules: readonly RuleResult[]): string {
  const { score, wastedBytes, userWastedRatio, bytes, userBytes, wasted } = efficiency;
  return safeJson(
    {
      schemaVersion: 1,
      ...image,
      efficiency: score,
      wastedBytes,
      userWastedPercent: userWastedRatio,
      bytes,
      userBytes,
      wasted: wasted.map((path) => ({ ...path, path: `/${fromByteString(path.path)}` })),
      rules,
    },
    2,
  );
}

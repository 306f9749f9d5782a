import { safeJson } from '@boxwright/errors';
import type { ImageDiff } from './model.ts';

/** A diff as JSON, by docs/schema/diff.schema.json. Safe to print; no newline at the end. */
export function diffJson(diff: ImageDiff): string {
  return safeJson(diff, 2);
}

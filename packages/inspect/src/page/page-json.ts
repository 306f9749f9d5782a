import { safeJson } from '@boxwright/errors';
import type { ImagePage } from './page.ts';

/** A page as JSON, by docs/schema/page.schema.json. Safe to print; no newline at the end. */
export function pageJson(page: ImagePage): string {
  return safeJson(page, 2);
}

import type { ImagePage } from './page.ts';
import { safeJson } from './safe-json.ts';

/** A page as JSON, by docs/schema/page.schema.json. Safe to print; no newline at the end. */
export function pageJson(page: ImagePage): string {
  return safeJson(page, 2);
}

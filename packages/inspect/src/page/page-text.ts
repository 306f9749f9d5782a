import { escapeForTerminal } from '@boxwright/errors';
import type { InfoObject } from '../info/info-source.ts';
import type { Language } from '../labels/language.ts';
import type { ImagePage, PageRow } from './page.ts';
import { findingText, pageWords } from './page-words.ts';
import { safeJson } from './safe-json.ts';

/**
 * A page as text, in the form of the mirror sites' pages: for each history row a line with time, size and label and a
 * line with the instruction, then the info JSON without indentation. What does not fit together in the image comes
 * last, only when there is something. Escaped; no newline at the end.
 */
export function pageText(page: ImagePage, language: Language): string {
  const words = pageWords[language];
  const lines = [words.history];
  for (const row of page.history) lines.push(headerLine(row, language), escapeForTerminal(row.text));
  lines.push(words.info, infoText(page.info, words.hostSpecific, page.hostSpecific));
  if (page.findings.length > 0) {
    lines.push(words.findings, ...page.findings.map((finding) => `# ${findingText(finding)[language]}`));
  }
  return lines.join('\n');
}

/** `# 2026-01-01 06:22:10 668.00B 复制新文件或目录到容器中`. */
function headerLine(row: PageRow, language: Language): string {
  const words = pageWords[language];
  const parts = ['#', row.localTime ?? words.noTime, row.sizeText ?? words.noSize];
  if (row.label !== undefined) parts.push(escapeForTerminal(row.label[language]));
  return parts.join(' ');
}

/** One member or bracket per line. */
function infoText(info: InfoObject, note: string, hostSpecific: readonly string[]): string {
  const shown = hostSpecific.reduce((object, path) => replaced(object, path.split('.'), note), info);
  // Strings have no newlines in JSON, so what begins a line is indentation.
  return safeJson(shown, 1).replace(/^ +/gm, '');
}

/** A copy of an object with a member exchanged, if it is there. The paths are ours. */
function replaced(object: InfoObject, [name, ...rest]: readonly string[], value: string): InfoObject {
  if (name === undefined || !Object.hasOwn(object, name)) return object;
  const member = object[name];
  if (rest.length === 0) return { ...object, [name]: value };
  return isObject(member) ? { ...object, [name]: replaced(member, rest, value) } : object;
}

function isObject(value: unknown): value is InfoObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { escapeForTerminal, safeJson } from '@boxwright/errors';
import type { InfoObject } from '../info/info-source.ts';
import type { Language } from '../labels/language.ts';
import { secretText } from '../secrets/secret-finding.ts';
import type { ImagePage, PageRow } from './page.ts';
import { findingText, pageWords } from './page-words.ts';
import { shownInfo } from './shown-info.ts';

/**
 * A page as text, in the form of the mirror sites' pages: for each history row a line with time, size and label and a
 * line with the instruction, then the info JSON without indentation. What does not fit together in the image comes
 * last, and secrets that it gives away, only when there are any. Escaped; no newline at the end.
 */
export function pageText(page: ImagePage, language: Language): string {
  const words = pageWords[language];
  const lines = [words.history];
  for (const row of page.history) lines.push(headerLine(row, language), escapeForTerminal(row.text));
  lines.push(words.info, infoText(page.info, words.hostSpecific, page.hostSpecific));
  if (page.findings.length > 0) {
    lines.push(words.findings, ...page.findings.map((finding) => `# ${findingText(finding)[language]}`));
  }
  if (page.secrets.length > 0) lines.push(...secretLines(page, language));
  return lines.join('\n');
}

/** At most so many secrets are listed. */
const listedSecrets = 100;

function secretLines({ secrets, secretsShown }: ImagePage, language: Language): string[] {
  const words = pageWords[language];
  const rest = secrets.length - listedSecrets;
  return [
    `${words.secrets}${secretsShown ? '' : words.secretsRedacted}`,
    ...secrets.slice(0, listedSecrets).map((finding) => `# ${escapeForTerminal(secretText(finding)[language])}`),
    ...(rest > 0 ? [`# … +${rest}`] : []),
  ];
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
  // Strings have no newlines in JSON, so what begins a line is indentation.
  return safeJson(shownInfo(info, hostSpecific, note), 1).replace(/^ +/gm, '');
}

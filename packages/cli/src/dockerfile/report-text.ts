import { escapeForTerminal } from '@boxwright/errors';
import type { ExtractionReport, VerificationReport } from '@boxwright/inspect';

/** What extraction found, for standard error. */
export function extractionText({ findings, command, directory }: ExtractionReport): string {
  const lines = findings.map(({ kind, row, path, count }) => {
    const where = row === undefined ? '' : `row ${row}: `;
    const more = count > 1 ? ` and ${count - 1} more` : '';
    return `warning: ${where}${findingTexts[kind]}${path === undefined ? '' : `: ${path}`}${more}`;
  });
  return [...lines, `Written to ${escapeForTerminal(directory)}. It builds with:`, `  ${shellWords(command)}`, ''].join(
    '\n',
  );
}

const findingTexts: Readonly<Record<ExtractionReport['findings'][number]['kind'], string>> = {
  'nothing-found': 'its layer has nothing at the destination',
  unexplained: 'left out, as no source explains it',
  special: 'devices and pipes are left out',
  owner: 'belongs to another user in the image, to root when built again',
  attributes: 'extended attributes, setuid and setgid are left out',
  'in-the-way': 'left out, as something of that name is there',
  conflict: 'another instruction copied something else from the same path; left out',
};

/** The words as a shell takes them, safe to print. */
function shellWords(words: readonly string[]): string {
  return words
    .map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) ? word : `'${escapeForTerminal(word).replaceAll("'", String.raw`'\''`)}'`,
    )
    .join(' ');
}

/** What comparing found, for standard error. */
export function verificationText({ level, reason, fields }: VerificationReport): string {
  const head =
    level === 'build'
      ? 'Built again and compared with the image:'
      : 'What its instructions set, compared with the image (nothing was run and nothing copied):';
  const equal = fields.filter(({ status }) => status === 'equal').map(({ field }) => field);
  const lines = [...(reason === undefined ? [] : [`note: ${escapeForTerminal(reason)}`]), head];
  if (equal.length > 0) lines.push(`  equal    ${equal.join(', ')}`);
  for (const { field, status, note, original, rebuilt } of fields) {
    if (status === 'equal') continue;
    lines.push(`  ${status.padEnd(8)} ${field}${note === undefined ? '' : `: ${note}`}`);
    if (original !== undefined) lines.push(`             image:   ${shortened(original)}`);
    if (rebuilt !== undefined) lines.push(`             rebuilt: ${shortened(rebuilt)}`);
  }
  return `${lines.join('\n')}\n`;
}

function shortened(text: string): string {
  const escaped = escapeForTerminal(text);
  return escaped.length > 2000 ? `${escaped.slice(0, 1999)}…` : escaped;
}

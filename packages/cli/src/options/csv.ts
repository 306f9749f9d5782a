import { UsageError } from '@boxwright/errors';

/**
 * The fields of one comma-separated record (RFC 4180, as Docker reads `--output`, `--secret` and `--mount`): a field
 * may stand in double quotes, which are doubled inside.
 * @throws UsageError when a quote is not closed or stands in the middle of a bare field.
 */
export function parseCsv(text: string, option: string): string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/.exec(rest);
    if (match === null) throw new UsageError(`${option} ${text}: unbalanced double quote`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[0].length === rest.length) return fields;
    rest = rest.slice(match[0].length + 1);
  }
}

/**
 * `key=value` fields as a map, keys in lower case.
 * @throws UsageError for a field without `=`, a key that is not in `known`, or a key that comes twice.
 */
export function parseCsvPairs(text: string, option: string, known: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const field of parseCsv(text, option)) {
    const equals = field.indexOf('=');
    const key = (equals === -1 ? field : field.slice(0, equals)).trim().toLowerCase();
    if (!known.includes(key)) {
      throw new UsageError(`${option} ${text}: unknown key '${key}'`, { hint: `Known keys: ${known.join(', ')}.` });
    }
    if (equals === -1) throw new UsageError(`${option} ${text}: '${field}' must be ${key}=VALUE`);
    if (pairs.has(key)) throw new UsageError(`${option} ${text}: '${key}' is given twice`);
    pairs.set(key, field.slice(equals + 1));
  }
  return pairs;
}

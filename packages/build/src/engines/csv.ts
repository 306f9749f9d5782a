/** `key=value,…` as Docker's flags are read (RFC 4180): fields with commas, quotes or line ends are quoted. */
export function csvPairs(pairs: readonly (readonly [key: string, value: string | undefined])[]): string {
  return pairs.flatMap(([key, value]) => (value === undefined ? [] : [csvField(`${key}=${value}`)])).join(',');
}

function csvField(text: string): string {
  return /[",\r\n]|^\s/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

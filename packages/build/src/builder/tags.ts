import { performance } from 'node:perf_hooks';

/** The longest tag: distribution-spec "Pulling manifests". */
const longestTag = 128;

/** Letters that decomposition (NFKD) leaves as they are. */
const latin: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ß: 'ss',
    ẞ: 'SS',
    æ: 'ae',
    Æ: 'AE',
    œ: 'oe',
    Œ: 'OE',
    ø: 'o',
    Ø: 'O',
    ð: 'd',
    Ð: 'D',
    đ: 'd',
    Đ: 'D',
    þ: 'th',
    Þ: 'Th',
    ł: 'l',
    Ł: 'L',
    ħ: 'h',
    Ħ: 'H',
    ı: 'i',
    ŋ: 'ng',
    Ŋ: 'NG',
    '–': '-',
    '—': '-',
    '’': '-',
  }),
);

/**
 * Text as a tag, as Prefect's `slugify` makes one: accents go (`Größe` is `Grosse`), what a tag cannot hold becomes `-`,
 * several become one, none stands at an end, and 128 characters are kept. Case is kept too. Other than there, a dot never
 * comes first (no tag may begin so), and scripts without Latin forms become `-` instead of being transliterated.
 * Text with nothing usable in it gives an empty string.
 */
export function slugifyTag(text: string): string {
  const plain = text
    .replace(/[ßẞæÆœŒøØðÐđĐþÞłŁħĦıŋŊ–—’]/g, (letter) => latin.get(letter) ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    // Thousands: 1,000 is 1000.
    .replace(/(?<=[0-9]),(?=[0-9])/g, '')
    .replace(/[^a-zA-Z0-9_.-]+/g, '-')
    .replace(/-{2,}/g, '-')
    .replace(/^[.-]+/, '');
  return withoutDashAtEnd(withoutDashAtEnd(plain).slice(0, longestTag));
}

/** Not `/-+$/`: after `-{2,}` there is at most one. */
function withoutDashAtEnd(text: string): string {
  return text.endsWith('-') ? text.slice(0, -1) : text;
}

/**
 * Prefect's default tag: a time in ISO form with microseconds, in UTC, as a tag: `2026-11-21t23-20-01-123456-00-00`.
 *
 * @param time milliseconds since 1970, fractions count; default: now
 */
export function timestampTag(time: number = performance.timeOrigin + performance.now()): string {
  const microseconds = Math.round(time * 1000);
  const seconds = new Date(Math.floor(microseconds / 1_000_000) * 1000).toISOString().slice(0, 19);
  const fraction = String(((microseconds % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, '0');
  return `${seconds.replace('T', 't').replaceAll(':', '-')}-${fraction}-00-00`;
}

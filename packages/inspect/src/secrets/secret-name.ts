import type { SecretKind } from './secret-kind.ts';

/** What a name says about its value. */
export interface NameVerdict {
  readonly kind: SecretKind;
  /** `strong`: the value is a secret unless it looks harmless; `weak`: only when it looks random as well. */
  readonly certainty: 'strong' | 'weak';
}

/** Longer names are no names of variables. */
const longestName = 200;

/** Last words that make a secret's name that of something about it: where it lies, how long it lasts. */
const about: ReadonlySet<string> = new Set(
  `file files path paths dir directory folder name names username user url uri urls host hosts endpoint server issuer
  audience length len size bytes ttl age expire expires expiry expiration timeout days hours minutes seconds lifetime
  duration interval type types mode method algorithm alg algo cipher header headers prefix suffix format field regex
  pattern limit max min count number num total id ids arn version policy policies prompt enabled enable disabled disable
  required optional stdin store provider service manager validator validation check rounds iterations cost scheme
  parallelism cache index usage fpr fingerprint fingerprints checksum sha1 sha256 sha512 md5 sum sums env var`.split(
    /\s+/,
  ),
);

/** Words that say that there is no secret, or that it is public. */
const without: ReadonlySet<string> = new Set(
  'no without disable disabled enable enabled allow empty random public pub use require required is has with'.split(
    ' ',
  ),
);

const keyOwners: ReadonlySet<string> = new Set(
  `api access secret private auth encryption encrypt signing account master license licence ssh deploy crypt hmac jwt
  session cookie storage service subscription`.split(/\s+/),
);

/** Endings of a word, also of one that has its owner before it: `PGPASSWORD`. */
const endings: readonly (readonly [string, SecretKind])[] = [
  ['password', 'password'],
  ['passwd', 'password'],
  ['passphrase', 'password'],
  ['secret', 'secret'],
  ['apikey', 'key'],
  ['secretkey', 'key'],
  ['accesskey', 'key'],
  ['privatekey', 'key'],
  ['token', 'token'],
  ['credential', 'secret'],
  ['credentials', 'secret'],
  ['requirepass', 'password'],
];

/** False for a name, or a text, that none of the words of secrets' names are in. */
export function mayNameSecret(text: string): boolean {
  return /pass|pwd|secret|token|key|auth|credential/i.test(text);
}

/** Judges the name of a variable, label, argument or flag; undefined when it says nothing. */
export function judgeName(name: string): NameVerdict | undefined {
  if (name.length > longestName || !mayNameSecret(name)) return undefined;
  const words = wordsOf(name);
  if (words.some((word) => without.has(word))) return undefined;
  const last = words.at(-1) ?? '';
  const strong = kindOfEnd(words, words.length - 1);
  if (strong !== undefined) return { kind: strong, certainty: 'strong' };
  if (about.has(last)) return undefined;
  for (let index = words.length - 2; index >= 0; index--) {
    const kind = kindOfEnd(words, index);
    if (kind !== undefined) return { kind, certainty: 'weak' };
  }
  return last === 'auth' || (last === 'key' && words.length > 1 && words.includes('app'))
    ? { kind: last === 'auth' ? 'token' : 'key', certainty: 'weak' }
    : undefined;
}

/** `jwtSecret`, `JWT_SECRET` and `jwt-secret` are the same words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/^([a-z]{3,})\d+$/, '$1'))
    .filter((word) => word !== '');
}

function kindOfEnd(words: readonly string[], index: number): SecretKind | undefined {
  const word = words[index] ?? '';
  const before = words[index - 1];
  if (word === 'key' && before !== undefined && keyOwners.has(before)) return 'key';
  if ((word === 'pass' || word === 'pwd') && before !== undefined) return 'password';
  return endings.find(([ending]) => word.endsWith(ending))?.[1];
}

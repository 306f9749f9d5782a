import type { SecretKind } from './secret-kind.ts';

/** A part of a text that is a secret: half-open, in UTF-16 units. */
export interface SecretMatch {
  readonly kind: SecretKind;
  readonly start: number;
  readonly end: number;
}

/**
 * Forms that issuers gave their tokens so that they can be found, one named group for each kind (`_2` for a second
 * one). Linear time: every form begins with fixed letters after something that is not a word, and repeats are bounded.
 */
const forms: readonly (readonly [SecretKind, string])[] = [
  ['aws-access-key', '(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])'],
  ['cloud-access-key', '(?:LTAI[A-Za-z0-9]{16,26}|AKID[A-Za-z0-9]{32}|AIza[\\w-]{35}|GOCSPX-[\\w-]{28})(?![\\w-])'],
  ['cloud-access-key', '(?:do[opr]_v1_[0-9a-f]{64}|hvs\\.[\\w-]{24,300}|dapi[0-9a-f]{32}(?![0-9a-f]))'],
  ['github-token', '(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})'],
  ['gitlab-token', 'gl(?:pat|dt|rt|ft|ptt|cbt|agent|soat|imt)-[\\w-]{20,300}'],
  [
    'registry-token',
    '(?:npm_[A-Za-z0-9]{36}|pypi-AgE[\\w-]{50,500}|dckr_(?:pat|oat)_[\\w-]{20,100}|rubygems_[0-9a-f]{48})',
  ],
  ['chat-token', '(?:xox[abeoprs]-[\\w-]{10,250}|xapp-\\d-[\\w-]{20,250}|[0-9]{8,10}:AA[\\w-]{33}(?![\\w-]))'],
  ['payment-key', '[rs]k_live_[A-Za-z0-9]{16,250}'],
  ['mail-key', '(?:SG\\.[\\w-]{22}\\.[\\w-]{43}|key-[0-9a-f]{32}(?![0-9a-f])|xkeysib-[0-9a-f]{64}-\\w{16})'],
  [
    'model-key',
    '(?:sk-ant-[\\w-]{20,300}|sk-(?:proj|svcacct|admin)-[\\w-]{20,300}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|hf_[A-Za-z]{34})',
  ],
  ['jwt', 'eyJ[\\w-]{10,2000}\\.eyJ[\\w-]{10,4000}\\.[\\w-]{10,1000}'],
];

/** Something of this is in every text that {@link matchForms} finds anything in. */
export const formTraces: RegExp =
  /AKIA|ASIA|LTAI|AKID|AIza|GOCSPX|do[opr]_v1|hvs\.|dapi|gh[pousr]_|github_pat|gl[a-z]{2,5}-|npm_|pypi-|dckr_|rubygems_|xox|xapp-|:AA|_live_|SG\.|key-|xkeysib|sk-|hf_|eyJ|hooks\.slack|AccountKey|:\/\/|authorization|PRIVATE KEY/i;

const tokenPattern = new RegExp(`(?<![\\w.-])(?:${forms.map(([, form]) => `(${form})`).join('|')})`, 'g');

const slackHook = /https:\/\/hooks\.slack\.com\/services\/(T[A-Z0-9]{5,20}\/B[A-Z0-9]{5,20}\/[A-Za-z0-9]{16,40})/g;
const storageKey = /(?<![A-Za-z])AccountKey=([A-Za-z0-9+/]{86}==)/g;
const urlPassword = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/'"\\]{0,200}:([^\s@/'"\\]{1,300})@[\w[$]/gi;
const authorization = /\bauthorization["']?\s{0,2}[:=]\s{0,2}["']?(?:bearer|basic|token)\s{1,2}([\w.~+/=-]{8,4000})/gi;
const beginKey = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;

/** Secrets that are known by their own form, wherever they stand. Harmless look-alikes are not left out yet. */
export function* matchForms(text: string): Generator<SecretMatch, void, undefined> {
  for (const match of text.matchAll(tokenPattern)) {
    const group = match.findIndex((value, index) => index > 0 && value !== undefined);
    const kind = forms[group - 1]?.[0];
    if (kind !== undefined) yield { kind, start: match.index, end: match.index + match[0].length };
  }
  yield* captured(text, slackHook, 'chat-token');
  yield* captured(text, storageKey, 'cloud-access-key');
  yield* captured(text, urlPassword, 'url-password');
  yield* captured(text, authorization, 'authorization');
  yield* privateKeys(text);
}

/** Where the first group of a pattern matched; it is the last of its kind in the match. */
function* captured(text: string, pattern: RegExp, kind: SecretKind): Generator<SecretMatch, void, undefined> {
  for (const match of text.matchAll(pattern)) {
    const value = match[1] ?? '';
    const start = match.index + match[0].lastIndexOf(value);
    yield { kind, start, end: start + value.length };
  }
}

/** From BEGIN to END; a key that was cut ends with the text. */
function* privateKeys(text: string): Generator<SecretMatch, void, undefined> {
  let covered = 0;
  for (const match of text.matchAll(beginKey)) {
    if (match.index < covered) continue;
    const body = match.index + match[0].length;
    const end = text.indexOf('-----END', body);
    covered = end < 0 ? text.length : end;
    // A mere mention, in a grep for instance, has no key behind it.
    if (/[A-Za-z0-9+/]{32}/.test(text.slice(body, Math.min(covered, body + 300)))) {
      yield { kind: 'private-key', start: match.index, end: covered };
    }
  }
}

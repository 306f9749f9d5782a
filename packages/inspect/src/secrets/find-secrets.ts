import { isHarmlessValue, looksRandom, REDACTED } from './harmless-value.ts';
import type { SecretKind } from './secret-kind.ts';
import { judgeName, mayNameSecret } from './secret-name.ts';
import { formTraces, matchForms, type SecretMatch } from './token-patterns.ts';

/** `NAME=value`, `NAME="two words"`, `"name": "value"`, `-Dname=value`. The name is a whole word. */
const assignment =
  /(?<![\w.$-])(?:-D)?([A-Za-z_][\w.-]{0,99})(?:(=)|["']?\s{0,2}:\s{0,2}(?=["']))("(?:[^"\\]|\\.){0,4000}"|'[^']{0,4000}'|[^\s"';&|]{1,4000})/g;
/** `--name=value`, `--name value`, `"--name" "value"`, `["--name","value"]`. */
const flag =
  /(?<![\w-])--([a-z][\w.-]{1,60})(?:=|["']?[\s,]{1,3})("(?:[^"\\]|\\.){0,4000}"|'[^']{0,4000}'|[^\s"',;&|]{1,4000})/gi;
/** `echo user:password | chpasswd`. */
const chpasswd =
  /(?<![\w-])(?:echo|printf)\s{1,4}(?:-\w{1,3}\s{1,4})?["']?[\w.-]{1,32}:([^\s"'|\\]{1,200})(?:\\n)?["']?\s{0,4}\|\s{0,4}(?:sudo\s{1,4})?(?:\/usr\/sbin\/)?chpasswd\b/g;
/** `openssl -passout pass:password`. */
const openssl = /\s-pass(?:in|out)?\s{1,4}["']?pass:([^\s"']{1,200})/g;
/** `curl -u user:password`. */
const curlUser =
  /(?<![\w-])curl\s(?:[^\n;|&]{0,300}?\s)?(?:-u|--user|--proxy-user)[\s=]{0,2}["']?[^\s:"'$]{1,64}:([^\s"'|;&]{1,200})/g;
/** Code such as `password=args.password`, `token=token`. */
const code = /^(?:\w+\.)*\w+\(?$/;

/**
 * Secrets in any text: a history row, a command, a Dockerfile. Ordered, not overlapping; each is the value alone,
 * without its name and quotes. Linear in the length of the text.
 */
export function findSecrets(text: string): readonly SecretMatch[] {
  if (!hasTraces(text)) return [];
  const found: SecretMatch[] = [];
  for (const match of matchForms(text)) {
    const value = text.slice(match.start, match.end);
    if (match.kind === 'private-key' || !isHarmlessForm(value, match.kind)) found.push(match);
  }
  found.push(...namedValues(text, assignment, 3), ...namedValues(text, flag, 2));
  found.push(...passwords(text, chpasswd), ...passwords(text, openssl), ...passwords(text, curlUser));
  return withoutOverlaps(found);
}

/** Most texts have nothing of what any name or form of a secret has, and are not looked at any closer. */
function hasTraces(text: string): boolean {
  return mayNameSecret(text) || formTraces.test(text) || text.includes('curl');
}

/** What a value is when this is its name (a variable, label or build argument); undefined when it is no secret. */
export function namedSecret(name: string, value: string): SecretKind | undefined {
  const verdict = judgeName(name);
  if (verdict === undefined || isHarmlessValue(value, verdict.kind, 'pair')) return undefined;
  return verdict.certainty === 'strong' || looksRandom(value) ? verdict.kind : undefined;
}

/** The text with {@link REDACTED} in place of each secret. The rest stays as it is. */
export function redactText(text: string): string {
  return replaceMatches(text, findSecrets(text));
}

/** The text with {@link REDACTED} in place of ordered matches that do not overlap. */
export function replaceMatches(text: string, matches: readonly SecretMatch[]): string {
  let position = 0;
  let result = '';
  for (const { start, end } of matches) {
    result += text.slice(position, start) + REDACTED;
    position = end;
  }
  return result + text.slice(position);
}

/** Documentation uses tokens of the right form. A URL's password may be a variable, too. */
function isHarmlessForm(value: string, kind: SecretKind): boolean {
  if (kind === 'url-password') return isHarmlessValue(value, kind, 'pair') || /[$*(){}<>]/.test(value);
  if (kind === 'authorization') return isHarmlessValue(value, kind, 'text');
  return /EXAMPLE|^(?:[A-Za-z]{2,8}[_-])?(.)\1{7}/.test(value);
}

/** Values in a text whose name says that they are secrets. `group` is that of the value; the name is the first. */
function* namedValues(text: string, pattern: RegExp, group: number): Generator<SecretMatch, void, undefined> {
  for (const match of text.matchAll(pattern)) {
    const name = match[1] ?? '';
    const raw = match[group] ?? '';
    const verdict = judgeName(name);
    if (verdict === undefined || (match[0].startsWith('--') && verdict.certainty === 'weak')) continue;
    const quoted = /^["']/.test(raw);
    const value = quoted ? raw.slice(1, -1) : raw;
    if (isHarmlessValue(value, verdict.kind, 'text') || isCode(name, value, quoted)) continue;
    if (verdict.certainty === 'weak' && !looksRandom(value)) continue;
    const start = match.index + match[0].length - raw.length + (quoted ? 1 : 0);
    yield { kind: verdict.kind, start, end: start + value.length };
  }
}

/** A bare word that repeats its name is a variable of some program. */
function isCode(name: string, value: string, quoted: boolean): boolean {
  if (quoted) return value.toLowerCase() === name.toLowerCase();
  const expression = value.replace(/[),;]+$/, '');
  const last = expression.split('.').at(-1) ?? '';
  return (
    code.test(expression) &&
    (last.toLowerCase() === name.toLowerCase() || /^(?:self|args|os|env|this|process)\./.test(expression))
  );
}

function* passwords(text: string, pattern: RegExp): Generator<SecretMatch, void, undefined> {
  for (const match of text.matchAll(pattern)) {
    const value = match[1] ?? '';
    if (isHarmlessValue(value, 'password', 'text')) continue;
    const start = match.index + match[0].indexOf(`:${value}`) + 1;
    yield { kind: 'password', start, end: start + value.length };
  }
}

/** Of two that overlap the one that was found by its form, which comes first, stays; else the longer one. */
function withoutOverlaps(found: readonly SecretMatch[]): SecretMatch[] {
  const sorted = found
    .map((match, order) => ({ match, order }))
    .sort((a, b) => a.match.start - b.match.start || a.order - b.order);
  const kept: SecretMatch[] = [];
  for (const { match } of sorted) {
    const last = kept.at(-1);
    if (last === undefined || match.start >= last.end) kept.push(match);
    else if (match.end > last.end) kept[kept.length - 1] = { ...last, end: match.end };
  }
  return kept;
}

import type { SecretKind } from './secret-kind.ts';

/** What stands in place of a secret. */
export const REDACTED = '******';

/** Where a value was found: given to a name on its own, or somewhere in a text that may be program code. */
export type ValueOrigin = 'pair' | 'text';

const switches =
  /^(?:true|false|yes|no|on|off|[01]|none|null|nil|undefined|disabled?|enabled?|auto|default|required|optional)$/i;
/** `$NAME`, `${NAME}`, `$(command)`, `{{ name }}`, `<name>`, `%NAME%`, `@NAME@`, `[name]`. */
const reference = /^(?:\$|\{\{|<|%\w+%$|@\w+@$|\[[^\]]*\]$|`)/;
const path = /^(?:\.{0,2}\/[\w./@+~-]*|~\/[\w./@+~-]*|[A-Za-z]:\\[\w\\. -]*|file:.*)$/;
const placeholder =
  /^(?:x{3,}|\*+|\.{3,}|-+|_+|#+|y{3,}|foo|bar|foobar|todo|tbd|n\/?a|unset|unused|empty|string|str|value|redacted|hidden|masked)$/i;
const placeholderWord =
  /(?:^|[^a-z])(?:your|change|changeme|changeit|changethis|replace|replaceme|insert|example|sample|dummy|fake|placeholder|redacted|fixme|notasecret|not-a-secret|my-secret-here|build-only|buildtime|build-time)(?:$|[^a-z])|EXAMPLE(?:KEY)?$|x{8}|\*{4}|0{16}/i;

/** Above this a value is not looked through for words. */
const longestPlaceholder = 200;

/** True for a value that no secret has: empty, a switch, a reference to a variable, a path, a placeholder. */
export function isHarmlessValue(value: string, kind: SecretKind, origin: ValueOrigin): boolean {
  const text = unquoted(value.trim());
  if (text === '' || text.includes(REDACTED) || switches.test(text) || placeholder.test(text)) return true;
  if (reference.test(text) || path.test(text)) return true;
  if (text.length <= longestPlaceholder && placeholderWord.test(text)) return true;
  // Numbers are limits and lifetimes, except as passwords.
  if (/^\d{1,7}(?:\.\d+)?[a-z%]{0,3}$/i.test(text) && kind !== 'password') return true;
  if (/^https?:\/\/[^@]*$/.test(text) && kind !== 'url-password') return true;
  if (origin === 'pair') return false;
  // A variable in the middle, a pattern, a call: code that handles a secret and does not hold it.
  return text.length < 3 || /[$*(){}<>\\|[\]`]|^[-=:]|^(?:id|src|source|type|env)=/.test(text);
}

/** True for what looks like it was made by a machine: letters and digits mixed, no words. */
export function looksRandom(value: string): boolean {
  const text = unquoted(value.trim());
  return (
    text.length >= 16 &&
    text.length <= 4096 &&
    /^[A-Za-z0-9+/=_:-]+$/.test(text) &&
    !/^[\w-]+(?:\/[\w-]+)+$/.test(text) &&
    (text.match(/\d/g)?.length ?? 0) >= 3 &&
    (text.match(/[A-Za-z]/g)?.length ?? 0) >= 3
  );
}

function unquoted(text: string): string {
  const quote = text[0];
  return text.length > 1 && (quote === '"' || quote === "'") && text.endsWith(quote) ? text.slice(1, -1) : text;
}

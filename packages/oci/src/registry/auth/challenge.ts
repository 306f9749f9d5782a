/** One challenge of a WWW-Authenticate header: RFC 9110 section 11.6.1. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. Empty for a challenge with a bare token (`Negotiate YII…`). */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longest header value that is looked at; challenges of registries have some hundred bytes. */
const MAX_VALUE = 16 * 1024;
/** More challenges than any registry sends. */
const MAX_CHALLENGES = 16;

const tokenPattern = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68Pattern = /[0-9A-Za-z._~+/-]+=*[ \t]*(?=,|$)/y;
const separatorPattern = /[ \t,]*/y;
const equalsPattern = /[ \t]*=[ \t]*/y;
const quotedPattern = /"((?:[^"\\]|\\[^])*)"/y;
/** Registries that forget the quotes send URLs and scopes bare; these end at a comma or blank. */
const barePattern = /[^\s,"]+/y;

/**
 * Challenges of all WWW-Authenticate headers of an answer, in order. Commas separate challenges as well as parameters:
 * a name that is not followed by `=` begins a challenge. What cannot be understood ends the value it is in.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  return values.flatMap((value) => parseValue(value.slice(0, MAX_VALUE))).slice(0, MAX_CHALLENGES);
}

function parseValue(value: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(value) ?? undefined;
    if (match !== undefined) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(separatorPattern);
    const name = take(tokenPattern)?.[0];
    if (name === undefined) return challenges;
    const current = challenges.at(-1);
    if (current !== undefined && take(equalsPattern) !== undefined) {
      const quoted = take(quotedPattern)?.[1]?.replace(/\\([^])/g, '$1');
      const text = quoted ?? take(barePattern)?.[0];
      if (text === undefined) return challenges;
      const key = name.toLowerCase();
      // The first one counts: a second realm must not replace the one that was seen.
      if (!current.parameters.has(key)) current.parameters.set(key, text);
      continue;
    }
    challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    if (challenges.length === MAX_CHALLENGES) return challenges;
    skipToken68(take, value, () => at);
  }
}

/** `Negotiate abc==`: a token in place of parameters, recognised by the end of the value or a comma after it. */
function skipToken68(take: (pattern: RegExp) => RegExpExecArray | undefined, value: string, at: () => number): void {
  if (value[at()] !== ' ') return;
  take(/[ \t]+/y);
  take(token68Pattern);
}

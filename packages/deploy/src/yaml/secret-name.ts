/** Names of values that are not to be seen. */
const secretName = /pass(?:word|wd|phrase)?|secret|token|credential|api_?key|private_?key|auth(?:orization)?$/i;

/** True for names whose values are secrets by all that is known: `password`, `NPM_TOKEN`. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** A name and what stands between it and its value. Bounded, so that a long line takes no longer than its length. */
const assignment = /([\w.-]{1,80})["']?[ \t]{0,80}[:=][ \t]{0,80}/g;

/**
 * A line of a file to be shown: values of names of secrets are stars, as many as there were characters, so that what
 * stands behind them keeps its column. Placeholders stay: they hold no secret.
 */
export function withoutSecrets(line: string): string {
  let shown = '';
  let end = 0;
  for (const { 0: text, 1: name = '', index } of line.matchAll(assignment)) {
    const from = index + text.length;
    if (from <= end || !isSecretName(name)) continue;
    const value = line.slice(from, valueEnd(line, from));
    if (/^(?:$|[{[&*|>]|["']?\{\{)/.test(value)) continue;
    shown += line.slice(end, from) + '*'.repeat(value.length);
    end = from + value.length;
  }
  return shown + line.slice(end);
}

/** Text in quotes ends with them; other text with the line, inside of `{…}` with the next comma or brace. */
function valueEnd(line: string, from: number): number {
  const quote = line[from];
  if (quote === '"' || quote === "'") {
    for (let at = from + 1; at < line.length; at++) {
      if (line[at] === quote) return at + 1;
      if (quote === '"' && line[at] === '\\') at += 1;
    }
    return line.length;
  }
  const inFlow = line.lastIndexOf('{', from) >= 0;
  const comma = inFlow ? line.slice(from).search(/[,}]/) : -1;
  return comma < 0 ? line.length : from + comma;
}

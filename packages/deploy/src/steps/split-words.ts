import { BoxwrightError } from '@boxwright/errors';

/** What goes on where the splitter stands. */
type Quote = '' | "'" | '"';

/**
 * Splits a command line into words as a POSIX shell does, and nothing more: quotes and backslashes, no variables, no
 * comments, no operators. The rules are those of Python's `shlex.split`: in double quotes a backslash only escapes `"` and
 * itself; outside of quotes it escapes anything.
 *
 * @throws BoxwrightError COMMAND_INVALID for a quote that is not closed, or a backslash at the end
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  // An empty pair of quotes is a word too.
  let isWord = false;
  let quote: Quote = '';
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote === '' && /[ \t\r\n]/.test(character)) {
      if (isWord) words.push(word);
      word = '';
      isWord = false;
      continue;
    }
    isWord = true;
    if (character === '\\' && quote !== "'") {
      const next = line.charAt(at + 1);
      if (next === '') throw invalid(line, 'No escaped character: it ends with a backslash');
      const isKept = quote === '"' && next !== '"' && next !== '\\';
      word += isKept ? `\\${next}` : next;
      at += 1;
    } else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = '';
    else word += character;
  }
  if (quote !== '') throw invalid(line, `No closing quotation: a ${quote} is left open`);
  if (isWord) words.push(word);
  return words;
}

/** Longer command lines are shown cut. */
const maxShown = 120;

function invalid(line: string, why: string): BoxwrightError {
  const shown = line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
  return new BoxwrightError('COMMAND_INVALID', `the command ${JSON.stringify(shown)} cannot be read: ${why}`, {
    hint: "Close every quote; write the script with 'shell: true' to have a shell read it.",
  });
}

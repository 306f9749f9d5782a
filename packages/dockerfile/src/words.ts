import { isSeparator, isSpace } from './go-space.ts';

/** A word of an instruction and where it stands in the text that was split. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Splits at blanks and tabs, quotes without meaning: FROM, EXPOSE, COPY. */
export function splitWords(text: string): Word[] {
  const words: Word[] = [];
  let index = 0;
  while (index < text.length) {
    if (isSeparator(text.charCodeAt(index))) {
      index++;
      continue;
    }
    const start = index;
    while (index < text.length && !isSeparator(text.charCodeAt(index))) index++;
    words.push({ text: text.slice(start, index), start, end: index });
  }
  return words;
}

/**
 * Splits at white space outside of quotes: ENV, LABEL, ARG. Quotes and escapes stay in the words; they are removed when
 * the word is expanded. The escape character keeps the next one in the word, except between single quotes.
 */
export function splitQuotedWords(text: string, escape: string): Word[] {
  const words: Word[] = [];
  let start = -1;
  let word = '';
  let quote = '';
  const close = (end: number): void => {
    if (word !== '') words.push({ text: word, start, end });
    start = -1;
    word = '';
  };
  for (let index = 0; index < text.length; index++) {
    let character = text[index] ?? '';
    if (quote === '' && isSpace(text.charCodeAt(index))) {
      if (start !== -1) close(index);
      continue;
    }
    if (start === -1) start = index;
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === "'" || character === '"') {
      quote = character;
    }
    if (character === escape && quote !== "'") {
      // At the very end it is dropped.
      if (index + 1 === text.length) break;
      word += character;
      index++;
      character = text[index] ?? '';
    }
    word += character;
  }
  if (start !== -1) close(text.length);
  return words;
}

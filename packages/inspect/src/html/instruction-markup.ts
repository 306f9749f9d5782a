import type { HistoryInstruction, NameValue, RunInstruction } from '../instructions/instruction.ts';
import type { PageRow } from '../page/page.ts';
import { commandPieces } from './command-pieces.ts';
import { Html, html, multiline } from './markup.ts';

/** The arguments of a row's instruction, without its keyword, as one would write them in a Dockerfile. */
export function instructionMarkup(row: PageRow): Html {
  const { instruction } = row;
  return instruction === undefined ? multiline(row.createdBy.trim()) : argumentsMarkup(instruction);
}

function argumentsMarkup(instruction: HistoryInstruction): Html {
  switch (instruction.kind) {
    case 'RUN':
      return runMarkup(instruction);
    case 'COPY':
    case 'ADD': {
      const { flags, sources, destination, contentId } = instruction;
      const from = sources.length > 0 || contentId === undefined ? sources : [contentId];
      return html`${flags.map((flag) => html`<i>${flag}</i> `)}${from.map((source) => `${source} `)}${destination}`;
    }
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      return pairsMarkup(instruction.pairs);
    case 'CMD':
    case 'ENTRYPOINT':
    case 'SHELL':
    case 'VOLUME':
      return instruction.exact ? html`${jsonWords(instruction.words)}` : html`${instruction.words.join(' ')}`;
    case 'EXPOSE':
      return html`${instruction.words.join(' ')}`;
    case 'HEALTHCHECK':
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
    case 'ONBUILD':
    case 'MAINTAINER':
    case 'FROM':
    default:
      return multiline(instruction.value);
  }
}

/**
 * A command, broken before `&&` and after `;` as it was in the Dockerfile before the lines were joined. The breaks are
 * drawn, not written: who copies the command gets it as it is.
 */
function runMarkup({ command, words, shell }: RunInstruction): Html {
  if (words !== undefined) return html`${jsonWords(words)}`;
  const prefix = shell === undefined || shell === '/bin/sh -c' ? undefined : html`<i>${shell}</i> `;
  if (command.includes('\n')) return html`${prefix}${multiline(command)}`;
  const [first, ...rest] = commandPieces(command.replace(/[\t ]+/g, ' '));
  return html`${prefix}${first}${rest.map((piece) => html`<b class="br"></b>${piece}`)}`;
}

function pairMarkup({ name, value }: NameValue): Html {
  return value === undefined ? html`<em>${name}</em>` : html`<em>${name}</em>=${multiline(value)}`;
}

/** The exec form as a Dockerfile has it, with blanks after the commas. */
export function jsonWords(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}

/** Names and values below each other. */
export function pairsMarkup(pairs: readonly NameValue[]): Html {
  return new Html(pairs.map((pair) => pairMarkup(pair).markup).join('\n'));
}

import { parsePortSpec } from '@boxwright/dockerfile';
import { checkedLine } from './checked-line.ts';
import { type DockerfileText, jsonArray, quoteWord, rawText } from './dockerfile-text.ts';
import { instructionError } from './instruction-error.ts';

/** Names and values, in order: an object, a Map, or pairs. */
export type KeyValues = Readonly<Record<string, DockerfileText>> | Iterable<readonly [string, DockerfileText]>;

/** `ENV A=1 B="two words"`. @throws BoxwrightError INSTRUCTION_INVALID */
export function envLine(values: KeyValues): string {
  return keyValueLine('ENV', 'env', values, /^[a-zA-Z_][\w.-]*$/, 'letters, digits and underscores');
}

/** `LABEL org.opencontainers.image.title="My app"`. @throws BoxwrightError INSTRUCTION_INVALID */
export function labelLine(values: KeyValues): string {
  return keyValueLine('LABEL', 'label', values, /^[\p{L}\p{N}][\p{L}\p{N}_./:@+-]*$/u, 'letters, digits and ._-/');
}

function keyValueLine(name: string, kind: 'env' | 'label', values: KeyValues, allowed: RegExp, made: string): string {
  const pairs = isIterable(values) ? [...values] : Object.entries(values);
  if (pairs.length === 0) throw instructionError(name, '', 'there is no name and no value');
  for (const [key] of pairs) {
    if (!allowed.test(key)) throw instructionError(name, key, 'it is no name', `A name is made of ${made}.`);
  }
  const words = pairs.map(([key, value]) => `${key}=${rawText(value) === '' ? '""' : quoteWord(name, value)}`);
  return checkedLine(kind, `${name} ${words.join(' ')}`);
}

function isIterable(values: KeyValues): values is Iterable<readonly [string, DockerfileText]> {
  return Symbol.iterator in values;
}

/** `ARG NAME` or `ARG NAME=default`. @throws BoxwrightError INSTRUCTION_INVALID */
export function argLine(name: string, value?: DockerfileText): string {
  if (!/^[a-zA-Z_]\w*$/.test(name)) {
    throw instructionError('ARG', name, 'it is no name', 'A name is made of letters, digits and underscores.');
  }
  return checkedLine('arg', value === undefined ? `ARG ${name}` : `ARG ${name}=${wordOrEmpty('ARG', value)}`);
}

function wordOrEmpty(name: string, value: DockerfileText): string {
  return rawText(value) === '' ? '""' : quoteWord(name, value);
}

/** `WORKDIR /app`. @throws BoxwrightError INSTRUCTION_INVALID */
export function workdirLine(path: DockerfileText): string {
  return checkedLine('workdir', `WORKDIR ${required('WORKDIR', path)}`);
}

/** `USER app` or `USER 1000:1000`. @throws BoxwrightError INSTRUCTION_INVALID */
export function userLine(user: DockerfileText | number, group?: DockerfileText | number): string {
  const name = (value: DockerfileText | number): string => {
    const text = typeof value === 'number' ? idText(value) : value;
    // A variable may hold user and group.
    const isName = typeof text === 'string' ? /^[^\s:]+$/u.test(text) : true;
    if (!isName) throw instructionError('USER', rawText(text), 'a name has no blanks and no colon');
    return required('USER', text);
  };
  // user('app:staff') is what Dockerfiles have.
  if (typeof user === 'string' && group === undefined) {
    const [first = '', second, ...more] = user.split(':');
    if (second !== undefined && more.length === 0) return userLine(first, second);
  }
  return checkedLine('user', `USER ${group === undefined ? name(user) : `${name(user)}:${name(group)}`}`);
}

function idText(id: number): string {
  if (Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1) return String(id);
  throw instructionError('USER', String(id), 'it is no user or group id');
}

/** `EXPOSE 8080 53/udp 8000-8010/tcp`. @throws BoxwrightError INSTRUCTION_INVALID */
export function exposeLine(ports: readonly (number | string)[]): string {
  const words = ports.map((port) => {
    const text = String(port);
    const read = parsePortSpec(text);
    if ('reason' in read) throw instructionError('EXPOSE', text, read.reason, 'Write PORT, FIRST-LAST or PORT/udp.');
    return text;
  });
  if (words.length === 0) throw instructionError('EXPOSE', '', 'there is no port');
  return checkedLine('expose', `EXPOSE ${words.join(' ')}`);
}

/** `VOLUME ["/data"]`. @throws BoxwrightError INSTRUCTION_INVALID */
export function volumeLine(paths: readonly DockerfileText[]): string {
  return checkedLine(
    'volume',
    `VOLUME ${jsonArray(
      'VOLUME',
      paths.map((path) => required('VOLUME', path)),
    )}`,
  );
}

/** `STOPSIGNAL SIGINT`; a number is a signal too. @throws BoxwrightError INSTRUCTION_INVALID */
export function stopSignalLine(signal: NodeJS.Signals | number): string {
  const text = String(signal);
  if (!/^(?:SIG[A-Z0-9+-]+|[1-9][0-9]?)$/.test(text)) throw instructionError('STOPSIGNAL', text, 'it is no signal');
  return checkedLine('stopsignal', `STOPSIGNAL ${text}`);
}

function required(name: string, value: DockerfileText): string {
  if (rawText(value).trim() === '') throw instructionError(name, rawText(value), 'it is empty');
  return quoteWord(name, value);
}

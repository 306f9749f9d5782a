import { escapeForTerminal } from '@boxwright/errors';
import { isJsonObject, type JsonValue } from '../../documents/json.ts';
import { parseJson } from '../../documents/json-parser.ts';
import type { HttpResponse } from '../transport/http.ts';

/** What an answer that is an error says (distribution spec, "Error Codes"). */
export interface ErrorBody {
  /** `MANIFEST_UNKNOWN`, … in the order they came; escaped. */
  readonly codes: readonly string[];
  /** One line, escaped and short; empty when there is nothing to say. */
  readonly text: string;
  readonly isPage: boolean;
}

const MAX_READ = 65_536;
const MAX_SHOWN = 300;
const MAX_ERRORS = 5;

/** Reads the body of an error to its end or 64 KiB (threats R3), whatever it is. Never throws. */
export async function readErrorBody(response: HttpResponse): Promise<ErrorBody> {
  return parseErrorBody(await readStart(response), response.header('content-type') ?? '');
}

/** At most 64 KiB of a body; what was there when it was cut off. Drops the rest. Never throws. */
export async function readStart(response: HttpResponse): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response.body) {
      // A piece is valid until the next one is asked for.
      pieces.push(Buffer.from(piece.subarray(0, MAX_READ - size)));
      size += piece.length;
      if (size >= MAX_READ) break;
    }
  } catch {
    // An error that is cut off still says something.
  }
  return Buffer.concat(pieces);
}

/** An answer whose body was read before. */
export function withBody(response: HttpResponse, bytes: Buffer): HttpResponse {
  return {
    status: response.status,
    url: response.url,
    header: (name) => response.header(name),
    headers: (name) => response.headers(name),
    body: once(bytes),
    bytes: async () => bytes,
    discard: async () => undefined,
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** Understands the body of an error: the specification's JSON, other JSON with a message, an HTML page, text. */
export function parseErrorBody(bytes: Buffer, contentType: string): ErrorBody {
  if (isHtml(contentType) || /^\s*(?:<!doctype|<html)/i.test(bytes.toString('latin1', 0, 200))) {
    const title = /<title[^>]*>([^<]{1,500})/i.exec(bytes.toString('utf8'))?.[1]?.replace(/\s+/g, ' ').trim() ?? '';
    const text = title === '' ? 'an HTML page' : `an HTML page "${title}"`;
    return { codes: [], text: short(text), isPage: true };
  }
  let json: JsonValue;
  try {
    json = parseJson(bytes, { duplicateKeys: 'last', maxDepth: 20 });
  } catch {
    return { codes: [], text: short(bytes.toString('utf8').trim()), isPage: false };
  }
  return { ...readErrors(json), isPage: false };
}

/** True for the media types of web pages. */
export function isHtml(contentType: string): boolean {
  return /^(?:text\/html|application\/xhtml\+xml)\b/i.test(contentType.trim());
}

function readErrors(json: JsonValue): { codes: readonly string[]; text: string } {
  if (!isJsonObject(json)) return { codes: [], text: '' };
  const list = json.get('errors');
  const errors = Array.isArray(list) ? list.slice(0, MAX_ERRORS) : [json];
  const codes: string[] = [];
  const texts: string[] = [];
  for (const error of errors) {
    if (!isJsonObject(error)) continue;
    const code = word(error.get('code'));
    const message = word(error.get('message')) || word(error.get('error')) || word(error.get('details'));
    const detail = word(error.get('detail'));
    if (code !== '') codes.push(short(code));
    texts.push([code, message, detail === message ? '' : detail].filter((part) => part !== '').join(': '));
  }
  return { codes, text: short(texts.filter((text) => text !== '').join('; ')) };
}

function word(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value.trim() : '';
}

function short(text: string): string {
  return escapeForTerminal(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
}

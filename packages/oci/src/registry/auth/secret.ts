import { inspect } from 'node:util';

/** A password or token. Printed, logged or put into JSON it is `***`; only {@link Secret.reveal} gives the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    // Not a method: its computed name cannot be declared.
    Object.defineProperty(this, inspect.custom, { value: () => '***' });
  }

  /** The text itself: for headers, forms, helpers and files, never for messages. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }
}

/** Shorter texts are left alone: replacing each `a` of a sentence would tell the password, not hide it. */
const MIN_REDACTED = 4;

/** `text` without the secrets, also where they stand URL- or base64-encoded: servers and helpers like to echo what they got. */
export function redact(text: string, secrets: readonly Secret[]): string {
  let result = text;
  for (const secret of secrets) {
    const plain = secret.reveal();
    const forms = [plain, encodeURIComponent(plain), JSON.stringify(plain).slice(1, -1), toBase64(plain)];
    for (const form of forms) if (form.length >= MIN_REDACTED) result = result.replaceAll(form, '***');
  }
  return result;
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64').replace(/=+$/, '');
}

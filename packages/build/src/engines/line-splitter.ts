/** Longest line that is read; builders cut the output of commands into far smaller pieces. */
const MAX_LINE = 16 << 20;

/** Cuts a stream of bytes into lines of text. Lines beyond the limit are left out. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #isTooLong = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** What has no line end is a line, too. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#rest !== '' && !this.#isTooLong) this.#onLine(this.#rest.replace(/\r$/, ''));
    this.#rest = '';
  }

  #take(text: string): void {
    const lines = text.split('\n');
    lines[0] = this.#rest + (lines[0] ?? '');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!this.#isTooLong) this.#onLine(line.replace(/\r$/, ''));
      this.#isTooLong = false;
    }
    if (this.#rest.length <= MAX_LINE) return;
    this.#isTooLong = true;
    this.#rest = '';
  }
}

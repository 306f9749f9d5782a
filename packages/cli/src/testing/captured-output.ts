import type { ProgressOutput } from '../progress/renderer.ts';

/** An output that keeps what is written to it. */
export class CapturedOutput implements ProgressOutput {
  text = '';
  readonly isTTY: boolean;
  columns: number;
  rows: number;

  constructor(terminal?: { readonly columns: number; readonly rows: number }) {
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns ?? 80;
    this.rows = terminal?.rows ?? 24;
  }

  write(text: string | Uint8Array): boolean {
    this.text += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  }
}

import type { ProgressMode } from '../progress/create-renderer.ts';
import type { ProgressOutput } from '../progress/renderer.ts';
import { silentTransfer, type TransferRenderer } from './transfer-event.ts';

/** The renderer that `--progress` names; `auto` draws on a terminal and prints lines elsewhere. Loads only that one. */
export async function createTransferRenderer(
  mode: ProgressMode,
  output: ProgressOutput,
  colors: boolean,
): Promise<TransferRenderer> {
  const shown = mode === 'auto' ? (output.isTTY === true ? 'tty' : 'plain') : mode;
  switch (shown) {
    case 'tty':
      return new (await import('./transfer-tty.ts')).TransferTty(output, colors);
    case 'rawjson':
      return new (await import('./transfer-json.ts')).TransferJson(output);
    case 'quiet':
      return silentTransfer;
    case 'plain':
      return new (await import('./transfer-plain.ts')).TransferPlain(output);
    default:
      return shown satisfies never;
  }
}

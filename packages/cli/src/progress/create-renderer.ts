import type { ProgressOutput, ProgressRenderer } from './renderer.ts';
import { silentRenderer } from './renderer.ts';

/** Values of `--progress`; `quiet` is what `-q` asks for: nothing but what a failed step said. */
export type ProgressMode = 'auto' | 'tty' | 'plain' | 'rawjson' | 'quiet';

/** The renderer that `--progress` names; `auto` draws on a terminal and prints lines elsewhere, `silent` does nothing. Loads only that one. */
export async function createRenderer(
  mode: ProgressMode | 'silent',
  output: ProgressOutput,
  colors: boolean,
): Promise<ProgressRenderer> {
  const shown = mode === 'auto' ? (output.isTTY === true ? 'tty' : 'plain') : mode;
  switch (shown) {
    case 'tty':
      return new (await import('./tty.ts')).TtyRenderer(output, { colors });
    case 'rawjson':
      return new (await import('./raw-json.ts')).RawJsonRenderer(output);
    case 'quiet':
      return new (await import('./quiet.ts')).QuietRenderer(output);
    case 'silent':
      return silentRenderer;
    case 'plain':
      return new (await import('./plain.ts')).PlainRenderer(output);
    default:
      return shown satisfies never;
  }
}

/** What a part of an image is: its line in the progress says so. */
export type PartKind = 'layer' | 'config' | 'manifest' | 'index';

/** What became of a part: `absent` could not be had and may be missing. */
export type PartOutcome = 'copied' | 'mounted' | 'exists' | 'absent';

/**
 * What a transfer reports while it runs, for {@link TransferRenderer}s. Without times: pieces come by the ten thousand,
 * and whoever draws looks at the clock when it draws.
 */
export type TransferEvent =
  /** An image is on its way. */
  | { readonly type: 'image'; readonly title: string; readonly source: string; readonly destination: string }
  /** A part belongs to the image; `size` is not known of what is compressed on the way. */
  | { readonly type: 'found'; readonly id: string; readonly kind: PartKind; readonly size: number | undefined }
  /** Its bytes are on their way. */
  | { readonly type: 'started'; readonly id: string; readonly kind: PartKind }
  /** So many further bytes; negative when a try failed and what it brought counts no more. */
  | { readonly type: 'bytes'; readonly id: string; readonly count: number }
  /** May come without the others, when nothing had to be sent. */
  | {
      readonly type: 'finished';
      readonly id: string;
      readonly kind: PartKind;
      readonly size: number;
      readonly outcome: PartOutcome;
    }
  /** Something a person should read: a try that failed, a registry's warning or limit. */
  | { readonly type: 'note'; readonly level: 'retry' | 'warning' | 'info'; readonly text: string };

/** Draws a transfer; one per command. */
export interface TransferRenderer {
  onEvent(event: TransferEvent): void;
  /** It is over, well or not: draws the final state. */
  finish(): void;
}

/** Shows nothing: `--quiet`. */
export const silentTransfer: TransferRenderer = { onEvent: () => {}, finish: () => {} };

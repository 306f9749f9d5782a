/** What a part of an image is: its line in the progress says so. */
export type PartKind = 'layer' | 'config' | 'manifest' | 'index' | 'blob';

/** What became of a part. */
export type PartOutcome = 'copied' | 'mounted' | 'exists';

/**
 * What a transfer reports while it runs, for {@link TransferRenderer}s. Without times: pieces come by the ten thousand,
 * and whoever draws looks at the clock when it draws.
 */
export type TransferEvent =
  /** An image is on its way. */
  | { readonly type: 'image'; readonly source: string; readonly destination: string }
  /** A part is on its way; `size` is not known of what is compressed on the way. */
  | { readonly type: 'started'; readonly id: string; readonly kind: PartKind; readonly size: number | undefined }
  /** So many further bytes; negative when a try failed and what it brought counts no more. */
  | { readonly type: 'bytes'; readonly id: string; readonly count: number }
  /** `id` may come without `started`, when nothing had to be sent. */
  | {
      readonly type: 'finished';
      readonly id: string;
      readonly kind: PartKind;
      readonly size: number;
      readonly outcome: PartOutcome;
      /** Repository that it was mounted from. */
      readonly from?: string;
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

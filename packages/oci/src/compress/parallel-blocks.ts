import { availableParallelism } from 'node:os';

/** A piece of the input, always full but for the last. `bytes` is used again once its work is done. */
export interface InputBlock {
  readonly bytes: Buffer;
  readonly isLast: boolean;
  /** The bytes right before this block, as many as were asked for; undefined for the first block. */
  readonly before: Buffer | undefined;
}

/** How the input is cut and worked on. */
export interface BlockOptions {
  readonly blockSize: number;
  /** Bytes of {@link InputBlock.before}. */
  readonly overlap: number;
  /** Blocks in work at a time; does not change the output. */
  readonly concurrency?: number | undefined;
}

/**
 * Cuts a stream into blocks of one size, whatever its chunks, works on several at a time and gives the results in
 * order. Memory is bounded: no more input is read than there are blocks in work, and none while the consumer is slow.
 * An empty input is one empty last block.
 */
export async function* mapBlocks(
  source: AsyncIterable<Uint8Array>,
  options: BlockOptions,
  work: (block: InputBlock) => Promise<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const concurrency = options.concurrency ?? Math.min(availableParallelism() + 1, 8);
  const idle: Buffer[] = [];
  const inWork: Promise<Buffer>[] = [];
  for await (const block of cutBlocks(source, options, idle)) {
    const result = work(block).finally(() => idle.push(block.bytes));
    // A failure is thrown where the result is awaited; when the consumer has gone away nobody needs to hear of it.
    result.catch(() => undefined);
    inWork.push(result);
    if (inWork.length >= concurrency) yield await takeFirst(inWork);
  }
  while (inWork.length > 0) yield await takeFirst(inWork);
}

function takeFirst(queue: Promise<Buffer>[]): Promise<Buffer> {
  return queue.shift() ?? Promise.reject(new Error('no block is in work'));
}

async function* cutBlocks(
  source: AsyncIterable<Uint8Array>,
  { blockSize, overlap }: BlockOptions,
  idle: Buffer[],
): AsyncGenerator<InputBlock, void, undefined> {
  // The pool holds whole blocks, so that a shorter last block may go back to it too: it is the last use.
  const take = () => idle.pop() ?? Buffer.allocUnsafeSlow(blockSize);
  let bytes = take();
  let filled = 0;
  let before: Buffer | undefined;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === blockSize) {
        // Only now is it known that this block is not the last one.
        const next = overlap === 0 ? undefined : Buffer.from(bytes.subarray(blockSize - overlap));
        yield { bytes, isLast: false, before };
        before = next;
        bytes = take();
        filled = 0;
      }
      const length = Math.min(chunk.length - at, blockSize - filled);
      bytes.set(chunk.subarray(at, at + length), filled);
      filled += length;
      at += length;
    }
  }
  yield { bytes: bytes.subarray(0, filled), isLast: true, before };
}

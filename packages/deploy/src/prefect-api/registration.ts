import type { PlainObject } from '../yaml/index.ts';

/** A deployment as a Prefect server has it, or would have it. */
export interface Registration {
  /** `flow/name` */
  readonly name: string;
  readonly flow: string;
  /** What is sent, without the flow's id, which only the server knows. */
  readonly body: PlainObject;
  /** The server's id, where it was sent. */
  readonly id: string | undefined;
  /** True when the server had none of that name. */
  readonly created: boolean | undefined;
}

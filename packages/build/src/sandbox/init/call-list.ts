import { BoxwrightError } from '@boxwright/errors';
import { LIST_ADDRESS, LIST_SIZE } from './machine-code.ts';
import { type SystemCallName, systemCallNumber } from './system-calls.ts';

const RECORD = 64;
const IGNORE_FAILURE = 1n;
const JUMP_IF_POSITIVE = 2n;

/** An argument of a call: a number, a C string, or memory put into the list's data ({@link CallList.memory}). */
export type CallArgument = number | bigint | string | Memory;

/** Bytes of the list with an address. */
export interface Memory {
  readonly address: bigint;
}

/** What one failed record was meant to do, for the error message. */
export interface FailedCall {
  readonly call: SystemCallName;
  readonly purpose: string;
  /** Positive errno. */
  readonly errno: number;
}

interface CallRecord {
  readonly call: SystemCallName;
  readonly purpose: string;
  readonly values: readonly bigint[];
  readonly ignoreFailure: boolean;
  readonly jump: string | undefined;
}

/** Records that one list can have; data starts behind them. */
const MAX_RECORDS = 1024;
const DATA_ADDRESS = LIST_ADDRESS + MAX_RECORDS * RECORD;

/** The system calls that the sandbox's init makes, in order: see machine-code.ts for the form in memory. */
export class CallList {
  readonly #architecture: 'x64' | 'arm64';
  readonly #records: CallRecord[] = [];
  readonly #labels = new Map<string, number>();
  readonly #data: Buffer[] = [];
  readonly #strings = new Map<string, Memory>();
  #dataSize = 0;

  constructor(architecture: 'x64' | 'arm64') {
    this.#architecture = architecture;
  }

  /** Adds a call; when it fails the init stops, and {@link failedCall} tells `purpose`. */
  call(purpose: string, call: SystemCallName, ...values: CallArgument[]): this {
    return this.#add(purpose, call, values, false);
  }

  /** Adds a call whose failure does not matter. */
  tryCall(purpose: string, call: SystemCallName, ...values: CallArgument[]): this {
    return this.#add(purpose, call, values, true);
  }

  /** Adds clone(SIGCHLD, ...); the child goes on with the next record, the parent at `label`. Gives {@link lastResult}. */
  fork(purpose: string, label: string): Memory {
    const SIGCHLD = 17;
    return this.#add(purpose, 'clone', [SIGCHLD], false, label).lastResult();
  }

  /** Where the result of the call added last will be: 8 bytes, followed by the call's first argument. */
  lastResult(): Memory {
    return { address: BigInt(LIST_ADDRESS + (this.#records.length - 1) * RECORD) };
  }

  /** Names the place of the next record. */
  label(name: string): this {
    this.#labels.set(name, this.#records.length);
    return this;
  }

  /** Puts bytes into the list, at an address that is a multiple of 16. */
  memory(bytes: Uint8Array): Memory {
    const address = DATA_ADDRESS + this.#dataSize;
    const padding = (16 - (bytes.length % 16)) % 16;
    this.#data.push(Buffer.from(bytes), Buffer.alloc(padding));
    this.#dataSize += bytes.length + padding;
    return { address: BigInt(address) };
  }

  /** Puts a `char *[]` of C strings into the list. */
  stringArray(values: readonly string[]): Memory {
    const table = Buffer.alloc((values.length + 1) * 8);
    values.forEach((value, index) => {
      table.writeBigUInt64LE(this.#string(value).address, index * 8);
    });
    return this.memory(table);
  }

  /**
   * The list as the init reads it.
   *
   * @throws BoxwrightError `SANDBOX_COMMAND_TOO_LONG` when arguments and environment do not fit into 16 MiB
   */
  encode(): Buffer {
    if (this.#records.length > MAX_RECORDS || DATA_ADDRESS + this.#dataSize > LIST_ADDRESS + LIST_SIZE) {
      throw new BoxwrightError(
        'SANDBOX_COMMAND_TOO_LONG',
        'the command, its environment and its mounts take more than 16 MiB',
        {
          hint: 'Pass large values in files (COPY, or a bind mount) instead of ENV, ARG or a heredoc.',
        },
      );
    }
    const records = Buffer.alloc(MAX_RECORDS * RECORD);
    this.#records.forEach((record, index) => {
      const words = [BigInt(systemCallNumber(record.call, this.#architecture)), ...record.values];
      for (const [position, word] of words.entries()) {
        records.writeBigUInt64LE(BigInt.asUintN(64, word), index * RECORD + position * 8);
      }
      records.writeBigUInt64LE(this.#control(record), index * RECORD + 56);
    });
    return Buffer.concat([records, ...this.#data]);
  }

  /** Explains the two words that the init reports when a call failed. */
  failedCall(result: bigint, address: bigint): FailedCall | undefined {
    const record = this.#records[(Number(address) - LIST_ADDRESS) / RECORD];
    if (record === undefined || result >= 0n) return undefined;
    return { call: record.call, purpose: record.purpose, errno: Number(-result) };
  }

  #add(
    purpose: string,
    call: SystemCallName,
    values: readonly CallArgument[],
    ignoreFailure: boolean,
    jump?: string,
  ): this {
    this.#records.push({ call, purpose, values: values.map((value) => this.#value(value)), ignoreFailure, jump });
    return this;
  }

  #value(value: CallArgument): bigint {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'number') return BigInt(value);
    return typeof value === 'string' ? this.#string(value).address : value.address;
  }

  #string(value: string): Memory {
    const known = this.#strings.get(value);
    if (known !== undefined) return known;
    const memory = this.memory(Buffer.from(`${value}\0`));
    this.#strings.set(value, memory);
    return memory;
  }

  #control(record: CallRecord): bigint {
    if (record.jump === undefined) return record.ignoreFailure ? IGNORE_FAILURE : 0n;
    const target = this.#labels.get(record.jump);
    if (target === undefined) throw new RangeError(`no label ${record.jump}`);
    return (BigInt(LIST_ADDRESS + target * RECORD) << 32n) | JUMP_IF_POSITIVE;
  }
}

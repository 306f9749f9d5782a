import { BoxwrightError } from '@boxwright/errors';
import { LIST_ADDRESS, LIST_SIZE } from './machine-code.ts';
import { type SystemCallName, systemCallNumber } from './system-calls.ts';

const WORD = 8;
const RECORD = 10 * WORD;
const CONTROL_WORD = 7;
const RESULT_WORD = 8;
const TAG_WORD = 9;
const IGNORE_FAILURE = 1;
const JUMP_IF_POSITIVE = 2;

/** An argument of a call: a number, a C string, or memory put into the list's data ({@link CallList.memory}). */
export type CallArgument = number | string | Memory;

/** Bytes of the list with an address. */
export interface Memory {
  readonly address: number;
}

/** Where in the init's memory a list lives. */
export interface ListPlace {
  readonly address: number;
  readonly size: number;
  /** Data starts behind this many records. */
  readonly maxRecords: number;
}

/** The place of a list that the init reads itself. */
export const WHOLE_LIST: ListPlace = { address: LIST_ADDRESS, size: LIST_SIZE, maxRecords: 1024 };

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
  readonly values: readonly number[];
  readonly ignoreFailure: boolean;
  /** Where to go on when the result is positive: a label, or an address in another list. */
  readonly jump: string | number | undefined;
  tag: number;
}

/** The system calls that the sandbox's init makes, in order: see machine-code.ts for the form in memory. */
export class CallList {
  readonly #architecture: 'x64' | 'arm64';
  readonly #place: ListPlace;
  readonly #records: CallRecord[] = [];
  readonly #labels = new Map<string, number>();
  readonly #data: Uint8Array[] = [];
  readonly #strings = new Map<string, Memory>();
  #dataSize = 0;

  constructor(architecture: 'x64' | 'arm64', place: ListPlace = WHOLE_LIST) {
    this.#architecture = architecture;
    this.#place = place;
  }

  /** Adds a call; when it fails the init stops, and {@link failedCall} tells `purpose`. */
  call(purpose: string, call: SystemCallName, ...values: CallArgument[]): this {
    return this.#add(purpose, call, values, false, undefined);
  }

  /** Adds a call whose failure does not matter. */
  tryCall(purpose: string, call: SystemCallName, ...values: CallArgument[]): this {
    return this.#add(purpose, call, values, true, undefined);
  }

  /** Adds a call after which it goes on at a label of this list or an address of another one when the result is positive. */
  callAndJump(purpose: string, target: string | number, call: SystemCallName, ...values: CallArgument[]): this {
    return this.#add(purpose, call, values, false, target);
  }

  /** Adds a clone like fork(2): the child goes on with the next record, the parent at `label`. */
  fork(purpose: string, label: string): this {
    const SIGCHLD = 17;
    return this.callAndJump(purpose, label, 'clone', SIGCHLD, 0, 0, 0, 0);
  }

  /** Where the result of the call added last will be: 8 bytes, followed by 8 bytes with `tag`. */
  lastResult(tag: bigint = 0n): Memory {
    const record = this.#records.at(-1);
    if (record === undefined) throw new RangeError('the list is empty');
    record.tag = Number(tag);
    return { address: this.#addressOf(this.#records.length - 1) + RESULT_WORD * WORD };
  }

  /** Names the place of the next record. */
  label(name: string): this {
    this.#labels.set(name, this.#records.length);
    return this;
  }

  /** Puts bytes into the list, at an address that is a multiple of 16. */
  memory(bytes: Uint8Array): Memory {
    const address = this.#place.address + this.#place.maxRecords * RECORD + this.#dataSize;
    const padding = (16 - (bytes.length % 16)) % 16;
    this.#data.push(bytes, new Uint8Array(padding));
    this.#dataSize += bytes.length + padding;
    return { address };
  }

  /** Puts a `char *[]` of C strings into the list. */
  stringArray(values: readonly string[]): Memory {
    const table = Buffer.alloc((values.length + 1) * WORD);
    values.forEach((value, index) => {
      table.writeUInt32LE(this.#string(value).address, index * WORD);
    });
    return this.memory(table);
  }

  /**
   * The list as the init reads it.
   *
   * @throws BoxwrightError `SANDBOX_COMMAND_TOO_LONG` when arguments and environment do not fit
   */
  encode(): Buffer {
    const { size, maxRecords } = this.#place;
    if (this.#records.length > maxRecords || maxRecords * RECORD + this.#dataSize > size) {
      throw new BoxwrightError(
        'SANDBOX_COMMAND_TOO_LONG',
        'the command, its environment and its mounts take more than 16 MiB',
        {
          hint: 'Pass large values in files (COPY, or a bind mount) instead of ENV, ARG or a heredoc.',
        },
      );
    }
    const records = Buffer.alloc(maxRecords * RECORD);
    this.#records.forEach((record, index) => {
      const start = index * RECORD;
      records.writeUInt32LE(systemCallNumber(record.call, this.#architecture), start);
      record.values.forEach((value, position) => {
        writeWord(records, start + (position + 1) * WORD, value);
      });
      records.writeUInt32LE(controlBits(record), start + CONTROL_WORD * WORD);
      records.writeUInt32LE(this.#jumpAddress(record), start + CONTROL_WORD * WORD + 4);
      records.writeUInt32LE(record.tag, start + TAG_WORD * WORD);
    });
    return Buffer.concat([records, ...this.#data]);
  }

  /** Explains the two words that the init reports when a call failed. */
  failedCall(result: bigint, address: bigint): FailedCall | undefined {
    const record = this.#records[(Number(address) - this.#place.address) / RECORD];
    if (record === undefined || result >= 0n) return undefined;
    return { call: record.call, purpose: record.purpose, errno: Number(-result) };
  }

  #add(
    purpose: string,
    call: SystemCallName,
    values: readonly CallArgument[],
    ignoreFailure: boolean,
    jump: CallRecord['jump'],
  ): this {
    this.#records.push({
      call,
      purpose,
      values: values.map((value) => this.#value(value)),
      ignoreFailure,
      jump,
      tag: 0,
    });
    return this;
  }

  #value(value: CallArgument): number {
    if (typeof value === 'number') return value;
    return typeof value === 'string' ? this.#string(value).address : value.address;
  }

  #string(value: string): Memory {
    let memory = this.#strings.get(value);
    if (memory === undefined) {
      memory = this.memory(Buffer.from(`${value}\0`));
      this.#strings.set(value, memory);
    }
    return memory;
  }

  #addressOf(index: number): number {
    return this.#place.address + index * RECORD;
  }

  #jumpAddress({ jump }: CallRecord): number {
    if (jump === undefined) return 0;
    if (typeof jump === 'number') return jump;
    const target = this.#labels.get(jump);
    if (target === undefined) throw new RangeError(`no label ${jump}`);
    return this.#addressOf(target);
  }
}

function controlBits({ ignoreFailure, jump }: CallRecord): number {
  if (jump !== undefined) return JUMP_IF_POSITIVE;
  return ignoreFailure ? IGNORE_FAILURE : 0;
}

/** A signed 64-bit word; exact for the integers that a number holds. */
function writeWord(buffer: Buffer, offset: number, value: number): void {
  buffer.writeUInt32LE(value >>> 0, offset);
  buffer.writeInt32LE(Math.floor(value / 0x100000000), offset + 4);
}

import { CLONE_NEWPID } from '@boxwright/sys';
import type { CallList } from './call-list.ts';

const SIGKILL = 9;

/** Descriptors that the init gets beside stdin, stdout and stderr. */
export const STATUS_FD = 3;
export const LIST_FD = 4;

/** Second word of a message on the status descriptor: what the first one is. (The address of a record: its call failed.) */
export const MessageTag = {
  /** Nothing: was sent to find out whether anybody listens. */
  alive: 1n,
  /** Process id of the supervisor, as this process sees it. */
  pid: 2n,
  /** What wait(2) told about the command. */
  status: 3n,
} as const;

/** Bytes of one message. */
export const MESSAGE_SIZE = 16;

/**
 * Adds the calls that tie the command to the life of this process, around those that `command` adds:
 *
 *     init ── supervisor, first of an outer PID namespace ── command
 *
 * The init dies with the thread or process that started it and the supervisor with the init (`PR_SET_PDEATHSIG`), also when
 * they are killed; and when the first process of a PID namespace dies, the kernel kills all others. The command
 * itself could switch its own death signal off, which is why there is a supervisor. To stop everything kill the supervisor:
 * the init ends after the last process has gone.
 */
export function supervise(list: CallList, command: (list: CallList) => void, onEnd?: (list: CallList) => void): void {
  dieWithParent(list);
  // Node opens everything close-on-exec; this is also for what it inherited itself.
  list.call('close other descriptors', 'close_range', LIST_FD, 0xffffffff, 0);
  list.call('unshare the outer PID namespace', 'unshare', CLONE_NEWPID);
  const supervisor = list.fork('start the supervisor', 'init waits').lastResult(MessageTag.pid);

  dieWithParent(list);
  const status = list.memory(message(MessageTag.status));
  list.call('unshare the PID namespace', 'unshare', CLONE_NEWPID);
  list.fork('start the command', 'supervisor waits');

  const F_SETFD = 2;
  const FD_CLOEXEC = 1;
  list.call('keep the status descriptor from the command', 'fcntl', STATUS_FD, F_SETFD, FD_CLOEXEC);
  command(list);

  list.label('supervisor waits');
  list.call('wait for the command', 'wait4', -1, status, 0, 0);
  list.call('tell how the command ended', 'write', STATUS_FD, status, MESSAGE_SIZE);
  list.call('end', 'exit_group', 0);

  list.label('init waits');
  list.call('tell the process id', 'write', STATUS_FD, supervisor, MESSAGE_SIZE);
  list.call('wait for the supervisor', 'wait4', -1, 0, 0, 0);
  onEnd?.(list);
  list.call('end', 'exit_group', 0);
}

/**
 * Asks for death with the parent. When the parent was gone before that, nobody reads the status pipe any more
 * and the message fails.
 */
export function dieWithParent(list: CallList): void {
  const PR_SET_PDEATHSIG = 1;
  list.call('die with the parent', 'prctl', PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  list.call('look whether the parent lives', 'write', STATUS_FD, list.memory(message(MessageTag.alive)), MESSAGE_SIZE);
}

function message(tag: bigint): Buffer {
  const bytes = Buffer.alloc(MESSAGE_SIZE);
  bytes.writeBigUInt64LE(tag, 8);
  return bytes;
}

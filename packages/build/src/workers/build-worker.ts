import { parentPort, workerData } from 'node:worker_threads';
import { ImageStore } from '@boxwright/oci';
import { type TaskReply, type TaskRequest, toFailure } from './messages.ts';
import { BuildTasks } from './tasks.ts';

/** The worker thread's program: one store, one task after the other. */
function serve(port: NonNullable<typeof parentPort>, storeRoot: string): void {
  const store = ImageStore.open(storeRoot);
  const tasks = new BuildTasks(store);
  let queue = Promise.resolve();
  const answer = async ({ id, name, args }: TaskRequest): Promise<TaskReply> => {
    try {
      // The pool's typed `call` is the only sender: names and arguments belong together.
      const task = tasks[name].bind(tasks) as (...args: readonly unknown[]) => unknown;
      return { id, result: await task(...args) };
    } catch (error) {
      return { id, failure: toFailure(error) };
    }
  };
  port.on('message', (message: TaskRequest | 'close') => {
    queue = queue.then(async () => {
      if (message === 'close') {
        store.close();
        port.close();
        return;
      }
      port.postMessage(await answer(message));
    });
  });
}

// `workerData` is untyped; the pool gives the store's root.
if (parentPort !== null) serve(parentPort, (workerData as { storeRoot: string }).storeRoot);

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** How a window looks. */
export interface View {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
}

/** Chromium on this machine, or undefined. */
export function chromiumPath(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return directories.map((directory) => join(directory, 'chromium')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Answer = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** A headless Chromium with one window, driven by the DevTools protocol over a pipe: messages end in NUL. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #input: Writable;
  readonly #waiting = new Map<number, Waiting>();
  readonly #messages: string[] = [];
  readonly #loaded = new Set<() => void>();
  #session: string | undefined;
  #next = 1;
  #text = '';

  private constructor(child: ChildProcess) {
    this.#process = child;
    // The casts: both were asked for as pipes.
    this.#input = child.stdio[3] as Writable;
    const output = child.stdio[4] as Readable;
    output.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    this.#input.on('error', () => {});
    const fail = (error: Error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    child.once('error', fail).once('exit', (code) => fail(new Error(`chromium ended with code ${code}`)));
  }

  /** @param profile a directory of its own, for the browser to fill */
  static async start(path: string, profile: string): Promise<Browser> {
    const child = spawn(
      path,
      [
        '--headless=new',
        // Its own sandbox does not work for root, nor where user namespaces are not allowed. The pages are ours.
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--no-first-run',
        '--hide-scrollbars',
        '--force-color-profile=srgb',
        '--remote-debugging-pipe',
        `--user-data-dir=${profile}`,
        'about:blank',
      ],
      // Chromium keeps files in HOME, too.
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: profile } },
    );
    const browser = new Browser(child);
    const { targetId } = await browser.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.#call('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.#call(`${domain}.enable`, {});
    return browser;
  }

  /** What pages complained about (the console, blocked content, failed requests) since the last `open`. */
  get messages(): readonly string[] {
    return this.#messages;
  }

  /** Opens a page and waits until all of it is there. */
  async open(url: string, view: View): Promise<void> {
    this.#messages.length = 0;
    const { width, height, scheme } = view;
    await this.#call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#call('Emulation.setEmulatedMedia', { features });
    const loaded = new Promise<void>((resolve) => this.#loaded.add(resolve));
    await this.#call('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    // The cast: the protocol says so.
    return (result as { readonly value?: unknown }).value;
  }

  /** Clicks in the middle of the first element that a CSS selector finds, as a person does. */
  async click(selector: string): Promise<void> {
    const found = await this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: 'center', behavior: 'instant' });
      const { left, top, width, height } = element.getBoundingClientRect();
      return { x: left + Math.min(width / 2, 40), y: top + height / 2 };
    })()`);
    // The cast: that is what the expression returns.
    const at = found as { readonly x: number; readonly y: number };
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.#call('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
    }
  }

  /** A PNG of the window, or of the whole page. */
  async screenshot(whole = false): Promise<Buffer> {
    const parameters = { format: 'png', captureBeyondViewport: whole };
    if (!whole) return this.#png(parameters);
    const { cssContentSize } = await this.#call('Page.getLayoutMetrics', {});
    // The cast: the protocol says so.
    const { width, height } = cssContentSize as { readonly width: number; readonly height: number };
    return this.#png({ ...parameters, clip: { x: 0, y: 0, width, height, scale: 1 } });
  }

  /** Ends the browser and waits for it. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#send('Browser.close', {}, undefined);
    const impatient = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(impatient);
  }

  async #png(parameters: Answer): Promise<Buffer> {
    const { data } = await this.#call('Page.captureScreenshot', parameters);
    return Buffer.from(String(data), 'base64');
  }

  #call(method: string, parameters: Answer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#send(method, parameters, this.#session), { resolve, reject });
    });
  }

  #send(method: string, params: Answer, sessionId: string | undefined): number {
    const id = this.#next++;
    this.#input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    return id;
  }

  #read(chunk: string): void {
    const messages = (this.#text + chunk).split('\0');
    this.#text = messages.pop() ?? '';
    for (const message of messages) this.#message(JSON.parse(message) as Message);
  }

  #message({ id, result, error, method, params = {} }: Message): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id !== undefined && waiting !== undefined) {
      this.#waiting.delete(id);
      if (error === undefined) waiting.resolve(result ?? {});
      else waiting.reject(new Error(`chromium: ${error.message}`));
    }
    if (method === 'Page.loadEventFired') {
      for (const resolve of this.#loaded) resolve();
      this.#loaded.clear();
    }
    if (method === 'Log.entryAdded' || method === 'Runtime.consoleAPICalled' || method === 'Network.loadingFailed') {
      this.#messages.push(JSON.stringify(params));
    }
  }
}

/** A message of the DevTools protocol: an answer with an `id`, or an event with a `method`. */
interface Message {
  readonly id?: number;
  readonly result?: Answer;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: Answer;
}

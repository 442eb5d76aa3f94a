import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { isInstalled } from './players';

/** What a start may take on a busy machine. */
const START_MS = 30_000;
const CALL_MS = 30_000;
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--remote-debugging-port=0',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--mute-audio',
  '--autoplay-policy=no-user-gesture-required',
  // WebRTC to this very machine.
  '--allow-loopback-in-peer-connection',
];

interface Reply {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** The browser of this system: Chromium, headless, spoken to by its DevTools protocol. */
export class Browser {
  /** Its program, or empty where there is none. */
  static readonly program =
    ['chromium', 'chromium-browser', 'google-chrome'].find((name) => isInstalled(name)) ?? '';

  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  #calls = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const reply = JSON.parse(data.toString()) as Reply;
      const waiting = reply.id === undefined ? undefined : this.#waiting.get(reply.id);
      waiting?.resolve(reply);
    });
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser is gone'));
    });
  }

  static async start(): Promise<Browser> {
    const profile = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-browser-'));
    const child = spawn(Browser.program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Its many processes end together.
      detached: true,
    });
    try {
      const url = await debuggingUrl(child);
      const socket = new WebSocket(url, { perMessageDeflate: false });
      await new Promise<void>((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      });
      return new Browser(child, profile, socket);
    } catch (error) {
      killGroup(child);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    }
  }

  /** An empty page of its own origin, in which `script` has run. */
  async page(script: string): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, String(sessionId));
    await page.run(script);
    return page;
  }

  /** @throws {Error} where the browser says that it cannot */
  async send(
    method: string,
    params: Record<string, unknown>,
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = (this.#calls += 1);
    let timer: NodeJS.Timeout | undefined;
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`${method}: no answer in ${CALL_MS} ms`)), CALL_MS);
        this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
      });
      if (reply.error) throw new Error(`${method}: ${reply.error.message}`);
      return reply.result ?? {};
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Ends it, with all its processes, and removes its profile. */
  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    killGroup(this.#child);
    await gone;
    this.#socket.terminate();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** A page of the browser. */
export class Page {
  readonly #browser: Browser;
  readonly #session: string;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  /**
   * Runs an expression in the page and waits for what comes of it, promises included.
   * @throws {Error} what the page throws
   */
  async run<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#browser.send(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true, userGesture: true },
      this.#session,
    );
    if (exceptionDetails) throw new Error(`in the page: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }
}

async function debuggingUrl(child: ChildProcess): Promise<string> {
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`the browser ${why}; it said:\n${said.slice(-2_000)}`));
      timer = setTimeout(() => fail(`did not start in ${START_MS} ms`), START_MS);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code) => fail(`ended with ${code}`));
      child.stderr?.on('data', (bytes: Buffer) => {
        said += bytes.toString();
        const url = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (url) resolve(url);
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

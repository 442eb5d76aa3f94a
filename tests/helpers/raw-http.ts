import net from 'node:net';
import tls from 'node:tls';
import { HANGS_AFTER_MS } from './patience';

/** A TCP connection on which a test speaks HTTP by hand. */
export class RawConnection {
  readonly #socket: net.Socket;
  #received = '';
  /** Resolves with everything that came, when the other side has closed, in order or not. */
  readonly closed: Promise<string>;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#wake();
        resolve(this.#received);
      });
    });
  }

  /** @param ca the authority behind the certificate that `localhost` shows there; without one, no TLS is spoken */
  static async open(port: number, ca?: Buffer): Promise<RawConnection> {
    const host = '127.0.0.1';
    const socket = ca
      ? tls.connect({ port, host, ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] })
      : net.connect(port, host);
    const open = ca ? 'secureConnect' : 'connect';
    await new Promise<void>((resolve, reject) => socket.once(open, resolve).once('error', reject));
    return new RawConnection(socket);
  }

  /** Whether more may come. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Resolves when something has come, or the connection is over. */
  async more(): Promise<void> {
    if (this.isOpen) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  get received(): string {
    return this.#received;
  }

  get localPort(): number {
    return this.#socket.localPort as number;
  }

  /** @returns whether the kernel took it all, or it waits in this process */
  send(bytes: string | Buffer): boolean {
    return this.#socket.write(bytes);
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when the text has come. */
  async until(pattern: RegExp, withinMs = HANGS_AFTER_MS): Promise<RegExpExecArray> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no ${pattern} within ${withinMs} ms in:\n${this.#received}`)),
        withinMs,
      );
    });
    try {
      for (;;) {
        const match = pattern.exec(this.#received);
        if (match) return match;
        if (this.#socket.destroyed) throw new Error(`closed without ${pattern} in:\n${this.#received}`);
        await Promise.race([late, new Promise<void>((resolve) => this.#waiting.add(resolve))]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** No more comes from this side. */
  end(): void {
    this.#socket.end();
  }

  /** Drops the connection without a word. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

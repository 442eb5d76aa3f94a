import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installedFeatures } from '../../src/cli/nginx-features';
import { renderSite, siteVariables, type SiteOptions } from '../../src/cli/nginx-site';
import { eventually } from './eventually';
import { freePorts, takesConnections } from './free-port';
import { descendants } from './processes';
import { findSystemProgram } from './system-program';
import { makeAuthority } from './test-authority';

/** What Debian's nginx.conf says in its http block, and what a process that is not the system's needs besides. */
const MAIN = (home: string): string => `
daemon off;
pid ${home}/nginx.pid;
error_log ${home}/main.log notice;
worker_processes 2;
events { worker_connections 768; }
http {
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers on;
  gzip on;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  include ${home}/sites/*.conf;
}
`;

/** The system's nginx as a process of its own, with our site for `localhost`, on free ports, with a test certificate. */
export class Nginx {
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly home: string;
  /** The certificate of the authority that signed the server's. */
  readonly ca: Buffer;
  readonly caFile: string;
  readonly #child: ChildProcess;
  readonly #output: string[] = [];

  private constructor(child: ChildProcess, home: string, ports: readonly number[], caFile: string) {
    this.#child = child;
    this.home = home;
    [this.httpPort, this.httpsPort] = ports as [number, number];
    this.caFile = caFile;
    this.ca = readFileSync(caFile);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => this.#output.push(bytes.toString()));
  }

  /**
   * Starts nginx in front of a daemon and its media server; resolves when it takes connections.
   * @param upstream `http://host:port` of both, as `Daemon` has them
   */
  static async start(
    upstream: { apiUrl: string; mediaUrl: string },
    options: Partial<SiteOptions> = {},
  ): Promise<Nginx> {
    const ports = await freePorts(2);
    const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-nginx-'));
    // nginx's workers run under an account of their own where its master is root.
    chmodSync(home, 0o755);
    for (const directory of ['sites', 'log', 'acme/.well-known/acme-challenge'])
      mkdirSync(path.join(home, directory), { recursive: true });
    const authority = await makeAuthority(home, 'localhost');
    const site = siteVariables(
      {
        domain: 'localhost',
        tlsCert: authority.certFile,
        tlsKey: authority.keyFile,
        daemon: new URL(upstream.apiUrl).host,
        media: new URL(upstream.mediaUrl).host,
        address: '127.0.0.1',
        ipv6: false,
        hstsSeconds: 63_072_000,
        listenHttp: ports[0],
        listenHttps: ports[1],
        acmeRoot: path.join(home, 'acme'),
        logDir: path.join(home, 'log'),
        ...options,
      },
      installedFeatures(process.env['PATH']),
    );
    writeFileSync(path.join(home, 'nginx.conf'), MAIN(home));
    writeFileSync(path.join(home, 'sites', 'vibesflow.conf'), renderSite(site));
    const child = spawn(nginxProgram(), ['-p', home, '-c', path.join(home, 'nginx.conf')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const nginx = new Nginx(child, home, ports, authority.caFile);
    try {
      await eventually(
        'nginx takes connections',
        async () => !nginx.isRunning || (await takesConnections(nginx.httpsPort)),
        { withinMs: 10_000 },
      );
      if (!nginx.isRunning) throw new Error(`nginx ended with ${child.exitCode ?? child.signalCode}`);
    } catch (error) {
      child.kill('SIGKILL');
      const said = nginx.errorLog;
      rmSync(home, { recursive: true, force: true });
      throw new Error(`${(error as Error).message}; it said:\n${said}`, { cause: error });
    }
    return nginx;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get url(): string {
    return `https://localhost:${this.httpsPort}`;
  }

  get plainUrl(): string {
    return `http://localhost:${this.httpPort}`;
  }

  target(vibeId: string): { apiUrl: string; vibeId: string } {
    return { apiUrl: this.url, vibeId };
  }

  flvUrl(vibeId: string): string {
    return `${this.url}/live/${vibeId}.flv`;
  }

  hlsUrl(vibeId: string): string {
    return `${this.url}/live/${vibeId}.m3u8`;
  }

  /** What was logged about requests so far. A line comes when its request is over. */
  get accessLog(): Record<string, unknown>[] {
    return this.accessLogText
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get accessLogText(): string {
    return readFileSync(path.join(this.home, 'log', 'vibesflow.access.log'), 'utf8');
  }

  /** Everything else that nginx wrote. */
  get errorLog(): string {
    const files = ['main.log', 'log/vibesflow.error.log'].map((file) => path.join(this.home, file));
    return [...this.#output, ...files.map(readIfThere)].join('');
  }

  /** Process ids of the workers, which serve connections. */
  workers(): number[] {
    return descendants(this.#child.pid as number).map(({ pid }) => pid);
  }

  /** Reads the configuration anew, as `nginx -s reload` does. Resolves when workers of its own serve it. */
  async reload(): Promise<void> {
    const before = new Set(this.workers());
    this.#child.kill('SIGHUP');
    await eventually(
      'new workers are there',
      () => this.workers().filter((pid) => !before.has(pid)).length >= 2,
      { withinMs: 10_000 },
    );
  }

  /** Ends nginx and removes its directory. */
  async stop(): Promise<void> {
    const left = this.workers();
    if (this.isRunning) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    }
    await eventually('no worker is left', () => !left.some((pid) => isThere(pid)));
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** @throws {Error} where there is none */
export function nginxProgram(): string {
  const program = findSystemProgram('nginx');
  if (!program) throw new Error('nginx is missing (apt-get install nginx)');
  return program;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

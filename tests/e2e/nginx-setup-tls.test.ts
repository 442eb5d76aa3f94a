import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually } from '../helpers/eventually';
import { freePorts } from '../helpers/free-port';
import { nginxProgram } from '../helpers/nginx';
import { NGINX_NEEDS } from '../helpers/nginx-house';
import { outputOf, runProgram, type ProgramResult } from '../helpers/run-program';
import { describeWith } from '../helpers/system-program';

const SCRIPT = path.resolve(__dirname, '../../scripts/setup-tls.sh');

/** A machine with programs of its own in front of the real ones, in a directory that is removed. */
class Host {
  readonly home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-tls-'));

  constructor() {
    chmodSync(this.home, 0o755);
    for (const directory of ['bin', 'log']) mkdirSync(this.at(directory));
  }

  at(...parts: string[]): string {
    return path.join(this.home, ...parts);
  }

  read(...parts: string[]): string {
    return readFileSync(this.at(...parts), 'utf8');
  }

  /** Puts a shell script in place of a program. It appends its name and arguments to `calls` first. */
  install(name: string, script = ''): void {
    writeFileSync(this.at('bin', name), `#!/bin/sh\necho "${name} $*" >> ${this.at('calls')}\n${script}\n`);
    chmodSync(this.at('bin', name), 0o755);
  }

  get calls(): string[] {
    return existsSync(this.at('calls')) ? this.read('calls').trim().split('\n') : [];
  }

  /** Runs the script with files of this host only. */
  async setUp(...args: string[]): Promise<ProgramResult & { said: string }> {
    const files = ['--tls-dir', this.at('tls'), '--site', this.at('sites-available/vibesflow.conf')];
    const certbot = ['--acme-root', this.at('acme'), '--certbot-dir', this.at('letsencrypt')];
    const at = args.indexOf('--');
    const [own, more] = at === -1 ? [args, []] : [args.slice(0, at), args.slice(at)];
    const result = await runProgram('sh', [SCRIPT, ...files, ...certbot, ...own, ...more], {
      cwd: this.home,
      env: { PATH: `${this.at('bin')}:${process.env['PATH']}`, HOME: this.home },
    });
    return { ...result, said: result.stderr };
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

describeWith({ ...NGINX_NEEDS, shellcheck: 'shellcheck' })('scripts/setup-tls.sh', () => {
  let host: Host;
  beforeEach(() => {
    host = new Host();
  });
  afterEach(() => host.remove());

  it('is clean for shellcheck', async () => {
    const { stdout } = await runProgram('shellcheck', ['--shell=sh', SCRIPT]);
    expect(stdout.toString()).toBe('');
  });

  it('says what it does', async () => {
    const { exitCode, stdout } = await host.setUp('--help');
    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(/^Usage: scripts\/setup-tls\.sh --domain NAME/);
  });

  it.each([
    [[], /--domain/],
    [['--domain'], /needs a value/],
    [['--domain', 'a b', '--local'], /no host name/],
    [['--domain', 'a.example'], /--email/],
    [['--domain', 'localhost', '--email', 'a@b.example'], /--local/],
    [['--domain', '192.0.2.7', '--email', 'a@b.example'], /--local/],
    [['--domain', 'a.example', '--loud'], /Unknown option/],
  ])('refuses %j, and touches nothing', async (args, why) => {
    const { exitCode, said } = await host.setUp(...args);
    expect(exitCode).toBe(64);
    expect(said).toMatch(why);
    expect(existsSync(host.at('tls'))).toBe(false);
  });

  describe('--local', () => {
    let nginx: ChildProcess | undefined;
    let main: string;
    let ports: string[];
    beforeEach(async () => {
      main = host.at('nginx.conf');
      writeFileSync(
        main,
        `daemon off; pid ${host.at('nginx.pid')}; error_log ${host.at('main.log')};
         events {} http { access_log off; include ${host.at('sites-enabled')}/*.conf; }`,
      );
      const [http, https] = await freePorts(2);
      ports = [
        '--',
        '--listen-http',
        `${http}`,
        '--listen-https',
        `${https}`,
        '--no-ipv6',
        '--log-dir',
        host.at('log'),
      ];
    });
    afterEach(async () => {
      if (!nginx) return;
      const gone = new Promise((resolve) => nginx?.once('exit', resolve));
      nginx.kill('SIGTERM');
      await gone;
      nginx = undefined;
    });

    const local = async (...args: string[]): ReturnType<Host['setUp']> =>
      host.setUp('--domain', 'LocalHost', '--local', '--nginx-conf', main, ...args, ...ports);
    const fetch = async (): Promise<string> => {
      const url = `https://localhost:${ports[4]}/metrics`;
      return (
        await outputOf('curl', ['-sS', '--cacert', host.at('tls/ca.pem'), '-w', ' %{http_code}', url])
      ).toString();
    };

    it('makes an authority, a certificate of it, and a site that nginx serves with it; the next run keeps all', async () => {
      const first = await local('--no-reload');
      expect([first.exitCode, first.said]).toEqual([
        0,
        expect.stringContaining('PUBLIC_URL=https://localhost'),
      ]);
      for (const key of ['ca.key', 'localhost.key'])
        expect(statSync(host.at('tls', key)).mode & 0o777).toBe(0o600);
      const about = (
        await outputOf('openssl', [
          'x509',
          '-in',
          host.at('tls/localhost.pem'),
          '-noout',
          '-ext',
          'subjectAltName',
        ])
      ).toString();
      expect(about).toContain('DNS:localhost');

      nginx = spawn(nginxProgram(), ['-c', main], { stdio: 'ignore' });
      expect(await eventually('nginx serves', fetch)).toMatch(/"code":"not-found".* 404$/);

      const before = ['tls/localhost.pem', 'tls/ca.pem', 'sites-available/vibesflow.conf'].map((file) =>
        host.read(file),
      );
      const second = await local();
      expect(second.exitCode).toBe(0);
      expect(second.said).toContain('good for another month');
      expect(second.said).toContain('is as it should be');
      expect(
        ['tls/localhost.pem', 'tls/ca.pem', 'sites-available/vibesflow.conf'].map((file) => host.read(file)),
      ).toEqual(before);
      expect(await fetch()).toMatch(/ 404$/);
    });

    it('makes a new certificate where the old one ends within a month, of the same authority', async () => {
      await local('--no-reload');
      const authority = host.read('tls/ca.pem');
      await outputOf('openssl', [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-subj',
          '/CN=old',
        ],
        ...['-days', '20', '-addext', 'subjectAltName=DNS:localhost'],
        ...['-keyout', host.at('tls/localhost.key'), '-out', host.at('tls/localhost.pem')],
      ]);
      expect((await local('--no-reload')).said).toContain(`Made ${host.at('tls/localhost.pem')}`);
      expect(host.read('tls/ca.pem')).toBe(authority);
      const verified = await outputOf('openssl', [
        'verify',
        '-CAfile',
        host.at('tls/ca.pem'),
        host.at('tls/localhost.pem'),
      ]);
      expect(verified.toString()).toContain(': OK');
    });

    it('puts the site back as it was where nginx does not accept the new one', async () => {
      await local('--no-reload');
      const before = host.read('sites-available/vibesflow.conf');
      ports = [...ports.slice(0, -1), host.at('no/such/directory')];
      const { exitCode, said } = await local('--no-reload');
      expect(exitCode).toBe(1);
      expect(said).toMatch(/no\/such\/directory[\s\S]*what was there before is back/);
      expect(host.read('sites-available/vibesflow.conf')).toBe(before);
    });

    it('leaves no site behind where nginx never accepted one', async () => {
      ports = [...ports.slice(0, -1), host.at('no/such/directory')];
      expect((await local('--no-reload')).exitCode).toBe(1);
      expect(existsSync(host.at('sites-available/vibesflow.conf'))).toBe(false);
      expect(existsSync(host.at('sites-enabled/vibesflow.conf'))).toBe(false);
    });

    it('--dry-run writes the site to standard output, and nothing else anywhere', async () => {
      const { exitCode, stdout, said } = await local('--dry-run');
      expect(exitCode).toBe(0);
      expect(stdout.toString()).toContain(`ssl_certificate ${host.at('tls/localhost.pem')};`);
      expect(said).toContain('would make a certificate for localhost');
      for (const file of ['tls', 'sites-available', 'sites-enabled'])
        expect(existsSync(host.at(file))).toBe(false);
    });
  });

  describe("with certbot (a stand-in: Let's Encrypt cannot be reached from a test)", () => {
    const DOMAIN = 'radio.example.org';
    const setUp = async (...args: string[]): ReturnType<Host['setUp']> =>
      host.setUp('--domain', DOMAIN, '--email', 'ops@example.org', ...args);

    /** The certificates that the site named, each time that nginx was called. */
    const seen = (): string[] =>
      [...host.read('seen').matchAll(/ssl_certificate (.*);/g)].map(([, file]) => file as string);

    beforeEach(() => {
      // At each test of the configuration, what the site says then is kept.
      host.install(
        'nginx',
        `grep -h 'ssl_certificate ' ${host.at('sites-enabled')}/*.conf >> ${host.at('seen')}`,
      );
      host.install('systemctl', 'exit 1');
      host.install(
        'certbot',
        `live=${host.at('letsencrypt/live', DOMAIN)}; mkdir -p $live
         cp ${host.at('tls', DOMAIN)}.pem $live/fullchain.pem; cp ${host.at('tls', DOMAIN)}.key $live/privkey.pem`,
      );
    });

    it('first shows a certificate of its own, so that nginx can show certbot’s proof, and then the real one', async () => {
      const { exitCode, said } = await setUp();
      expect([exitCode, said]).toEqual([0, expect.stringContaining(`PUBLIC_URL=https://${DOMAIN}`)]);
      expect(seen().filter((line, index, all) => line !== all[index - 1])).toEqual([
        `${host.at('tls', DOMAIN)}.pem`,
        host.at('letsencrypt/live', DOMAIN, 'fullchain.pem'),
      ]);
      const [certbot] = host.calls.filter((call) => call.startsWith('certbot'));
      expect(certbot).toContain(`certonly --config-dir ${host.at('letsencrypt')} --webroot`);
      expect(certbot).toContain(
        `--webroot-path ${host.at('acme')} --domain ${DOMAIN} --email ops@example.org`,
      );
      expect(certbot).toContain('--keep-until-expiring --deploy-hook nginx -q -t && nginx -s reload');
      expect(certbot).not.toContain('--staging');
      expect(host.read('sites-available/vibesflow.conf')).toContain(`root ${host.at('acme')};`);
    });

    it('asks certbot again the next time, and goes on showing the real one throughout', async () => {
      await setUp();
      writeFileSync(host.at('seen'), '');
      expect((await setUp('--staging')).exitCode).toBe(0);
      expect(new Set(seen())).toEqual(new Set([host.at('letsencrypt/live', DOMAIN, 'fullchain.pem')]));
      expect(host.calls.filter((call) => call.startsWith('certbot')).at(-1)).toContain('--staging');
    });

    it('ends where certbot fails, with its own certificate still shown', async () => {
      host.install('certbot', 'echo "no such luck" >&2; exit 1');
      const { exitCode, said } = await setUp();
      expect(exitCode).toBe(1);
      expect(said).toContain('no such luck');
      expect(host.read('sites-available/vibesflow.conf')).toContain(`${host.at('tls', DOMAIN)}.pem;`);
    });

    it('names the package where certbot is missing', async () => {
      rmSync(host.at('bin/certbot'));
      // Only what is here and what every system has.
      for (const program of ['sh', 'dirname', 'openssl', 'node', 'tr', 'cat', 'printf'])
        host.install(
          program,
          `exec ${(await outputOf('sh', ['-c', `command -v ${program}`])).toString().trim()} "$@"`,
        );
      const result = await runProgram('/bin/sh', [SCRIPT, '--domain', DOMAIN, '--email', 'ops@example.org'], {
        env: { PATH: host.at('bin') },
      });
      expect(result.exitCode).toBe(69);
      expect(result.stderr).toContain('certbot is missing: apt-get install certbot');
    });
  });
});

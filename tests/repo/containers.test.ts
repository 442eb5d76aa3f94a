import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SETTINGS } from '../../src/base/settings';
import { closeWithinMs, readRepo, secretNames, settingNames, srsFiles } from '../helpers/deployed';
import { ROOT } from '../helpers/sources';
import { parseYaml } from '../helpers/yaml';

describe('the Dockerfile', () => {
  const text = readRepo('Dockerfile');
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  const all = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it('builds on one pinned Node, which the relay accepts', () => {
    const [, major = NaN, minor = NaN] = (
      /NODE_IMAGE=node:(\d+)\.(\d+)\.\d+-bookworm-slim/.exec(text) ?? []
    ).map(Number);
    const { engines } = JSON.parse(readRepo('package.json')) as { engines: { node: string } };
    const [, oldestMajor = NaN, oldestMinor = NaN] = (/(\d+)\.(\d+)/.exec(engines.node) ?? []).map(Number);
    expect(major * 1_000 + minor).toBeGreaterThanOrEqual(oldestMajor * 1_000 + oldestMinor);
    // Lines with even numbers are supported for long.
    expect(major % 2).toBe(0);
    expect(all('FROM').every((from) => from.startsWith('${NODE_IMAGE}'))).toBe(true);
  });

  it('installs what the lock file says, and runs nobody’s scripts', () => {
    const installs = all('RUN').flatMap((line) => line.match(/npm (ci|install|uninstall)[^&]*/g) ?? []);
    expect(installs).toHaveLength(3);
    for (const install of installs) expect(install).toContain('--ignore-scripts');
  });

  it('copies what is there, and what .dockerignore lets through', () => {
    const open = readRepo('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = all('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    for (const file of copied) {
      expect(statSync(path.join(ROOT, file))).toBeTruthy();
      expect(open).toContain(file);
    }
    expect(open.sort()).toEqual([...new Set(copied)].sort());
  });

  it('runs the relay as nobody in particular, and says what it listens on', () => {
    expect(all('USER')).toEqual(['node']);
    expect(all('CMD')).toEqual(['["node", "dist/main.js"]']);
    expect(all('EXPOSE')).toEqual([`${SETTINGS.port.shown} ${SETTINGS.mediaHttpPort.shown}`]);
    const set = (all('ENV')[0] ?? '').split(' ').map((pair) => pair.split('=')[0] as string);
    for (const name of set) expect(name === 'NODE_ENV' || settingNames.has(name)).toBe(true);
    for (const secret of secretNames) expect(text).not.toContain(secret);
  });
});

describe('docker-compose.yml', () => {
  interface Service {
    readonly image: string;
    readonly network_mode: string;
    readonly read_only: boolean;
    readonly restart: string;
    readonly cap_drop: string[];
    readonly security_opt: string[];
    readonly command?: string[];
    readonly environment?: Record<string, string>;
    readonly env_file?: string;
    readonly volumes?: string[];
    readonly tmpfs?: string[];
    readonly stop_grace_period?: string;
    readonly ulimits?: { nofile: { soft: number; hard: number } };
    readonly depends_on?: Record<string, { condition: string }>;
    readonly healthcheck?: { test?: string[]; disable?: boolean };
    readonly ports?: unknown;
  }
  const text = readRepo('docker-compose.yml');
  const { services } = parseYaml(text) as { services: Record<string, Service> };
  const service = (name: string): Service => services[name] as Service;

  it('holds the relay, SRS and nginx, each fenced in', () => {
    expect(Object.keys(services)).toEqual(['srs-conf', 'srs', 'relay', 'nginx']);
    for (const [name, each] of Object.entries(services)) {
      expect(each).toMatchObject({
        // Loopback binds mean nothing in a network of its own.
        network_mode: 'host',
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        restart: name === 'srs-conf' ? 'no' : 'unless-stopped',
      });
      expect(each.ports).toBeUndefined();
    }
  });

  it('runs the image of SRS that the settings name, with a configuration for its release', () => {
    expect(service('srs').image).toBe(`\${SRS_IMAGE:-${SETTINGS.srsImage.shown}}`);
    const release = /srs conf --for (\S+)/.exec(service('srs-conf').command?.at(-1) ?? '')?.[1];
    // What ossrs/srs:v7.0-a0 holds; its configuration differs from that of the line's first releases.
    expect([service('srs').image.split(':').at(-1), release]).toEqual(['v7.0-a0}', '7.0.162']);
    const written = /> (\S+)$/.exec(service('srs-conf').command?.at(-1) ?? '')?.[1];
    expect(service('srs').command).toEqual(['/usr/local/srs/objs/srs', '-c', written]);
    expect(service('srs').volumes).toEqual(service('srs-conf').volumes);
  });

  it('waits for each before the next, and gives the relay time to play out', () => {
    expect(service('srs').depends_on).toEqual({
      'srs-conf': { condition: 'service_completed_successfully' },
    });
    expect(service('relay').depends_on).toEqual({ srs: { condition: 'service_healthy' } });
    expect(service('nginx').depends_on).toEqual({ relay: { condition: 'service_healthy' } });
    expect(parseInt(service('relay').stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(closeWithinMs);
    for (const name of ['srs', 'relay']) expect(service(name).ulimits?.nofile.hard).toBeGreaterThan(srsFiles);
  });

  it('names the ports that the settings have by default', () => {
    const ports: Record<string, string> = {
      PORT: SETTINGS.port.shown,
      MEDIA_HTTP_PORT: SETTINGS.mediaHttpPort.shown,
      MEDIA_API_PORT: SETTINGS.mediaApiPort.shown,
    };
    const named = [...text.matchAll(/\$\{([A-Z_]*PORT):-(\d+)\}/g)];
    expect(new Set(named.map(([, name]) => name))).toEqual(new Set(Object.keys(ports)));
    for (const [, name, value] of named) expect(value).toBe(ports[name as string]);
  });

  it('gives nginx the template, and a value for each of its variables', () => {
    const template = readRepo('nginx/vibesflow.conf.template');
    const wanted = new Set([...template.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name]) => name as string));
    const known = new Set(
      [...readRepo('nginx/site.env').matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name),
    );
    expect([...wanted].filter((name) => !known.has(name))).toEqual([]);
    const nginx = service('nginx');
    expect(nginx.env_file).toBe('nginx/site.env');
    for (const name of Object.keys(nginx.environment ?? {})) expect(known).toContain(name);
    expect(nginx.volumes?.[0]).toMatch(/^\.\/nginx\/vibesflow\.conf\.template:/);
  });

  it('has no secret in it: they are in .env', () => {
    for (const name of ['srs-conf', 'relay']) expect(service(name).env_file).toBe('.env');
    for (const { environment = {} } of Object.values(services))
      for (const secret of secretNames) expect(Object.keys(environment)).not.toContain(secret);
    for (const name of ['srs-conf', 'relay'])
      for (const set of Object.keys(service(name).environment ?? {})) expect(settingNames).toContain(set);
  });

  const compose = ['docker-compose', 'docker compose'].find(
    (command) => spawnSync(`${command} version`, { shell: true }).status === 0,
  );
  (compose ? it : it.skip)(`is taken by compose${compose ? '' : ' [SKIPPED: no compose here]'}`, () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-compose-'));
    try {
      copyFileSync(path.join(ROOT, 'docker-compose.yml'), path.join(directory, 'docker-compose.yml'));
      mkdirSync(path.join(directory, 'nginx'));
      copyFileSync(path.join(ROOT, 'nginx/site.env'), path.join(directory, 'nginx/site.env'));
      const config = (): { status: number | null; stderr: string } =>
        spawnSync(`${compose} config -q`, { shell: true, cwd: directory, encoding: 'utf8' });
      writeFileSync(path.join(directory, '.env'), 'AUTH_MODE=open\n');
      expect(config().stderr).toContain('set DOMAIN in .env');
      writeFileSync(path.join(directory, '.env'), 'AUTH_MODE=open\nDOMAIN=radio.example.org\n');
      expect(config()).toMatchObject({ status: 0 });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

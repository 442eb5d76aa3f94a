import { Command, InvalidArgumentError } from 'commander';
import { type Config, loadConfig } from '../base/config';
import { OperatorError } from '../base/errors';
import { EXIT_USAGE } from './exit-code';
import { featuresOf, installedFeatures } from './nginx-features';
import { renderSite, type SiteOptions, siteVariables } from './nginx-site';
import { portOption, wholeNumberOption } from './options';
import type { CommandContext } from './program';

type ConfOptions = Partial<SiteOptions> & { nginxVersion?: string };

/** `vibesflow nginx`: what nginx in front of the relay needs. */
export function nginxCommand(context: CommandContext): Command {
  return new Command('nginx')
    .description('the site for an nginx in front of the relay')
    .addHelpText(
      'after',
      `
Examples:
  $ vibesflow nginx conf --domain radio.example.org

It has --help of its own.`,
    )
    .addCommand(confCommand(context));
}

function confCommand(context: CommandContext): Command {
  return new Command('conf')
    .description('write the nginx site to standard output: TLS, the doors, the media, and nothing else')
    .option('--domain <name>', 'the public name; else that of PUBLIC_URL, where it is https', domainOption)
    .option('--tls-cert <file>', 'the certificate with its chain; else that of certbot', pathOption)
    .option('--tls-key <file>', 'its key; else that of certbot', pathOption)
    .option('--listen-http <port>', 'where nginx listens for HTTP (80)', portOption)
    .option('--listen-https <port>', 'where nginx listens for HTTPS (443)', portOption)
    .option('--public-port <port>', 'the HTTPS port that the public sees, where it is another', portOption)
    .option('--address <ip>', 'the IPv4 address that nginx listens on (0.0.0.0)', addressOption)
    .option('--no-ipv6', 'leave IPv6 out')
    .option('--daemon <host:port>', 'the daemon; else HOST and PORT of the settings', upstreamOption)
    .option(
      '--media <host:port>',
      'the media server’s HTTP; else MEDIA_HTTP_PORT of the settings',
      upstreamOption,
    )
    .option(
      '--max-creators <n>',
      'connections at once from one address that send audio (50)',
      wholeNumberOption,
    )
    .option(
      '--max-listeners <n>',
      'connections at once from one address that listen (500)',
      wholeNumberOption,
    )
    .option('--acme-root <directory>', 'where certbot puts its proofs (/var/www/letsencrypt)', pathOption)
    .option('--log-dir <directory>', 'where nginx logs (/var/log/nginx)', pathOption)
    .option(
      '--hsts-seconds <n>',
      'for how long browsers keep to HTTPS (63072000; 0 for localhost)',
      secondsOfHsts,
    )
    .option('--stapling', 'staple OCSP: only for a certificate authority that still answers it')
    .option(
      '--nginx-version <version>',
      'the nginx that it is for; else the one installed here',
      versionOption,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ vibesflow nginx conf --domain radio.example.org > /etc/nginx/sites-available/vibesflow.conf
  $ vibesflow nginx conf --domain localhost --tls-cert /tmp/tls.pem --tls-key /tmp/tls.key --listen-https 8443

Reads PORT, HOST, MEDIA_SERVER, MEDIA_HTTP_PORT, RTMP_URL and PUBLIC_URL as the daemon does. scripts/setup-tls.sh gets a
certificate, runs this, and installs what it writes. Exit codes: 0 done; 64 wrong options; 78 wrong settings.`,
    )
    .action((options: ConfOptions) => {
      const { nginxVersion, ...said } = options;
      const config = loadConfig(context.env);
      const features =
        nginxVersion === undefined
          ? installedFeatures(context.env['PATH'])
          : featuresOf(`nginx/${nginxVersion}`);
      const site = siteVariables(
        { ...upstreams(config), ...said, domain: said.domain ?? domainOf(config) },
        features,
      );
      context.output.stdout.write(renderSite(site));
    });
}

/** Where the daemon and the media server listen, as seen from this machine. */
function upstreams(config: Config): { daemon: string; media: string } {
  const own = reachable(config.host);
  const media = config.mediaServer === 'srs' ? new URL(config.rtmpUrl).hostname : own;
  return { daemon: `${own}:${config.port}`, media: `${media}:${config.mediaHttpPort}` };
}

/** An address to connect to, for one to listen on. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** @throws {OperatorError} where the settings name no public host either */
function domainOf({ publicUrl }: Config): string {
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol === 'https:') return domainOption(hostname);
  throw new OperatorError('Which host? Give --domain, or set PUBLIC_URL to its https address.', EXIT_USAGE);
}

function domainOption(text: string): string {
  const domain = text.toLowerCase();
  if (
    domain.length <= 253 &&
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(domain)
  )
    return domain;
  throw new InvalidArgumentError('It must be a host name such as radio.example.org, or an IPv4 address.');
}

function pathOption(text: string): string {
  if (/^\/[\w./@%+=:,-]*$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an absolute path without spaces.');
}

function addressOption(text: string): string {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an IPv4 address.');
}

function upstreamOption(text: string): string {
  if (/^([A-Za-z0-9._-]+|\[[0-9a-f:]+\]):\d{1,5}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a host and a port, such as 127.0.0.1:3001.');
}

function secondsOfHsts(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of seconds.');
}

function versionOption(text: string): string {
  if (/^\d+\.\d+(\.\d+)?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a version such as 1.22.1.');
}

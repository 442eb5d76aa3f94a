import { readFileSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../base/errors';

/** The template, in the repository and in a package alike: two floors above the compiled and the source file. */
export const TEMPLATE_FILE = path.resolve(__dirname, '../../nginx/vibesflow.conf.template');

/** What the template is filled in with; the names of its variables, as `nginx/site.env` has them. */
export interface SiteVariables {
  readonly DOMAIN: string;
  readonly TLS_CERT: string;
  readonly TLS_KEY: string;
  /** `host:port` of the daemon. */
  readonly DAEMON: string;
  /** `host:port` of the media server's HTTP listener. */
  readonly MEDIA: string;
  readonly ADDRESS: string;
  readonly HTTP_PORT: string;
  readonly HTTPS_PORT: string;
  /** Empty for 443, else the port as it stands in URLs, with its colon. */
  readonly PUBLIC_PORT: string;
  /** `#` makes the lines that listen on IPv6 comments. */
  readonly NO_IPV6: string;
  readonly HTTP2_PARAMETER: string;
  /** `#` makes the line `http2 on;` a comment. */
  readonly NO_HTTP2_DIRECTIVE: string;
  readonly TLS_GROUPS: string;
  readonly HSTS_SECONDS: string;
  readonly STAPLING: string;
  readonly MAX_CREATORS: string;
  readonly MAX_LISTENERS: string;
  readonly ACME_ROOT: string;
  readonly LOG_DIR: string;
}

/** What an operator may say about the site. */
export interface SiteOptions {
  readonly domain: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly daemon: string;
  readonly media: string;
  readonly address?: string;
  readonly listenHttp?: number;
  readonly listenHttps?: number;
  /** The port that the public sees, where it is not the one that nginx listens on. */
  readonly publicPort?: number;
  readonly ipv6?: boolean;
  /** For how long browsers take the host by HTTPS only; two years unless told, 0 for localhost and addresses. */
  readonly hstsSeconds?: number;
  readonly stapling?: boolean;
  /** Connections at once from one address that send audio. */
  readonly maxCreators?: number;
  /** Connections at once from one address that listen. */
  readonly maxListeners?: number;
  readonly acmeRoot?: string;
  readonly logDir?: string;
}

/** What the nginx at hand can do. */
export interface NginxFeatures {
  /** It knows `http2 on` (1.25.1), and calls the older way of saying it deprecated. */
  readonly http2Directive: boolean;
  /** Its OpenSSL (3.5 or newer) knows the post-quantum key exchange X25519MLKEM768. */
  readonly postQuantum: boolean;
}

/** What every nginx since 1.18 understands. */
export const PLAIN_FEATURES: NginxFeatures = { http2Directive: false, postQuantum: false };

/** Two years, as Mozilla recommends. */
const HSTS_SECONDS = 63_072_000;
const TLS_GROUPS = 'X25519:prime256v1:secp384r1';

/** The variables of the template, all of them, from what an operator said and what nginx can do. */
export function siteVariables(options: SiteOptions, features = PLAIN_FEATURES): SiteVariables {
  const { domain, listenHttps = 443 } = options;
  const publicPort = options.publicPort ?? listenHttps;
  return {
    DOMAIN: domain,
    TLS_CERT: options.tlsCert ?? `/etc/letsencrypt/live/${domain}/fullchain.pem`,
    TLS_KEY: options.tlsKey ?? `/etc/letsencrypt/live/${domain}/privkey.pem`,
    DAEMON: options.daemon,
    MEDIA: options.media,
    ADDRESS: options.address ?? '0.0.0.0',
    HTTP_PORT: String(options.listenHttp ?? 80),
    HTTPS_PORT: String(listenHttps),
    PUBLIC_PORT: publicPort === 443 ? '' : `:${publicPort}`,
    NO_IPV6: options.ipv6 === false ? '#' : '',
    HTTP2_PARAMETER: features.http2Directive ? '' : 'http2',
    NO_HTTP2_DIRECTIVE: features.http2Directive ? '' : '#',
    TLS_GROUPS: features.postQuantum ? `X25519MLKEM768:${TLS_GROUPS}` : TLS_GROUPS,
    HSTS_SECONDS: String(options.hstsSeconds ?? (isTrial(domain) ? 0 : HSTS_SECONDS)),
    STAPLING: options.stapling ? 'on' : 'off',
    MAX_CREATORS: String(options.maxCreators ?? 50),
    MAX_LISTENERS: String(options.maxListeners ?? 500),
    ACME_ROOT: options.acmeRoot ?? '/var/www/letsencrypt',
    LOG_DIR: options.logDir ?? '/var/log/nginx',
  };
}

/** A browser told to take localhost by HTTPS only would find nothing else that is being tried out there. */
function isTrial(domain: string): boolean {
  return domain === 'localhost' || /^[\d.]+$/.test(domain);
}

/**
 * The site for nginx: the template with its variables filled in, exactly as `envsubst` does it.
 * @throws {OperatorError} where a value could break out of its place in nginx's language
 */
export function renderSite(variables: SiteVariables, template = readFileSync(TEMPLATE_FILE, 'utf8')): string {
  for (const [name, value] of Object.entries(variables) as [string, string][]) {
    if (/[\s;{}"'$\\]/.test(value))
      throw new OperatorError(`${name} cannot stand in nginx’s configuration: ${JSON.stringify(value)}`, 64);
  }
  return template.replace(/\$\{([A-Z0-9_]+)\}/g, (whole, name: string) => {
    const value = (variables as unknown as Record<string, string | undefined>)[name];
    return value ?? whole;
  });
}

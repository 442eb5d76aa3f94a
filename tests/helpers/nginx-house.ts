import { Daemon } from './daemon';
import { Nginx } from './nginx';
import { trust } from './web';

/** Programs that every suite behind nginx needs, and the Debian packages that bring them. */
export const NGINX_NEEDS = { nginx: 'nginx', openssl: 'openssl', curl: 'curl' } as const;

/** A daemon with its embedded media server, behind nginx with TLS. */
export interface NginxHouse {
  readonly daemon: Daemon;
  readonly nginx: Nginx;
  /** Ends both; checks that nothing of the daemon is left. */
  close(): Promise<void>;
}

/** Starts both; requests of this process believe the test certificate from then on. */
export async function openNginxHouse(
  env: Readonly<Record<string, string>> = {},
  options: Parameters<typeof Nginx.start>[1] = {},
): Promise<NginxHouse> {
  const daemon = await Daemon.start({ PUBLIC_URL: 'https://localhost', ...env });
  let nginx: Nginx;
  try {
    nginx = await Nginx.start(daemon, options);
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  trust(nginx.ca);
  return {
    daemon,
    nginx,
    close: async () => {
      trust(undefined);
      await nginx.stop();
      await daemon.stop();
    },
  };
}

import type { Logger } from '../../base/logger';
import type { Metrics } from '../../base/metrics';
import { Problem } from '../../base/errors';
import {
  DEFAULT_VHOST,
  HOOK_ACTIONS,
  type Hook,
  type HookAction,
  parseHook,
  refused,
  type Verdict,
} from './hook';

/**
 * Decides the hooks of one vhost. At once and from memory: SRS holds the client back until it has its answer, and on
 * some versions a slow answer to `on_publish` loses the stream. Only players may be kept waiting, up to SRS's 30 s.
 */
export interface VhostHooks {
  /** Also told of what nobody can refuse any more: `on_close`, `on_unpublish`, `on_stop`. Must not throw. */
  decide(hook: Hook): Verdict | Promise<Verdict>;
}

/** SRS takes any other number than 0 for a refusal. */
const ALLOW = 0;
const REFUSE = 1;
/** What SRS only reports: the answer changes nothing, so it is never a refusal. */
const REPORTS: readonly HookAction[] = ['on_close', 'on_unpublish', 'on_stop'];

/** Takes every hook of SRS to whoever answers for its vhost. */
export class HookDesk {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #vhosts = new Map<string, VhostHooks>();
  readonly #watchers: ((hook: Hook) => void)[] = [];

  constructor({ logger, metrics }: { logger: Logger; metrics: Metrics }) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Makes somebody answer for a vhost; what goes to a vhost that nobody answers for is refused. */
  serve(vhost: string, hooks: VhostHooks): void {
    this.#vhosts.set(vhost, hooks);
  }

  /** Tells of every hook, before it is decided. */
  watch(watcher: (hook: Hook) => void): void {
    this.#watchers.push(watcher);
  }

  /**
   * @param action one of `HOOK_ACTIONS`
   * @param body as SRS sent it, parsed
   * @returns what SRS is answered; players it may have to wait for
   * @throws {Problem} `invalid-field` (400) where it is no callback of this action
   */
  answer(action: string, body: unknown): { code: number } | Promise<{ code: number }> {
    if (!isAction(action)) throw new Problem('invalid-field', `${action}: is no hook.`);
    const hook = parseHook(action, body);
    for (const watcher of this.#watchers) watcher(hook);
    const vhost = hook.vhost === '' ? DEFAULT_VHOST : hook.vhost;
    const verdict = this.#vhosts.get(vhost)?.decide(hook) ?? refused('nobody serves this vhost');
    return verdict instanceof Promise
      ? verdict.then((late) => this.#tell(hook, vhost, late))
      : this.#tell(hook, vhost, verdict);
  }

  #tell({ action, clientId, app, stream }: Hook, vhost: string, verdict: Verdict): { code: number } {
    const isReport = REPORTS.includes(action);
    const result = verdict.allowed ? 'allowed' : isReport ? 'ignored' : 'refused';
    this.#metrics.srsHooks.inc({ action, result });
    const facts = { action, result, clientId, vhost, app, stream };
    // Anybody may ask to play what is not there, as often as they like.
    const level = result === 'refused' && action !== 'on_play' ? 'warn' : 'debug';
    if (verdict.allowed) this.#logger.debug(facts, 'a hook of SRS');
    else this.#logger[level]({ ...facts, reason: verdict.reason }, `a hook of SRS: ${verdict.reason}`);
    return { code: verdict.allowed || isReport ? ALLOW : REFUSE };
  }
}

function isAction(text: string): text is HookAction {
  return (HOOK_ACTIONS as readonly string[]).includes(text);
}

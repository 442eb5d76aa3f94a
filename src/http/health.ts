import type { RequestHandler } from 'express';
import { Problem } from '../base/errors';
import type { HttpContext } from './context';

interface Check {
  readonly name: 'mediaServer' | 'accepting' | 'capacity' | 'headroom';
  readonly ok: boolean;
  readonly detail: string;
}

/** `GET /health`: 200 as long as the process can answer at all. */
export function healthDoor(context: HttpContext): RequestHandler {
  const { registry, clock } = context;
  return (_req, res) => {
    const mediaServer = context.mediaServerHealth();
    const fault = context.journalFault();
    res.json({
      status: 'ok',
      activeStreams: registry.active().length,
      mediaServer,
      // The original system's word for it, whatever the media server is.
      srsRunning: mediaServer.up,
      journal: fault === undefined ? { up: true } : { up: false, detail: fault },
      version: context.version,
      uptimeSeconds: Math.floor((clock.nowMs() - context.startedMs) / 1000),
      timestamp: clock.epochMs(),
    });
  };
}

/** `GET /ready`: whether a new vibe would be taken; else 503, naming what stands in the way. */
export function readyDoor(context: HttpContext): RequestHandler {
  return (_req, res) => {
    const checks = runChecks(context);
    const failing = checks.filter(({ ok }) => !ok);
    if (failing.length > 0) {
      const detail = `${failing.map((check) => check.detail).join('; ')}.`;
      throw new Problem('not-ready', detail, { checks, failing: failing.map(({ name }) => name) });
    }
    res.json({ status: 'ready', checks, timestamp: context.clock.epochMs() });
  };
}

function runChecks({ registry, config, ...context }: HttpContext): Check[] {
  const { kind, up } = context.mediaServerHealth();
  const active = registry.active().length;
  return [
    { name: 'mediaServer', ok: up, detail: `the ${kind} media server is ${up ? 'up' : 'down'}` },
    {
      name: 'accepting',
      ok: !registry.draining,
      detail: registry.draining ? 'the relay is draining' : 'vibes are accepted',
    },
    { name: 'capacity', ok: !registry.isFull, detail: `${active} of ${config.maxStreams} vibes are taken` },
    {
      name: 'headroom',
      ok: registry.shortage === undefined,
      detail: registry.shortage ?? 'the machine has room for another vibe',
    },
  ];
}

/** `GET /metrics`: Prometheus text. */
export function metricsDoor({ metrics }: HttpContext): RequestHandler {
  return async (_req, res) => {
    const text = await metrics.registry.metrics();
    res.set('Content-Type', metrics.registry.contentType).send(text);
  };
}

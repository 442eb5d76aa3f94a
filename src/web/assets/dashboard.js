'use strict';

const REFRESH_MS = 1000;

/** Where the relay asks for an admin's token: after the # of the page's address, which browsers send to nobody. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');
const credentials = token ? { authorization: `Bearer ${token}` } : {};

const STATES = {
  starting: 'starting',
  buffering: 'buffering',
  live: 'live',
  holding: 'waiting for the creator',
  ending: 'ending',
};
const SIGNALS = { ok: 'sound', quiet: 'quiet', silent: 'silent', filling: 'no audio' };

const summary = document.getElementById('summary');
const table = document.getElementById('vibes');
const body = table.querySelector('tbody');
/** One row a vibe, kept from one refresh to the next, so that focus and selection stay. */
const rows = new Map();

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function createRow(vibeId) {
  const row = document.createElement('tr');
  const link = document.createElement('a');
  link.href = `/listen/${encodeURIComponent(vibeId)}`;
  const cells = Array.from({ length: 8 }, () => row.insertCell());
  for (const cell of cells.slice(4)) cell.className = 'number';
  cells[0].append(link);
  body.append(row);
  return { row, link, cells };
}

/** Texts go in as text: a title may hold anything. */
function fill({ link, cells }, vibe, now) {
  const texts = [
    vibe.creator ?? '–',
    STATES[vibe.state] ?? vibe.state,
    SIGNALS[vibe.signal] ?? vibe.signal,
    String(vibe.listeners),
    String(vibe.participantCount),
    `${(vibe.bufferedMs / 1000).toFixed(1)} s`,
    duration(now - vibe.startedAt),
  ];
  link.textContent = vibe.title ? `${vibe.title} (${vibe.vibeId})` : vibe.vibeId;
  texts.forEach((text, index) => {
    const cell = cells[index + 1];
    if (cell.textContent !== text) cell.textContent = text;
  });
}

function show({ activeStreams, timestamp }) {
  const seen = new Set();
  for (const vibe of activeStreams) {
    seen.add(vibe.vibeId);
    if (!rows.has(vibe.vibeId)) rows.set(vibe.vibeId, createRow(vibe.vibeId));
    fill(rows.get(vibe.vibeId), vibe, timestamp);
  }
  for (const [vibeId, { row }] of rows) {
    if (seen.has(vibeId)) continue;
    row.remove();
    rows.delete(vibeId);
  }
  table.hidden = seen.size === 0;
  const text =
    seen.size === 0
      ? 'Nobody is live right now.'
      : `${seen.size} ${seen.size === 1 ? 'vibe is' : 'vibes are'} live.`;
  // Screen readers say what changes here: it must not change without need.
  if (summary.textContent !== text) summary.textContent = text;
}

async function refresh() {
  try {
    const answer = await fetch('/streams/active', { headers: credentials });
    const isRefused = answer.status === 401 || answer.status === 403;
    if (isRefused) summary.textContent = 'What is live is shown to admins: add #token=… to the address.';
    else if (!answer.ok) throw new Error(`the relay answered ${answer.status}`);
    else show(await answer.json());
  } catch {
    summary.textContent = 'The relay does not answer. Trying again …';
  }
  setTimeout(refresh, REFRESH_MS);
}

refresh();

'use strict';

const STATUS_MS = 2000;
/** Where the relay does not say how long a lease lasts. */
const LEASE_SECONDS = 60;
/** How long an answer may take. */
const ANSWER_MS = 5000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** A player whose time stands still for so long is started anew. */
const STUCK_MS = 6000;

const WORDS = {
  starting: 'The vibe is about to begin.',
  buffering: 'The vibe is about to begin.',
  live: 'Live.',
  holding: 'The creator is away for a moment. Stay tuned.',
  ending: 'The vibe is ending.',
  ended: 'This vibe is over.',
  failed: 'This vibe had to stop.',
};

const vibeId = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const api = `/stream/${encodeURIComponent(vibeId)}`;
/** Where the relay asks for a token: after the # of the page's address, which browsers send to nobody. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');
const credentials = token ? { authorization: `Bearer ${token}` } : {};
const participantId = crypto.randomUUID?.() ?? `page-${Date.now()}-${Math.random().toString(36).slice(2)}`;

const element = (id) => document.getElementById(id);
const audio = element('audio');
const button = element('play');

/** The last answer of the relay; nothing while there is no such vibe. */
let vibe;
/** Where it is heard, as the last join had it: a private vibe is heard nowhere else. */
let urls;
let isRefused = false;
let wantsToPlay = false;
let player;
let retryMs = FIRST_RETRY_MS;
let retryTimer;
let renewTimer;
let lastTime = 0;
let lastMovedMs = 0;

function say(text) {
  const state = element('state');
  if (state.textContent !== text) state.textContent = text;
}

function post(path, body) {
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credentials },
    body: JSON.stringify(body),
    keepalive: true,
    signal: AbortSignal.timeout(ANSWER_MS),
  };
  return fetch(`${api}/${path}`, options).catch(() => undefined);
}

/** Takes the lease, and again three times in its length. */
async function renew() {
  const answer = await post('join', { participantId });
  const joined = answer?.ok ? await answer.json() : {};
  const { leaseSeconds = LEASE_SECONDS } = joined;
  if (joined.streamingUrl) urls = joined;
  clearTimeout(renewTimer);
  if (wantsToPlay) renewTimer = setTimeout(renew, (leaseSeconds * 1000) / 3);
}

function leave() {
  clearTimeout(renewTimer);
  // A beacon has no headers of its own.
  if (token) void post('leave', { participantId });
  else navigator.sendBeacon(`${api}/leave`, JSON.stringify({ participantId }));
}

function stopPlayer() {
  clearTimeout(retryTimer);
  player?.destroy();
  player = undefined;
  audio.removeAttribute('src');
  audio.load();
}

/** Plays again after a while, which doubles up to ten seconds; some chance in it, so that listeners do not come all at once. */
function retry() {
  if (!wantsToPlay) return;
  stopPlayer();
  say('The connection was lost. Trying again …');
  retryTimer = setTimeout(begin, retryMs * (0.5 + Math.random()));
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

/** Joins first: what a private vibe was heard by may be good no more. */
async function begin() {
  await renew();
  if (wantsToPlay) startPlayer();
}

function startPlayer() {
  stopPlayer();
  if (!vibe || vibe.state === 'ended' || vibe.state === 'failed') return;
  lastMovedMs = Date.now();
  lastTime = 0;
  if (window.mpegts?.isSupported()) playFlv((urls ?? vibe).streamingUrl);
  else if (audio.canPlayType('application/vnd.apple.mpegurl')) audio.src = (urls ?? vibe).hlsUrl;
  else return say('This browser can play neither HTTP-FLV nor HLS.');
  audio.play().catch((error) => {
    if (error.name === 'NotAllowedError') pause();
  });
}

function playFlv(url) {
  player = window.mpegts.createPlayer(
    { type: 'flv', url, isLive: true, hasAudio: true, hasVideo: false, cors: true },
    {
      // The default of 64 KiB holds back four seconds of sound.
      enableStashBuffer: false,
      lazyLoad: false,
      deferLoadAfterSourceOpen: false,
      autoCleanupSourceBuffer: true,
      liveBufferLatencyChasing: true,
      liveBufferLatencyMaxLatency: 2,
      liveBufferLatencyMinRemain: 0.5,
    },
  );
  player.on(window.mpegts.Events.ERROR, retry);
  player.on(window.mpegts.Events.LOADING_COMPLETE, retry);
  player.attachMediaElement(audio);
  player.load();
}

function play() {
  wantsToPlay = true;
  retryMs = FIRST_RETRY_MS;
  button.textContent = 'Stop';
  button.setAttribute('aria-pressed', 'true');
  void begin();
}

function pause() {
  wantsToPlay = false;
  button.textContent = 'Play';
  button.setAttribute('aria-pressed', 'false');
  stopPlayer();
  leave();
}

function showVibe() {
  element('title').textContent = vibe?.title ?? vibeId;
  document.title = `${vibe?.title ?? vibeId} · VibesFlow`;
  element('creator').textContent = vibe?.creator ? `by ${vibe.creator}` : '';
  element('counts').textContent = vibe ? `${vibe.listeners} listening` : '';
  if (isRefused) return say('This vibe is heard by invitation only.');
  if (!vibe) return say('There is no such vibe right now.');
  if (!wantsToPlay || vibe.state !== 'live') return say(WORDS[vibe.state] ?? vibe.state);
  if (!retryTimer || audio.currentTime > 0)
    say(audio.paused ? 'Live. Loading …' : 'Live. You are listening.');
}

/** Starts again a player whose time stands still although the vibe is on air. */
function watchPlayer() {
  if (!wantsToPlay || !vibe?.isStreaming) return;
  if (audio.currentTime !== lastTime) {
    lastTime = audio.currentTime;
    lastMovedMs = Date.now();
    retryMs = FIRST_RETRY_MS;
    retryTimer = undefined;
  } else if (Date.now() - lastMovedMs > STUCK_MS) {
    retry();
  }
}

async function refresh() {
  try {
    const answer = await fetch(api, { headers: credentials });
    isRefused = answer.status === 401 || answer.status === 403;
    vibe = answer.ok ? await answer.json() : undefined;
    showVibe();
    watchPlayer();
  } catch {
    say('The relay does not answer. Trying again …');
  }
  setTimeout(refresh, STATUS_MS);
}

button.addEventListener('click', () => (wantsToPlay ? pause() : play()));
element('volume').addEventListener('input', (event) => (audio.volume = Number(event.target.value)));
audio.addEventListener('error', () => wantsToPlay && !player && retry());
window.addEventListener('pagehide', () => wantsToPlay && leave());
refresh();

/*
 * PM2 in production: `npx pm2 start ecosystem.config.js`. The settings are those of the daemon, from the environment or
 * the file .env beside this one; a secret belongs into .env alone, because PM2 writes its programs' environment into a
 * file. tests/repo/deploy-files.test.ts holds the figures below against the daemon's own, tests/e2e/pm2.test.ts runs it.
 */
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { parseEnv } = require('node:util');

/** Names of variables that PM2 must not see: it would pass them on, and store them. (Its filter_env forgets on reload.) */
const SECRET = /SECRET|TOKEN|PASSWORD|CREDENTIAL|PRIVATE|_KEY/i;
/** PM2's verbs that run what stands here. All others, such as stop and delete, must work with wrong settings, too. */
const RUNNING_VERBS = ['start', 'restart', 'reload', 'startOrRestart', 'startOrReload'];

const env = { NODE_ENV: 'production', MEDIA_SERVER: mediaServer() };
if (isRun()) {
  hideSecrets();
  checkSettings();
}

const common = {
  cwd: __dirname,
  env,
  // One process owns its vibes; a second one would split them.
  exec_mode: 'fork',
  instances: 1,
  // "online" is what the program says of itself (process.send('ready')), not that it was started.
  wait_ready: true,
  listen_timeout: 20_000,
  // The signal goes to the program alone. By default PM2 tells the FFmpegs first, and the tails of all vibes are gone.
  treekill: false,
  // Above the 25 s after which the daemon ends by itself where a part of it does not close.
  kill_timeout: 28_000,
  // After a crash: soon, then slower and slower, up to 15 s. Never given up: a port that was taken becomes free again.
  exp_backoff_restart_delay: 100,
  min_uptime: '10s',
  max_restarts: 1_000_000,
  // Our lines have their time. deploy/logrotate.conf rotates these files.
  merge_logs: true,
  // What PM2 would load into the program: its paid service's probe, a reader of git, a mapper of stack traces.
  pmx: false,
  automation: false,
  vizion: false,
  disable_source_map_support: true,
};

const streaming = {
  ...common,
  name: 'vibesflow-streaming',
  script: path.join(__dirname, 'dist', 'main.js'),
  // 200 vibes that hold 30 s of 48 kHz stereo each are 1.2 GB; FFmpegs are processes of their own and not counted.
  max_memory_restart: '1500M',
  ...logs('vibesflow-streaming'),
};

const srs = {
  ...common,
  name: 'vibesflow-srs',
  script: path.join(__dirname, 'dist', 'cli', 'vibesflow.js'),
  args: ['srs', 'run'],
  // The supervisor; SRS is a process of its own and not counted.
  max_memory_restart: '300M',
  ...logs('vibesflow-srs'),
};

// The embedded media server is a part of the daemon: nothing else is to be run.
module.exports = { apps: env.MEDIA_SERVER === 'srs' ? [streaming, srs] : [streaming] };

function logs(name) {
  const file = (kind) => path.join(__dirname, 'logs', `${name}.${kind}.log`);
  return { out_file: file('out'), error_file: file('err') };
}

/** As the daemon reads it, but srs where nothing is said. */
function mediaServer() {
  const file = path.join(__dirname, '.env');
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return process.env.MEDIA_SERVER || fromFile.MEDIA_SERVER || 'srs';
}

function isRun() {
  return /pm2-runtime$/.test(process.argv[1]) || process.argv.some((word) => RUNNING_VERBS.includes(word));
}

function hideSecrets() {
  for (const name of Object.keys(process.env).filter((each) => SECRET.test(each))) {
    delete process.env[name];
    if (/^(AUTH|HOOK)_SECRET$/.test(name)) say(`${name} is read from .env alone: PM2 would store it`);
  }
}

/**
 * Reads the settings as the daemon will. Where they are wrong, one line says so and PM2's command ends: a relay that
 * runs is not stopped for one that cannot start, and nothing is restarted in circles.
 */
function checkSettings() {
  try {
    const config = path.join(__dirname, 'dist', 'base', 'config.js');
    if (!existsSync(config)) throw new Error('Not built yet; run: npm ci --ignore-scripts && npm run build');
    require(config).loadConfig({ ...process.env, ...env }, { directory: __dirname });
  } catch (error) {
    say(error.message);
    process.exit(error.exitCode ?? 69);
  }
}

function say(line) {
  process.stderr.write(`vibesflow: ${line}\n`);
}

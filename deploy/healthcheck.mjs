/*
 * Is the relay alive? Asks GET /health of the daemon on this machine (HOST and PORT of the settings): exit code 0 or 1.
 * With `--wait 60`, asks for up to 60 s until it is. For containers and units, which have no curl.
 */
const { HOST: host = '127.0.0.1', PORT: port = '3001' } = process.env;
const everywhere = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
const url = `http://${everywhere[host] ?? host}:${port}/health`;
const waitAt = process.argv.indexOf('--wait');
const untilMs = performance.now() + (waitAt === -1 ? 0 : Number(process.argv[waitAt + 1]) * 1000);

for (;;) {
  const fault = await ask();
  if (fault === undefined) break;
  if (performance.now() >= untilMs) {
    process.stderr.write(`${url}: ${fault}\n`);
    process.exitCode = 1;
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}

async function ask() {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    return status === 200 ? undefined : `answered ${status}`;
  } catch (error) {
    return error.cause?.message ?? error.message;
  }
}

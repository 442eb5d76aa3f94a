# The relay in a container, non-root, with Debian's FFmpeg. It writes to /data alone, so it runs with a read-only root.
#   docker build -t vibesflow-streaming .
#   docker run --rm --network host --read-only --tmpfs /data:uid=1000,gid=1000 -e AUTH_MODE=open vibesflow-streaming
# On the host's network it keeps to loopback, as everywhere, and nginx is in front of it; with -p, set HOST=0.0.0.0.
# docker-compose.yml has all of it together. What the lines below run is run without Docker by the tests.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/copy-web.mjs scripts/
COPY src src
RUN npm run --silent build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# What is optional is the packaged FFmpeg. PM2 is for hosts: here, Docker starts the relay again.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
    && npm uninstall pm2 --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg tini \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY deploy/healthcheck.mjs deploy/
RUN mkdir -p /data/srs && chown -R node:node /data
ENV NODE_ENV=production FFMPEG_PATH=/usr/bin/ffmpeg DATA_DIR=/data LOG_FORMAT=json
USER node
# PORT and MEDIA_HTTP_PORT, for those who look; a container on the host's network needs no mapping.
EXPOSE 3001 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "deploy/healthcheck.mjs"]
# tini reaps what FFmpegs leave and passes signals on.
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/main.js"]

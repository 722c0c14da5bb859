# This stage builds. It has the tools to compile sqlite3 if there is no prebuilt binary.
FROM node:24-slim AS build
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
# The image has Node's headers. Without this setting, npm would download them.
ENV npm_config_nodedir=/usr/local
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.browser.json ormconfig.ts ./
COPY scripts/bundle.js ./scripts/
COPY src ./src
COPY templates ./templates
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

# This stage runs: it has no compiler and no sources, and the server can write to data/ only.
FROM node:24-slim
# With more arenas, the C library keeps more memory that threads have given back.
ENV NODE_ENV=production HOST=0.0.0.0 MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The user `node` of the base image. The number shows Kubernetes that it is not root.
RUN install -d -o 1000 -g 1000 -m 700 data
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]

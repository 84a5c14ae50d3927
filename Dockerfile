# The control plane on Node: see docs/deploy.md. Built in two steps, so that the image holds no tools.
FROM node:20-bookworm-slim AS build
WORKDIR /headrace
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /headrace
COPY --from=build /headrace/package.json ./
COPY --from=build /headrace/node_modules ./node_modules
COPY --from=build /headrace/dist ./dist
# `docker exec … runner …` for backups, checks and tokens.
RUN ln -s /headrace/dist/runner.cjs /usr/local/bin/runner && mkdir /data && chown node:node /data && chmod 700 /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Needs HEADRACE_TOKEN. HEADRACE_DB_TOKEN and `--db libsql://…` put the database on a server.
ENTRYPOINT ["node", "dist/runner.cjs", "server", "--host", "0.0.0.0", "--port", "8080", "--output-dir", "/data"]

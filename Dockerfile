# Server, console and trainer in one image. Built and run as an ordinary user; all state is in /var/lib/stic.
FROM node:20-bookworm-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner=node --group=node /opt/stic /var/lib/stic

WORKDIR /opt/stic
USER node
COPY --chown=node:node . .

# The default PyTorch for Linux contains CUDA. An index with CPU builds makes a much smaller image.
ARG PIP_EXTRA_INDEX_URL
RUN PIP_NO_CACHE_DIR=1 node scripts/setup.mjs

ENV STIC_STATE=/var/lib/stic STIC_HOST=0.0.0.0
VOLUME /var/lib/stic
EXPOSE 7420 7421
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7420/api/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/server/src/main.js"]

# shellcheck shell=bash
# Sourced by the scripts beside it, after environment.sh. Needs node 20 with npm.

# Brings Grafana's components into .tools/look, and bundles what draws dashboards with them in a browser.
bundle_drawing() {
  local look=.tools/look needed
  for needed in node npm; do
    command -v "$needed" >/dev/null || { say "needs $needed (Debian: apt install nodejs npm)"; exit 1; }
  done
  if ! cmp -s scripts/look/package-lock.json "$look/installed"; then
    say "installing Grafana's components into $look"
    mkdir -p "$look"
    cp scripts/look/package.json scripts/look/package-lock.json scripts/look/.npmrc "$look/"
    (cd "$look" && npm ci --loglevel=error >&2)
    cp scripts/look/package-lock.json "$look/installed"
  fi
  NODE_PATH=$look/node_modules "$look/node_modules/.bin/esbuild" scripts/look/drawing/main.jsx --bundle --minify \
    --jsx=automatic --loader:.svg=text --loader:.ttf=empty --define:process.env.NODE_ENV='"production"' \
    --outfile="$look/drawing.js" --log-level=error
}
